//! Only the operator can help, with twenty instances under way in two brokers: nobody fails, the operator reads one line,
//! and everything goes on by itself with one certificate each.

use anyhow::{Context, ensure};
use http::Method;
use sandbox::aws::{FaultKind, Outage};
use sandbox::{Postgres, wait_for};
use serde_json::json;

use crate::house::{BOUND, House, issued, names_never_without_certificate, provision_body};

const INSTANCES: usize = 20;
/// How many certificates there is room for at first.
const ROOM: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_vault_parks_everybody_until_there_is_room() -> anyhow::Result<()> {
    let server = Postgres::start().await?;
    let house = start(&server.database("full").await?).await?;
    until_there_is_room(&house).await.with_context(|| house.last_words())
}

async fn until_there_is_room(house: &House) -> anyhow::Result<()> {
    ask_for_all(house).await?;
    prove_all(house).await?;
    wait_for("the vault to be full", BOUND, || async { Ok(all_wait(house).await?.then_some(())) }).await?;
    tried(house, 2).await?;
    ensure!(house.successes("UploadServerCertificate") == ROOM);
    // Those that met it before the first of their process knew, and one for each try.
    let in_vain = house.times("UploadServerCertificate") - ROOM;
    ensure!(in_vain <= 2 * 8 + 8, "{in_vain} uploads were tried in vain");
    house.sandbox.aws().set_certificate_quota(INSTANCES);
    each_has_one(house).await?;
    told_once(house, "breaker vault/store").await
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_credentials_park_everybody_until_there_are_others() -> anyhow::Result<()> {
    let server = Postgres::start().await?;
    let house = start(&server.database("expired").await?).await?;
    house.sandbox.aws().set_certificate_quota(INSTANCES);
    until_there_are_others(&house).await.with_context(|| house.last_words())
}

async fn until_there_are_others(house: &House) -> anyhow::Result<()> {
    let cloud = house.sandbox.aws();
    // Some have their distribution when the credentials expire, others do not.
    let strike = async {
        wait_for("some distributions", BOUND, || async {
            Ok((house.successes("CreateDistributionWithTags") >= ROOM).then_some(()))
        })
        .await?;
        cloud.faults().break_down(Outage { op: "*".to_owned(), kind: FaultKind::ExpiredToken });
        anyhow::Ok(())
    };
    tokio::try_join!(ask_for_all(house), strike)?;
    tried(house, 3).await?;
    ensure!(log_lines(house, "ALERT: ")? == 1);
    let in_vain = cloud.journal().iter().filter(|entry| entry.status == 403).count();
    ensure!(in_vain <= 2 * 8 + 8, "{in_vain} calls were made in vain");
    cloud.faults().heal();
    prove_all(house).await?;
    each_has_one(house).await?;
    told_once(house, "breaker account").await
}

/// Two brokers on one database whose breakers are tried soon.
async fn start(database_url: &str) -> anyhow::Result<House> {
    let mut house = House::without_broker(|settings| settings.aws.certificate_quota = ROOM).await?;
    for _ in 0..2 {
        let mut settings = house.hasty_settings("2s")?;
        database_url.clone_into(&mut settings.database_url);
        house.add_broker(&settings).await?;
    }
    Ok(house)
}

async fn ask_for_all(house: &House) -> anyhow::Result<()> {
    for number in 0..INSTANCES {
        let broker = &house.brokers[number % house.brokers.len()];
        let path = format!("/v2/service_instances/{}?accepts_incomplete=true", id(number));
        let body = provision_body(&json!({"domain": domain(number)}));
        let accepted = house.call_at(&broker.url(), Method::PUT, &path, Some(&body)).await?;
        ensure!(accepted.status == 202, "{accepted:?}");
    }
    Ok(())
}

async fn prove_all(house: &House) -> anyhow::Result<()> {
    for number in 0..INSTANCES {
        house.prove(&id(number), 1).await?;
    }
    Ok(())
}

/// Whether all but those that found room read that they wait. None of them has failed.
async fn all_wait(house: &House) -> anyhow::Result<bool> {
    let mut waiting = 0;
    for number in 0..INSTANCES {
        let answer = house.poll(&id(number)).await?;
        ensure!(answer.text("state") != "failed", "{answer:?}");
        waiting += usize::from(answer.text("description").contains("waits for the operators"));
    }
    Ok(waiting == INSTANCES - ROOM)
}

/// Waits until so many calls have tried whether the way is free.
async fn tried(house: &House, times: usize) -> anyhow::Result<()> {
    wait_for("calls that try", BOUND, || async {
        Ok((log_lines(house, "trying whether the way is free")? >= times).then_some(()))
    })
    .await
}

/// Everybody is served in the end, with one certificate that was issued and uploaded once.
async fn each_has_one(house: &House) -> anyhow::Result<()> {
    for number in 0..INSTANCES {
        house.until_succeeded(&id(number)).await?;
    }
    let state = house.sandbox.aws().state();
    assert_eq!((state.distributions.len(), state.certificates.len()), (INSTANCES, INSTANCES));
    assert_eq!(house.successes("CreateDistributionWithTags"), INSTANCES);
    assert_eq!(house.successes("UploadServerCertificate"), INSTANCES);
    assert_eq!(issued(house)?, INSTANCES);
    names_never_without_certificate(house)
}

/// The operator has read one line about it, then that it is over, and nothing else.
async fn told_once(house: &House, subject: &str) -> anyhow::Result<()> {
    wait_for("the word that it is over", BOUND, || async {
        Ok((log_lines(house, "RESOLVED: ")? > 0).then_some(()))
    })
    .await?;
    assert_eq!((log_lines(house, "ALERT: ")?, log_lines(house, "RESOLVED: ")?), (1, 1));
    assert_eq!(log_lines(house, subject)?, 2);
    Ok(())
}

fn log_lines(house: &House, text: &str) -> anyhow::Result<usize> {
    Ok(house.log()?.lines().filter(|line| line.contains(text)).count())
}

fn id(number: usize) -> String {
    format!("3f1c9a52-0000-4000-8000-0000000003{number:02}")
}

fn domain(number: usize) -> String {
    format!("www{number}.example.gov")
}
