//! What an operator reads about an instance: where it stands, what it waits for, and what happens next and when.

use std::time::Duration;

use contract::{
    CertificateRecord, DomainInstructions, DomainName, Instance, InstanceState, Operation, OperationKind,
    OperationState, ProofState, RenewalPlan, Timestamp, Track,
};

use super::{list, progress};
use crate::Pace;
use crate::workflow::Step;

/// Everything that the outlook of an instance depends on.
pub(crate) struct Outlook<'a> {
    pub(crate) instance: &'a Instance,
    /// Its operations, the newest first.
    pub(crate) operations: &'a [Operation],
    /// The certificate that is served.
    pub(crate) live: Option<&'a CertificateRecord>,
    pub(crate) renewal: Option<&'a RenewalPlan>,
    /// What the issuer wants of the user.
    pub(crate) proofs: &'a [DomainInstructions],
    pub(crate) pace: &'a Pace,
    pub(crate) now: Timestamp,
}

impl Outlook<'_> {
    pub(crate) fn sentences(&self) -> Vec<String> {
        let mut sentences = vec![stage(self.instance.state).to_owned()];
        let mut newest = [Track::User, Track::Renewal]
            .into_iter()
            .filter_map(|track| self.operations.iter().find(|one| one.track == track));
        for operation in newest.by_ref() {
            match operation.state {
                OperationState::Running => sentences.extend(self.running(operation)),
                OperationState::Failed => sentences.extend(self.failed(operation)),
                OperationState::Succeeded | OperationState::Cancelled => {}
            }
        }
        sentences.extend(self.certificate());
        sentences
    }

    fn running(&self, operation: &Operation) -> Vec<String> {
        let doing = match Step::of(operation) {
            Some(Step::ObtainCertificate) => self.obtaining(),
            Some(step) => progress(step).to_owned(),
            None => "It stands at a step that this version does not know.".to_owned(),
        };
        let mut sentences = vec![format!(
            "Its {} runs since {}, at `{}` since {}. {doing}",
            kind(operation.kind),
            operation.started_at,
            operation.step,
            operation.step_since
        )];
        sentences.extend(operation.sentence.as_ref().map(|sentence| format!("Its user reads: {sentence}")));
        sentences.extend(operation.error.as_ref().map(|error| {
            let times = match operation.attempt {
                ..=1 => String::new(),
                many => format!(" {many} times, the last time"),
            };
            format!("The step has failed{times}: {error}")
        }));
        let next = if operation.next_at <= self.now {
            "A broker takes it on as soon as one is free.".to_owned()
        } else {
            format!("The next look is on {}.", operation.next_at)
        };
        sentences.push(match &operation.waits_for {
            Some(scope) => format!("It waits for you, like all that needs `{scope}`, and goes on by itself."),
            None => format!("{next}{}", self.deadline(operation)),
        });
        sentences
    }

    fn obtaining(&self) -> String {
        let open = self.proofs.iter().filter(|one| one.state == ProofState::Open);
        let open: Vec<DomainName> = open.map(|one| one.name.clone()).collect();
        if open.is_empty() {
            return progress(Step::ObtainCertificate).to_owned();
        }
        format!("It waits for its user to prove control of {}.", list(&open))
    }

    fn deadline(&self, operation: &Operation) -> String {
        let patience = Step::of(operation).map(|step| self.pace.deadline(operation.kind, step));
        match patience.filter(|patience| *patience < Duration::MAX) {
            Some(patience) => format!(" The step is given up on {}.", operation.step_since + patience),
            None => String::new(),
        }
    }

    fn failed(&self, operation: &Operation) -> Vec<String> {
        let error = operation.error.as_deref().unwrap_or("no error was kept");
        let mut sentences = vec![format!(
            "Its latest {} failed on {}, at `{}`: {error}",
            kind(operation.kind),
            operation.next_at,
            operation.step
        )];
        sentences.extend(operation.sentence.as_ref().map(|sentence| format!("Its user reads: {sentence}")));
        let id = &self.instance.id;
        let recreate = match self.instance.state {
            InstanceState::Ready | InstanceState::ProvisionFailed => {
                format!("; `cdn-broker instances recreate {id}` rebuilds what is lost")
            }
            _ => String::new(),
        };
        sentences.push(format!("`cdn-broker instances retry {id}` goes on with it{recreate}."));
        sentences
    }

    fn certificate(&self) -> Option<String> {
        let facts = self.live?.facts.as_ref()?;
        let end = if facts.not_after > self.now { "is good until" } else { "has expired on" };
        let chosen = self.renewal.and_then(|plan| plan.chosen);
        let renewal = match (chosen, self.renewal) {
            (Some(chosen), _) if chosen.at > self.now => format!("it is renewed on {}", chosen.at),
            (Some(_), Some(plan)) => {
                format!("its renewal is due ({} begun so far), next look on {}", plan.begun, plan.check_at)
            }
            (None, Some(plan)) => format!("the moment of its renewal is chosen on {}", plan.check_at),
            (_, None) => "nothing is planned for its renewal".to_owned(),
        };
        Some(format!("The certificate {end} {}; {renewal}.", facts.not_after))
    }
}

