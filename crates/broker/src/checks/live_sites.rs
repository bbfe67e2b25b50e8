//! What would break a renewal in weeks is known today: every site that is served is looked at once a day.

mod pace;
mod site;
mod tell;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contract::{
    CertificateFacts, Check, CheckOutcome, CheckSchedule, CheckStore, EdgeProbe, Instance, InstanceId,
    InstanceState, OperationState, PortError, PortResult, ProofProbe, StepTimes, TroubleStore,
};

use self::pace::Round;
use crate::Ports;
use crate::workflow::facts;

/// Where the check remembers how far it has come.
const ROUND: &str = "live-sites/round";

/// How many sites at which something was found are looked at again in one run.
const AGAIN: u32 = 10;

/// Something that was found twice is looked for again after this long.
const PATIENCE: Duration = Duration::from_mins(15);

/// The check `live-sites`: for every name that is served, the edge presents the certificate that it should, the name still
/// leads here, CAA still permits the authority, and a challenge is still answered.
///
/// It walks from one instance to the next, a few in each run, as fast as is needed to see all within a day. How far it has
/// come is in the store. What it finds twice in a row concerns one tenant: it is shown with the instance, told to the
/// operator as an incident of that site, and kept as a mishap, so that several tenants' make an incident of everybody's.
pub struct LiveSites {
    /// The instances, and where their names lead.
    pub ports: Ports,
    /// What the edge presents.
    pub edge: Arc<dyn EdgeProbe>,
    /// What a challenge is answered with.
    pub web: Arc<dyn ProofProbe>,
    /// What was found.
    pub troubles: Arc<dyn TroubleStore>,
    /// How far it has come.
    pub store: Arc<dyn CheckStore>,
}

/// An instance that is served.
struct Served {
    instance: Instance,
    host: String,
    facts: CertificateFacts,
    issuance: contract::IssuanceId,
}

impl LiveSites {
    async fn walk(&self, steps: &StepTimes) -> PortResult<()> {
        let now = self.ports.clock.now();
        let known = self.store.recall(ROUND).await?;
        let mut round = Round::read(known.as_deref(), now);
        steps.step("look again where something was found", self.look_again(&mut round)).await?;
        steps.step("walk on", self.walk_on(&mut round)).await
    }

    /// Looks at the next sites. How far that was is kept after each of them.
    async fn walk_on(&self, round: &mut Round) -> PortResult<()> {
        let now = self.ports.clock.now();
        let batch = round.batch(now);
        if batch == 0 {
            return self.remember(round).await;
        }
        let instances = self.ports.instances.list(round.after.clone().map(InstanceId::new), batch).await?;
        let is_last = instances.len() < batch as usize;
        let mut visits = Visits::default();
        for instance in instances {
            visits.count(&instance.id, self.visit(&instance.id).await);
            round.pass(&instance.id);
            self.remember(round).await?;
        }
        if is_last {
            round.end();
        }
        self.remember(round).await?;
        visits.outcome()
    }

    /// Looks again at what was found, so that it is told soon, and so that it is over soon.
    async fn look_again(&self, round: &mut Round) -> PortResult<()> {
        let after = round.troubled_after.clone().map(InstanceId::new);
        let troubled = self.troubles.troubled(after, AGAIN).await?;
        round.troubled_after = match troubled.last() {
            Some(last) if troubled.len() == AGAIN as usize => Some(last.as_str().to_owned()),
            _ => None,
        };
        let mut visits = Visits::default();
        for id in troubled {
            if self.is_worth_a_look(&id).await? {
                visits.count(&id, self.visit(&id).await);
            }
        }
        visits.outcome()
    }

    async fn is_worth_a_look(&self, id: &InstanceId) -> PortResult<bool> {
        let now = self.ports.clock.now();
        let found = self.troubles.findings(id).await?;
        Ok(found.iter().any(|one| one.looks < 2 || now.since(one.last) >= PATIENCE))
    }

    /// Looks at one site, and keeps what was found.
    async fn visit(&self, id: &InstanceId) -> PortResult<()> {
        let before = self.troubles.findings(id).await?;
        let found = match self.served(id).await? {
            Seen::Served(served) => {
                let found = self.examine(&served).await?;
                self.follow(&served, &before, found).await
            }
            // It is being changed. What was found is looked for when it has been.
            Seen::Busy => return Ok(()),
            Seen::NotServed => Vec::new(),
        };
        self.tell_over(id, &before, &found).await;
        if before.is_empty() && found.is_empty() {
            return Ok(());
        }
        self.troubles.keep_findings(id, &found).await
    }

    async fn served(&self, id: &InstanceId) -> PortResult<Seen> {
        let Some(standing) = self.ports.operations.standing(id).await? else { return Ok(Seen::NotServed) };
        if standing.instance.state != InstanceState::Ready {
            return Ok(Seen::NotServed);
        }
        if standing.latest.is_some_and(|latest| latest.state == OperationState::Running) {
            return Ok(Seen::Busy);
        }
        let live = facts::live(&standing.certificates);
        let (Some(live), Some(host)) = (live, standing.instance.distribution_domain.clone()) else {
            return Ok(Seen::NotServed);
        };
        let Some(facts) = live.facts.clone() else { return Ok(Seen::NotServed) };
        let issuance = live.issuance.clone();
        Ok(Seen::Served(Box::new(Served { instance: standing.instance, host, facts, issuance })))
    }

    async fn remember(&self, round: &Round) -> PortResult<()> {
        self.store.remember(ROUND, &round.write()).await
    }
}

/// How visits went. One site at which nobody can look must not keep the walk from the others; all of them are a failure.
#[derive(Default)]
struct Visits {
    went_well: bool,
    error: Option<PortError>,
}

impl Visits {
    fn count(&mut self, id: &InstanceId, visit: PortResult<()>) {
        match visit {
            Ok(()) => self.went_well = true,
            Err(error) => {
                tracing::warn!(%error, instance.id = %id, "could not look at a site");
                self.error = Some(error);
            }
        }
    }

    fn outcome(self) -> PortResult<()> {
        match self.error {
            Some(error) if !self.went_well => Err(error),
            _ => Ok(()),
        }
    }
}

enum Seen {
    Served(Box<Served>),
    Busy,
    NotServed,
}

#[async_trait]
impl Check for LiveSites {
    fn name(&self) -> &'static str {
        "live-sites"
    }

    fn stands_for(&self) -> &'static str {
        "every live site can be looked at, within a day: certificate, DNS, CAA, and the path of its next challenge"
    }

    fn schedule(&self) -> CheckSchedule {
        CheckSchedule::new(pace::EVERY, Duration::from_mins(10))
    }

    async fn run(&self, steps: &StepTimes) -> CheckOutcome {
        let walked = Box::pin(self.walk(steps)).await;
        walked.map_or_else(|error| super::unable(&error), |()| CheckOutcome::Ok)
    }
}
