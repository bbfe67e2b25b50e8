//! A certificate is renewed by itself, on all the real parts, while the site goes on serving.

use std::time::Duration;

use anyhow::{Context, ensure};
use http::Method;
use sandbox::{ShownCertificate, wait_for};

use crate::house::{BOUND, House, issued, names_never_without_certificate, nothing_left};

const ID: &str = "3f1c9a52-0000-4000-8000-000000000009";
const DOMAIN: &str = "www.example.gov";

/// Half of it passes before the renewal, and the rest is enough for one on a busy machine.
const VALIDITY: Duration = Duration::from_secs(150);

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_while_the_site_serves_and_nobody_does_anything() -> anyhow::Result<()> {
    let mut house = House::without_broker(|settings| {
        settings.authority.validity = VALIDITY;
        // Every renewal has to prove control anew.
        settings.authority.authorization_reuse_percent = 0;
    })
    .await?;
    let settings = house.hasty_settings("20s")?;
    house.add_broker(&settings).await?;
    renewed(&house).await.with_context(|| house.last_words())
}

async fn renewed(house: &House) -> anyhow::Result<()> {
    house.provisioned(ID, &[DOMAIN]).await?;
    let target = house.sandbox.aws().state().distributions[0].domain.clone();
    house.sandbox.dns().set_cname(DOMAIN, &target)?;
    // The record of the first proof is of no use any more: the name points at its distribution now.
    house.sandbox.dns().clear(&format!("_acme-challenge.{DOMAIN}"))?;
    let old = serving(house).await?;
    let before = house.poll(ID).await?.body;

    let new = wait_for("another certificate on the site", BOUND, || async {
        let shown = serving(house).await?;
        ensure!(house.poll(ID).await?.body == before, "the platform sees nothing of a renewal");
        Ok((shown.serial != old.serial).then_some(shown))
    })
    .await?;
    assert_ne!(new.key, old.key, "the key is new as well");
    assert_eq!(new.names, old.names);

    wait_for("the old certificate to be removed", BOUND, || async {
        serving(house).await?;
        Ok((house.sandbox.aws().state().certificates.len() == 1).then_some(()))
    })
    .await?;
    assert_eq!(house.successes("UploadServerCertificate"), 2);
    assert_eq!(house.successes("DeleteServerCertificate"), 1);
    assert_eq!(issued(house)?, 2);
    names_never_without_certificate(house)?;
    let fetched = house.call(Method::GET, &format!("/v2/service_instances/{ID}"), None).await?;
    assert_eq!(fetched.body["parameters"]["domain"], DOMAIN);

    assert_eq!(house.deprovision(ID).await?.status, 202);
    house.until_succeeded(ID).await?;
    nothing_left(&house.sandbox.aws().state())
}

/// A visit that must go well at any time.
async fn serving(house: &House) -> anyhow::Result<ShownCertificate> {
    let visit = house.sandbox.visit(DOMAIN, "/hello").await?;
    ensure!(visit.status == 200, "{visit:?}");
    Ok(visit.certificate)
}
