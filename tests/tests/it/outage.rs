//! PostgreSQL goes away under load and comes back: the platform hears 503 and asks again, and nothing is lost.

use anyhow::{Context, bail, ensure};
use http::Method;
use sandbox::{Postgres, wait_for};
use serde_json::json;

use crate::house::{
    Answer, BOUND, House, PLAN_ID, SERVICE_ID, issued, names_never_without_certificate, nothing_left,
    provision_body, records_in,
};

const INSTANCES: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn the_database_crashes_three_times_and_everything_goes_on() -> anyhow::Result<()> {
    let mut server = Postgres::start().await?;
    let mut house = House::without_broker(|_| {}).await?;
    let mut settings = house.hasty_settings("2s")?;
    settings.database_url = server.database("outage").await?;
    house.add_broker(&settings).await?;
    for number in 0..INSTANCES {
        let accepted = house.provision(&id(number), json!({"domain": domain(number)})).await?;
        ensure!(accepted.status == 202, "{accepted:?}");
    }
    let life = async {
        tokio::select! {
            unheard_of = platform(&house) => unheard_of,
            life = lives(&house, &mut server) => life,
        }
    };
    life.await.with_context(|| house.last_words())
}

/// Asks about every instance, again and again. Ends only when it hears what it must not.
async fn platform(house: &House) -> anyhow::Result<()> {
    wait_for("an answer that must not be", BOUND * 10, || async {
        for number in 0..INSTANCES {
            ask(house, number).await?;
        }
        Ok(None)
    })
    .await
}

async fn lives(house: &House, server: &mut Postgres) -> anyhow::Result<()> {
    crash_after(house, server, "CreateDistributionWithTags").await?;
    for number in 0..INSTANCES {
        prove(house, number).await?;
    }
    crash_after(house, server, "UploadServerCertificate").await?;
    all_succeed(house).await?;
    assert_eq!(house.sandbox.aws().state().distributions.len(), INSTANCES);
    assert_eq!(house.successes("CreateDistributionWithTags"), INSTANCES);
    assert_eq!(house.successes("UploadServerCertificate"), INSTANCES);
    assert_eq!(issued(house)?, INSTANCES);
    for number in 0..INSTANCES {
        let accepted = house.deprovision(&id(number)).await?;
        ensure!(accepted.status == 202, "{accepted:?}");
    }
    crash_after(house, server, "DeleteDistribution").await?;
    all_succeed(house).await?;
    nothing_left(&house.sandbox.aws().state())?;
    names_never_without_certificate(house)
}

/// Stops the database when some of the work has been done, and starts it when every question has been refused.
async fn crash_after(house: &House, server: &mut Postgres, op: &str) -> anyhow::Result<()> {
    wait_for(&format!("a first {op}"), BOUND, || async { Ok((house.successes(op) > 0).then_some(())) })
        .await?;
    server.stop().await?;
    all_unavailable(house).await?;
    server.restart().await?;
    wait_for("the broker to find the database again", BOUND, || ask(house, 0)).await?;
    Ok(())
}

/// No question finds an answer without the database; only the catalog needs none.
async fn all_unavailable(house: &House) -> anyhow::Result<()> {
    let known = format!("/v2/service_instances/{}", id(0));
    let unknown = format!("/v2/service_instances/{}?accepts_incomplete=true", id(INSTANCES));
    let again = format!("{known}?accepts_incomplete=true");
    let delete = format!("{again}&service_id={SERVICE_ID}&plan_id={PLAN_ID}");
    let poll = format!("{known}/last_operation");
    let body = provision_body(&json!({"domain": domain(0)}));
    let answers = tokio::try_join!(
        house.call(Method::PUT, &unknown, Some(&body)),
        house.call(Method::PUT, &again, Some(&body)),
        house.call(Method::DELETE, &delete, None),
        house.call(Method::GET, &known, None),
        house.call(Method::GET, &poll, None),
    )?;
    for answer in [answers.0, answers.1, answers.2, answers.3, answers.4] {
        ensure!(answer.status == 503, "{answer:?}");
        is_a_sentence(&answer)?;
    }
    ensure!(house.call(Method::GET, "/v2/catalog", None).await?.status == 200);
    Ok(())
}

/// One poll: an operation that goes on or has succeeded; `None` when the broker says that it cannot tell now. Nothing
/// else may be said: the platform would believe it.
async fn ask(house: &House, number: usize) -> anyhow::Result<Option<Answer>> {
    let answer = house.poll(&id(number)).await?;
    match answer.status.as_u16() {
        200 if answer.text("state") != "failed" => Ok(Some(answer)),
        503 => is_a_sentence(&answer).map(|()| None),
        _ => bail!("{answer:?}"),
    }
}

fn is_a_sentence(answer: &Answer) -> anyhow::Result<()> {
    let text = answer.text("description");
    ensure!(text.len() > 10 && text.ends_with('.'), "{answer:?}");
    Ok(())
}

async fn prove(house: &House, number: usize) -> anyhow::Result<()> {
    let records = wait_for("the record to be shown", BOUND, || async {
        let answer = ask(house, number).await?;
        Ok(answer.map(|answer| records_in(answer.text("description"))).filter(|records| !records.is_empty()))
    });
    for (name, value) in records.await? {
        house.sandbox.dns().set_txt(&name, vec![value])?;
    }
    Ok(())
}

async fn all_succeed(house: &House) -> anyhow::Result<()> {
    for number in 0..INSTANCES {
        wait_for(&format!("the operation on {} to succeed", id(number)), BOUND, || async {
            let answer = ask(house, number).await?;
            Ok(answer.filter(|answer| answer.text("state") == "succeeded"))
        })
        .await?;
    }
    Ok(())
}

fn id(number: usize) -> String {
    format!("3f1c9a52-0000-4000-8000-0000000002{number:02}")
}

fn domain(number: usize) -> String {
    format!("www{number}.example.gov")
}
