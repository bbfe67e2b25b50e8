use std::sync::Arc;
use std::time::Duration;

use contract::{
    Alerts, Clock, DomainName, InstanceId, InstanceState, InstanceStore, PortResult, Randomness, Side,
    Timestamp, Visitor,
};

use super::api::Api;
use super::home::CanaryStore;
use super::memory::{Failed, Home, Kind, Memory, Run, Stage};
use super::slow::slower_than_usual;
use super::stages::Seen;
use super::{CanarySettings, CanaryZone};

/// How often a stage has to fail before what the run has made is removed.
const TRIES: u32 = 3;

/// What the check needs from the world.
#[derive(Clone)]
pub struct EndToEndPorts {
    /// What is kept from run to run.
    pub store: CanaryStore,
    /// The service instances, to look up where one is served.
    pub instances: Arc<dyn InstanceStore>,
    /// Who tells the operator.
    pub alerts: Arc<dyn Alerts>,
    /// Who visits.
    pub visitor: Arc<dyn Visitor>,
    /// Where names and proofs are set; `None` where the operator has no managed zone.
    pub zone: Option<CanaryZone>,
    /// The API and how much of it may be asked for.
    pub settings: CanarySettings,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance, for names that nobody has used.
    pub randomness: Arc<dyn Randomness>,
}

/// Lives through the service from end to end, a little with each call.
///
/// One instance is kept: it is changed and visited in every run. As often as the number of certificates allows, an instance
/// on a fresh name lives a whole life instead, from the request to its deletion.
pub struct EndToEnd {
    pub(super) ports: EndToEndPorts,
    pub(super) api: Api,
}

/// How far a run has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It waits.
    Going {
        /// When it makes sense to go on.
        again: Duration,
        /// What it waits for.
        waits_for: String,
    },
    /// A stage failed. The next call tries it again, or removes what the run has made.
    Failed {
        /// On whose side the cause probably is.
        side: Side,
        /// The stage.
        stage: &'static str,
        /// What was seen, in a sentence.
        saw: String,
    },
    /// Nothing can be tried out, and why.
    Unavailable(String),
    /// The run is over, and all was well.
    Ended {
        /// How long each stage took.
        times: Vec<(&'static str, Duration)>,
        /// What took longer than it usually does, if anything.
        slow: Option<String>,
    },
}

impl EndToEnd {
    /// Errors: the root certificates of the system cannot be read.
    pub fn new(ports: EndToEndPorts) -> PortResult<Self> {
        let api = Api::new(&ports.settings)?;
        Ok(Self { ports, api })
    }

    /// Goes on with the run as far as it gets without waiting, or begins one. Only one process may do so at a time.
    ///
    /// Errors: the store's, and the zone's.
    pub async fn go_on(&self) -> PortResult<Progress> {
        let Some(zone) = &self.ports.zone else {
            let why = "there is no managed zone (MANAGED_ZONE) in which a canary could live";
            return Ok(Progress::Unavailable(why.to_owned()));
        };
        let mut memory = self.ports.store.recall().await?;
        let mut run = match memory.run.take() {
            Some(run) => run,
            None => match self.begin(&mut memory, zone).await? {
                Ok(run) => run,
                Err(why) => return Ok(Progress::Unavailable(why)),
            },
        };
        loop {
            self.count(&mut memory, &mut run);
            // Before anything is asked for under its names, and after every stage.
            self.keep(&mut memory, &run).await?;
            let seen = self.do_stage(&mut run, zone, memory.runs).await?;
            let now = self.ports.clock.now();
            let progress = match seen {
                Seen::Done if run.pass_on(now) => continue,
                Seen::Done => return self.end(memory, run).await,
                Seen::NotYet(waits_for, again) if now.since(run.since) < run.stage.patience() => {
                    Progress::Going { again: again.min(self.ports.settings.pace), waits_for }
                }
                Seen::NotYet(saw, _) => failed(&mut run, Side::Us, saw, now),
                Seen::Failed(side, saw) => failed(&mut run, side, saw, now),
            };
            if run.tries > TRIES {
                return self.end(memory, run).await;
            }
            self.keep(&mut memory, &run).await?;
            return Ok(progress);
        }
    }

