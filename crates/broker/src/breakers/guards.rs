//! The ports that lead upstream, guarded. What only reads the store is not.

use std::sync::Arc;

use async_trait::async_trait;
use contract::{
    Cdn, CertificateBundle, CertificateFacts, CertificateIssuer, CertificateRequest, CertificateVault,
    ChallengeSite, Distribution, DistributionId, DistributionSpec, DomainInstructions, InstanceId,
    IssuanceId, IssuanceProgress, IssuanceRecord, KeptCertificate, ListedDistribution, ManagedZone, Outlook,
    Page, PageToken, PortResult, Reference, RenewalAdvice, SiteFolder, StoredCertificate, Upstream,
    VaultName, WholeDistribution, ZoneRecord,
};

use super::Breakers;
use super::scope::Call;

impl Breakers {
    /// The CDN, guarded.
    pub fn cdn(&self, port: Arc<dyn Cdn>) -> Arc<dyn Cdn> {
        Arc::new(Guarded { port, breakers: self.clone() })
    }

    /// The vault, guarded.
    pub fn vault(&self, port: Arc<dyn CertificateVault>) -> Arc<dyn CertificateVault> {
        Arc::new(Guarded { port, breakers: self.clone() })
    }

    /// The challenge site, guarded.
    pub fn site(&self, port: Arc<dyn ChallengeSite>) -> Arc<dyn ChallengeSite> {
        Arc::new(Guarded { port, breakers: self.clone() })
    }

    /// The managed zone, guarded.
    pub fn zone(&self, port: Arc<dyn ManagedZone>) -> Arc<dyn ManagedZone> {
        Arc::new(Guarded { port, breakers: self.clone() })
    }

    /// The issuer, guarded. The site and the zone that it uses by itself are to be guarded before they are given to it.
    pub fn issuer(&self, port: Arc<dyn CertificateIssuer>) -> Arc<dyn CertificateIssuer> {
        Arc::new(Guarded { port, breakers: self.clone() })
    }
}

struct Guarded<P: ?Sized> {
    port: Arc<P>,
    breakers: Breakers,
}

const fn cdn(kind: &'static str) -> Call {
    Call { upstream: Upstream::Cdn, kind }
}

const fn vault(kind: &'static str) -> Call {
    Call { upstream: Upstream::Vault, kind }
}

const fn site(kind: &'static str) -> Call {
    Call { upstream: Upstream::Site, kind }
}

const fn zone(kind: &'static str) -> Call {
    Call { upstream: Upstream::Zone, kind }
}

const ISSUE: Call = Call { upstream: Upstream::Authority, kind: "issue" };

#[async_trait]
impl Cdn for Guarded<dyn Cdn> {
    async fn ensure(&self, reference: &Reference, spec: &DistributionSpec) -> PortResult<Distribution> {
        self.breakers.guard(cdn("create"), self.port.ensure(reference, spec)).await
    }

    async fn apply(&self, id: &DistributionId, spec: &DistributionSpec) -> PortResult<Distribution> {
        self.breakers.guard(cdn("change"), self.port.apply(id, spec)).await
    }

    async fn find(&self, id: &DistributionId) -> PortResult<Option<Distribution>> {
        self.breakers.guard(cdn("read"), self.port.find(id)).await
    }

    async fn list(&self, after: Option<PageToken>) -> PortResult<Page<ListedDistribution>> {
        self.breakers.guard(cdn("list"), self.port.list(after)).await
    }

    async fn examine(&self, id: &DistributionId) -> PortResult<Option<ListedDistribution>> {
        self.breakers.guard(cdn("read"), self.port.examine(id)).await
    }

    async fn whole(&self, id: &DistributionId) -> PortResult<Option<WholeDistribution>> {
        self.breakers.guard(cdn("read"), self.port.whole(id)).await
    }

    async fn enable(&self, id: &DistributionId) -> PortResult<()> {
        self.breakers.guard(cdn("change"), self.port.enable(id)).await
    }

    async fn disable(&self, id: &DistributionId) -> PortResult<()> {
        self.breakers.guard(cdn("change"), self.port.disable(id)).await
    }

    async fn remove(&self, id: &DistributionId) -> PortResult<()> {
        self.breakers.guard(cdn("delete"), self.port.remove(id)).await
    }

    async fn invalidate(
        &self,
        id: &DistributionId,
        reference: &Reference,
        paths: &[String],
    ) -> PortResult<()> {
        self.breakers.guard(cdn("invalidate"), self.port.invalidate(id, reference, paths)).await
    }
}

