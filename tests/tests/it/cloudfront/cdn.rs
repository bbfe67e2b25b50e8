use contract::testing::sample;
use contract::{Cdn, DistributionId, DistributionSpec, InstanceId, Reference, Remedy};
use sandbox::aws::{FaultKind, FaultMoment};

use super::account::{Account, is_retry, remedy};

#[tokio::test]
async fn a_distribution_whose_creation_lost_its_answer_is_adopted_d3() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (reference, spec) = (Reference::new("ref-1"), sample::spec(&InstanceId::new("one"), None));
    account.lose_the_answer_of("CreateDistributionWithTags");
    assert!(is_retry(account.process().await.cdn.ensure(&reference, &spec).await));
    let adopted = account.process().await.cdn.ensure(&reference, &spec).await?;
    let there = account.local.state().distributions;
    assert_eq!(there.iter().map(|found| found.id.as_str()).collect::<Vec<_>>(), [adopted.id.as_str()]);
    Ok(())
}

#[tokio::test]
async fn a_creation_that_the_sdk_repeats_makes_one_distribution() -> anyhow::Result<()> {
    let account = Account::open().await?;
    account.lose_the_answer_of("CreateDistributionWithTags");
    let (made, _) = account.distribution("one").await?;
    assert_eq!(account.calls("CreateDistributionWithTags").len(), 2);
    assert_eq!(account.effects("CreateDistributionWithTags"), 1);
    assert_eq!(account.local.state().distributions[0].id, made.id.as_str());
    Ok(())
}

#[tokio::test]
async fn a_reference_of_a_deleted_distribution_makes_no_other() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (made, spec) = account.distribution("one").await?;
    account.cdn.disable(&made.id).await?;
    account.settle();
    account.cdn.remove(&made.id).await?;
    assert!(is_retry(account.cdn.ensure(&Reference::new("one-1"), &spec).await));
    assert!(account.local.state().distributions.is_empty());
    Ok(())
}

#[tokio::test]
async fn tags_and_comment_are_set_when_it_is_made() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (made, _) = account.distribution("one").await?;
    let state = account.local.state();
    assert_eq!(state.distributions[0].tags, [("instance".to_owned(), "one".to_owned())]);
    assert!(account.config(&made.id).await?.contains("<Comment>cdn-broker one</Comment>"));
    Ok(())
}

#[tokio::test]
async fn names_and_certificate_travel_in_one_update() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (made, spec) = account.distribution("one").await?;
    let served = account.served(&spec, &["b.example.org", "a.example.org"]).await?;
    account.cdn.apply(&made.id, &served).await?;
    let updates = account.calls("UpdateDistribution");
    assert_eq!(updates.len(), 1);
    assert_eq!(updates[0].aliases, ["a.example.org", "b.example.org"]);
    assert_eq!(updates[0].certificate.as_deref(), served.serving.as_ref().map(|s| s.certificate.as_str()));
    Ok(())
}

#[tokio::test]
async fn nothing_is_sent_when_nothing_differs() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (made, spec) = account.distribution("one").await?;
    account.cdn.apply(&made.id, &spec).await?;
    assert_eq!(account.calls("UpdateDistribution").len(), 0);
    let served = account.served(&spec, &["b.example.org", "a.example.org"]).await?;
    account.cdn.apply(&made.id, &served).await?;
    account.cdn.apply(&made.id, &served).await?;
    assert_eq!(account.calls("UpdateDistribution").len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_second_certificate_takes_the_place_of_the_first() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (made, spec) = account.distribution("one").await?;
    account.cdn.apply(&made.id, &account.served(&spec, &["a.example.org"]).await?).await?;
    let renewed = account.served(&spec, &["a.example.org", "b.example.org"]).await?;
    let found = account.cdn.apply(&made.id, &renewed).await?;
    assert_eq!(found.certificate, renewed.serving.map(|serving| serving.certificate));
    assert_eq!(found.names, sample::names(&["a.example.org", "b.example.org"]));
    Ok(())
}

