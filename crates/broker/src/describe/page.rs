//! What a page shows of the texts of `cf service`: the same sentences, without what it shows in a form of its own.

use contract::{DomainInstructions, OperationState, ProofMethod, ProofState, ProofWay};

use super::proofs::Proofs;
use super::{Idle, Scene, progress};
use crate::workflow::Step;

/// How an instance stands: a sentence, and what else there is to know or to do.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) headline: String,
    pub(crate) notes: Vec<String>,
}

impl Scene<'_> {
    /// How the operation stands; what is to be done for each domain is shown beside it.
    pub(crate) fn told(&self) -> Told {
        match self.operation.state {
            OperationState::Running => self.told_while_running(),
            OperationState::Succeeded | OperationState::Cancelled => split(self.text().lines()),
            // Behind the remedy come the proofs.
            OperationState::Failed => split(self.text().lines().take(2)),
        }
    }

    fn told_while_running(&self) -> Told {
        let proofs = self.proofs();
        let waits = Step::of(self.operation) == Some(Step::ObtainCertificate) && proofs.open() > 0;
        let (headline, until) = match Step::of(self.operation) {
            Some(Step::ObtainCertificate) if self.is_held_back() => {
                (self.operation.sentence.clone().unwrap_or_default(), None)
            }
            _ if waits => (proofs.head("Waiting for proof of control of"), Some(self.until(&proofs))),
            Some(Step::ObtainCertificate) if !self.instructions.is_empty() => (self.waiting().concat(), None),
            Some(step) => (progress(step).to_owned(), None),
            None => ("In progress.".to_owned(), None),
        };
        let sentence = self.operation.sentence.clone().filter(|sentence| *sentence != headline);
        Told { headline, notes: sentence.into_iter().chain(until).chain(self.outlook()).collect() }
    }
}

impl Idle<'_> {
    /// How the instance stands; what is to be done, and what was seen, is shown beside it.
    pub(crate) fn told(&self) -> Told {
        let notes = [self.lapsed(), self.failed_update(), self.renewal_needs_user(), self.update_goes_on()];
        Told { headline: self.head(), notes: notes.into_iter().flatten().collect() }
    }
}

fn split<'a>(lines: impl Iterator<Item = &'a str>) -> Told {
    let mut lines = lines.map(str::to_owned);
    Told { headline: lines.next().unwrap_or_default(), notes: lines.collect() }
}

/// A way to prove one domain, in a few words and in full.
pub(crate) fn way(tenant: &str, one: &DomainInstructions, way: &ProofWay) -> (&'static str, String) {
    // Whatever is known by now: the sentence is about what is to be done as long as nothing is.
    let open = DomainInstructions { state: ProofState::Open, proven_by: None, ..one.clone() };
    let proofs = Proofs { tenant, instructions: std::slice::from_ref(&open) };
    (way_title(way.method()), proofs.explanation(&open, way))
}

fn way_title(method: ProofMethod) -> &'static str {
    match method {
        ProofMethod::ManagedName => "Point the name to this service",
        ProofMethod::Redirected => "Redirect from the present site",
        ProofMethod::ThroughCdn => "Point the name to the CDN",
        ProofMethod::Delegated => "Delegate the proof to this service",
        ProofMethod::Direct => "Set a TXT record",
    }
}

/// How a domain was proven.
pub(crate) fn proven_by(method: ProofMethod) -> &'static str {
    match method {
        ProofMethod::ManagedName => "by the CNAME to this service",
        ProofMethod::Redirected => "by the redirect of the present site",
        ProofMethod::ThroughCdn => "through the CDN",
        ProofMethod::Delegated => "by delegation",
        ProofMethod::Direct => "by the TXT record",
    }
}

/// A step by what it does.
pub(crate) fn step_title(step: Step) -> &'static str {
    match step {
        Step::FindDistribution => "Look for the distribution",
        Step::CreateDistribution => "Create the distribution",
        Step::OfferNames => "Prepare DNS records",
        Step::ObtainCertificate => "Prove the domains and obtain the certificate",
        Step::StoreCertificate => "Hand the certificate to the CDN",
        Step::AttachCertificate => "Attach domains and certificate",
        Step::ApplySettings => "Apply the new settings",
        Step::AwaitDeployment => "Deploy to all locations",
        Step::InvalidateCache => "Fetch content anew",
        Step::PointNames => "Lead DNS records to the CDN",
        Step::ReleaseNames => "Release DNS records",
        Step::RemoveOldCertificate => "Delete the replaced certificate",
        Step::WithdrawProofs => "Clear away the proofs",
        Step::SettleCreation => "Find what there is to delete",
        Step::Disable => "Tell the CDN to stop",
        Step::AwaitDisabled => "Stop at all locations",
        Step::DeleteDistribution => "Delete the distribution",
        Step::RemoveCertificates => "Delete the certificates",
        Step::Forget => "Wipe the private key",
    }
}