#[async_trait]
impl CertificateVault for Guarded<dyn CertificateVault> {
    async fn ensure(&self, name: &VaultName, bundle: &CertificateBundle) -> PortResult<StoredCertificate> {
        self.breakers.guard(vault("store"), self.port.ensure(name, bundle)).await
    }

    async fn find(&self, name: &VaultName) -> PortResult<Option<StoredCertificate>> {
        self.breakers.guard(vault("read"), self.port.find(name)).await
    }

    async fn chain(&self, name: &VaultName) -> PortResult<Option<String>> {
        self.breakers.guard(vault("read"), self.port.chain(name)).await
    }

    async fn list(&self, after: Option<PageToken>) -> PortResult<Page<KeptCertificate>> {
        self.breakers.guard(vault("list"), self.port.list(after)).await
    }

    async fn remove(&self, name: &VaultName) -> PortResult<()> {
        self.breakers.guard(vault("delete"), self.port.remove(name)).await
    }
}

#[async_trait]
impl ChallengeSite for Guarded<dyn ChallengeSite> {
    async fn present(&self, instance: &InstanceId, token: &str, answer: &str) -> PortResult<()> {
        self.breakers.guard(site("write"), self.port.present(instance, token, answer)).await
    }

    async fn withdraw(&self, instance: &InstanceId, token: &str) -> PortResult<()> {
        self.breakers.guard(site("delete"), self.port.withdraw(instance, token)).await
    }

    async fn clear(&self, instance: &InstanceId) -> PortResult<()> {
        self.breakers.guard(site("delete"), self.port.clear(instance)).await
    }

    fn folder(&self, instance: &InstanceId) -> String {
        self.port.folder(instance)
    }

    async fn list(&self, after: Option<PageToken>) -> PortResult<Page<SiteFolder>> {
        self.breakers.guard(site("list"), self.port.list(after)).await
    }
}

#[async_trait]
impl ManagedZone for Guarded<dyn ManagedZone> {
    async fn add_txt(&self, owner: &str, value: &str) -> PortResult<()> {
        self.breakers.guard(zone("write"), self.port.add_txt(owner, value)).await
    }

    async fn remove_txt(&self, owner: &str, value: &str) -> PortResult<()> {
        self.breakers.guard(zone("write"), self.port.remove_txt(owner, value)).await
    }

    async fn point(&self, owner: &str, target: &str) -> PortResult<()> {
        self.breakers.guard(zone("write"), self.port.point(owner, target)).await
    }

    async fn release(&self, owner: &str) -> PortResult<()> {
        self.breakers.guard(zone("write"), self.port.release(owner)).await
    }

    async fn list(&self, after: Option<PageToken>) -> PortResult<Page<ZoneRecord>> {
        self.breakers.guard(zone("list"), self.port.list(after)).await
    }
}

#[async_trait]
impl CertificateIssuer for Guarded<dyn CertificateIssuer> {
    async fn open(&self, id: &IssuanceId, request: &CertificateRequest) -> PortResult<()> {
        self.breakers.watch(ISSUE, self.port.open(id, request)).await
    }

    async fn advance(&self, id: &IssuanceId) -> PortResult<IssuanceProgress> {
        self.breakers.guard(ISSUE, self.port.advance(id)).await
    }

    /// Nothing of the authority's is asked for.
    async fn look(&self, id: &IssuanceId) -> PortResult<()> {
        self.breakers.watch(ISSUE, self.port.look(id)).await
    }

    async fn outlook(&self, request: &CertificateRequest) -> PortResult<Vec<Outlook>> {
        self.breakers.watch(ISSUE, self.port.outlook(request)).await
    }

    async fn instructions(&self, id: &IssuanceId) -> PortResult<Vec<DomainInstructions>> {
        self.port.instructions(id).await
    }

    fn instructions_of(&self, issuance: &IssuanceRecord) -> Vec<DomainInstructions> {
        self.port.instructions_of(issuance)
    }

    /// Stands in for the authority by itself when that does not answer.
    async fn renewal(&self, certificate: &CertificateFacts) -> PortResult<RenewalAdvice> {
        self.port.renewal(certificate).await
    }

    /// What it gives back to the authority it gives back if it can.
    async fn abandon(&self, id: &IssuanceId) -> PortResult<()> {
        self.breakers.watch(ISSUE, self.port.abandon(id)).await
    }
}
