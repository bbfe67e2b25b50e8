//! Route 53: zones, records, changes, and what the name servers say of them.

mod changes;
mod lists;
mod spreading;

use super::fixture::{Answer, Cloud};

const ZONE: &str = "managed.example.net";

/// A cloud with the zone, and the zone's id.
async fn zone() -> anyhow::Result<(Cloud, String)> {
    let cloud = Cloud::start().await?;
    let id = cloud.aws.host_zone(ZONE)?;
    Ok((cloud, id))
}

/// One change of a record set with a TTL of 60.
fn change(action: &str, name: &str, kind: &str, values: &[&str]) -> String {
    let records: Vec<String> = values
        .iter()
        .map(|value| format!("<ResourceRecord><Value>{value}</Value></ResourceRecord>"))
        .collect();
    set(action, name, kind, &format!("<TTL>60</TTL><ResourceRecords>{}</ResourceRecords>", records.concat()))
}

fn set(action: &str, name: &str, kind: &str, content: &str) -> String {
    format!(
        "<Change><Action>{action}</Action><ResourceRecordSet><Name>{name}</Name><Type>{kind}</Type>{content}\
         </ResourceRecordSet></Change>"
    )
}

fn batch(changes: &[String]) -> String {
    format!(
        "<?xml version=\"1.0\"?><ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
         <ChangeBatch><Comment>why</Comment><Changes>{}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>",
        changes.concat()
    )
}

async fn send(cloud: &Cloud, zone: &str, changes: &[String]) -> anyhow::Result<Answer> {
    cloud.route53("POST", &format!("hostedzone/{zone}/rrset"), &batch(changes)).await
}

/// Sends what must be accepted.
async fn accepted(cloud: &Cloud, zone: &str, changes: &[String]) -> anyhow::Result<Answer> {
    let answer = send(cloud, zone, changes).await?;
    anyhow::ensure!(answer.status == 200, "{}: {}", answer.status, answer.body);
    Ok(answer)
}

/// Every record set of one's own, as name, type and values.
fn records(cloud: &Cloud) -> Vec<String> {
    let zone = cloud.aws.state().hosted_zones.remove(0);
    zone.records.iter().map(|set| format!("{} {} {}", set.name, set.kind, set.values.join(" "))).collect()
}
