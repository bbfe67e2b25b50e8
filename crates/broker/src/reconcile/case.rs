//! One instance: what the store says about it, and how that compares with what was seen.

use std::collections::BTreeMap;

use contract::{
    CertificateRecord, CertificateState, DistributionId, DomainName, DomainRecord, DomainState, Instance,
    InstanceId, InstanceState, ListedDistribution, Operation, OperationState, PortResult, RecordContent,
    Serving, StoredCertificate, Track,
};

use super::finding::{Drift, Finding, Thing};
use crate::ports::{ManagedNames, Ports};
use crate::workflow;

/// An instance as the store knows it.
pub(super) struct Case {
    pub(super) instance: Instance,
    pub(super) certificates: Vec<CertificateRecord>,
    latest: Option<Operation>,
    renewal: Option<Operation>,
    domains: Vec<DomainRecord>,
}

/// What was seen of an instance. What is `None` on the outside was not looked at.
#[expect(clippy::option_option, reason = "not looked at, and looked at and not there, are two things")]
#[derive(Default)]
pub(super) struct Seen<'a> {
    pub(super) distribution: Option<Option<&'a ListedDistribution>>,
    /// How the CDN calls what is kept under the name of the certificate that is served.
    pub(super) certificate: Option<Option<&'a StoredCertificate>>,
    pub(super) records: Option<&'a BTreeMap<String, RecordContent>>,
    /// The folder that challenges should lead to.
    pub(super) folder: String,
}

impl Case {
    /// Errors: the store's.
    pub(super) async fn read(ports: &Ports, id: &InstanceId) -> PortResult<Option<Self>> {
        let Some(standing) = ports.operations.standing(id).await? else { return Ok(None) };
        let renewal = ports.operations.newest(id, Track::Renewal).await?;
        let domains = ports.domains.of_instance(id).await?;
        let contract::Standing { instance, latest, certificates, .. } = standing;
        Ok(Some(Self { instance, certificates, latest, renewal, domains }))
    }

    /// Whether something of it may be there.
    pub(super) fn is_alive(&self) -> bool {
        self.instance.state != InstanceState::Gone
    }

    /// Whether work on it is under way, so that store and world may differ for a while.
    pub(super) fn is_busy(&self) -> bool {
        let runs = |one: &Operation| one.state == OperationState::Running;
        self.latest.as_ref().is_some_and(runs) || self.renewal.as_ref().is_some_and(runs)
    }

    /// Whether it serves, and nobody is changing it: then store and world are to agree.
    pub(super) fn is_at_rest(&self) -> bool {
        self.instance.state == InstanceState::Ready && !self.is_busy()
    }

    /// The certificate that is served.
    pub(super) fn live(&self) -> Option<&CertificateRecord> {
        workflow::facts::live(&self.certificates)
    }

    /// Every name that a record in the managed zone may be there for.
    pub(super) fn names(&self) -> impl Iterator<Item = &DomainName> {
        let change = self.latest.as_ref().and_then(|latest| latest.change.as_ref());
        let asked = change.into_iter().flat_map(|change| &change.settings.domains);
        let certified = self.certificates.iter().flat_map(|certificate| &certificate.names);
        self.instance.settings.domains.iter().chain(asked).chain(certified)
    }

    /// The owners of every record that may be there for it.
    pub(super) fn owners(&self, managed: &ManagedNames) -> impl Iterator<Item = String> {
        let record = |name| managed.record(&self.instance.request.organization, name);
        self.names().map(record).flat_map(|owner| [format!("_acme-challenge.{owner}"), owner])
    }

    /// Every difference between what it is meant to be and what was seen.
    pub(super) fn compare(&self, seen: &Seen<'_>, managed: Option<&ManagedNames>) -> Vec<Finding> {
        let mut findings = self.of_certificate(seen);
        findings.extend(self.of_distribution(seen));
        let is_there = seen.distribution.is_none_or(|distribution| distribution.is_some());
        if let (Some(managed), Some(records), true) = (managed, seen.records, is_there) {
            findings.extend(self.of_records(managed, records));
        }
        findings
    }

