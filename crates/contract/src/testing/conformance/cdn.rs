//! The promises of [`Cdn`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Settle, keep_promises, whole};
use crate::testing::sample;
use crate::{
    Cdn, CertificateBundle, CertificateVault, Distribution, DistributionId, DistributionSpec, DomainName,
    InstanceId, ListedDistribution, PortResult, Reference, Remedy, Serving, StoredCertificate, VaultName,
};

/// A CDN, the vault of the same account, and what it takes to use them.
#[derive(Clone)]
pub struct Subject {
    pub(super) cdn: Arc<dyn Cdn>,
    pub(super) vault: Arc<dyn CertificateVault>,
    pub(super) time: Arc<dyn Settle>,
    pub(super) mint: Mint,
    prefix: String,
    ids: Arc<AtomicU64>,
}

/// Makes a certificate for names that the CDN will trust; each time another one.
pub type Mint = Arc<dyn Fn(&[DomainName]) -> CertificateBundle + Send + Sync>;

/// Runs every promise. Panics with the name of the first one that is not kept.
pub async fn run(subject: &Subject) {
    keep_promises!(subject =>
        a_distribution_is_made_once,
        an_unknown_distribution_is_none,
        names_and_certificate_come_in_one_update,
        an_equal_spec_changes_nothing,
        an_unknown_certificate_is_waited_for,
        a_name_in_use_is_the_tenants_to_free,
        a_lost_distribution_starts_over,
        a_disabled_distribution_keeps_its_shape,
        what_was_disabled_is_enabled_again,
        only_what_is_disabled_is_removed,
        paths_are_invalidated_once_for_each_reference,
        every_distribution_is_listed_once,
        a_distribution_is_examined,
    );
}

/// `ensure` makes a distribution without names that answers, and adopts it when called again.
pub async fn a_distribution_is_made_once(subject: &Subject) -> PortResult<()> {
    let (reference, spec) = subject.draft();
    let made = subject.cdn.ensure(&reference, &spec).await?;
    assert!(made.enabled && made.names.is_empty() && made.certificate.is_none(), "{made:?}");
    assert!(made.domain.contains('.'), "{made:?}");
    let again = subject.cdn.ensure(&reference, &spec).await?;
    assert_eq!((again.id, again.domain), (made.id.clone(), made.domain.clone()));
    subject.time.settle().await;
    assert_eq!(subject.cdn.find(&made.id).await?, Some(Distribution { deployed: true, ..made }));
    Ok(())
}

/// What does not exist is not found, and needs neither disabling nor removing.
pub async fn an_unknown_distribution_is_none(subject: &Subject) -> PortResult<()> {
    let id = DistributionId::new("EUNKNOWN00000");
    assert_eq!(subject.cdn.find(&id).await?, None);
    subject.cdn.disable(&id).await?;
    subject.cdn.remove(&id).await
}

/// `apply` brings names and certificate to the distribution.
pub async fn names_and_certificate_come_in_one_update(subject: &Subject) -> PortResult<()> {
    let (made, spec) = subject.serving().await?;
    let serving = spec.serving.as_ref();
    let found = subject.cdn.find(&made.id).await?;
    assert_eq!(found.as_ref().map(|found| &found.names), serving.map(|serving| &serving.names));
    let certificate = found.as_ref().and_then(|found| found.certificate.as_ref());
    assert_eq!(certificate, serving.map(|serving| &serving.certificate));
    assert!(found.is_some_and(|found| found.deployed && found.enabled));
    Ok(())
}

/// `apply` sends nothing when nothing differs: what was deployed stays deployed.
pub async fn an_equal_spec_changes_nothing(subject: &Subject) -> PortResult<()> {
    let (made, spec) = subject.serving().await?;
    let before = subject.cdn.find(&made.id).await?;
    let applied = subject.cdn.apply(&made.id, &spec).await?;
    assert_eq!(Some(applied), before);
    assert_eq!(subject.cdn.find(&made.id).await?, before);
    Ok(())
}

/// While the CDN does not know the certificate, `apply` says `Retry` and changes nothing.
pub async fn an_unknown_certificate_is_waited_for(subject: &Subject) -> PortResult<()> {
    let (made, spec) = subject.distribution().await?;
    let certificate = StoredCertificate::new("ASCAUNKNOWN0000000000");
    let serving = Some(Serving { names: vec![subject.name()], certificate });
    let refused = subject.cdn.apply(&made.id, &DistributionSpec { serving, ..spec }).await;
    assert!(matches!(remedy(refused), Some(Remedy::Retry { .. })));
    let found = subject.cdn.find(&made.id).await?;
    assert!(found.is_some_and(|found| found.names.is_empty()));
    Ok(())
}