/// An operation in a word.
pub(crate) fn kind(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Provision => "provision",
        OperationKind::Update => "update",
        OperationKind::Renew => "renewal",
        OperationKind::Recreate => "recreation",
        OperationKind::Deprovision => "deprovision",
    }
}

fn stage(state: InstanceState) -> &'static str {
    match state {
        InstanceState::Provisioning => "It is being created.",
        InstanceState::Ready => "It has been created.",
        InstanceState::ProvisionFailed => "Its creation has failed.",
        InstanceState::Deprovisioning => "It is being deleted.",
        InstanceState::DeprovisionFailed => "Its deletion has failed.",
        InstanceState::Gone => "It has been deleted; nothing of it is left.",
    }
}

#[cfg(test)]
mod tests {
    use contract::testing::sample;
    use contract::{CertificateState, ChosenMoment, IssuanceId, OperationId, VaultName};

    use super::*;

    const START: Timestamp = Timestamp::from_secs(1_767_225_600);

    fn operation(kind: OperationKind, track: Track, step: Step) -> Operation {
        let instance = contract::InstanceId::new("9a4b0c1e");
        let operation = sample::operation("op", &instance, kind, START);
        Operation { id: OperationId::new("op"), track, step: step.name().to_owned(), ..operation }
    }

    fn live() -> CertificateRecord {
        let names = sample::names(&["www.example.gov"]);
        CertificateRecord {
            instance: contract::InstanceId::new("9a4b0c1e"),
            incarnation: 1,
            generation: 1,
            issuance: IssuanceId::new("9a4b0c1e.1.1"),
            vault_name: VaultName::new("cdn-9a4b0c1e-1-1"),
            stored: None,
            facts: Some(sample::bundle(1, &names, START).facts),
            state: CertificateState::Live,
            keyless: false,
            names,
        }
    }

    fn told(state: InstanceState, operations: &[Operation], live: Option<&CertificateRecord>) -> String {
        let instance = Instance { state, ..sample::instance("9a4b0c1e", &["www.example.gov"]) };
        let at = START + Duration::from_hours(61 * 24);
        let chosen = ChosenMoment { from: at, until: at, at };
        let plan = RenewalPlan { chosen: Some(chosen), ..RenewalPlan::first(&instance.id, 1, 1, at) };
        let renewal = live.map(|_| &plan);
        let now = START + Duration::from_mins(1);
        let proofs = [DomainInstructions {
            name: sample::name("www.example.gov"),
            state: ProofState::Open,
            ways: Vec::new(),
            proven_by: None,
            expires: None,
            last_look: None,
            next_look: None,
        }];
        let pace = &Pace::default();
        Outlook { instance: &instance, operations, live, renewal, proofs: &proofs, pace, now }
            .sentences()
            .join("\n")
    }

    #[test]
    fn the_outlook_says_what_is_waited_for_and_what_comes_next() {
        let mut waiting = operation(OperationKind::Provision, Track::User, Step::ObtainCertificate);
        waiting.next_at = START + Duration::from_mins(5);
        let mut parked = operation(OperationKind::Recreate, Track::User, Step::AttachCertificate);
        parked.attempt = 3;
        parked.error = Some("could not change the distribution E1: CNAMEAlreadyExists (request r-1)".into());
        parked.sentence = Some("www.example.gov is served by another distribution.".into());
        let mut waits = parked.clone();
        waits.waits_for = Some("vault/store".into());
        waits.attempt = 1;
        let mut failed = operation(OperationKind::Update, Track::User, Step::AwaitDeployment);
        failed.state = OperationState::Failed;
        failed.error = Some("could not wait for the deployment: E1 no longer exists".into());
        let renewal = operation(OperationKind::Renew, Track::Renewal, Step::StoreCertificate);
        let live = live();
        insta::assert_snapshot!(
            [
                told(InstanceState::Provisioning, &[waiting], None),
                told(InstanceState::Ready, &[parked], Some(&live)),
                told(InstanceState::Ready, &[waits], Some(&live)),
                told(InstanceState::Ready, &[renewal, failed], Some(&live)),
                told(InstanceState::Ready, &[], Some(&live)),
                told(InstanceState::Gone, &[], None),
            ]
            .join("\n\n")
        );
    }
}
