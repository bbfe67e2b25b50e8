use contract::{
    CertificateKey, CertificateRecord, CertificateRequest, CertificateState, Distribution,
    DomainInstructions, Instance, InstanceId, KeptCertificate, KeyType, LeadQuestion, Outlook, PortResult,
    RenewalPlan, VaultName,
};

use super::Operator;

/// How many certificates are read at once by those who look for one.
const PAGE: u32 = 500;

/// All that is known about one certificate: by the store, and by whoever was asked.
#[derive(Debug)]
pub struct CertificateStory {
    /// The certificate as the store has it.
    pub record: CertificateRecord,
    /// Its instance.
    pub instance: Option<Instance>,
    /// What is kept under its name in the vault; or why that could not be seen.
    pub kept: Result<Option<KeptCertificate>, String>,
    /// The distribution of its instance; or why that could not be seen.
    pub distribution: Result<Option<Distribution>, String>,
    /// How its names were proven.
    pub proofs: Vec<DomainInstructions>,
    /// When it is to be renewed, if it is the one that is served.
    pub renewal: Option<RenewalPlan>,
    /// How its names would be proven if it were renewed now, if it is the one that is served; or why that could not be seen.
    pub outlook: Result<Vec<Outlook>, String>,
}

impl CertificateStory {
    /// Whether the distribution serves under it now; `None` when that could not be seen.
    pub fn is_attached(&self) -> Option<bool> {
        let distribution = self.distribution.as_ref().ok()?;
        let attached = distribution.as_ref().and_then(|found| found.certificate.as_ref());
        Some(attached.is_some() && attached == self.record.stored.as_ref())
    }
}

impl Operator {
    /// At most `most` certificates behind `after`, in the order of instance, incarnation and generation.
    ///
    /// Errors: the store's, here and below.
    pub async fn certificates(
        &self,
        after: Option<CertificateKey>,
        most: u32,
    ) -> PortResult<Vec<CertificateRecord>> {
        self.ports.certificates.list(after, most).await
    }

    /// How the names of a certificate were proven.
    pub async fn proofs_of(&self, record: &CertificateRecord) -> PortResult<Vec<DomainInstructions>> {
        self.ports.issuer.instructions(&record.issuance).await
    }

    /// The certificate of this name in the vault, or that the CDN calls so; or else the one that the instance of this id serves,
    /// or the newest that it has. `None` when there is none of these.
    pub async fn certificate(&self, id: &str) -> PortResult<Option<CertificateStory>> {
        let Some(record) = self.certificate_called(id).await? else { return Ok(None) };
        let instance = self.ports.instances.find(&record.instance).await?;
        let is_live = record.state == CertificateState::Live;
        let renewal = self.ports.renewals.of_instance(&record.instance).await?.filter(|_| is_live);
        let outlook = match instance.as_ref().filter(|_| is_live) {
            Some(instance) => self.renewal_outlook(&record, instance).await,
            None => Ok(Vec::new()),
        };
        Ok(Some(CertificateStory {
            kept: self.kept(&record.vault_name).await.map_err(|error| error.to_string()),
            distribution: self.distribution_of(instance.as_ref()).await,
            proofs: self.proofs_of(&record).await?,
            outlook,
            renewal,
            instance,
            record,
        }))
    }

    async fn certificate_called(&self, id: &str) -> PortResult<Option<CertificateRecord>> {
        if let Some(record) = self.ports.certificates.named(&VaultName::new(id)).await? {
            return Ok(Some(record));
        }
        if let Some(instance) = self.ports.instances.find(&InstanceId::new(id)).await? {
            let mut of = self.ports.certificates.of_instance(&instance.id, instance.incarnation).await?;
            let live = of.iter().rposition(|one| one.state == CertificateState::Live);
            return Ok(live.map(|live| of.swap_remove(live)).or_else(|| of.pop()));
        }
        let mut after = None;
        loop {
            let page = self.certificates(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(None) };
            after = Some(last.key());
            let is_called = |one: &CertificateRecord| one.stored.as_ref().is_some_and(|it| it.as_str() == id);
            if let Some(found) = page.into_iter().find(is_called) {
                return Ok(Some(found));
            }
        }
    }

    async fn kept(&self, name: &VaultName) -> PortResult<Option<KeptCertificate>> {
        let mut after = None;
        loop {
            let page = self.ports.vault.list(after).await?;
            if let Some(found) = page.items.into_iter().find(|kept| kept.name == *name) {
                return Ok(Some(found));
            }
            after = page.next;
            if after.is_none() {
                return Ok(None);
            }
        }
    }

    async fn distribution_of(&self, instance: Option<&Instance>) -> Result<Option<Distribution>, String> {
        match instance.and_then(|instance| instance.distribution.as_ref()) {
            Some(id) => self.ports.cdn.find(id).await.map_err(|error| error.to_string()),
            None => Ok(None),
        }
    }

    /// Looks at the world: where each name leads decides whether it is proven through the CDN.
    async fn renewal_outlook(
        &self,
        record: &CertificateRecord,
        instance: &Instance,
    ) -> Result<Vec<Outlook>, String> {
        let mut served = Vec::new();
        for name in &record.names {
            let Some(target) = instance.distribution_domain.clone() else { break };
            let lead = self.ports.names.lead(&LeadQuestion { name: name.clone(), target }).await;
            if lead.is_ok_and(|lead| lead.is_right()) {
                served.push(name.clone());
            }
        }
        let request = CertificateRequest {
            tenant: instance.request.organization.clone(),
            site: instance.id.clone(),
            served,
            ..CertificateRequest::new(record.names.clone(), KeyType::default())
        };
        self.ports.issuer.outlook(&request).await.map_err(|error| error.to_string())
    }
}