/// When another distribution holds a name, `apply` says `AwaitTenant` and changes nothing.
pub async fn a_name_in_use_is_the_tenants_to_free(subject: &Subject) -> PortResult<()> {
    let (_, taken) = subject.serving().await?;
    let (made, spec) = subject.distribution().await?;
    let refused = subject.cdn.apply(&made.id, &DistributionSpec { serving: taken.serving, ..spec }).await;
    assert_eq!(remedy(refused), Some(Remedy::AwaitTenant));
    let found = subject.cdn.find(&made.id).await?;
    assert!(found.is_some_and(|found| found.names.is_empty()));
    Ok(())
}

/// When the distribution is gone, `apply` says `StartOver`.
pub async fn a_lost_distribution_starts_over(subject: &Subject) -> PortResult<()> {
    let (made, spec) = subject.distribution().await?;
    subject.removed(&made.id).await?;
    assert_eq!(remedy(subject.cdn.apply(&made.id, &spec).await), Some(Remedy::StartOver));
    Ok(())
}

/// `disable` stops the answers and leaves names and certificate alone; twice is once.
pub async fn a_disabled_distribution_keeps_its_shape(subject: &Subject) -> PortResult<()> {
    let (made, _) = subject.serving().await?;
    let before = subject.cdn.find(&made.id).await?;
    subject.cdn.disable(&made.id).await?;
    subject.time.settle().await;
    subject.cdn.disable(&made.id).await?;
    let expected = before.map(|before| Distribution { enabled: false, ..before });
    assert_eq!(subject.cdn.find(&made.id).await?, expected);
    Ok(())
}

/// `enable` brings back what was disabled as it was, changes nothing that answers, and says `StartOver` to what is gone.
pub async fn what_was_disabled_is_enabled_again(subject: &Subject) -> PortResult<()> {
    let (made, _) = subject.serving().await?;
    let before = subject.cdn.find(&made.id).await?;
    subject.cdn.enable(&made.id).await?;
    assert_eq!(subject.cdn.find(&made.id).await?, before);
    subject.cdn.disable(&made.id).await?;
    subject.time.settle().await;
    for _ in 0..2 {
        subject.cdn.enable(&made.id).await?;
        subject.time.settle().await;
        assert_eq!(subject.cdn.find(&made.id).await?, before);
    }
    subject.removed(&made.id).await?;
    assert_eq!(remedy(subject.cdn.enable(&made.id).await), Some(Remedy::StartOver));
    Ok(())
}

/// `remove` says `Retry` to what is still enabled, deletes what is disabled everywhere, and succeeds on what is gone.
pub async fn only_what_is_disabled_is_removed(subject: &Subject) -> PortResult<()> {
    let (made, _) = subject.distribution().await?;
    assert!(matches!(remedy(subject.cdn.remove(&made.id).await), Some(Remedy::Retry { .. })));
    assert!(subject.cdn.find(&made.id).await?.is_some());
    subject.removed(&made.id).await?;
    assert_eq!(subject.cdn.find(&made.id).await?, None);
    subject.cdn.disable(&made.id).await?;
    subject.cdn.remove(&made.id).await
}

/// `invalidate` may be repeated; its reference stands for these paths and no others.
pub async fn paths_are_invalidated_once_for_each_reference(subject: &Subject) -> PortResult<()> {
    let (made, _) = subject.distribution().await?;
    let reference = Reference::new(subject.fresh("invalidation"));
    let paths = ["/index.html".to_owned(), "/images/*".to_owned()];
    subject.cdn.invalidate(&made.id, &reference, &paths).await?;
    subject.cdn.invalidate(&made.id, &reference, &paths).await?;
    let others = ["/".to_owned()];
    assert_eq!(remedy(subject.cdn.invalidate(&made.id, &reference, &others).await), Some(Remedy::GiveUp));
    subject.removed(&made.id).await?;
    let gone = subject.cdn.invalidate(&made.id, &reference, &paths).await;
    assert_eq!(remedy(gone), Some(Remedy::StartOver));
    Ok(())
}

