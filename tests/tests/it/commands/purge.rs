//! `cdn-broker instances purge`: asks before, and then deletes as a user would.

use anyhow::ensure;

use super::typing;
use crate::house::{House, nothing_left};

const ID: &str = "6f1c9a52-0000-4000-8000-000000000041";

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_the_platform_has_forgotten_is_purged() -> anyhow::Result<()> {
    let mut house = House::without_broker(|_| {}).await?;
    let settings = house.hasty_settings("45s")?;
    house.add_broker(&settings).await?;
    house.provisioned(ID, &["www.example.gov"]).await?;
    for typed in ["", "yes\n", "6f1c9a52\n"] {
        let kept = typing(&house, &settings, &["instances", "purge", ID], typed).await?;
        ensure!(
            kept.code == 1 && kept.err.contains("www.example.gov is deleted with its distribution"),
            "{kept:?}"
        );
        ensure!(kept.err.contains("nothing was done"), "{kept:?}");
    }
    let unknown = house.command(&settings, &["instances", "purge", "nobody", "--yes"]).await?;
    ensure!(unknown.code == 1 && unknown.err.contains("there is no service instance nobody"), "{unknown:?}");
    let wrong = house.command(&settings, &["instances", "purge", ID, "--keep-cloud", "--no-wait"]).await?;
    ensure!(wrong.code == 64, "{wrong:?}");
    ensure!(house.times("DeleteDistribution") == 0);

    let purged = typing(&house, &settings, &["instances", "purge", ID], &format!("{ID}\n")).await?;
    ensure!(purged.code == 0 && purged.err.contains("forget done"), "{purged:?}");
    nothing_left(&house.sandbox.aws().state())?;
    let listed = house.command(&settings, &["instances", "list", "--json"]).await?;
    ensure!(listed.code == 0 && listed.out.is_empty(), "{listed:?}");
    Ok(())
}