    /// What this run is for; the error says why there can be none now.
    async fn begin(&self, memory: &mut Memory, zone: &CanaryZone) -> PortResult<Result<Run, String>> {
        let now = self.ports.clock.now();
        let per_week = self.ports.settings.orders_per_week;
        if let Some(home) = memory.home.clone() {
            match self.state(&home).await? {
                Some(InstanceState::Ready) if memory.may_order(per_week, false, now) => {
                    return Ok(Ok(Run::begin(Kind::Whole, self.fresh("e2e", &zone.apex)?, now)));
                }
                Some(InstanceState::Ready) => return Ok(Ok(Run::begin(Kind::Visit, home, now))),
                None | Some(InstanceState::Gone) => {}
                Some(_) => {
                    let run = Run::begin(Kind::Whole, home, now);
                    return Ok(Ok(Run { stage: Stage::Delete, ..run }));
                }
            }
        }
        if !memory.may_order(per_week, true, now) {
            return Ok(Err(no_room(per_week, memory.room_at())));
        }
        let home = self.fresh("canary", &zone.apex)?;
        memory.home = Some(home.clone());
        Ok(Ok(Run::begin(Kind::Settle, home, now)))
    }

    async fn state(&self, home: &Home) -> PortResult<Option<InstanceState>> {
        Ok(self.ports.instances.find(&home.instance).await?.map(|instance| instance.state))
    }

    /// An instance and a name that nobody has used, here or with another database.
    fn fresh(&self, word: &str, apex: &DomainName) -> PortResult<Home> {
        let bytes = self.ports.randomness.bytes();
        let hex = bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        let instance =
            format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32));
        let name = format!("{word}-{}.{apex}", part(0, 10));
        let name = DomainName::parse(&name).map_err(|error| {
            contract::PortError::new(format!("name a canary {name}"), contract::Remedy::GiveUp, error)
        })?;
        Ok(Home { instance: InstanceId::new(instance), name })
    }

    /// A certificate counts before it is asked for, and once.
    fn count(&self, memory: &mut Memory, run: &mut Run) {
        if run.stage == Stage::Provision && !run.counted {
            memory.count_order(self.ports.clock.now());
            run.counted = true;
        }
    }

    async fn keep(&self, memory: &mut Memory, run: &Run) -> PortResult<()> {
        memory.run = Some(run.clone());
        self.ports.store.keep(memory).await
    }

    async fn end(&self, mut memory: Memory, run: Run) -> PortResult<Progress> {
        memory.run = None;
        memory.runs = memory.runs.wrapping_add(1);
        let is_home = memory.home.as_ref() == Some(&run.home);
        let has_gone = run.stage == Stage::Clear;
        if is_home && has_gone {
            memory.home = None;
        }
        let slow = slower_than_usual(&memory, &run);
        if run.failed.is_none() {
            memory.remember(&run);
        }
        self.ports.store.keep(&memory).await?;
        Ok(match run.failed {
            Some(Failed { stage, saw }) => Progress::Failed { side: Side::Us, stage: stage.name(), saw },
            None => Progress::Ended { times: times(&run), slow },
        })
    }
}

fn failed(run: &mut Run, side: Side, saw: String, now: Timestamp) -> Progress {
    run.tries += 1;
    let stage = run.stage.name();
    tracing::warn!(check = "end-to-end", stage, saw, instance.id = %run.home.instance, "a canary has failed");
    let progress = Progress::Failed { side, stage, saw: saw.clone() };
    if run.tries >= TRIES && !run.give_up(saw, now) {
        // There is nothing to remove: the run is over.
        run.tries = TRIES + 1;
    }
    progress
}

fn no_room(per_week: u32, until: Option<Timestamp>) -> String {
    let until = until.map_or_else(String::new, |until| format!(" until {until}"));
    format!(
        "the canary is to be made anew, and no more certificates may be ordered for canaries{until} \
         (CANARY_ORDERS_PER_WEEK is {per_week})"
    )
}

fn times(run: &Run) -> Vec<(&'static str, Duration)> {
    run.times.iter().map(|(stage, took)| (stage.name(), Duration::from_millis(*took))).collect()
}
