//! A user who has named an address reads there what a renewal needs, does it, and the renewal goes on.

use anyhow::{Context, ensure};
use sandbox::wait_for;
use serde_json::json;

use super::{ID, Sinks};
use crate::house::{BOUND, House, records_in};

const ADDRESS: &str = "web-team@example.gov";

#[tokio::test(flavor = "multi_thread")]
async fn the_letter_says_what_the_renewal_needs() -> anyhow::Result<()> {
    let sinks = Sinks::start().await?;
    // Every renewal has to prove control anew.
    let mut house =
        House::without_broker(|settings| settings.authority.authorization_reuse_percent = 0).await?;
    let mut settings = house.hasty_settings("20s")?;
    sinks.lead(&mut settings, &house)?;
    house.add_broker(&settings).await?;
    let accepted = house.provision(ID, json!({"domain": "www.example.gov", "notify": ADDRESS})).await?;
    ensure!(accepted.status == 202, "{accepted:?}");
    house.prove(ID, 1).await?;
    house.until_succeeded(ID).await?;
    // The name does not lead to the CDN, so nothing but the record can prove it.
    house.sandbox.dns().clear("_acme-challenge.www.example.gov")?;
    let begun = house.command(&settings, &["instances", "renew", ID, "--no-wait"]).await?;
    ensure!(begun.code == 0, "{begun:?}");
    proven_by_letter(&house, &sinks).await.with_context(|| house.last_words())
}

async fn proven_by_letter(house: &House, sinks: &Sinks) -> anyhow::Result<()> {
    let mail = wait_for("the letter", BOUND, || async { Ok(sinks.mail.mails().pop()) }).await?;
    assert_eq!(mail.to, [ADDRESS]);
    ensure!(mail.text.contains("Auto-Submitted: auto-generated"), "{}", mail.text);
    let records = records_in(&decoded(&mail.text));
    let [(name, value)] = &records[..] else { anyhow::bail!("no record in {}", mail.text) };
    house.sandbox.dns().set_txt(name, vec![value.clone()])?;
    wait_for("another certificate", BOUND, || async {
        Ok((house.successes("UploadServerCertificate") == 2).then_some(()))
    })
    .await?;
    assert_eq!(sinks.mail.mails().len(), 1, "said once");
    ensure!(sinks.taken()?.is_empty(), "it is no matter of the operator's: {:?}", sinks.taken()?);
    Ok(())
}

/// Quoted-printable undone (RFC 2045, section 6.7), as far as ASCII needs it.
fn decoded(text: &str) -> String {
    text.replace("=\n", "").replace("=22", "\"").replace("=3D", "=")
}
