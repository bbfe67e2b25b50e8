//! The check of a database, which must not migrate it: a new version is tried beside brokers of the one before.

use anyhow::ensure;
use serde_json::Value;

use super::{TRIALS, check, trials};
use crate::house::House;

fn message<'a>(report: &'a Value, what: &str) -> &'a str {
    let rows = report["trials"].as_array().map(Vec::as_slice).unwrap_or_default();
    rows.iter().find(|row| row["what"] == what).and_then(|row| row["message"].as_str()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_there_is_not_made() -> anyhow::Result<()> {
    let house = House::without_broker(|_| {}).await?;
    let settings = house.settings()?;
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}", folder.path().join("none.sqlite").display());
    let changes = [("DATABASE_URL", Some(url.as_str()))];
    let printed = check(&house, &settings, &changes, &["--json"]).await?;
    let report = printed.json()?;
    ensure!(printed.code == 0, "{printed:?}");
    assert_eq!(trials(&report, "pending"), ["database"], "{report:#}");
    ensure!(message(&report, "database").contains("none.sqlite yet: it is made"), "{report:#}");
    ensure!(message(&report, "authority").contains("not looked at: there is no database yet"), "{report:#}");
    assert_eq!(std::fs::read_dir(folder.path())?.count(), 0, "something was made");
    let shown = check(&house, &settings, &changes, &[]).await?;
    ensure!(
        shown.code == 0 && shown.out.contains("PENDING") && shown.out.contains("`cdn-broker migrate`"),
        "{shown:?}"
    );

    let nowhere = format!("sqlite://{}", folder.path().join("no/such/none.sqlite").display());
    let printed = check(&house, &settings, &[("DATABASE_URL", Some(&nowhere))], &["--json"]).await?;
    let report = printed.json()?;
    ensure!(printed.code == 2, "{printed:?}");
    assert_eq!(trials(&report, "failed"), ["database"], "{report:#}");
    ensure!(message(&report, "database").contains("no file can be made in"), "{report:#}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_there_stays_as_it_is() -> anyhow::Result<()> {
    let house = House::without_broker(|_| {}).await?;
    let settings = house.settings()?;
    ensure!(house.command(&settings, &["migrate"]).await?.code == 0);
    let file = settings.database_url.trim_start_matches("sqlite://").to_owned();
    let before = std::fs::read(&file)?;
    let report = check(&house, &settings, &[], &["--json"]).await?.json()?;
    ensure!(message(&report, "database").ends_with("its schema is that of this version"), "{report:#}");
    ensure!(message(&report, "authority").ends_with("knows our account if there is one"), "{report:#}");
    ensure!(std::fs::read(&file)? == before, "the file was changed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_start_would_migrate_is_named_and_not_done() -> anyhow::Result<()> {
    let server = sandbox::Postgres::start().await?;
    let house = House::without_broker(|_| {}).await?;
    let mut settings = house.settings()?;
    settings.database_url = server.database("old").await?;
    let looked = async |house: &House, verdict: &str, says: &str| {
        let printed = check(house, &settings, &[], &["--json"]).await?;
        let report = printed.json()?;
        let code = if verdict == "failed" { 2 } else { 0 };
        let found = trials(&report, verdict).contains(&TRIALS[0]);
        ensure!(found && message(&report, "database").contains(says), "{verdict}, {says}: {report:#}");
        ensure!(printed.code == code, "{printed:?}");
        anyhow::Ok(report)
    };
    for _ in 0..2 {
        looked(&house, "pending", "run at the next start: 2026-11-23-000001_initial").await?;
    }
    ensure!(server.ask("old", "SELECT to_regnamespace('cdn_broker') IS NULL").await? == ["t"], "it was made");
    server.ask("old", "ALTER DATABASE old SET default_transaction_read_only = on").await?;
    looked(&house, "failed", "default_transaction_read_only is on").await?;
    server.ask("postgres", "ALTER DATABASE old RESET default_transaction_read_only").await?;

    ensure!(house.command(&settings, &["migrate"]).await?.code == 0);
    looked(&house, "ok", "its schema is that of this version").await?;
    let migrations = "cdn_broker.__diesel_schema_migrations";
    server.ask("old", &format!("INSERT INTO {migrations} (version) VALUES ('29991231000000')")).await?;
    looked(&house, "ok", "that of a later version (29991231000000)").await?;
    server.ask("old", &format!("DELETE FROM {migrations} WHERE version < '29991231000000'")).await?;
    let report = looked(&house, "pending", "run at the next start").await?;
    ensure!(message(&report, "authority").contains("not those of this version yet"), "{report:#}");
    // Nor are the authority's terms remembered.
    ensure!(server.ask("old", "SELECT count(*) FROM cdn_broker.check_notes").await? == ["0"]);
    Ok(())
}
