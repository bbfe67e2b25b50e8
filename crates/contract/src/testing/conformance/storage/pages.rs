//! The promises of [`PageStore`](crate::PageStore).

use super::{Subject, at_once};
use crate::testing::sample;
use crate::{Lead, LeadEnd, Outlook, PortResult, ProofMethod, ProofRecord, Secret, Sight, Survey, Timestamp};

/// `ensure_key` gives everybody the same key, whoever comes with another one.
pub async fn everybody_signs_with_the_same_key(subject: &Subject) -> PortResult<()> {
    let keys = at_once(|| {
        let subject = subject.clone();
        async move { subject.pages.ensure_key(&Secret::new(subject.fresh("key"))).await }
    })
    .await?;
    let kept = subject.pages.ensure_key(&Secret::new("another")).await?;
    assert_ne!(kept, Secret::new("another"));
    assert!(keys.into_iter().all(|key| key == kept));
    Ok(())
}

/// Each `revoke` makes another generation, for this instance alone; none is given twice.
pub async fn links_are_revoked_one_instance_at_a_time(subject: &Subject) -> PortResult<()> {
    let (instance, _) = subject.provisioning().await?;
    let (other, _) = subject.provisioning().await?;
    assert_eq!(subject.pages.generation(&instance.id).await?, 0);
    assert_eq!(subject.pages.revoke(&instance.id).await?, 1);
    assert_eq!(subject.pages.generation(&instance.id).await?, 1);
    at_once(|| {
        let (subject, id) = (subject.clone(), instance.id.clone());
        async move { subject.pages.revoke(&id).await }
    })
    .await?;
    assert_eq!(subject.pages.generation(&instance.id).await?, 9);
    assert_eq!(subject.pages.generation(&other.id).await?, 0);
    Ok(())
}

/// `keep_survey` replaces what was seen before, and leaves the links alone.
pub async fn what_was_seen_is_kept(subject: &Subject) -> PortResult<()> {
    let (instance, _) = subject.provisioning().await?;
    assert_eq!(subject.pages.survey(&instance.id).await?, None);
    let first = Survey { at: Timestamp::from_millis(1_767_225_600_123), sights: sights() };
    let second = Survey { at: Timestamp::from_millis(1_767_225_700_000), sights: Vec::new() };
    for survey in [&first, &second] {
        subject.pages.keep_survey(&instance.id, survey).await?;
        assert_eq!(subject.pages.survey(&instance.id).await?.as_ref(), Some(survey));
        subject.pages.revoke(&instance.id).await?;
    }
    assert_eq!(subject.pages.survey(&instance.id).await?, Some(second));
    assert_eq!(subject.pages.generation(&instance.id).await?, 2);
    Ok(())
}

fn sights() -> Vec<Sight> {
    let name = sample::name("www.example.org");
    let elsewhere = LeadEnd::Elsewhere { addresses: vec![[192, 0, 2, 1].into()] };
    let record = ProofRecord {
        name: "_acme-challenge.www.example.org.".into(),
        kind: "CNAME".into(),
        value: "_acme-challenge.label.cdn.example.".into(),
        ttl: 60,
    };
    let outlook = Outlook {
        name: name.clone(),
        by_itself: Some(ProofMethod::Delegated),
        forbidden: Some("CAA says no.".into()),
        once: Some(record),
    };
    let lead = Lead { aliases: vec!["old.example.net".into()], end: elsewhere };
    vec![
        Sight { name: name.clone(), lead: Some(lead), outlook: Some(outlook) },
        Sight { name, lead: None, outlook: None },
    ]
}