    fn of_certificate(&self, seen: &Seen<'_>) -> Vec<Finding> {
        let Some(found) = seen.certificate else { return Vec::new() };
        let lost = match self.live() {
            Some(live) => Some(live).filter(|live| found != live.stored.as_ref()),
            // What was to be rebuilt and could not be.
            None => self.certificates.last(),
        };
        lost.map(|lost| self.missing(Thing::Certificate(lost.vault_name.clone()))).into_iter().collect()
    }

    fn of_distribution(&self, seen: &Seen<'_>) -> Vec<Finding> {
        let Some(found) = seen.distribution else { return Vec::new() };
        // What was to be rebuilt and could not be has no id, but a reference under which it will be made.
        let instance = &self.instance;
        let unmade = || DistributionId::new(instance.reference.as_str());
        let thing = Thing::Distribution(instance.distribution.clone().unwrap_or_else(unmade));
        let Some(found) = found else { return vec![self.missing(thing)] };
        let mut drifts = self.serving_drifts(found);
        let wanted = &instance.settings.origin;
        if found.origin.as_ref() != Some(wanted) {
            drifts.push(Drift::Origin { wanted: wanted.clone(), found: found.origin.clone() });
        }
        if found.folder.as_ref() != Some(&seen.folder) {
            drifts.push(Drift::Challenges);
        }
        if !found.distribution.enabled {
            drifts.push(Drift::Disabled);
        }
        drifts.into_iter().map(|drift| self.drift(thing.clone(), drift)).collect()
    }

    fn serving_drifts(&self, found: &ListedDistribution) -> Vec<Drift> {
        let Some(wanted) = self.serving(found) else { return Vec::new() };
        let mut drifts = Vec::new();
        if found.distribution.certificate.as_ref() != Some(&wanted.certificate) {
            let found = found.distribution.certificate.clone();
            drifts.push(Drift::Certificate { wanted: wanted.certificate, found });
        }
        let missing = without(&wanted.names, &found.distribution.names);
        let extra = without(&found.distribution.names, &wanted.names);
        if !missing.is_empty() || !extra.is_empty() {
            drifts.push(Drift::Names { missing, extra });
        }
        drifts
    }

    /// What the distribution should serve: the names that have not lapsed, under the certificate of the instance's that it
    /// has, whoever has lived to write that down, or else under the one that is live.
    fn serving(&self, found: &ListedDistribution) -> Option<Serving> {
        let has_lapsed = |name: &DomainName| {
            self.domains.iter().any(|record| record.name == *name && record.state == DomainState::Lapsed)
        };
        let wanted = self.instance.settings.domains.iter().filter(|name| !has_lapsed(name)).cloned();
        let wanted: Vec<DomainName> = wanted.collect();
        workflow::serving_at(&self.certificates, &found.distribution, &wanted)
    }

    fn of_records(&self, managed: &ManagedNames, records: &BTreeMap<String, RecordContent>) -> Vec<Finding> {
        let Some(wanted) = &self.instance.distribution_domain else { return Vec::new() };
        let is_own = |name: &&DomainName| {
            !name.is_wildcard()
                && self.domains.iter().any(|own| own.name == **name && own.state == DomainState::Proven)
        };
        let own = self.instance.settings.domains.iter().filter(is_own);
        own.filter_map(|name| {
            let owner = managed.record(&self.instance.request.organization, name);
            let found = match records.get(&owner) {
                None => return Some(self.missing(Thing::Record(owner))),
                Some(RecordContent::Cname(target)) if target == wanted => return None,
                Some(RecordContent::Cname(target)) => Some(target.clone()),
                Some(RecordContent::Txt(_)) => None,
            };
            Some(self.drift(Thing::Record(owner), Drift::Target { wanted: wanted.clone(), found }))
        })
        .collect()
    }

    fn missing(&self, thing: Thing) -> Finding {
        Finding::Missing { instance: self.instance.id.clone(), thing }
    }

    fn drift(&self, thing: Thing, drift: Drift) -> Finding {
        Finding::Drift { instance: self.instance.id.clone(), thing, drift }
    }

    /// Whether a certificate of this instance is needed, or will be.
    pub(super) fn needs(&self, certificate: &CertificateRecord) -> bool {
        self.is_alive()
            && certificate.incarnation == self.instance.incarnation
            && certificate.state != CertificateState::Removed
    }
}

fn without(names: &[DomainName], others: &[DomainName]) -> Vec<DomainName> {
    names.iter().filter(|name| !others.contains(name)).cloned().collect()
}
