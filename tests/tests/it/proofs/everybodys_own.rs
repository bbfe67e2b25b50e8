//! Nobody else's proof: what one organization has set up proves nothing for another, and is not disturbed by it.

use anyhow::ensure;
use sandbox::hosts::SiteRule;
use sandbox::wait_for;

use super::house;
use crate::house::{BOUND, House, issued};

const A: &str = "org-a";
const B: &str = "org-b";
const ID_A: &str = "a0000000-0000-4000-8000-000000000001";
const ID_B: &str = "b0000000-0000-4000-8000-000000000001";
const NAMES: [&str; 3] = ["managed.example.gov", "redirected.example.gov", "delegated.example.gov"];

/// Sets up a durable record of each kind for organization A, whose labels are learnt from its own instructions.
async fn set_up(house: &House) -> anyhow::Result<()> {
    let [managed, redirected, delegated] = NAMES;
    let shown = house.asked(A, ID_A, &NAMES.join(",")).await?;
    let site = house.sandbox.site(redirected).await?;
    let label = shown.label(redirected)?;
    site.set_rules(vec![SiteRule::challenges_to(
        302,
        &format!("{}/{label}", house.sandbox.challenge_url()),
    )])?;
    let dns = house.sandbox.dns();
    dns.set_cname(managed, &shown.managed_target(managed)?)?;
    dns.set_cname(&format!("_acme-challenge.{delegated}"), &shown.delegation(delegated)?)
}

/// B has asked for everything that A has set up. It was looked at since, for each of the names, and nothing was seen.
async fn b_waits_in_vain(house: &House) -> anyhow::Result<()> {
    let before = house.poll(ID_B).await?.text("description").to_owned();
    wait_for("everything to be looked at once more", BOUND, || async {
        let answer = house.poll(ID_B).await?;
        ensure!(answer.text("state") == "in progress", "{answer:?}");
        let text = answer.text("description");
        ensure!(text.contains("3 of 3 domains"), "{text}");
        Ok((text != before && text.matches("seen on").count() == NAMES.len()).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn before_and_after_the_instance_of_its_owner() -> anyhow::Result<()> {
    let house = house().await?;
    set_up(&house).await?;
    house.until_succeeded(ID_A).await?;
    assert_eq!(house.deprovision(ID_A).await?.status, 202);
    house.until_succeeded(ID_A).await?;
    assert_eq!(issued(&house)?, 1);

    // All that A has set up is still there, and A has no instance.
    house.asked(B, ID_B, &NAMES.join(",")).await?;
    b_waits_in_vain(&house).await?;

    // A comes back, while B is waiting; its records still count for it, once its managed name leads on again.
    let again = ID_A.replace("0001", "0002");
    house.asked(A, &again, &NAMES.join(",")).await?;
    house.until_succeeded(&again).await?;
    assert_eq!(issued(&house)?, 2);
    house.no_failed_challenge()
}

#[tokio::test(flavor = "multi_thread")]
async fn while_its_owner_waits_and_while_it_is_live() -> anyhow::Result<()> {
    let house = house().await?;
    house.asked(B, ID_B, &NAMES.join(",")).await?;
    set_up(&house).await?;
    house.until_succeeded(ID_A).await?;
    house.served(NAMES[0]).await?;
    assert_eq!(issued(&house)?, 1);

    // B is told that the names are somebody's; whoever asks now is refused at once.
    house.shown(ID_B, "another service instance").await?;
    let refused = house.provision_for(B, &ID_B.replace("0001", "0002"), NAMES[0]).await?;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.text("description").contains(NAMES[0]), "{refused:?}");

    // A is live and not disturbed; deleting B takes nothing away from it.
    assert_eq!(house.deprovision(ID_B).await?.status, 202);
    house.until_succeeded(ID_B).await?;
    house.served(NAMES[0]).await?;
    assert_eq!(issued(&house)?, 1);
    house.no_failed_challenge()
}
