//! `acme-directory` and `acme-issue`.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use sandbox::authority::{GateRequest, Moment, Pretence};
use sandbox::wait_for;
use serde_json::json;

use super::{run, runs, standing, start};
use crate::house::{BOUND, House, program};

/// The TXT records below the managed zone.
fn proofs_left(house: &House) -> Vec<String> {
    let records = house.sandbox.dns().records();
    let names = records.into_iter().map(|record| format!("{record:?}"));
    names.filter(|record| record.contains("_acme-challenge.check-")).collect()
}

/// A removal is seen a little later.
async fn nothing_is_left(house: &House) -> anyhow::Result<()> {
    wait_for("the records to be gone", BOUND, || async { Ok(proofs_left(house).is_empty().then_some(())) })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_authority_is_green_and_nothing_is_left_of_the_order() -> anyhow::Result<()> {
    let (house, settings) = start("off", "").await?;
    runs(&house, &settings, "acme-directory", 0, "ok").await?;
    let said = runs(&house, &settings, "acme-issue", 0, "ok").await?;
    let steps: Vec<&str> =
        said["steps"].as_array().into_iter().flatten().filter_map(|step| step["name"].as_str()).collect();
    assert!(steps.contains(&"set the TXT record") && steps.contains(&"obtain the certificate"), "{steps:?}");
    nothing_is_left(&house).await?;
    assert_eq!(crate::house::issued(&house)?, 1);
    // With an account of its own, and without one of the broker's, which nobody has needed yet.
    let accounts = house.sandbox.authority().gate().requests();
    assert_eq!(accounts.iter().filter(|one| one.path.contains("sign-me-up")).count(), 1, "{accounts:?}");

    let printed = house.command(&settings, &["checks", "list"]).await?;
    assert!(printed.out.contains("acme-issue") && printed.out.contains("ok"), "{printed:?}");
    let history = house.command(&settings, &["checks", "history", "--json"]).await?;
    assert_eq!(history.json()?.as_array().map(Vec::len), Some(2));
    let unknown = house.command(&settings, &["checks", "run", "nothing"]).await?;
    assert!(unknown.code == 1 && unknown.err.contains("acme-directory"), "{unknown:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_is_down_is_one_incident_that_closes_itself() -> anyhow::Result<()> {
    let (house, settings) = start("acme-directory", "acme-directory=1s").await?;
    let in_state = async |state: &str| {
        wait_for(&format!("the check to be {state}"), BOUND, || async {
            let standing = standing(&house, &settings, "acme-directory").await?;
            Ok((standing["state"] == state).then_some(standing))
        })
        .await
    };
    in_state("ok").await?;
    let gate = house.sandbox.authority().gate();
    gate.pretend(Pretence { is_down: true, ..Pretence::default() });
    let standing = in_state("incident").await?;
    assert_eq!(standing["last"]["side"], "authority");
    assert_eq!(standing["last"]["class"], "status-503");
    // It goes on to fail, and nobody hears of it again.
    let failures = standing["failures"].as_i64().context("a number")?;
    wait_for("more failures", BOUND, || async {
        let standing = super::standing(&house, &settings, "acme-directory").await?;
        Ok((standing["failures"].as_i64() > Some(failures + 1)).then_some(()))
    })
    .await?;
    let log = house.log()?;
    assert_eq!(
        log.lines().filter(|line| line.contains("time(s) in a row")).count(),
        1,
        "{}",
        house.last_words()
    );
    gate.pretend(Pretence::default());
    in_state("ok").await?;
    wait_for("the incident to be closed with its duration", BOUND, || async {
        Ok(house.log()?.contains("It lasted").then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_differs_and_terms_that_change_are_told() -> anyhow::Result<()> {
    let (house, settings) = start("off", "").await?;
    runs(&house, &settings, "acme-directory", 0, "ok").await?;
    let gate = house.sandbox.authority().gate();
    gate.pretend(Pretence { ahead: Duration::from_mins(10), ..Pretence::default() });
    let said = runs(&house, &settings, "acme-directory", 2, "failing").await?;
    assert_eq!((&said["class"], &said["side"]), (&"clock-skew".into(), &"us".into()));
    ensure!(
        said["sentence"].as_str().is_some_and(|text| text.contains("seconds behind the authority's")),
        "{said:#}"
    );

    let terms = Some("https://ca.example/terms-2".to_owned());
    gate.pretend(Pretence { terms, ..Pretence::default() });
    for _ in 0..2 {
        let said = runs(&house, &settings, "acme-directory", 2, "failing").await?;
        assert_eq!(said["class"], "terms-changed");
    }
    assert_eq!(standing(&house, &settings, "acme-directory").await?["incident"], true);
    gate.pretend(Pretence::default());
    runs(&house, &settings, "acme-directory", 0, "ok").await?;
    assert_eq!(standing(&house, &settings, "acme-directory").await?["incident"], false);
    Ok(())
}

/// An authority that has lost the account: it is told, and no new account is made.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_the_authority_does_not_know_is_told_and_none_is_made() -> anyhow::Result<()> {
    let (house, settings) = start("off", "").await?;
    house.provisioned("3f1c9a52-0000-4000-8000-000000000075", &["www.example.gov"]).await?;
    runs(&house, &settings, "acme-directory", 0, "ok").await?;
    let gate = house.sandbox.authority().gate();
    gate.pretend(Pretence { forgets_accounts: true, ..Pretence::default() });
    for _ in 0..2 {
        let said = runs(&house, &settings, "acme-directory", 2, "failing").await?;
        assert_eq!(
            (&said["class"], &said["side"]),
            (&"account-unknown".into(), &"authority".into()),
            "{said:#}"
        );
        ensure!(
            said["sentence"].as_str().is_some_and(|text| text.contains("Ask the authority why")),
            "{said:#}"
        );
    }
    assert_eq!(standing(&house, &settings, "acme-directory").await?["incident"], true);

    let accepted = house
        .provision("3f1c9a52-0000-4000-8000-000000000076", json!({"domain": "docs.example.gov"}))
        .await?;
    ensure!(accepted.status == 202, "{accepted:?}");
    wait_for("an order to be refused", BOUND, || async {
        let requests = gate.requests();
        Ok(requests.iter().any(|one| one.path == gate.new_order_path() && one.status == 400).then_some(()))
    })
    .await?;
    let made = |requests: Vec<GateRequest>| {
        requests.iter().filter(|one| one.path.contains("sign-me-up") && one.status == 201).count()
    };
    assert_eq!(made(gate.requests()), 1, "no account is made in the place of the one that is lost");
    gate.pretend(Pretence::default());
    runs(&house, &settings, "acme-directory", 0, "ok").await?;
    assert_eq!(standing(&house, &settings, "acme-directory").await?["incident"], false);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_order_has_left_is_cleaned_up_by_the_next() -> anyhow::Result<()> {
    let (house, settings) = start("off", "").await?;
    let gate = house.sandbox.authority().gate();
    let held = gate.hold("/finalize-order", 1, Moment::Before);
    let mut killed = tokio::process::Command::new(program("cdn-broker")?)
        .args(["checks", "run", "acme-issue"])
        .env_clear()
        .envs(house.sandbox.broker_environment(&settings))
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    wait_for("the record to be set", BOUND, || async { Ok((!proofs_left(&house).is_empty()).then_some(())) })
        .await?;
    killed.kill().await?;
    drop(held);
    assert_eq!(proofs_left(&house).len(), 1);
    // The lease of the killed run stands for as long as a run may take: nobody runs it twice.
    let printed = house.command(&settings, &["checks", "run", "acme-issue"]).await?;
    assert!(printed.code == 1 && printed.err.contains("at this moment"), "{printed:?}");
    expire_lease(&settings.database_url).await?;
    let (code, said) = run(&house, &settings, "acme-issue").await?;
    ensure!(code == 0, "{said:#}\n{}", house.last_words());
    nothing_is_left(&house).await
}

/// Lets the time pass that a lease stands: its end is moved into the past.
pub(super) async fn expire_lease(database: &str) -> anyhow::Result<()> {
    let settings = store::StoreSettings {
        url: database.to_owned(),
        keys: vec![store::SealingKey::new("test", [0; 32])?],
        pool_size: 1,
    };
    let store =
        store::Store::open(&settings, std::sync::Arc::new(contract::testing::ManualClock::new())).await?;
    let checks: &dyn contract::CheckStore = &store;
    for record in checks.all().await? {
        let leased_until = record.leased_until.map(|_| contract::Timestamp::default());
        checks.change(&record, &contract::CheckRecord { leased_until, ..record.clone() }).await?;
    }
    Ok(())
}
