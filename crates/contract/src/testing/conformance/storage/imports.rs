//! The promises of [`ImportStore`](crate::ImportStore).

use super::Subject;
use crate::testing::sample;
use crate::{
    Adopted, Adoption, CertificateRecord, CertificateState, DistributionId, DomainState, ImportRecord,
    Instance, InstanceState, IssuanceId, IssuanceRecord, LogEntry, Operation, OperationKind, OperationState,
    PortResult, Reference, RenewalPlan, StoredCertificate, Survey, Timestamp, Track, VaultName,
};

impl Subject {
    /// A whole adoption for names that nobody has; it is not stored.
    async fn adoption(&self) -> Adoption {
        let (instance, operation) = self.draft().await;
        let name = sample::name(&format!("{}.example.net", self.fresh("imported")));
        let mut instance = Instance {
            state: InstanceState::Ready,
            reference: Reference::new(instance.id.as_str()),
            distribution: Some(DistributionId::new("EOLD1")),
            distribution_domain: Some("dold1.cloudfront.net".to_owned()),
            ..instance
        };
        instance.settings.domains = vec![name];
        let now = self.time.now().await;
        let operation = Operation { state: OperationState::Succeeded, ..operation };
        let log = LogEntry {
            operation: operation.id.clone(),
            step: operation.step.clone(),
            outcome: "done".to_owned(),
            sentence: "adopted".to_owned(),
            request_id: None,
            at: now,
        };
        let certificate = self.keyless(&instance);
        let renewal = RenewalPlan::first(&instance.id, 1, 1, now);
        let source = "external-domain-broker".to_owned();
        let issuance = Some(with_key(&certificate, now));
        let inherited = Vec::new();
        Adoption { instance, operation, log, certificate, issuance, renewal, inherited, source, at: now }
    }

    fn keyless(&self, instance: &Instance) -> CertificateRecord {
        CertificateRecord {
            instance: instance.id.clone(),
            incarnation: 1,
            generation: 1,
            names: instance.settings.domains.clone(),
            issuance: IssuanceId::new(self.fresh("issuance")),
            vault_name: VaultName::new(self.fresh("cdn-route")),
            stored: Some(StoredCertificate::new("ASCAOLD")),
            facts: None,
            state: CertificateState::Live,
            keyless: true,
        }
    }

    /// Whether nothing at all is known of it.
    async fn is_unknown(&self, adoption: &Adoption) -> PortResult<bool> {
        let id = &adoption.instance.id;
        let unknown = self.instances.find(id).await?.is_none()
            && self.stored_operation(&adoption.operation).await?.is_none()
            && self.operations.history(&adoption.operation.id).await?.is_empty()
            && self.certificates.of_instance(id, 1).await?.is_empty()
            && self.renewals.of_instance(id).await?.is_none()
            && self.issuances.load(&adoption.certificate.issuance).await?.is_none()
            && self.domains.of_instance(id).await?.is_empty();
        Ok(unknown && self.imports.imported(id).await?.is_none())
    }
}

/// The key and the chain of a certificate.
fn with_key(certificate: &CertificateRecord, now: Timestamp) -> IssuanceRecord {
    let bundle = sample::bundle(7, &certificate.names, now);
    IssuanceRecord {
        id: certificate.issuance.clone(),
        version: 0,
        request: sample::certificate_request(&certificate.names),
        directory: "external-domain-broker".to_owned(),
        private_key: Some(bundle.private_key_pem),
        csr: None,
        order_url: None,
        order_expires: None,
        orders_placed: 0,
        thumbprint: None,
        authorizations: Vec::new(),
        presented: Vec::new(),
        failure: None,
        chain: Some(bundle.leaf_pem),
        opened_at: now,
        abandoned: false,
    }
}

/// Everything that was given comes back, and the names are the instance's.
pub async fn an_adopted_instance_is_stored_whole(subject: &Subject) -> PortResult<()> {
    let adoption = subject.adoption().await;
    let id = adoption.instance.id.clone();
    assert_eq!(subject.imports.adopt(&adoption).await?, Adopted::Done);
    assert_eq!(subject.stored_instance(&id).await?, Some(adoption.instance.clone()));
    assert_eq!(subject.stored_operation(&adoption.operation).await?, Some(adoption.operation.clone()));
    assert_eq!(
        subject.operations.history(&adoption.operation.id).await?,
        std::slice::from_ref(&adoption.log)
    );
    assert_eq!(subject.certificates.of_instance(&id, 1).await?, std::slice::from_ref(&adoption.certificate));
    let kept = subject.issuances.load(&adoption.certificate.issuance).await?;
    assert_eq!(kept, adoption.issuance, "the key comes back");
    assert_eq!(subject.renewals.of_instance(&id).await?, Some(adoption.renewal.clone()));
    let names = subject.domains.of_instance(&id).await?;
    assert!(names.iter().all(|name| name.state == DomainState::Proven) && names.len() == 1);
    let record = ImportRecord {
        instance: id.clone(),
        source: adoption.source.clone(),
        operation: adoption.operation.id.clone(),
        at: adoption.at,
        changed: false,
    };
    assert_eq!(subject.imports.imported(&id).await?.as_ref(), Some(&record));
    assert!(subject.imports.imports(None, 1000).await?.contains(&record));
    assert!(!subject.imports.imports(Some(id), 1000).await?.contains(&record));
    Ok(())
}