#[tokio::test]
async fn a_second_certificate_waits_for_the_first() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (made, spec) = account.distribution("one").await?;
    let first = account.served(&spec, &["a.example.org"]).await?;
    let second = account.served(&spec, &["a.example.org"]).await?;
    account.cdn.apply(&made.id, &first).await?;
    assert!(is_retry(account.cdn.apply(&made.id, &second).await));
    account.settle();
    account.cdn.apply(&made.id, &second).await?;
    Ok(())
}

#[tokio::test]
async fn what_the_operator_has_changed_survives() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (made, spec) = account.distribution("one").await?;
    let edits = [
        ("PriceClass_100", "PriceClass_All"),
        ("<HttpVersion>http2and3</HttpVersion>", "<HttpVersion>http2</HttpVersion>"),
        ("<Comment>cdn-broker one</Comment>", "<Comment>theirs</Comment>"),
        ("<OriginReadTimeout>30</OriginReadTimeout>", "<OriginReadTimeout>60</OriginReadTimeout>"),
    ];
    for (from, to) in edits {
        account.edit(&made.id, from, to).await?;
    }
    account.settle();
    account.cdn.apply(&made.id, &account.served(&spec, &["a.example.org"]).await?).await?;
    let config = account.config(&made.id).await?;
    for (_, to) in edits {
        assert!(config.contains(to), "{to} is not in {config}");
    }
    assert!(config.contains("<CNAME>a.example.org</CNAME>"));
    Ok(())
}

#[tokio::test]
async fn a_change_that_comes_in_between_is_not_lost() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (made, spec) = account.distribution("one").await?;
    let served = account.served(&spec, &["a.example.org"]).await?;
    account.strike("GetDistribution", FaultMoment::After, FaultKind::Hold);
    let meanwhile = async {
        account.local.faults().reached().await;
        let edited = account.edit(&made.id, "PriceClass_100", "PriceClass_All").await;
        account.local.faults().release();
        edited
    };
    let (applied, edited) = tokio::join!(account.cdn.apply(&made.id, &served), meanwhile);
    edited?;
    assert_eq!(applied?.names, sample::names(&["a.example.org"]));
    assert!(account.config(&made.id).await?.contains("PriceClass_All"));
    let errors: Vec<_> = account.calls("UpdateDistribution").into_iter().map(|entry| entry.error).collect();
    assert_eq!(errors, [None, Some("PreconditionFailed".to_owned()), None]);
    Ok(())
}

#[tokio::test]
async fn an_update_whose_answer_is_lost_is_one_update() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (made, spec) = account.distribution("one").await?;
    let served = account.served(&spec, &["a.example.org"]).await?;
    account.lose_the_answer_of("UpdateDistribution");
    account.cdn.apply(&made.id, &served).await?;
    assert_eq!(account.effects("UpdateDistribution"), 1);
    Ok(())
}

#[tokio::test]
async fn a_fresh_certificate_is_waited_for_without_a_new_upload_d7() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (made, spec) = account.distribution("one").await?;
    let names = sample::names(&["a.example.org"]);
    let bundle = account.bundle(&names);
    let name = contract::VaultName::new("cdn-fresh");
    let certificate = account.vault.ensure(&name, &bundle).await?;
    let served = DistributionSpec { serving: Some(contract::Serving { names, certificate }), ..spec };
    assert!(is_retry(account.cdn.apply(&made.id, &served).await));
    account.settle();
    account.cdn.apply(&made.id, &served).await?;
    assert_eq!(account.effects("UploadServerCertificate"), 1);
    Ok(())
}

#[tokio::test]
async fn a_certificate_for_other_names_is_given_up() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (made, spec) = account.distribution("one").await?;
    let mut served = account.served(&spec, &["a.example.org"]).await?;
    served.serving.as_mut().unwrap().names = sample::names(&["b.example.org"]);
    assert_eq!(remedy(account.cdn.apply(&made.id, &served).await), Some(Remedy::GiveUp));
    Ok(())
}

