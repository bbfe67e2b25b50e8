//! The plans, the steps, and what each step does. Read from top to bottom.
//!
//! A step is idempotent, short, and never sleeps. It may be run twice, and its answer may be lost: whatever it
//! learns is stored before the cursor moves, and every name it gives upstream is computed from stored ids.

pub(crate) mod facts;
mod giving_up;
mod letters;
mod managed;
mod recreation;
mod removal;
mod renewal;
mod takeover;
mod update;

use std::borrow::Cow;
use std::time::Duration;

use contract::{
    CertificateState, Delivery, DistributionSpec, DomainName, Instance, IssuanceProgress, Operation,
    OperationKind, PortResult, Remedy, Settings,
};

pub(crate) use self::update::{covers, lacks_a_name, serving_at};
use crate::Ports;
use crate::worker::WorkSettings;

/// How often to look whether a name that another instance has proven is free by now.
const LOOK_AT_OWNERS: Duration = Duration::from_secs(30);

/// Brings a new instance to life: a distribution without names first, because CloudFront takes a name only together
/// with its certificate; then the certificate; then both in one update.
pub const PROVISION: &[Step] = &[
    Step::CreateDistribution,
    Step::OfferNames,
    Step::ObtainCertificate,
    Step::StoreCertificate,
    Step::AttachCertificate,
    Step::AwaitDeployment,
    Step::PointNames,
    Step::WithdrawProofs,
];

/// Changes an instance whose names are all covered by the certificate that is served.
pub const UPDATE_SETTINGS: &[Step] = &[
    Step::ApplySettings,
    Step::AwaitDeployment,
    Step::PointNames,
    Step::ReleaseNames,
    Step::InvalidateCache,
];

/// Changes an instance that gets names which the served certificate does not cover: a renewal with other names and
/// settings. Everything that changes at the CDN changes in the one update that attaches the new certificate.
pub const UPDATE_NAMES: &[Step] = &[
    Step::OfferNames,
    Step::ObtainCertificate,
    Step::StoreCertificate,
    Step::AttachCertificate,
    Step::AwaitDeployment,
    Step::PointNames,
    Step::ReleaseNames,
    Step::InvalidateCache,
    Step::RemoveOldCertificate,
    Step::WithdrawProofs,
];

/// Replaces the certificate of a live instance. What is served stays attached until its successor is deployed.
pub const RENEW: &[Step] = &[
    Step::ObtainCertificate,
    Step::StoreCertificate,
    Step::AttachCertificate,
    Step::AwaitDeployment,
    Step::RemoveOldCertificate,
    Step::WithdrawProofs,
];

/// Rebuilds an instance from the store, whatever was lost of it: the distribution, the certificate, the whole account.
/// What is still there is kept.
pub const RECREATE: &[Step] = &[
    Step::FindDistribution,
    Step::CreateDistribution,
    Step::OfferNames,
    Step::ObtainCertificate,
    Step::StoreCertificate,
    Step::AttachCertificate,
    Step::AwaitDeployment,
    Step::PointNames,
    Step::RemoveOldCertificate,
    Step::WithdrawProofs,
];

/// Takes an instance down, from whatever point it had reached.
pub const DEPROVISION: &[Step] = &[
    Step::SettleCreation,
    Step::ReleaseNames,
    Step::Disable,
    Step::AwaitDisabled,
    Step::DeleteDistribution,
    Step::RemoveCertificates,
    Step::WithdrawProofs,
    Step::Forget,
];

