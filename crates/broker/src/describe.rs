//! What the user reads in `cf service`: one place for all texts. The first line is a whole sentence; what is to be done
//! stands below it, ready to be copied.

mod found;
mod idle;
#[cfg(test)]
mod idle_tests;
mod letters;
mod notices;
mod outlook;
mod page;
mod platform;
mod proofs;
mod sights;
#[cfg(test)]
mod tests;
mod words;

use contract::{DomainInstructions, Instance, Operation, OperationKind, OperationState, Settings};

pub(crate) use self::found::{finding, for_user};
pub(crate) use self::idle::{Idle, Open};
pub(crate) use self::letters::{lapse_letter, renewal_letter};
pub(crate) use self::notices::{
    goes_on, lacks_a_key, lapsed, late, of_the_service, parked, plan_is_missing, stands_in_the_way, taken,
    taken_while_waiting,
};
pub(crate) use self::outlook::{Outlook, kind};
pub(crate) use self::page::{Told, proven_by, step_title, way};
pub(crate) use self::platform::{not_of_the_platform, platform_refuses_us, platform_silent};
use self::proofs::Proofs;
pub(crate) use self::sights::Sights;
pub(crate) use self::words::{list, span};
use crate::Pace;
use crate::workflow::Step;

/// Everything that the description of an operation depends on.
pub(crate) struct Scene<'a> {
    pub(crate) instance: &'a Instance,
    pub(crate) operation: &'a Operation,
    /// What the issuer wants of the user; empty when nothing is known yet.
    pub(crate) instructions: &'a [DomainInstructions],
    pub(crate) pace: &'a Pace,
}

impl Scene<'_> {
    /// The description of the operation as it stands.
    pub(crate) fn text(&self) -> String {
        let lines = match self.operation.state {
            OperationState::Running => self.running(),
            OperationState::Succeeded => self.succeeded(),
            OperationState::Failed => self.failed(),
            OperationState::Cancelled => vec!["Another operation took over.".to_owned()],
        };
        lines.join("\n")
    }

    fn running(&self) -> Vec<String> {
        let step = Step::of(self.operation);
        let mut lines = match step {
            Some(Step::ObtainCertificate) if self.is_held_back() => Vec::new(),
            Some(Step::ObtainCertificate) if !self.instructions.is_empty() => self.waiting(),
            Some(step) => vec![progress(step).to_owned()],
            None => vec!["In progress.".to_owned()],
        };
        lines.extend(self.operation.sentence.clone());
        lines.extend(self.outlook());
        lines
    }

    /// What is to come when this operation has succeeded.
    fn outlook(&self) -> Option<String> {
        match self.operation.kind {
            OperationKind::Provision => self.target().map(|(names, target)| {
                format!(
                    "When this operation has succeeded, point {names} to {target} (CNAME or ALIAS), not before: until \
                     then the CDN refuses requests for these names."
                )
            }),
            OperationKind::Update if Step::of(self.operation) == Some(Step::ObtainCertificate) => {
                Some("What the CDN serves stays as it is until this operation has succeeded.".to_owned())
            }
            OperationKind::Recreate => self.target().map(|(names, target)| {
                format!(
                    "The operators rebuild this service instance. When that is done, {names} are served from {target}: a \
                     record that leads to another host name of the CDN has to be changed then; one that leads to a name of \
                     this service stays."
                )
            }),
            _ => None,
        }
    }

    /// Whether there is a reason to wait that is no error: then nothing is asked of the user yet.
    fn is_held_back(&self) -> bool {
        self.operation.sentence.is_some() && self.operation.error.is_none()
    }

    fn succeeded(&self) -> Vec<String> {
        if self.operation.kind == OperationKind::Deprovision {
            return vec!["The service instance and its certificate have been deleted.".to_owned()];
        }
        let settings = self.settings();
        let names = list(&settings.domains);
        let mut lines =
            vec![format!("The CDN serves {names} over HTTPS, with content from {}.", settings.origin.domain)];
        lines.extend(self.target().map(|(names, target)| {
            format!("Point {names} to {target} with a CNAME or ALIAS record, if that is not done yet.")
        }));
        lines
    }

    fn failed(&self) -> Vec<String> {
        let (what, remedy) = match self.operation.kind {
            OperationKind::Provision => (
                "The service instance could not be created.",
                "Delete it, and create it again when the cause is removed.",
            ),
            OperationKind::Update => (
                "The service instance could not be changed; it serves what it did before.",
                "Nothing is lost: make the same update again when the cause is removed.",
            ),
            OperationKind::Renew => (
                "The certificate could not be renewed; what is served has not changed.",
                "It is tried again.",
            ),
            OperationKind::Recreate => (
                "The service instance could not be rebuilt after something of it was lost.",
                "The operators go on with it.",
            ),
            OperationKind::Deprovision => (
                "The service instance could not be deleted completely.",
                "Nothing is lost: delete it once more to go on.",
            ),
        };
        let cause = self.operation.sentence.clone().unwrap_or_else(|| {
            format!("The operators have been told about operation {}.", self.operation.id)
        });
        let mut lines = vec![format!("{what} {cause}"), remedy.to_owned()];
        if self.proofs().open() > 0 {
            lines.extend(self.proofs().lines());
        }
        lines
    }

    /// What is to be done for each domain, and until when.
    fn waiting(&self) -> Vec<String> {
        let proofs = self.proofs();
        if proofs.open() == 0 {
            return vec![
                "Control of every domain has been proven or seen; the certificate is being issued."
                    .to_owned(),
            ];
        }
        let mut lines = vec![proofs.head("Waiting for proof of control of")];
        lines.extend(proofs.lines());
        lines.push(self.until(&proofs));
        lines
    }

    /// When the broker looks next, until when the values are good, and what happens when the user does not come.
    fn until(&self, proofs: &Proofs<'_>) -> String {
        let is_update = self.operation.kind == OperationKind::Update;
        let patience = if is_update { self.pace.update_proof_wait } else { self.pace.provision_proof_wait };
        let end = self.operation.step_since + patience;
        let look = proofs.next_look().map_or_else(
            || "The broker keeps looking by itself.".to_owned(),
            |next| format!("The broker looks again by itself, next on {next}."),
        );
        let values = proofs.replaced_before(end).map_or_else(String::new, |expires| {
            format!(" TXT values are good until {expires}, and are replaced by new ones then.")
        });
        let consequence = if is_update {
            "this update fails then, nothing changes, and the same update made again goes on where it stopped"
        } else if self.operation.kind == OperationKind::Recreate {
            "the operators have to begin again then"
        } else {
            "this request fails then, and the service instance is to be deleted and created again"
        };
        format!("{look}{values} It gives up on {end}: {consequence}.")
    }

    fn proofs(&self) -> Proofs<'_> {
        Proofs { tenant: &self.instance.request.organization, instructions: self.instructions }
    }

    /// What the operation makes of the instance.
    fn settings(&self) -> &Settings {
        self.operation.change.as_ref().map_or(&self.instance.settings, |change| &change.settings)
    }

    /// The names and where to point them, once that is known.
    fn target(&self) -> Option<(String, &str)> {
        let target = self.instance.distribution_domain.as_deref()?;
        Some((list(&self.settings().domains), target))
    }
}