/// An id or a name that is taken leaves everything as it was.
pub async fn what_is_taken_is_not_adopted(subject: &Subject) -> PortResult<()> {
    let first = subject.adoption().await;
    assert_eq!(subject.imports.adopt(&first).await?, Adopted::Done);
    assert_eq!(subject.imports.adopt(&first).await?, Adopted::IdTaken);
    let mut second = subject.adoption().await;
    second.instance.settings.domains.extend(first.instance.settings.domains.clone());
    let taken = Adopted::NamesTaken(first.instance.settings.domains.clone());
    assert_eq!(subject.imports.adopt(&second).await?, taken);
    assert!(subject.is_unknown(&second).await?);
    Ok(())
}

/// What nobody has touched since is forgotten, and can be adopted again.
pub async fn an_adoption_is_forgotten_whole(subject: &Subject) -> PortResult<()> {
    let adoption = subject.adoption().await;
    let id = &adoption.instance.id;
    assert!(!subject.imports.forget_import(id).await?, "it was never adopted");
    assert_eq!(subject.imports.adopt(&adoption).await?, Adopted::Done);
    assert!(subject.imports.forget_import(id).await?);
    assert!(subject.is_unknown(&adoption).await?);
    assert!(!subject.imports.forget_import(id).await?);
    assert_eq!(subject.imports.adopt(&adoption).await?, Adopted::Done);
    Ok(())
}

/// A look changes nothing; links that were revoked do, or they would be good again when the instance is adopted again.
pub async fn what_was_only_looked_at_is_forgotten(subject: &Subject) -> PortResult<()> {
    let adoption = subject.adoption().await;
    let id = &adoption.instance.id;
    let survey = Survey { at: adoption.at, sights: Vec::new() };
    assert_eq!(subject.imports.adopt(&adoption).await?, Adopted::Done);
    subject.pages.keep_survey(id, &survey).await?;
    assert!(subject.imports.forget_import(id).await?);
    assert!(subject.is_unknown(&adoption).await? && subject.pages.survey(id).await?.is_none());
    assert_eq!(subject.imports.adopt(&adoption).await?, Adopted::Done);
    subject.pages.keep_survey(id, &survey).await?;
    subject.pages.revoke(id).await?;
    assert!(!subject.imports.forget_import(id).await?);
    assert_eq!(subject.pages.survey(id).await?, Some(survey));
    Ok(())
}

/// What was begun since, on either track, keeps it; and so does whoever has made it here.
pub async fn what_was_changed_since_is_not_forgotten(subject: &Subject) -> PortResult<()> {
    let adoption = subject.adoption().await;
    let id = &adoption.instance.id;
    assert_eq!(subject.imports.adopt(&adoption).await?, Adopted::Done);
    let renewal = subject.operation(id, OperationKind::Renew).await;
    let renewal = Operation { track: Track::Renewal, ..renewal };
    assert!(subject.operations.begin_renewal(&renewal).await?);
    assert!(!subject.imports.forget_import(id).await?);
    assert!(subject.imports.imported(id).await?.is_some_and(|record| record.changed));
    assert_eq!(subject.stored_instance(id).await?.as_ref(), Some(&adoption.instance));
    let (own, _) = subject.provisioning().await?;
    assert!(!subject.imports.forget_import(&own.id).await?);
    assert!(subject.stored_instance(&own.id).await?.is_some());
    Ok(())
}

/// The names of which the earlier broker's records stay good are known until the instance gives them back, also when they have
/// lapsed in between; nobody else inherits anything.
pub async fn what_was_inherited_goes_with_the_name(subject: &Subject) -> PortResult<()> {
    let mut adoption = subject.adoption().await;
    let own = sample::name(&format!("{}.example.net", subject.fresh("added")));
    let old = adoption.instance.settings.domains[0].clone();
    adoption.instance.settings.domains.push(own.clone());
    adoption.inherited = vec![old.clone()];
    let id = adoption.instance.id.clone();
    assert_eq!(subject.imports.adopt(&adoption).await?, Adopted::Done);
    let inherited = async || {
        let names = subject.domains.of_instance(&id).await?;
        PortResult::Ok(names.into_iter().filter(|one| one.inherited).map(|one| one.name).collect::<Vec<_>>())
    };
    assert_eq!(inherited().await?, std::slice::from_ref(&old));
    subject.domains.lapse(&id, &[old.clone(), own.clone()]).await?;
    subject.domains.claim(&id, 1, &[old.clone(), own.clone()]).await?;
    assert_eq!(inherited().await?, std::slice::from_ref(&old));
    let owners = subject.domains.owners(std::slice::from_ref(&old)).await?;
    assert!(owners.iter().all(|owner| owner.inherited) && owners.len() == 1);
    subject.domains.keep_only(&id, std::slice::from_ref(&own)).await?;
    subject.domains.claim(&id, 1, std::slice::from_ref(&old)).await?;
    assert!(inherited().await?.is_empty(), "a name that was given back comes without its past");
    Ok(())
}