#[tokio::test]
async fn the_tenant_reads_what_to_do_about_a_name_in_use() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (one, spec) = account.distribution("one").await?;
    account.cdn.apply(&one.id, &account.served(&spec, &["a.example.org"]).await?).await?;
    let (other, spec) = account.distribution("other").await?;
    let served = account.served(&spec, &["a.example.org"]).await?;
    let refused = account.cdn.apply(&other.id, &served).await.unwrap_err();
    assert_eq!(refused.remedy(), Remedy::AwaitTenant);
    assert!(refused.tenant_sentence().is_some_and(|sentence| sentence.contains("Detach it")), "{refused}");
    assert!(refused.request_id().is_some());
    assert!(refused.to_string().contains("CNAMEAlreadyExists"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_disabled_distribution_keeps_its_names_until_it_is_gone() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (made, spec) = account.distribution("one").await?;
    account.cdn.apply(&made.id, &account.served(&spec, &["a.example.org"]).await?).await?;
    account.settle();
    assert!(is_retry(account.cdn.remove(&made.id).await));
    account.cdn.disable(&made.id).await?;
    account.cdn.disable(&made.id).await?;
    assert_eq!(account.effects("UpdateDistribution"), 2);
    assert!(is_retry(account.cdn.remove(&made.id).await));
    assert_eq!(account.cdn.find(&made.id).await?.unwrap().names, sample::names(&["a.example.org"]));
    account.settle();
    account.lose_the_answer_of("DeleteDistribution");
    account.cdn.remove(&made.id).await?;
    account.cdn.remove(&made.id).await?;
    assert!(account.local.state().distributions.is_empty());
    Ok(())
}

#[tokio::test]
async fn disabling_what_goes_away_meanwhile_is_success() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (made, _) = account.distribution("one").await?;
    let other = account.process().await.cdn;
    account.strike("GetDistribution", FaultMoment::After, FaultKind::Hold);
    let meanwhile = async {
        account.local.faults().reached().await;
        let disabled = other.disable(&made.id).await;
        account.settle();
        let removed = other.remove(&made.id).await;
        account.local.faults().release();
        disabled.and(removed)
    };
    let (disabled, meanwhile) = tokio::join!(account.cdn.disable(&made.id), meanwhile);
    meanwhile?;
    disabled?;
    Ok(())
}

#[tokio::test]
async fn throttling_is_outlasted_and_then_handed_on() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let id = DistributionId::new("EUNKNOWN00000");
    account.strike("GetDistribution", FaultMoment::Before, FaultKind::Throttle);
    assert_eq!(account.cdn.find(&id).await?, None);
    for kind in [FaultKind::Throttle, FaultKind::Unavailable, FaultKind::Reset] {
        account.strike("GetDistribution", FaultMoment::Before, kind);
        assert!(is_retry(account.process().await.cdn.find(&id).await), "{kind:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_invalidation_whose_answer_is_lost_is_one_invalidation() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (made, _) = account.distribution("one").await?;
    let (reference, paths) = (Reference::new("operation-1"), ["/*".to_owned(), "/a.css".to_owned()]);
    account.lose_the_answer_of("CreateInvalidation");
    account.cdn.invalidate(&made.id, &reference, &paths).await?;
    assert_eq!(account.effects("CreateInvalidation"), 2);
    let listed =
        http::Request::get(account.url(&format!("/2020-05-31/distribution/{}/invalidation", made.id)));
    let listed = account.send("cloudfront", listed, "").await?;
    assert_eq!(std::str::from_utf8(listed.body())?.matches("<InvalidationSummary>").count(), 1);
    Ok(())
}

#[tokio::test]
async fn too_many_invalidations_at_once_are_for_later() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (made, _) = account.distribution("one").await?;
    let wildcards: Vec<String> = (0..15).map(|n| format!("/{n}/*")).collect();
    account.cdn.invalidate(&made.id, &Reference::new("first"), &wildcards).await?;
    let second = ["/*".to_owned()];
    assert!(is_retry(account.cdn.invalidate(&made.id, &Reference::new("second"), &second).await));
    account.settle();
    account.cdn.invalidate(&made.id, &Reference::new("second"), &second).await?;
    Ok(())
}
