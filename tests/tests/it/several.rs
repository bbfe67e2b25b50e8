//! Several brokers on one PostgreSQL: each instance is provisioned once, whoever works on it, and whoever dies.

use std::collections::HashSet;
use std::ops::Range;

use anyhow::{Context, ensure};
use http::Method;
use sandbox::{BrokerProcess, Postgres, wait_for};
use serde_json::json;

use crate::house::{BOUND, House, issued, names_never_without_certificate, provision_body};

const INSTANCES: usize = 30;

#[tokio::test(flavor = "multi_thread")]
async fn two_brokers_share_the_work_and_one_of_them_dies() -> anyhow::Result<()> {
    share(2).await
}

#[tokio::test(flavor = "multi_thread")]
async fn three_brokers_share_the_work_and_one_of_them_dies() -> anyhow::Result<()> {
    share(3).await
}

/// j: a deployment replaces one process after the other, each with a moment to finish. The work goes on, and somebody
/// always answers.
#[tokio::test(flavor = "multi_thread")]
async fn brokers_are_replaced_one_after_another_while_the_work_goes_on() -> anyhow::Result<()> {
    let server = Postgres::start().await?;
    let mut house = start(&server.database("replaced").await?, 2).await?;
    ask_for_all(&house).await?;
    let mut second = house.brokers.pop().context("no broker runs")?;
    let replace_the_second = async {
        uploads(&house, 3).await?;
        second.stop().await?;
        uploads(&house, 6).await?;
        second.restart().await
    };
    tokio::try_join!(prove(&house, 0..INSTANCES / 2), replace_the_second)?;
    // From now on the platform asks the second one.
    let mut first = std::mem::replace(&mut house.brokers[0], second);
    let replace_the_first = async {
        first.stop().await?;
        uploads(&house, INSTANCES / 2 + 3).await?;
        first.restart().await
    };
    let work = async {
        tokio::try_join!(prove(&house, INSTANCES / 2..INSTANCES), replace_the_first)?;
        all_succeed(&house).await
    };
    work.await.with_context(|| house.last_words())?;
    each_once(&house)
}

async fn share(count: usize) -> anyhow::Result<()> {
    let server = Postgres::start().await?;
    let mut house = start(&server.database("shared").await?, count).await?;
    ask_for_all(&house).await?;
    // The last one is killed: the platform asks the first.
    let mut victim = house.brokers.pop().context("no broker runs")?;
    let work = async { tokio::try_join!(prove_all(&house), die_and_come_back(&house, &mut victim)) };
    work.await.with_context(|| house.last_words())?;
    each_once(&house)
}

/// The owner of all domains looks at one instance after the other, so that it is not polls that keep the brokers busy.
async fn prove_all(house: &House) -> anyhow::Result<()> {
    prove(house, 0..INSTANCES).await?;
    all_succeed(house).await
}

async fn prove(house: &House, numbers: Range<usize>) -> anyhow::Result<()> {
    for number in numbers {
        house.prove(&id(number), 1).await?;
    }
    Ok(())
}

async fn all_succeed(house: &House) -> anyhow::Result<()> {
    for number in 0..INSTANCES {
        house.until_succeeded(&id(number)).await?;
    }
    Ok(())
}

async fn start(database_url: &str, count: usize) -> anyhow::Result<House> {
    let mut house = House::without_broker(|settings| settings.aws.certificate_quota = INSTANCES).await?;
    for _ in 0..count {
        let mut settings = house.hasty_settings("2s")?;
        database_url.clone_into(&mut settings.database_url);
        house.add_broker(&settings).await?;
    }
    Ok(house)
}

/// All are asked for at once, each of one broker.
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

/// The victim dies when some certificates have been uploaded, and is back before all have.
async fn die_and_come_back(house: &House, victim: &mut BrokerProcess) -> anyhow::Result<()> {
    uploads(house, 3).await?;
    victim.kill().await?;
    uploads(house, INSTANCES / 2).await?;
    victim.restart().await
}

async fn uploads(house: &House, count: usize) -> anyhow::Result<()> {
    wait_for(&format!("{count} uploads"), BOUND, || async {
        Ok((house.successes("UploadServerCertificate") >= count).then_some(()))
    })
    .await
}

fn each_once(house: &House) -> anyhow::Result<()> {
    let state = house.sandbox.aws().state();
    let references: HashSet<_> = state.distributions.iter().map(|one| &one.reference).collect();
    assert_eq!((state.distributions.len(), references.len()), (INSTANCES, INSTANCES));
    assert_eq!(house.successes("CreateDistributionWithTags"), INSTANCES);
    let names: HashSet<_> = state.certificates.iter().map(|one| &one.name).collect();
    assert_eq!((state.certificates.len(), names.len()), (INSTANCES, INSTANCES));
    assert_eq!(house.successes("UploadServerCertificate"), INSTANCES);
    assert_eq!(issued(house)?, INSTANCES);
    for number in 0..INSTANCES {
        let names = [domain(number)];
        let distribution = state.distributions.iter().find(|one| one.names == names);
        let certificate = state.certificates.iter().find(|one| one.names == names);
        let (distribution, certificate) = distribution.zip(certificate).context(domain(number))?;
        assert_eq!(distribution.certificate_id.as_ref(), Some(&certificate.id));
    }
    names_never_without_certificate(house)
}

fn id(number: usize) -> String {
    format!("3f1c9a52-0000-4000-8000-0000000001{number:02}")
}

fn domain(number: usize) -> String {
    format!("www{number}.example.gov")
}
