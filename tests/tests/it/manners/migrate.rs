//! `cdn-broker migrate`, before any broker was started.

use anyhow::ensure;
use sandbox::Postgres;
use serde_json::json;

use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_brought_to_the_shape_of_this_version() -> anyhow::Result<()> {
    let server = Postgres::start().await?;
    let house = House::without_broker(|_| {}).await?;
    let file = house.settings()?;
    let mut postgres = house.settings()?;
    postgres.database_url = server.database("shape").await?;
    for settings in [file, postgres] {
        let check = house.command(&settings, &["migrate", "--check"]).await?;
        ensure!(check.code == 2 && check.out.contains("missing: 2026-11-23-000001_initial"), "{check:?}");
        let again = house.command(&settings, &["migrate", "--check", "--json"]).await?;
        ensure!(
            again.code == 2 && again.json()?["missing"] != json!([]),
            "looking changed something: {again:?}"
        );
        let run = house.command(&settings, &["migrate", "--json"]).await?;
        let told = run.json()?;
        ensure!(
            run.code == 0 && told["run"] == again.json()?["missing"] && told["missing"] == json!([]),
            "{run:?}"
        );
        let nothing = house.command(&settings, &["migrate"]).await?;
        ensure!(
            nothing.code == 0 && !nothing.out.contains("run:") && nothing.out.contains("has what"),
            "{nothing:?}"
        );
        ensure!(house.command(&settings, &["migrate", "--check"]).await?.code == 0);
        ensure!(house.command(&settings, &["instances", "list"]).await?.code == 0);
    }
    let mut nowhere = house.settings()?;
    "postgres://nobody@127.0.0.1:1/none".clone_into(&mut nowhere.database_url);
    let failed = house.command(&nowhere, &["migrate"]).await?;
    ensure!(failed.code == 1 && failed.err.contains("cannot be reached"), "{failed:?}");
    Ok(())
}