/// One step of a plan. Its name is stored as the cursor of an operation and must never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is known whether the distribution is still there; a lost one is forgotten.
    FindDistribution,
    /// The distribution exists, without names; its id and host name are known.
    CreateDistribution,
    /// The managed records of names that nobody has proven yet lead to the challenge host.
    OfferNames,
    /// The authority has issued a certificate for all names.
    ObtainCertificate,
    /// The certificate is in the vault, once.
    StoreCertificate,
    /// The distribution has been told its names and its certificate, in one update.
    AttachCertificate,
    /// The distribution has been told its new settings, in one update, under the certificate it has.
    ApplySettings,
    /// Every edge has them.
    AwaitDeployment,
    /// The managed records of the names lead to the distribution.
    PointNames,
    /// The managed records of names that leave are gone.
    ReleaseNames,
    /// The vault holds no certificate that the served one has replaced.
    RemoveOldCertificate,
    /// The edges fetch anew what an update has asked for.
    InvalidateCache,
    /// No proof of control is lying about any more.
    WithdrawProofs,
    /// It is known whether there is a distribution to take down: a create whose answer was lost is asked again.
    SettleCreation,
    /// The distribution has been told to stop.
    Disable,
    /// Every edge has stopped.
    AwaitDisabled,
    /// The distribution is deleted.
    DeleteDistribution,
    /// The vault holds no certificate of the instance.
    RemoveCertificates,
    /// Keys are wiped, names are given back; the instance is a tombstone.
    Forget,
}

impl Step {
    /// The steps of an operation.
    pub fn plan(operation: &Operation) -> &'static [Self] {
        match operation.kind {
            OperationKind::Provision => PROVISION,
            OperationKind::Update => match &operation.change {
                Some(change) if change.needs_certificate => UPDATE_NAMES,
                _ => UPDATE_SETTINGS,
            },
            OperationKind::Renew => RENEW,
            OperationKind::Recreate => RECREATE,
            OperationKind::Deprovision => DEPROVISION,
        }
    }

    /// The name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::FindDistribution => "find-distribution",
            Self::CreateDistribution => "create-distribution",
            Self::OfferNames => "offer-names",
            Self::ObtainCertificate => "obtain-certificate",
            Self::StoreCertificate => "store-certificate",
            Self::AttachCertificate => "attach-certificate",
            Self::ApplySettings => "apply-settings",
            Self::AwaitDeployment => "await-deployment",
            Self::PointNames => "point-names",
            Self::ReleaseNames => "release-names",
            Self::RemoveOldCertificate => "remove-old-certificate",
            Self::InvalidateCache => "invalidate-cache",
            Self::WithdrawProofs => "withdraw-proofs",
            Self::SettleCreation => "settle-creation",
            Self::Disable => "disable",
            Self::AwaitDisabled => "await-disabled",
            Self::DeleteDistribution => "delete-distribution",
            Self::RemoveCertificates => "remove-certificates",
            Self::Forget => "forget",
        }
    }

    /// The step an operation stands at; `None` when its plan has no step of that name.
    pub fn of(operation: &Operation) -> Option<Self> {
        Self::plan(operation).iter().copied().find(|step| step.name() == operation.step)
    }

    /// The step after this one in the plan of an operation; `None` after the last.
    pub fn after(self, operation: &Operation) -> Option<Self> {
        let plan = Self::plan(operation);
        let here = plan.iter().position(|step| *step == self)?;
        plan.get(here + 1).copied()
    }
}

/// How a step ended, when it did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// What the step is named for is true.
    Done,
    /// Not yet; come back after this long.
    Wait(Duration),
    /// Not yet, because there is no room for it elsewhere; the user reads why.
    HeldBack(Duration, String),
    /// Something that an earlier step had made true is no longer true.
    BackTo(Step),
}

/// One run of one step.
pub(crate) struct Run<'a> {
    pub(crate) ports: &'a Ports,
    pub(crate) settings: &'a WorkSettings,
    pub(crate) operation: &'a Operation,
    pub(crate) instance: &'a Instance,
    /// What the operation is to make of the instance.
    target: Cow<'a, Settings>,
    /// The plan that the instance is to have.
    plan_id: String,
    /// The names that the operation is to bring to life.
    wanted: Vec<DomainName>,
}