/// `list` shows every distribution once, as it is, whatever the size of a page.
pub async fn every_distribution_is_listed_once(subject: &Subject) -> PortResult<()> {
    let (served, spec) = subject.serving().await?;
    let (first, bare) = subject.distribution().await?;
    let (second, _) = subject.distribution().await?;
    let (listed, pages) = whole(|after| subject.cdn.list(after)).await?;
    assert!(pages > 1, "the pages are too large to show that they are turned");
    for (id, spec) in [(&served.id, &spec), (&first.id, &bare), (&second.id, &bare)] {
        let found: Vec<_> = listed.iter().filter(|one| one.distribution.id == *id).collect();
        assert_eq!(found.len(), 1, "{id} in {listed:?}");
        assert_eq!(Some(&found[0].distribution), subject.cdn.find(id).await?.as_ref());
        assert_eq!(found[0].origin.as_ref(), Some(&spec.origin));
    }
    Ok(())
}

/// `examine` says under which reference a distribution was made, whose it says it is, and where requests lead.
pub async fn a_distribution_is_examined(subject: &Subject) -> PortResult<()> {
    let (reference, spec) = subject.draft();
    let made = subject.cdn.ensure(&reference, &spec).await?;
    subject.time.settle().await;
    let found = subject.cdn.examine(&made.id).await?.unwrap_or_else(|| panic!("{} is there", made.id));
    assert_eq!(Some(&found.distribution), subject.cdn.find(&made.id).await?.as_ref());
    assert_eq!((found.reference.as_ref(), found.instance.as_ref()), (Some(&reference), Some(&spec.instance)));
    assert_eq!(found.origin.as_ref(), Some(&spec.origin));
    assert!(found.folder.is_some(), "{found:?}");
    let (listed, _) = whole(|after| subject.cdn.list(after)).await?;
    let listed: Vec<_> = listed.into_iter().filter(|one| one.distribution.id == made.id).collect();
    assert_eq!(listed, [ListedDistribution { reference: None, ..found }]);
    subject.removed(&made.id).await?;
    assert_eq!(subject.cdn.examine(&made.id).await?, None);
    Ok(())
}

impl Subject {
    /// A CDN and the vault of the same account, what lets their changes arrive, who makes certificates, and what all
    /// names of this run begin with (letters, digits and hyphens): something new for each run on an account that is
    /// kept.
    pub fn new(
        cdn: Arc<dyn Cdn>,
        vault: Arc<dyn CertificateVault>,
        time: impl Settle + 'static,
        mint: Mint,
        prefix: impl Into<String>,
    ) -> Self {
        Self { cdn, vault, time: Arc::new(time), mint, prefix: prefix.into(), ids: Arc::default() }
    }

    pub(super) fn fresh(&self, what: &str) -> String {
        format!("{}-{what}-{}", self.prefix, self.ids.fetch_add(1, Ordering::SeqCst))
    }

    pub(super) fn name(&self) -> DomainName {
        sample::name(&format!("{}.example.org", self.fresh("name")))
    }

    fn draft(&self) -> (Reference, DistributionSpec) {
        let instance = InstanceId::new(self.fresh("instance"));
        (Reference::new(format!("{instance}-1")), sample::spec(&instance, None))
    }

    /// A deployed distribution without names.
    async fn distribution(&self) -> PortResult<(Distribution, DistributionSpec)> {
        let (reference, spec) = self.draft();
        let made = self.cdn.ensure(&reference, &spec).await?;
        self.time.settle().await;
        Ok((made, spec))
    }

    /// A deployed distribution with two names and a certificate of the vault.
    async fn serving(&self) -> PortResult<(Distribution, DistributionSpec)> {
        self.serving_from(&VaultName::new(self.fresh("certificate"))).await
    }

    /// The same with a certificate that is kept under `vault_name`.
    pub(super) async fn serving_from(
        &self,
        vault_name: &VaultName,
    ) -> PortResult<(Distribution, DistributionSpec)> {
        let names = vec![self.name(), self.name()];
        let certificate = self.vault.ensure(vault_name, &(self.mint)(&names)).await?;
        let (made, spec) = self.distribution().await?;
        let spec = DistributionSpec { serving: Some(Serving { names, certificate }), ..spec };
        let applied = self.cdn.apply(&made.id, &spec).await?;
        self.time.settle().await;
        Ok((applied, spec))
    }

    /// Disables and removes a distribution.
    pub(super) async fn removed(&self, id: &DistributionId) -> PortResult<()> {
        self.cdn.disable(id).await?;
        self.time.settle().await;
        self.cdn.remove(id).await
    }
}

/// What the refusal asks for; `None` when there was none.
pub(super) fn remedy<T>(answer: PortResult<T>) -> Option<Remedy> {
    answer.err().map(|error| error.remedy())
}
