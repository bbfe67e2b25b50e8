use std::collections::BTreeMap;
use std::time::Duration;

use contract::{Behaviour, Canary, Delivery, DistributionSpec, InstanceId, PortResult, Reference, Serving};

use super::plan::Step;
use super::refusal::Refusal;
use super::walk::Walk;
use super::walker::ContractCheck;

/// What a step has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The rule holds.
    Holds,
    /// Not yet: what is there instead, and when to look again. After the step's patience it is broken.
    NotYet(String, Duration),
    /// The rule is broken: what is there instead.
    Broken(String),
    /// The same, and what it was seen with is gone: it cannot be looked at again.
    Spent(String),
}

impl Seen {
    /// A rule that something is refused, with one of these codes.
    pub(super) fn refused(refusal: &Refusal, codes: &[&str]) -> Self {
        if codes.contains(&refusal.code.as_str()) {
            return Self::Holds;
        }
        Self::Broken(format!("it is refused for another reason ({refusal})"))
    }

    pub(super) fn broken(refusal: &Refusal) -> Self {
        Self::Broken(format!("it is refused ({refusal})"))
    }
}

/// How soon to look again at what AWS takes minutes for.
pub(super) const SLOW: Duration = Duration::from_secs(20);

impl ContractCheck {
    pub(super) async fn look(&self, walk: &mut Walk, canary: Option<&Canary>) -> PortResult<Seen> {
        match walk.step {
            Step::Create => self.create(walk, true).await,
            Step::Reference => self.create_again(walk).await,
            Step::NameAlone => self.name_alone(walk).await,
            Step::FirstDeployment | Step::Deployment | Step::Disabled | Step::Detached => {
                self.await_deployed(walk).await
            }
            Step::UnknownHost => self.ask_for_unknown(walk).await,
            Step::NameAndCertificate => self.name_and_certificate(walk, canary).await,
            Step::StaleTag => self.send_stale_tag(walk).await,
            Step::Invalidate => self.invalidate(walk).await,
            Step::Presented => self.ask_for_name(walk).await,
            Step::DeleteEnabled | Step::DeleteEarly => self.delete_too_early(walk).await,
            Step::Disable => self.disable(walk).await,
            Step::Delete | Step::DeleteDetached => self.delete(walk).await,
            Step::Upload => self.upload(walk, canary).await,
            Step::NameTwice => self.upload_again(walk, canary).await,
            Step::Listed => self.find_in_list(walk).await,
            Step::ReadBack => self.read_back(walk).await,
            Step::CreateDisabled => self.create(walk, false).await,
            Step::Propagation => self.attach_upload(walk).await,
            Step::DeleteUsed => self.delete_used(walk).await,
            Step::Detach => self.detach(walk).await,
            Step::Release => self.release(walk).await,
            Step::Put => self.put(walk, canary).await,
            Step::Kept => self.find_answer(walk).await,
            Step::Read => self.read_answer(walk, canary).await,
            Step::Headers => self.compare_headers(walk, canary).await,
            Step::Withdraw => self.withdraw(walk).await,
        }
    }

    /// The reference of the walk's distribution.
    pub(super) fn reference(walk: &Walk) -> Reference {
        Reference::new(format!("canary-{}", walk.id))
    }

    /// What a throw-away distribution is: cheap, and shaped as the broker shapes those of its users.
    pub(super) fn spec(&self, walk: &Walk, serving: Option<Serving>) -> DistributionSpec {
        DistributionSpec {
            instance: InstanceId::new(format!("canary-{}", walk.id)),
            serving,
            origin: self.origin.clone(),
            behaviour: Behaviour::default(),
            delivery: Delivery::default(),
            web_acl: false,
            tags: BTreeMap::from([("cdn-broker:canary".to_owned(), self.contract.name().to_owned())]),
        }
    }
}
