//! `cf update-service NAME -c '{}'`: a record is changed, and the very next look shows it.

use anyhow::ensure;
use http::Method;
use sandbox::wait_for;
use serde_json::{Value, json};

use crate::house::{Answer, BOUND, House, PLAN_ID, SERVICE_ID, issued, records_in};

const ID: &str = "3f1c9a52-0000-4000-8000-000000000041";
const WWW: &str = "www.example.gov";
const DOCS: &str = "docs.example.gov";
const NEW: &str = "new.example.gov";

impl House {
    async fn patched(&self, parameters: Value) -> anyhow::Result<Answer> {
        let body = json!({"service_id": SERVICE_ID, "plan_id": PLAN_ID, "parameters": parameters});
        let path = format!("/v2/service_instances/{ID}?accepts_incomplete=true");
        self.call(Method::PATCH, &path, Some(&body)).await
    }

    /// How the instance stands, as the platform shows it.
    async fn look(&self) -> anyhow::Result<String> {
        let answer = self.patched(json!({})).await?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(answer.text("description").to_owned())
    }

    /// A look must show this.
    async fn look_shows(&self, parts: &[&str]) -> anyhow::Result<String> {
        let text = self.look().await?;
        for part in parts {
            ensure!(text.contains(part), "`{part}` is not in:\n{text}\n{}", self.last_words());
        }
        Ok(text)
    }

    /// How often the authority was asked for anything of an account's.
    fn asked_of_the_authority(&self) -> usize {
        let requests = self.sandbox.authority().gate().requests();
        requests.iter().filter(|request| request.method == Method::POST).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_each_name_leads_is_shown_as_it_is_now() -> anyhow::Result<()> {
    let house = House::start().await?;
    house.provisioned(ID, &[WWW, DOCS]).await?;
    let (dns, target) = (house.sandbox.dns(), house.sandbox.aws().state().distributions[0].domain.clone());
    let asked = house.asked_of_the_authority();
    house
        .look_shows(&[
            &format!("{WWW} has no address: point it to {target} with a CNAME or ALIAS record."),
            &format!("has to be proven by you for {WWW} and {DOCS}: TXT records"),
        ])
        .await?;

    dns.set_cname(WWW, &target)?;
    let site = house.sandbox.site(DOCS).await?;
    house
        .look_shows(&[
            &format!("{WWW} leads to {target}: right."),
            &format!("{DOCS} leads to {}, not to {target}: point it there", site.address()),
            &format!("proven by itself: through the CDN for {WWW}."),
        ])
        .await?;

    // A provider's ALIAS: the CDN's addresses without a CNAME.
    dns.clear(DOCS)?;
    dns.everywhere().set_flattened(DOCS, &target)?;
    let right = format!("{WWW} and {DOCS} lead to {target}: right.");
    house.look_shows(&[&right, &format!("through the CDN for {WWW} and {DOCS}.")]).await?;

    dns.set_cname(WWW, "gone.example.org")?;
    house.look_shows(&[&format!("{WWW} leads to gone.example.org, which does not exist (NXDOMAIN)")]).await?;
    assert_eq!(house.asked_of_the_authority(), asked, "looking costs the authority nothing");
    assert_eq!(house.poll(ID).await?.text("state"), "succeeded");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_update_needs_is_shown_as_it_is_now_and_the_update_goes_on_from_there()
-> anyhow::Result<()> {
    let mut house = House::without_broker(|settings| {
        // The names that are served need no proof a second time.
        settings.authority.authorization_reuse_percent = 100;
    })
    .await?;
    let mut settings = house.settings()?;
    "3s".clone_into(&mut settings.update_proof_wait);
    house.add_broker(&settings).await?;
    house.provisioned(ID, &[WWW]).await?;
    let wanted = json!({"domains": [WWW, NEW]});
    ensure!(house.patched(wanted.clone()).await?.status == 202, "not accepted");
    wait_for("the update to fail", BOUND, || async {
        Ok((house.poll(ID).await?.text("state") == "failed").then_some(()))
    })
    .await?;

    let (dns, asked) = (house.sandbox.dns(), house.asked_of_the_authority());
    let missing = format!("`_acme-challenge.{NEW}` does not exist yet (NXDOMAIN).");
    let text = house.look_shows(&["To go on with it, prove control of 1 of 2 domains", &missing]).await?;
    let [(owner, value)] = &records_in(&text)[..] else { anyhow::bail!("{text}") };

    dns.set_txt(owner, vec!["wrong".to_owned()])?;
    house
        .look_shows(&[&format!("`_acme-challenge.{NEW}` answers TXT `wrong`, but we need `{value}`.")])
        .await?;
    dns.set_txt(owner, vec![value.clone()])?;
    house
        .look_shows(&["The TXT record is there, as it should be.", "Then make the same update again"])
        .await?;
    assert_eq!(house.asked_of_the_authority(), asked, "looking costs the authority nothing");

    ensure!(house.patched(wanted).await?.status == 202, "not accepted");
    house.until_succeeded(ID).await?;
    assert_eq!(issued(&house)?, 2);
    let orders = house.sandbox.authority().gate().requests();
    let orders = orders
        .iter()
        .filter(|request| request.path == house.sandbox.authority().gate().new_order_path())
        .filter(|request| request.status == 201);
    assert_eq!(orders.count(), 2, "the update has gone on with its order");
    assert_eq!(house.sandbox.authority().failed_challenges()?, 0);
    Ok(())
}
