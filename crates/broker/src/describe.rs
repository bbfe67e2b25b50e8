//! What the user reads in `cf service`: one place for all texts. The first line is a whole sentence; what is to be done
//! stands below it, ready to be copied.

mod notices;

use contract::{
    DomainInstructions, DomainName, Instance, Operation, OperationKind, OperationState, ProofState,
};

pub(crate) use self::notices::{lapsed, late, taken, taken_while_waiting};
use crate::Pace;
use crate::workflow::Step;

/// Everything a description depends on.
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
            Some(Step::ObtainCertificate) if !self.instructions.is_empty() => self.proofs(),
            Some(step) => vec![progress(step).to_owned()],
            None => vec!["In progress.".to_owned()],
        };
        lines.extend(self.operation.sentence.clone());
        if self.operation.kind == OperationKind::Provision {
            lines.extend(self.target().map(|(names, target)| {
                format!(
                    "When this operation has succeeded, point {names} to {target} (CNAME or ALIAS), not before: until \
                     then the CDN refuses requests for these names."
                )
            }));
        }
        lines
    }

    /// Whether there is a reason to wait that is no error: then nothing is asked of the user yet.
    fn is_held_back(&self) -> bool {
        self.operation.sentence.is_some() && self.operation.error.is_none()
    }

    fn succeeded(&self) -> Vec<String> {
        if self.operation.kind == OperationKind::Deprovision {
            return vec!["The service instance and its certificate have been deleted.".to_owned()];
        }
        let settings = &self.instance.settings;
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
            OperationKind::Deprovision => (
                "The service instance could not be deleted completely.",
                "Nothing is lost: delete it once more to go on.",
            ),
        };
        let cause = self.operation.sentence.clone().unwrap_or_else(|| {
            format!("The operators have been told about operation {}.", self.operation.id)
        });
        vec![format!("{what} {cause}"), remedy.to_owned()]
    }

    /// What is to be done for each domain, and until when.
    fn proofs(&self) -> Vec<String> {
        let open = self.instructions.iter().filter(|one| one.state == ProofState::Open).count();
        if open == 0 {
            return vec![
                "Control of every domain has been proven; the certificate is being issued.".to_owned(),
            ];
        }
        let all = self.instructions.len();
        let mut lines = vec![format!(
            "Waiting for proof of control of {open} of {all} domains: set the DNS records below."
        )];
        lines.extend(self.instructions.iter().flat_map(domain_lines));
        lines.push(self.until());
        lines
    }

    fn until(&self) -> String {
        let give_up = self.operation.step_since + self.pace.provision_proof_wait;
        match self.instructions.iter().filter_map(|one| one.expires).min() {
            Some(expires) if expires < give_up => format!(
                "These values are good until {expires}, and are replaced by new ones then. This request is given up on \
                 {give_up}."
            ),
            _ => format!("These values are good until this request is given up on {give_up}."),
        }
    }

    /// The names and where to point them, once that is known.
    fn target(&self) -> Option<(String, &str)> {
        let target = self.instance.distribution_domain.as_deref()?;
        Some((list(&self.instance.settings.domains), target))
    }
}

fn domain_lines(one: &DomainInstructions) -> Vec<String> {
    match (one.state, one.direct()) {
        (ProofState::Proven, _) => vec![format!("{}: proven.", one.name)],
        (ProofState::Answered, _) => vec![format!("{}: seen; the authority is checking it.", one.name)],
        (ProofState::Open, None) => vec![format!("{}: the record to set follows in a moment.", one.name)],
        (ProofState::Open, Some(record)) => {
            let mut lines = vec![
                format!("{}: set this record:", one.name),
                format!("  name:  {}", record.name),
                format!("  type:  {}", record.kind),
                format!("  value: {}", record.value),
                format!("  ttl:   {}", record.ttl),
            ];
            lines.extend(one.last_look.as_ref().map(|look| format!("  seen on {}: {}", look.at, look.saw)));
            lines
        }
    }
}

fn progress(step: Step) -> &'static str {
    match step {
        Step::CreateDistribution => "Creating the CDN distribution.",
        Step::ObtainCertificate => "Asking the certificate authority what proof of control it wants.",
        Step::StoreCertificate => "The certificate has been issued and is being handed to the CDN.",
        Step::AttachCertificate => "The domains and their certificate are being handed to the CDN.",
        Step::ApplySettings => "The new settings are being handed to the CDN.",
        Step::AwaitDeployment => {
            "The CDN is taking the domains and their certificate to all its locations; this takes about five minutes."
        }
        Step::WithdrawProofs => "Clearing away what was needed for the proof of control.",
        Step::SettleCreation => "Finding out what there is to delete.",
        Step::Disable | Step::AwaitDisabled => {
            "The CDN is being told everywhere to stop serving the domains; this takes about five minutes."
        }
        Step::RemoveOldCertificate => "Deleting the certificate that has been replaced.",
        Step::DeleteDistribution => "Deleting the CDN distribution.",
        Step::RemoveCertificates => "Deleting the certificate.",
        Step::Forget => "Wiping the private key.",
    }
}

/// `a`, `a and b`, `a, b and c`; a long list is only counted, since it stands elsewhere.
pub(crate) fn list(names: &[DomainName]) -> String {
    match names {
        [] => String::new(),
        [one] => one.to_string(),
        [_, _, _, _, _, _, ..] => format!("all {} domains", names.len()),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(DomainName::as_str).collect();
            format!("{} and {last}", first.join(", "))
        }
    }
}
