use contract::testing::sample;
use contract::{Cdn, InstanceId, Reference};
use sandbox::aws::AwsSettings;

use super::account::{Account, is_retry, settings};

#[tokio::test]
async fn a_second_control_is_made_when_the_first_is_full() -> anyhow::Result<()> {
    let account = Account::with(AwsSettings { distributions_per_control: 2, ..settings() }).await?;
    for instance in ["one", "two", "three"] {
        account.distribution(instance).await?;
    }
    assert_eq!(names(&account), ["cdn-broker-challenges-1", "cdn-broker-challenges-2"]);
    // A new process finds the way past the full one by itself.
    let spec = sample::spec(&InstanceId::new("four"), None);
    account.process().await.cdn.ensure(&Reference::new("four-1"), &spec).await?;
    assert_eq!(names(&account), ["cdn-broker-challenges-1", "cdn-broker-challenges-2"]);
    assert_eq!(account.local.state().distributions.len(), 4);
    Ok(())
}

#[tokio::test]
async fn a_control_whose_creation_lost_its_answer_is_found() -> anyhow::Result<()> {
    let account = Account::open().await?;
    account.lose_the_answer_of("CreateOriginAccessControl");
    account.distribution("one").await?;
    assert_eq!(names(&account), ["cdn-broker-challenges-1"]);
    Ok(())
}

#[tokio::test]
async fn a_distribution_keeps_its_control_when_it_is_full() -> anyhow::Result<()> {
    let account = Account::with(AwsSettings { distributions_per_control: 1, ..settings() }).await?;
    let (one, spec) = account.distribution("one").await?;
    account.distribution("two").await?;
    account.cdn.apply(&one.id, &account.served(&spec, &["a.example.org"]).await?).await?;
    let first = &account.local.state().origin_access_controls[0].id;
    assert!(account.config(&one.id).await?.contains(first.as_str()));
    Ok(())
}

#[tokio::test]
async fn a_distribution_that_has_lost_its_control_gets_one_with_room() -> anyhow::Result<()> {
    let account = Account::with(AwsSettings { distributions_per_control: 1, ..settings() }).await?;
    let (one, spec) = account.distribution("one").await?;
    account.distribution("two").await?;
    let first = account.local.state().origin_access_controls[0].id.clone();
    account.edit(&one.id, &control(&first), &control("")).await?;
    account.cdn.apply(&one.id, &spec).await?;
    let controls = account.local.state().origin_access_controls;
    assert_eq!(controls.len(), 3);
    assert!(account.config(&one.id).await?.contains(&control(&controls[2].id)));
    Ok(())
}

#[tokio::test]
async fn a_control_that_the_operator_has_deleted_is_made_again() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (one, _) = account.distribution("one").await?;
    account.cdn.disable(&one.id).await?;
    account.settle();
    account.cdn.remove(&one.id).await?;
    let first = account.local.state().origin_access_controls[0].id.clone();
    account.delete_control(&first).await?;
    let (reference, spec) = (Reference::new("two-1"), sample::spec(&InstanceId::new("two"), None));
    assert!(is_retry(account.cdn.ensure(&reference, &spec).await));
    account.cdn.ensure(&reference, &spec).await?;
    assert_eq!(names(&account), ["cdn-broker-challenges-1"]);
    Ok(())
}

#[tokio::test]
async fn many_processes_at_once_make_one_control() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let ensure = |instance: &'static str| {
        let account = account.clone();
        async move {
            let spec = sample::spec(&InstanceId::new(instance), None);
            account.process().await.cdn.ensure(&Reference::new(instance), &spec).await
        }
    };
    let (one, two, three) = tokio::join!(ensure("one"), ensure("two"), ensure("three"));
    one.and(two).and(three)?;
    assert_eq!(names(&account), ["cdn-broker-challenges-1"]);
    Ok(())
}

fn control(id: &str) -> String {
    format!("<OriginAccessControlId>{id}</OriginAccessControlId>")
}

fn names(account: &Account) -> Vec<String> {
    account.local.state().origin_access_controls.into_iter().map(|control| control.name).collect()
}
