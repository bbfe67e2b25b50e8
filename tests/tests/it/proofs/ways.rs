use anyhow::{Context, ensure};
use sandbox::hosts::SiteRule;
use sandbox::wait_for;

use super::house;
use crate::house::{BOUND, issued, nothing_left, records_in};

const ORG: &str = "org-1";

fn id(number: u32) -> String {
    format!("5e1d0c7a-0000-4000-8000-{number:012}")
}

#[tokio::test(flavor = "multi_thread")]
async fn http_01_redirected_from_a_site_that_goes_on_serving_everything_else() -> anyhow::Result<()> {
    let house = house().await?;
    let (plain, secure) = (house.sandbox.challenge_url(), house.sandbox.secure_challenge_url());
    let cases = [(301, &plain), (302, &secure), (307, &plain), (308, &secure)];
    for (number, (status, target)) in (1..).zip(cases) {
        let (id, name) = (id(number), format!("site-{status}.example.gov"));
        let site = house.sandbox.site(&name).await?;
        let label = house.asked(ORG, &id, &name).await?.label(&name)?;
        site.set_rules(vec![SiteRule::challenges_to(status, &format!("{target}/{label}"))])?;
        house.until_succeeded(&id).await?;
        // The present site has had nothing but questions about challenges, and serves everything else as before.
        ensure!(site.hits().iter().all(|hit| hit.path.starts_with("/.well-known/acme-challenge/")));
        ensure!(site.hits().iter().any(|hit| hit.status == status), "{status} was not asked for");
        // Now the owner moves the name.
        let distribution = house.target_of(&id).await?;
        house.sandbox.dns().clear(&name)?;
        house.sandbox.dns().set_cname(&name, &distribution)?;
        house.served(&name).await?;
    }
    assert_eq!(issued(&house)?, cases.len());
    house.no_failed_challenge()
}

#[tokio::test(flavor = "multi_thread")]
async fn http_01_by_a_managed_name_is_one_record_for_ever() -> anyhow::Result<()> {
    let house = house().await?;
    let name = "www.example.gov";
    let target = house.asked(ORG, &id(1), name).await?.managed_target(name)?;
    house.sandbox.dns().set_cname(name, &target)?;
    house.until_succeeded(&id(1)).await?;
    house.served(name).await?;
    assert_eq!(issued(&house)?, 1);
    house.no_failed_challenge()?;

    assert_eq!(house.deprovision(&id(1)).await?.status, 202);
    house.until_succeeded(&id(1)).await?;
    nothing_left(&house.sandbox.aws().state())?;
    wait_for("the managed record to be gone", BOUND, || async {
        let label = target.clone();
        let left =
            house.sandbox.dns().records().into_iter().any(|set| set.name.trim_end_matches('.') == label);
        Ok((!left).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn dns_01_delegated_keeps_the_values_of_apex_and_wildcard_side_by_side_and_clears_them()
-> anyhow::Result<()> {
    let house = house().await?;
    let shown = house.asked(ORG, &id(1), "example.gov,*.example.gov").await?;
    let label = "_acme-challenge.example.gov";
    let target = shown.delegation("example.gov")?;
    house.sandbox.dns().set_cname(label, &target)?;
    house.until_succeeded(&id(1)).await?;
    assert_eq!(issued(&house)?, 1);
    house.no_failed_challenge()?;
    wait_for("the TXT values to be gone", BOUND, || async {
        let left =
            house.sandbox.dns().records().into_iter().any(|set| set.name.trim_end_matches('.') == target);
        Ok((!left).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn domains_of_one_instance_by_different_methods_each_as_soon_as_it_is_seen() -> anyhow::Result<()> {
    let house = house().await?;
    let (managed, redirected, direct) = ("a.example.gov", "b.example.gov", "c.example.gov");
    let site = house.sandbox.site(redirected).await?;
    let shown = house.asked(ORG, &id(1), &[managed, redirected, direct].join(",")).await?;
    let dns = house.sandbox.dns();

    dns.set_cname(managed, &shown.managed_target(managed)?)?;
    let shown = house.shown(&id(1), "Proven: a.example.gov.").await?;
    let label = shown.label(redirected)?;
    site.set_rules(vec![SiteRule::challenges_to(
        302,
        &format!("{}/{label}", house.sandbox.challenge_url()),
    )])?;
    let shown = house.shown(&id(1), "Proven: a.example.gov and b.example.gov.").await?;
    let (owner, value) = records_in(&shown.text).pop().context("no record is shown")?;
    assert_eq!(owner, format!("_acme-challenge.{direct}."));
    dns.set_txt(&owner, vec![value])?;
    house.until_succeeded(&id(1)).await?;
    house.served(managed).await?;
    assert_eq!(issued(&house)?, 1);
    house.no_failed_challenge()
}
