//! The records of ours that users point their names at, once and for ever: first they lead to the challenge host, so that
//! the authority finds the proof there, then to the distribution.

use std::collections::BTreeSet;

use contract::{DomainName, DomainRecord, PortResult};

use super::{Outcome, Run};
use crate::ports::ManagedNames;

impl Run<'_> {
    /// A name that an instance has proven is left alone: it is live, or was a moment ago. A recreation has lost its own, but
    /// for those that its distribution still serves.
    pub(super) async fn offer_names(&self) -> PortResult<Outcome> {
        let Some(managed) = &self.ports.managed else { return Ok(Outcome::Done) };
        let known = self.certificates().await?;
        if self.has_one_in_hand(&known) {
            return Ok(Outcome::Done);
        }
        // Its names are stored before a record is made for any of them: taking the instance down goes by them.
        let certificate = self.certificate_among(&known).await?;
        let served = self.served(&known).await?;
        let mut live = self.ports.domains.owners(&certificate.names).await?;
        let is_lost = |one: &DomainRecord| one.instance == self.instance.id && !served.contains(&one.name);
        live.retain(|one| !(self.is_recreation() && is_lost(one)));
        for name in certificate.names.iter().filter(|name| !name.is_wildcard()) {
            if live.iter().all(|record| record.name != *name) {
                managed.zone.point(&self.record_of(managed, name), &managed.challenge_host).await?;
            }
        }
        Ok(Outcome::Done)
    }

    /// Not those that have lapsed and that another instance of the same organization has proven since.
    pub(super) async fn point_names(&self) -> PortResult<Outcome> {
        let (Some(managed), Some(target)) = (&self.ports.managed, &self.instance.distribution_domain) else {
            return Ok(Outcome::Done);
        };
        let proven = self.ports.domains.owners(self.wanted()).await?;
        for name in self.wanted().iter().filter(|name| !name.is_wildcard()) {
            if !self.is_anothers(&proven, name) {
                managed.zone.point(&self.record_of(managed, name), target).await?;
            }
        }
        Ok(Outcome::Done)
    }

    /// What another instance of the same organization has proven since is its own.
    pub(super) async fn release_names(&self) -> PortResult<Outcome> {
        let Some(managed) = &self.ports.managed else { return Ok(Outcome::Done) };
        let leaving: Vec<DomainName> = self.leaving().await?.into_iter().collect();
        let proven = self.ports.domains.owners(&leaving).await?;
        for name in leaving.iter().filter(|name| !name.is_wildcard()) {
            if !self.is_anothers(&proven, name) {
                managed.zone.release(&self.record_of(managed, name)).await?;
            }
        }
        Ok(Outcome::Done)
    }

    /// Every name that this incarnation has ever asked for and that is not served afterwards.
    async fn leaving(&self) -> PortResult<BTreeSet<DomainName>> {
        let certificates = self.certificates().await?;
        let asked = certificates.into_iter().flat_map(|certificate| certificate.names);
        let mut names: BTreeSet<_> = asked.chain(self.instance.settings.domains.clone()).collect();
        if self.operation.kind != contract::OperationKind::Deprovision {
            names.retain(|name| !self.wanted().contains(name));
        }
        Ok(names)
    }

    fn is_anothers(&self, proven: &[DomainRecord], name: &DomainName) -> bool {
        proven.iter().any(|record| record.name == *name && record.instance != self.instance.id)
    }

    fn record_of(&self, managed: &ManagedNames, name: &DomainName) -> String {
        managed.record(&self.instance.request.organization, name)
    }
}
