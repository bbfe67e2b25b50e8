use std::collections::BTreeMap;
use std::time::Duration;

use contract::{DomainName, InstanceId, Timestamp};
use serde::{Deserialize, Serialize};

/// In how much time canaries may have so many certificates.
const WEEK: Duration = Duration::from_hours(7 * 24);
/// How many runs are remembered to compare the next one with.
const REMEMBERED: usize = 20;

/// What is kept from run to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Memory {
    /// The instance that is kept.
    #[serde(default)]
    pub(super) home: Option<Home>,
    /// When certificates were asked for.
    #[serde(default)]
    pub(super) orders: Vec<Timestamp>,
    /// The run that is under way.
    #[serde(default)]
    pub(super) run: Option<Run>,
    /// How long each stage took in the latest runs, in milliseconds.
    #[serde(default)]
    pub(super) times: BTreeMap<Stage, Vec<u64>>,
    /// How many runs have ended.
    #[serde(default)]
    pub(super) runs: u32,
}

/// An instance and its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Home {
    pub(super) instance: InstanceId,
    pub(super) name: DomainName,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) kind: Kind,
    pub(super) home: Home,
    pub(super) stage: Stage,
    /// When it came to this stage.
    pub(super) since: Timestamp,
    /// How often the stage has failed.
    pub(super) tries: u32,
    /// The operation that was begun last, if the broker has named one.
    #[serde(default)]
    pub(super) operation: Option<String>,
    /// Whether the certificate that it asks for has been counted.
    pub(super) counted: bool,
    /// How long the stages took that are over, in milliseconds.
    pub(super) times: BTreeMap<Stage, u64>,
    /// What it has failed by; then only what it has made is still to be removed.
    pub(super) failed: Option<Failed>,
}

/// Why a run has failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failed {
    pub(super) stage: Stage,
    pub(super) saw: String,
}

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// To make the instance that is kept.
    Settle,
    /// To change the instance that is kept, and to visit it. It asks for no certificate.
    Visit,
    /// A whole life on a fresh name.
    Whole,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Stage {
    /// It is asked for, and its proof is set.
    Provision,
    /// It is served.
    Provisioned,
    /// A change is asked for.
    Change,
    /// It is deployed.
    Changed,
    /// Its name leads to the CDN.
    Point,
    /// It is visited over HTTPS.
    Visit,
    /// Its end is asked for.
    Delete,
    /// It is gone.
    Deleted,
    /// Its records are gone.
    Clear,
}

impl Kind {
    pub(super) fn stages(self) -> &'static [Stage] {
        use Stage::{Change, Changed, Clear, Delete, Deleted, Point, Provision, Provisioned, Visit};
        match self {
            Self::Settle => &[Provision, Provisioned, Point, Visit],
            Self::Visit => &[Change, Changed, Point, Visit],
            Self::Whole => &[Provision, Provisioned, Point, Visit, Delete, Deleted, Clear],
        }
    }
}

impl Stage {
    /// What takes its place in the history of the check.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Provision => "provision",
            Self::Provisioned => "provisioned",
            Self::Change => "change",
            Self::Changed => "changed",
            Self::Point => "point",
            Self::Visit => "visit",
            Self::Delete => "delete",
            Self::Deleted => "deleted",
            Self::Clear => "clear",
        }
    }

    /// For how long it may be waited for.
    pub(super) fn patience(self) -> Duration {
        match self {
            Self::Provisioned | Self::Changed | Self::Deleted => Duration::from_hours(1),
            _ => Duration::from_mins(15),
        }
    }
}

impl Memory {
    /// What was written before; nothing when it is not understood.
    pub(super) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    pub(super) fn write(&self) -> String {
        // Texts, numbers and lists can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether another certificate may be asked for: one that is needed within the week's number, one that is not only when
    /// its share of the week has passed since the last.
    pub(super) fn may_order(&self, per_week: u32, needed: bool, now: Timestamp) -> bool {
        let lately = self.orders.iter().filter(|order| now.since(**order) < WEEK);
        let has_room = lately.clone().count() < per_week as usize;
        let last = lately.max().copied();
        let is_time = last.is_none_or(|last| now.since(last) >= WEEK / per_week.max(1));
        has_room && (needed || is_time)
    }

    /// How many were ordered within a week, and when the first of them leaves it.
    pub(super) fn lately(&self, now: Timestamp) -> (usize, Option<Timestamp>) {
        let lately = self.orders.iter().filter(|order| now.since(**order) < WEEK);
        (lately.clone().count(), lately.min().map(|first| *first + WEEK))
    }

    pub(super) fn count_order(&mut self, now: Timestamp) {
        self.orders.retain(|order| now.since(*order) < WEEK);
        self.orders.push(now);
    }

    /// When there will be room for one that is needed.
    pub(super) fn room_at(&self) -> Option<Timestamp> {
        self.orders.iter().min().map(|first| *first + WEEK)
    }

    /// Keeps the times of a run that has ended well.
    pub(super) fn remember(&mut self, run: &Run) {
        for (stage, took) in &run.times {
            let known = self.times.entry(*stage).or_default();
            known.push(*took);
            let surplus = known.len().saturating_sub(REMEMBERED);
            known.drain(..surplus);
        }
    }
}

impl Run {
    pub(super) fn begin(kind: Kind, home: Home, now: Timestamp) -> Self {
        let stage = kind.stages().first().copied().unwrap_or(Stage::Visit);
        Self {
            kind,
            home,
            stage,
            since: now,
            tries: 0,
            operation: None,
            counted: false,
            times: BTreeMap::new(),
            failed: None,
        }
    }

    /// Goes on to the next stage. `false` at the end.
    pub(super) fn pass_on(&mut self, now: Timestamp) -> bool {
        let took = u64::try_from(now.since(self.since).as_millis()).unwrap_or(u64::MAX);
        if self.failed.is_none() {
            self.times.insert(self.stage, took);
        }
        let stages = if self.failed.is_some() { Kind::Whole.stages() } else { self.kind.stages() };
        let here = stages.iter().position(|stage| *stage == self.stage);
        let Some(next) = here.and_then(|here| stages.get(here + 1)) else { return false };
        (self.stage, self.since, self.tries) = (*next, now, 0);
        true
    }

    /// Gives up: what it has made is removed, for as long as that takes. `false` when there is nothing to remove.
    pub(super) fn give_up(&mut self, saw: String, now: Timestamp) -> bool {
        self.failed.get_or_insert(Failed { stage: self.stage, saw });
        if self.kind == Kind::Visit {
            return false;
        }
        let again = if self.stage == Stage::Clear { Stage::Clear } else { Stage::Delete };
        (self.stage, self.since, self.tries) = (again, now, 0);
        true
    }
}
