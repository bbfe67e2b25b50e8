use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use contract::{
    Canary, CanarySource, Chore, ChoreStore, Clock, ManagedZone, Origin, PortResult, Randomness, Timestamp,
    Visitor,
};

use super::bench::Bench;
use super::plan::{Assumption, Contract, Step};
use super::steps::Seen;
use super::walk::{Kept, Things, Walk};

/// How often a rule has to be found broken before the walk goes on without it. A repetition takes one call and no waiting.
const TRIES: u32 = 3;

/// What a look at a contract needs from the world.
#[derive(Clone)]
pub struct ContractPorts {
    /// The account.
    pub bench: Arc<Bench>,
    /// Who asks the edge.
    pub edge: Arc<dyn Visitor>,
    /// Whose certificate CloudFront takes.
    pub canary: Arc<dyn CanarySource>,
    /// Where the names of throw-away distributions are led to them; `None` where there is no managed zone.
    pub zone: Option<Arc<dyn ManagedZone>>,
    /// Where it is kept how far a walk has come.
    pub chores: Arc<dyn ChoreStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance, for names that nobody has used.
    pub randomness: Arc<dyn Randomness>,
    /// Where throw-away distributions would fetch content.
    pub origin: Origin,
    /// How soon it is looked at the latest whether something that takes its time is over.
    pub pace: Duration,
}

/// Looks at the rules of one contract, a little with each call.
pub struct ContractCheck {
    pub(super) contract: Contract,
    pub(super) bench: Arc<Bench>,
    pub(super) edge: Arc<dyn Visitor>,
    pub(super) origin: Origin,
    pub(super) zone: Option<Arc<dyn ManagedZone>>,
    ports: ContractPorts,
}

/// How far a walk has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It waits for something that takes its time.
    Going {
        /// When it makes sense to go on.
        again: Duration,
        /// What it waits for.
        waits_for: Assumption,
    },
    /// A rule was just found broken. The next call looks once more at it, or goes on without it.
    Found(Broken),
    /// The walk is over. The next call begins another one.
    Ended(Verdict),
}

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The rule.
    pub assumption: Assumption,
    /// What is there instead, with AWS's own words.
    pub saw: String,
}

/// What came of a whole walk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The rules that do not hold; none when all is as it was.
    pub broken: Vec<Broken>,
    /// The rules that could not be looked at, because there is no canary, or because things went too fast.
    pub left_out: Vec<Assumption>,
    /// How long took what takes its time, by name.
    pub measured: Vec<(String, Duration)>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Assumption { name, rule, relied_on } = self.assumption;
        write!(
            f,
            "AWS has changed a rule ({name}). It was: {rule} Now: {}. What relies on it: {relied_on}",
            self.saw
        )
    }
}

impl ContractCheck {
    /// A look at this contract.
    pub fn new(contract: Contract, ports: ContractPorts) -> Self {
        Self {
            contract,
            bench: ports.bench.clone(),
            edge: ports.edge.clone(),
            origin: ports.origin.clone(),
            zone: ports.zone.clone(),
            ports,
        }
    }

    /// The contract.
    pub fn contract(&self) -> Contract {
        self.contract
    }

    /// Goes on with the walk as far as it gets without waiting, or begins one. Only one process may do so at a time. Calls
    /// that fail have changed nothing that the next one does not know of.
    ///
    /// Errors: the store's, and those of AWS that say nothing about its rules: it is silent, it throttles, access is denied.
    pub async fn go_on(&self) -> PortResult<Progress> {
        let mut kept = self.recall().await?;
        self.sweep(&mut kept).await;
        let canary = self.ports.canary.canary().await?;
        let walk = kept.walk.take();
        let mut walk = walk.unwrap_or_else(|| self.begin(canary.as_ref()));
        loop {
            // Before its names are used, and after every step.
            self.keep(&mut kept, &walk).await?;
            let looked = self.look_if_possible(&mut walk, canary.as_ref()).await;
            let seen = match looked {
                Ok(seen) => seen,
                Err(error) => {
                    self.keep(&mut kept, &walk).await?;
                    return Err(error);
                }
            };
            let now = self.ports.clock.now();
            match self.take(&mut walk, seen, now) {
                Taken::On if walk.pass_on(self.contract, now) => {}
                Taken::On => return self.end(kept, walk).await,
                Taken::Stay(progress) => {
                    self.keep(&mut kept, &walk).await?;
                    return Ok(progress);
                }
                Taken::OnWith(broken) => {
                    if !walk.pass_on(self.contract, now) {
                        return self.end(kept, walk).await;
                    }
                    self.keep(&mut kept, &walk).await?;
                    return Ok(Progress::Found(broken));
                }
            }
        }
    }