/// Why a provision was given up: nobody has proven the domains.
pub(crate) fn provision_unproven(limit: &str) -> String {
    format!(
        "The domains were not proven within {limit}. Delete this service instance and create it again when you can set \
         the DNS records."
    )
}

/// Why a recreation was given up: nobody has proven the domains.
pub(crate) fn recreation_unproven(limit: &str) -> String {
    format!("Its certificate is lost, and the domains were not proven anew within {limit}.")
}

/// Why an operation has ended that the operators have ended by hand.
pub(crate) fn cancelled(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Update => "The operators have ended this update, since it did not get on.",
        _ => "The operators have ended this, since it did not get on.",
    }
}

/// Why an update was given up: nobody has proven the domains.
pub(crate) fn update_unproven(limit: &str) -> String {
    format!("The domains that it adds were not proven within {limit}.")
}

fn progress(step: Step) -> &'static str {
    match step {
        Step::FindDistribution => "Looking for the CDN distribution.",
        Step::CreateDistribution => "Creating the CDN distribution.",
        Step::OfferNames => "Preparing the DNS records that the domains can be pointed at.",
        Step::ObtainCertificate => "Asking the certificate authority what proof of control it wants.",
        Step::StoreCertificate => "The certificate has been issued and is being handed to the CDN.",
        Step::AttachCertificate => "The domains and their certificate are being handed to the CDN.",
        Step::ApplySettings => "The new settings are being handed to the CDN.",
        Step::AwaitDeployment => {
            "The CDN is taking the change to all its locations; this takes about five minutes."
        }
        Step::InvalidateCache => "Telling the CDN to fetch content anew.",
        Step::PointNames | Step::ReleaseNames => "Bringing the DNS records of this service up to date.",
        Step::RemoveOldCertificate => "Deleting the certificate that has been replaced.",
        Step::WithdrawProofs => "Clearing away what was needed for the proof of control.",
        Step::SettleCreation => "Finding out what there is to delete.",
        Step::Disable | Step::AwaitDisabled => {
            "The CDN is being told everywhere to stop serving the domains; this takes about five minutes."
        }
        Step::DeleteDistribution => "Deleting the CDN distribution.",
        Step::RemoveCertificates => "Deleting the certificate.",
        Step::Forget => "Wiping the private key.",
    }
}
