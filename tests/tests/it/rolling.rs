//! A rolling deployment: the database has been expanded for the coming version while brokers of this one still run, and
//! start, on it.

use anyhow::{Context, ensure};
use http::Method;
use sandbox::{Postgres, wait_for};
use serde_json::json;

use crate::house::{BOUND, House, names_never_without_certificate, nothing_left, provision_body};

const DATABASE: &str = "rolling";

/// What the next version might bring first: a column that may be absent, a table, an index; and the note that it has been
/// done. Nothing that this version uses is changed or taken away.
const EXPAND: &str = "BEGIN; SET LOCAL search_path TO cdn_broker; \
    ALTER TABLE instances ADD COLUMN colour TEXT; \
    ALTER TABLE operations ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'; \
    CREATE TABLE moods (id TEXT NOT NULL PRIMARY KEY, instance TEXT NOT NULL REFERENCES instances (id)); \
    CREATE INDEX operations_mood ON operations (mood); \
    INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001'); COMMIT";

#[tokio::test(flavor = "multi_thread")]
async fn brokers_go_on_and_start_on_a_database_that_is_one_version_ahead() -> anyhow::Result<()> {
    let server = Postgres::start().await?;
    let mut house = House::without_broker(|_| {}).await?;
    let mut settings = house.hasty_settings("2s")?;
    settings.database_url = server.database(DATABASE).await?;
    house.add_broker(&settings).await?;
    let rolled = rolled(&mut house, &server, &settings.database_url).await;
    rolled.with_context(|| house.last_words())
}

async fn rolled(house: &mut House, server: &Postgres, database_url: &str) -> anyhow::Result<()> {
    house.provisioned(&id(0), &["www0.example.gov"]).await?;
    ask_for(house, 0, 1).await?;
    server.ask(DATABASE, EXPAND).await?;
    let mut late = house.hasty_settings("2s")?;
    database_url.clone_into(&mut late.database_url);
    house.add_broker(&late).await?;
    ask_for(house, 0, 2).await?;
    ask_for(house, 1, 3).await?;
    for number in 1..=3 {
        house.prove(&id(number), 1).await?;
    }
    for number in 1..=3 {
        house.until_succeeded(&id(number)).await?;
    }
    // Each goes on alone, with what the other has begun.
    house.brokers.rotate_left(1);
    house.brokers[1].stop().await?;
    house.deprovision(&id(0)).await?;
    house.until_succeeded(&id(0)).await?;
    for number in 1..=3 {
        ensure!(house.deprovision(&id(number)).await?.status == 202);
    }
    house.brokers[0].stop().await?;
    house.brokers.rotate_left(1);
    house.brokers[0].restart().await?;
    for number in 1..=3 {
        house.until_succeeded(&id(number)).await?;
    }
    wait_for("nothing to be left", BOUND, || async {
        Ok(nothing_left(&house.sandbox.aws().state()).is_ok().then_some(()))
    })
    .await?;
    names_never_without_certificate(house)?;
    let moods = server.ask(DATABASE, "SELECT DISTINCT mood FROM cdn_broker.operations").await?;
    ensure!(moods == ["calm"], "{moods:?}");
    Ok(())
}

async fn ask_for(house: &House, broker: usize, number: usize) -> anyhow::Result<()> {
    let path = format!("/v2/service_instances/{}?accepts_incomplete=true", id(number));
    let body = provision_body(&json!({"domain": format!("www{number}.example.gov")}));
    let accepted = house.call_at(&house.brokers[broker].url(), Method::PUT, &path, Some(&body)).await?;
    ensure!(accepted.status == 202, "{accepted:?}");
    Ok(())
}

fn id(number: usize) -> String {
    format!("3f1c9a52-0000-4000-8000-0000000003{number:02}")
}