    fn begin(&self, canary: Option<&Canary>) -> Walk {
        let id = crate::folder::hex(&self.ports.randomness.bytes());
        let base = canary.map(|canary| canary.name.clone());
        Walk::begin(self.contract, id, base, self.ports.clock.now())
    }

    async fn look_if_possible(&self, walk: &mut Walk, canary: Option<&Canary>) -> PortResult<Seen> {
        if walk.step.needs_canary() && walk.base.is_none() {
            walk.left_out.push(walk.step);
            return Ok(Seen::Holds);
        }
        self.look(walk, canary).await
    }

    /// What follows from what was seen.
    fn take(&self, walk: &mut Walk, seen: Seen, now: Timestamp) -> Taken {
        let assumption = walk.step.assumption();
        match seen {
            Seen::Holds => {
                walk.measure(now);
                Taken::On
            }
            Seen::NotYet(_, again) if !walk.has_lost_patience(now) => {
                walk.looked = now;
                let again = again.min(self.ports.pace);
                Taken::Stay(Progress::Going { again, waits_for: assumption })
            }
            Seen::Spent(saw) => {
                walk.tries = TRIES;
                self.found(walk, saw)
            }
            Seen::NotYet(saw, _) | Seen::Broken(saw) => {
                walk.tries += 1;
                self.found(walk, saw)
            }
        }
    }

    fn found(&self, walk: &mut Walk, saw: String) -> Taken {
        let assumption = walk.step.assumption();
        let broken = Broken { assumption, saw };
        tracing::warn!(check = self.contract.name(), assumption = assumption.name, saw = %broken.saw, "a rule of AWS does not hold");
        if walk.tries < TRIES {
            return Taken::Stay(Progress::Found(broken));
        }
        walk.broken.insert(walk.step, broken.saw.clone());
        Taken::OnWith(broken)
    }

    async fn end(&self, mut kept: Kept, walk: Walk) -> PortResult<Progress> {
        if !walk.things.is_empty() {
            kept.leftovers.push(walk.things.clone());
        }
        kept.walk = None;
        self.ports.chores.note(self.chore(), &kept.write()).await?;
        Ok(Progress::Ended(verdict(&walk)))
    }

    /// Removes what earlier walks could not. What does not go yet is tried again with the next call.
    async fn sweep(&self, kept: &mut Kept) {
        for things in &mut kept.leftovers {
            if let Err(error) = self.remove(things).await {
                tracing::warn!(%error, check = self.contract.name(), "what a check has left behind does not go yet");
            }
        }
        kept.leftovers.retain(|things| !things.is_empty());
    }

    async fn remove(&self, things: &mut Things) -> PortResult<()> {
        if let Some(id) = &things.distribution
            && self.bench.is_rid_of(id).await?
        {
            things.distribution = None;
        }
        if let Some(name) = &things.certificate
            && things.distribution.is_none()
            && self.bench.is_rid_of_certificate(name).await?
        {
            things.certificate = None;
        }
        if things.record.is_some() && things.distribution.is_none() {
            self.release_record(things).await?;
        }
        if let Some((folder, token)) = &things.answer {
            self.bench.withdraw(&crate::folder::key(&contract::InstanceId::new(folder), token)).await?;
            things.answer = None;
        }
        Ok(())
    }

    async fn recall(&self) -> PortResult<Kept> {
        let blank =
            Chore { name: self.chore().to_owned(), next_at: self.ports.clock.now(), found: String::new() };
        Ok(Kept::read(&self.ports.chores.ensure(&blank).await?.found))
    }

    async fn keep(&self, kept: &mut Kept, walk: &Walk) -> PortResult<()> {
        kept.walk = Some(walk.clone());
        self.ports.chores.note(self.chore(), &kept.write()).await
    }

    /// The chore under whose name the walk is kept.
    fn chore(&self) -> &'static str {
        match self.contract {
            Contract::CloudFront => "walk cloudfront-contract",
            Contract::Iam => "walk iam-contract",
            Contract::S3 => "walk s3-contract",
        }
    }
}

/// Where a walk goes from what it has seen.
enum Taken {
    /// On.
    On,
    /// Nowhere, for now.
    Stay(Progress),
    /// On without this rule.
    OnWith(Broken),
}

fn verdict(walk: &Walk) -> Verdict {
    let broken = walk.broken.iter();
    let broken = broken.map(|(step, saw)| Broken { assumption: step.assumption(), saw: saw.clone() });
    let mut left_out: Vec<Assumption> = walk.left_out.iter().copied().map(Step::assumption).collect();
    left_out.dedup();
    Verdict { broken: broken.collect(), left_out, measured: walk.times() }
}
