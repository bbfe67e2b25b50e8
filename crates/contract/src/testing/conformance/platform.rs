//! The promises of [`PlatformDirectory`].

use std::sync::Arc;

use async_trait::async_trait;

use super::keep_promises;
use crate::testing::FakePlatform;
use crate::{DomainName, Place, PlatformDirectory, PlatformDomain, PortResult};

/// The platform from the inside: makes what the directory is asked for.
#[async_trait]
pub trait Registrar: Send + Sync {
    /// Makes a domain that all organizations may use.
    async fn share_with_all(&self, domain: &str);

    /// Makes a domain of the first organization, shared with the others.
    async fn own(&self, domain: &str, organizations: &[&str]);

    /// Gives an organization and one of its spaces their names.
    async fn settle(&self, organization: (&str, &str), space: (&str, &str));
}

#[async_trait]
impl Registrar for FakePlatform {
    async fn share_with_all(&self, domain: &str) {
        FakePlatform::share_with_all(self, domain);
    }

    async fn own(&self, domain: &str, organizations: &[&str]) {
        FakePlatform::own(self, domain, organizations);
    }

    async fn settle(&self, organization: (&str, &str), space: (&str, &str)) {
        self.name(organization.0, organization.1);
        self.name(space.0, space.1);
    }
}

/// A directory, and who fills it. The organizations `own`, `guest` and `other` exist.
#[derive(Clone)]
pub struct Subject {
    directory: Arc<dyn PlatformDirectory>,
    registrar: Arc<dyn Registrar>,
}

impl Subject {
    /// A subject on an empty platform.
    pub fn new(directory: Arc<dyn PlatformDirectory>, registrar: impl Registrar + 'static) -> Self {
        Self { directory, registrar: Arc::new(registrar) }
    }

    async fn seen_by(&self, organization: &str, names: &[&str]) -> PortResult<Vec<PlatformDomain>> {
        let parse = |name: &&str| DomainName::parse(name).unwrap_or_else(|error| panic!("{name} {error}"));
        let names: Vec<DomainName> = names.iter().map(parse).collect();
        self.directory.domains(organization, &names).await
    }
}

/// Runs every promise. Panics with the name of the first one that is not kept.
pub async fn run(subject: &Subject) {
    keep_promises!(subject =>
        a_domain_is_usable_by_its_owner_and_by_whom_it_is_shared_with,
        a_domain_of_nobody_is_everybodys,
        parents_count_and_the_closest_of_them,
        what_has_been_made_is_known_at_once,
        many_names_are_answered_in_their_order,
        organizations_and_spaces_have_names,
    );
}

/// Own, shared with, and of others.
pub async fn a_domain_is_usable_by_its_owner_and_by_whom_it_is_shared_with(
    subject: &Subject,
) -> PortResult<()> {
    subject.registrar.own("owned.example.gov", &["own", "guest"]).await;
    let usable = [PlatformDomain::Usable];
    for organization in ["own", "guest"] {
        assert_eq!(subject.seen_by(organization, &["owned.example.gov"]).await?, usable);
    }
    let of_others = [PlatformDomain::OfOthers { domain: "owned.example.gov".into() }];
    assert_eq!(subject.seen_by("other", &["owned.example.gov"]).await?, of_others);
    assert_eq!(subject.seen_by("nobody", &["owned.example.gov"]).await?, of_others);
    Ok(())
}

/// The platform's shared domains.
pub async fn a_domain_of_nobody_is_everybodys(subject: &Subject) -> PortResult<()> {
    subject.registrar.share_with_all("apps.example.com").await;
    for organization in ["own", "other"] {
        let seen = subject.seen_by(organization, &["apps.example.com", "my.apps.example.com"]).await?;
        assert_eq!(seen, [PlatformDomain::Usable, PlatformDomain::Usable]);
    }
    Ok(())
}

/// A parent stands for what is below it, unless there is a closer one.
pub async fn parents_count_and_the_closest_of_them(subject: &Subject) -> PortResult<()> {
    subject.registrar.share_with_all("town.example.org").await;
    subject.registrar.own("mine.town.example.org", &["own"]).await;
    let names = [
        "a.b.mine.town.example.org",
        "*.mine.town.example.org",
        "yours.town.example.org",
        "xtown.example.org",
    ];
    let other = PlatformDomain::OfOthers { domain: "mine.town.example.org".into() };
    let (usable, unknown) = (PlatformDomain::Usable, PlatformDomain::Unknown);
    let seen = subject.seen_by("own", &names).await?;
    assert_eq!(seen, [usable.clone(), usable.clone(), usable.clone(), unknown.clone()]);
    let seen = subject.seen_by("other", &names).await?;
    assert_eq!(seen, [other.clone(), other, usable, unknown]);
    Ok(())
}

/// Whoever was told that a domain does not exist makes it and asks again.
pub async fn what_has_been_made_is_known_at_once(subject: &Subject) -> PortResult<()> {
    assert_eq!(subject.seen_by("own", &["late.example.gov"]).await?, [PlatformDomain::Unknown]);
    subject.registrar.own("late.example.gov", &["own"]).await;
    assert_eq!(subject.seen_by("own", &["late.example.gov"]).await?, [PlatformDomain::Usable]);
    Ok(())
}

/// A certificate has a hundred names at most.
pub async fn many_names_are_answered_in_their_order(subject: &Subject) -> PortResult<()> {
    subject.registrar.own("even.example.net", &["own"]).await;
    let long = "a-label-that-is-long-so-that-no-address-can-take-them-all";
    let name = |i: usize| {
        let parent = if i.is_multiple_of(2) { "even" } else { "odd" };
        format!("{long}.n{i}.{parent}.example.net")
    };
    let names: Vec<String> = (0..100).map(name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let seen = subject.seen_by("own", &names).await?;
    assert_eq!(seen.len(), names.len());
    for (i, seen) in seen.iter().enumerate() {
        let expected = if i.is_multiple_of(2) { PlatformDomain::Usable } else { PlatformDomain::Unknown };
        assert_eq!(*seen, expected, "{i}");
    }
    assert_eq!(subject.seen_by("own", &[]).await?, []);
    Ok(())
}

/// By their GUIDs; what does not exist has none.
pub async fn organizations_and_spaces_have_names(subject: &Subject) -> PortResult<()> {
    subject.registrar.settle(("named-org", "my org"), ("named-space", "dev")).await;
    let place = subject.directory.place("named-org", "named-space").await?;
    assert_eq!(place, Place { organization: Some("my org".into()), space: Some("dev".into()) });
    assert_eq!(subject.directory.place("no-org", "no-space").await?, Place::default());
    Ok(())
}