impl Run<'_> {
    /// Runs `step`.
    pub(crate) async fn step(&self, step: Step) -> PortResult<Outcome> {
        match step {
            Step::FindDistribution => self.find_distribution().await,
            Step::CreateDistribution => self.create_distribution().await,
            Step::OfferNames => self.offer_names().await,
            Step::ObtainCertificate => self.obtain_certificate().await,
            Step::StoreCertificate => self.store_certificate().await,
            Step::AttachCertificate => self.attach_certificate().await,
            Step::ApplySettings => self.apply_settings().await,
            Step::AwaitDeployment => self.await_deployment().await,
            Step::PointNames => self.point_names().await,
            Step::ReleaseNames => self.release_names().await,
            Step::RemoveOldCertificate => self.remove_old_certificate().await,
            Step::InvalidateCache => self.invalidate_cache().await,
            Step::WithdrawProofs => self.withdraw_proofs().await,
            Step::SettleCreation => self.settle_creation().await,
            Step::Disable => self.disable().await,
            Step::AwaitDisabled => self.await_disabled().await,
            Step::DeleteDistribution => self.delete_distribution().await,
            Step::RemoveCertificates => self.remove_certificates().await,
            Step::Forget => self.forget().await,
        }
    }

    async fn create_distribution(&self) -> PortResult<Outcome> {
        if self.instance.distribution.is_none() {
            let mut spec = self.spec(None);
            spec.tags.extend(self.place_tags().await);
            let made = self.ports.cdn.ensure(&self.instance.reference, &spec).await?;
            self.record_distribution(&made).await?;
        }
        Ok(Outcome::Done)
    }

    async fn obtain_certificate(&self) -> PortResult<Outcome> {
        let known = self.certificates().await?;
        if self.has_one_in_hand(&known) {
            return Ok(Outcome::Done);
        }
        if let Some(sentence) = self.taken_by_others().await? {
            return Ok(Outcome::HeldBack(LOOK_AT_OWNERS, sentence));
        }
        self.take_over().await?;
        let mut certificate = self.certificate_among(&known).await?;
        let served = self.served(&known).await?;
        let request = self.request(&certificate, &known, &served).await?;
        self.ports.issuer.open(&certificate.issuance, &request).await?;
        let progress = match self.ports.issuer.advance(&certificate.issuance).await {
            Ok(progress) => progress,
            Err(error) => {
                self.give_up_if_hopeless(&error, certificate).await?;
                return Err(error);
            }
        };
        match progress {
            IssuanceProgress::Working { again } => Ok(Outcome::Wait(again)),
            IssuanceProgress::AwaitingProof { look_again } => {
                Box::pin(self.write_for_proof(&certificate, &known)).await?;
                let lapsed = self.let_names_lapse(&certificate, &known).await?;
                Ok(Outcome::Wait(if lapsed { Duration::ZERO } else { look_again }))
            }
            IssuanceProgress::HeldBack { until, why } => {
                Ok(Outcome::HeldBack(until.since(self.ports.clock.now()), why))
            }
            IssuanceProgress::Issued(bundle) => {
                certificate.facts = Some(bundle.facts);
                self.ports.certificates.put(&certificate).await?;
                Ok(Outcome::Done)
            }
        }
    }

    async fn store_certificate(&self) -> PortResult<Outcome> {
        if self.is_recreation() {
            return self.restore_certificate().await;
        }
        let mut certificate = self.certificate().await?;
        let Some(bundle) = self.issued(&certificate).await? else {
            return Ok(Outcome::BackTo(Step::ObtainCertificate));
        };
        self.claim_names(self.wanted()).await?;
        if let Some(wait) = self.make_room(&certificate).await? {
            return Ok(Outcome::Wait(wait));
        }
        certificate.stored = Some(self.ports.vault.ensure(&certificate.vault_name, &bundle).await?);
        certificate.state = CertificateState::Stored;
        self.ports.certificates.put(&certificate).await?;
        Ok(Outcome::Done)
    }

    async fn attach_certificate(&self) -> PortResult<Outcome> {
        let Some(serving) = self.serving().await? else { return Ok(Outcome::BackTo(Step::StoreCertificate)) };
        let Some(id) = &self.instance.distribution else {
            return Ok(Outcome::BackTo(Step::CreateDistribution));
        };
        if let Some(wait) = self.wait_for_renewal().await? {
            return Ok(Outcome::Wait(wait));
        }
        if self.is_recreation() {
            return self.attach_again(id, serving).await;
        }
        self.ports.cdn.apply(id, &self.spec(Some(serving))).await?;
        Ok(Outcome::Done)
    }

    async fn await_deployment(&self) -> PortResult<Outcome> {
        if self.operation.change.as_ref().is_some_and(|change| !change.needs_certificate) {
            return self.await_settings().await;
        }
        let Some(serving) = self.serving().await? else { return Ok(Outcome::BackTo(Step::StoreCertificate)) };
        let Some(id) = &self.instance.distribution else {
            return Ok(Outcome::BackTo(Step::CreateDistribution));
        };
        let Some(seen) = self.ports.cdn.find(id).await? else { return self.lost(id) };
        let is_off = self.is_recreation() && !seen.enabled;
        if is_off || seen.certificate.as_ref() != Some(&serving.certificate) {
            return Ok(Outcome::BackTo(Step::AttachCertificate));
        }
        if !seen.deployed {
            return Ok(Outcome::Wait(self.deployment_wait()));
        }
        if let Some(certificate) = self.present_certificate().await? {
            self.go_live(&certificate).await?;
        }
        self.let_go_of_names().await?;
        Ok(Outcome::Done)
    }

    async fn withdraw_proofs(&self) -> PortResult<Outcome> {
        self.ports.site.clear(&self.instance.id).await?;
        Ok(Outcome::Done)
    }

    async fn settle_creation(&self) -> PortResult<Outcome> {
        if self.instance.distribution.is_some() {
            return Ok(Outcome::Done);
        }
        // What would be made now is made to be taken down: it needs nothing that the operator may have taken back meanwhile.
        let bare = DistributionSpec { web_acl: false, delivery: Delivery::default(), ..self.spec(None) };
        match self.ports.cdn.ensure(&self.instance.reference, &bare).await {
            Ok(made) => {
                self.record_distribution(&made).await?;
                Ok(Outcome::Done)
            }
            // Refused for good now means refused for good before: there is nothing to take down.
            Err(error) if error.remedy() == Remedy::GiveUp => Ok(Outcome::Done),
            Err(error) => Err(error),
        }
    }

    async fn disable(&self) -> PortResult<Outcome> {
        if let Some(id) = &self.instance.distribution {
            self.ports.cdn.disable(id).await?;
        }
        Ok(Outcome::Done)
    }

    async fn await_disabled(&self) -> PortResult<Outcome> {
        let Some(id) = &self.instance.distribution else { return Ok(Outcome::Done) };
        match self.ports.cdn.find(id).await? {
            Some(seen) if seen.enabled => Ok(Outcome::BackTo(Step::Disable)),
            Some(seen) if !seen.deployed => Ok(Outcome::Wait(self.deployment_wait())),
            Some(_) | None => Ok(Outcome::Done),
        }
    }

    async fn delete_distribution(&self) -> PortResult<Outcome> {
        if let Some(id) = &self.instance.distribution {
            self.ports.cdn.remove(id).await?;
        }
        Ok(Outcome::Done)
    }

    async fn forget(&self) -> PortResult<Outcome> {
        for certificate in self.certificates().await? {
            self.ports.issuer.abandon(&certificate.issuance).await?;
        }
        if let Some(plan) = self.ports.renewals.of_instance(&self.instance.id).await? {
            self.ports.renewals.forget(&plan).await?;
        }
        self.ports.domains.keep_only(&self.instance.id, &[]).await?;
        Ok(Outcome::Done)
    }
}
