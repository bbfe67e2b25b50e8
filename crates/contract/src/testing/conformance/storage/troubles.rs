//! The promises of [`TroubleStore`](crate::TroubleStore).

use std::time::Duration;

use super::{ODD_TEXT, Subject, at_once};
use crate::{DomainName, InstanceId, Mishap, PortResult, Side, SiteFinding, Timestamp};

/// The last mishap of a class and an instance is kept until it is forgotten.
pub async fn the_last_mishap_counts(subject: &Subject) -> PortResult<()> {
    let (now, troubles) = (subject.time.now().await, &subject.troubles);
    let class = subject.fresh("class");
    let mishap = |instance: &str, at: Timestamp| Mishap {
        class: class.clone(),
        instance: InstanceId::new(instance),
        tenant: format!("{ODD_TEXT} {instance}"),
        side: Side::Aws,
        sentence: ODD_TEXT.to_owned(),
        at,
    };
    let hour = Duration::from_hours(1);
    troubles.note(&mishap("b", now - hour)).await?;
    troubles.note(&mishap("a", now - hour * 2)).await?;
    troubles.note(&mishap("a", now)).await?;
    let of_class =
        |all: Vec<Mishap>| -> Vec<Mishap> { all.into_iter().filter(|one| one.class == class).collect() };
    let all = of_class(troubles.mishaps(now - hour, 100_000).await?);
    assert_eq!(all, [mishap("a", now), mishap("b", now - hour)]);
    let late = of_class(troubles.mishaps(now, 100_000).await?);
    assert_eq!(late, [mishap("a", now)]);
    assert_eq!(troubles.mishaps(now - hour, 1).await?.len(), 1);
    troubles.forget_before(now).await?;
    assert_eq!(of_class(troubles.mishaps(Timestamp::default(), 100_000).await?), [mishap("a", now)]);
    let noted = at_once(|| {
        let (troubles, mishap) = (troubles.clone(), mishap("c", now));
        async move { troubles.note(&mishap).await }
    });
    noted.await?;
    assert_eq!(of_class(troubles.mishaps(now, 100_000).await?).len(), 2);
    troubles.forget_before(now + Duration::from_millis(1)).await
}

/// What a look has found stands in the place of what the one before has.
pub async fn findings_are_those_of_the_last_look(subject: &Subject) -> PortResult<()> {
    let (now, troubles) = (subject.time.now().await, &subject.troubles);
    let (one, other) = (InstanceId::new(subject.fresh("i")), InstanceId::new(subject.fresh("i")));
    let finding = |kind: &str| SiteFinding {
        name: DomainName::parse("www.example.org").unwrap_or_else(|_| unreachable!("it is a name")),
        kind: kind.to_owned(),
        sentence: ODD_TEXT.to_owned(),
        since: now,
        last: now,
        looks: 2,
        told: true,
    };
    assert_eq!(troubles.findings(&one).await?, []);
    troubles.keep_findings(&one, &[finding("dns"), finding("caa")]).await?;
    troubles.keep_findings(&other, &[finding("caa")]).await?;
    assert_eq!(troubles.findings(&one).await?, [finding("dns"), finding("caa")]);
    troubles.keep_findings(&one, &[finding("caa")]).await?;
    assert_eq!(troubles.findings(&one).await?, [finding("caa")]);
    let listed = troubles.troubled(None, 100_000).await?;
    assert!(listed.contains(&one) && listed.contains(&other), "{listed:?}");
    assert!(!troubles.troubled(Some(other.clone()), 100_000).await?.contains(&other));
    assert_eq!(troubles.troubled(None, 1).await?.len(), 1);
    for id in [&one, &other] {
        troubles.keep_findings(id, &[]).await?;
        assert_eq!(troubles.findings(id).await?, []);
    }
    Ok(())
}
