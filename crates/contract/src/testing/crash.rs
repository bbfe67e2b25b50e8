use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::locked;
use crate::{PortError, PortResult};

/// Every method that passes the plan, by the name that [`CrashPlan::fail`] takes.
const METHODS: &[&str] = &[
    "accounts.adopt_key",
    "accounts.all",
    "accounts.drop_key",
    "accounts.ensure",
    "accounts.find",
    "accounts.propose_key",
    "accounts.record_url",
    "alerts.raise",
    "alerts.resolve",
    "answers.answer",
    "breakers.all",
    "breakers.change",
    "breakers.close",
    "breakers.open",
    "cdn.apply",
    "cdn.disable",
    "cdn.enable",
    "cdn.ensure",
    "cdn.examine",
    "cdn.find",
    "cdn.invalidate",
    "cdn.list",
    "cdn.remove",
    "cdn.whole",
    "census.census",
    "certificates.expiring",
    "certificates.list",
    "certificates.make_live",
    "certificates.named",
    "certificates.of_instance",
    "certificates.put",
    "checks.all",
    "checks.change",
    "checks.ensure",
    "checks.finish",
    "checks.history",
    "checks.now",
    "checks.recall",
    "checks.remember",
    "chores.ensure",
    "chores.note",
    "chores.put_off",
    "chores.take_due",
    "domains.claim",
    "domains.keep_only",
    "domains.lapse",
    "domains.of_instance",
    "domains.owners",
    "imports.adopt",
    "imports.forget",
    "imports.imported",
    "imports.imports",
    "incidents.change",
    "incidents.find_open",
    "incidents.forget_before",
    "incidents.list",
    "incidents.open",
    "instances.create",
    "instances.find",
    "instances.list",
    "instances.record_distribution",
    "instances.replace_reference",
    "issuances.insert",
    "issuances.load",
    "issuances.save",
    "issuances.credit",
    "issuances.credited",
    "issuances.note_look",
    "issuances.relies_on",
    "issuances.show",
    "issuances.wanted_elsewhere",
    "issuer.abandon",
    "issuer.advance",
    "issuer.instructions",
    "issuer.look",
    "issuer.open",
    "issuer.outlook",
    "issuer.renewal",
    "ledger.forget_before",
    "ledger.furthest",
    "ledger.list",
    "ledger.moments",
    "ledger.swap",
    "names.lead",
    "operations.begin_deprovision",
    "operations.begin_renewal",
    "operations.begin_update",
    "operations.find",
    "operations.hasten",
    "operations.history",
    "operations.newest",
    "operations.standing",
    "operator.begin_recreation",
    "operator.cancel",
    "operator.forget",
    "operator.leased_until",
    "operator.list",
    "operator.of_instance",
    "operator.resume",
    "outbox.about",
    "outbox.add",
    "outbox.keep",
    "outbox.next_due",
    "outbox.take_due",
    "pages.ensure_key",
    "pages.generation",
    "pages.keep_survey",
    "pages.revoke",
    "pages.survey",
    "sealed.keys",
    "sealed.reseal",
    "platform.domains",
    "platform.place",
    "queue.claim",
    "queue.log",
    "queue.next_due",
    "queue.release",
    "queue.wake",
    "queue.save",
    "readiness.ready",
    "renewals.ensure",
    "renewals.forget",
    "renewals.keep",
    "renewals.next_check",
    "renewals.of_instance",
    "renewals.take_due",
    "site.clear",
    "site.list",
    "site.present",
    "site.withdraw",
    "sweeps.add",
    "sweeps.done",
    "sweeps.keep",
    "sweeps.knows",
    "sweeps.next_try",
    "sweeps.take_due",
    "troubles.findings",
    "troubles.forget_before",
    "troubles.keep_findings",
    "troubles.mishaps",
    "troubles.note",
    "troubles.troubled",
    "vault.chain",
    "vault.ensure",
    "vault.find",
    "vault.list",
    "vault.remove",
    "zone.add_txt",
    "zone.list",
    "zone.point",
    "zone.release",
    "zone.remove_txt",
];

/// Where the process is to die, and which calls are to fail. Clones are one plan, shared by all fakes of a world.
///
/// Every call of a fake passes two points, one before its effect and one after it, when the answer is on its way.
/// The points are numbered in the order in which they are reached, from 1, over the whole life of the plan. Dying
/// at the first means that nothing happened, dying at the second that it happened and nobody knows.
///
/// A process that died makes no further calls: from then on every call hangs, until [`until_crash`] has buried it.
#[derive(Clone, Debug, Default)]
pub struct CrashPlan {
    script: Arc<Mutex<Script>>,
    dead: Arc<watch::Sender<bool>>,
}

#[derive(Debug, Default)]
struct Script {
    passed: u64,
    crash_at: Option<u64>,
    died_at: Option<String>,
    failures: BTreeMap<String, Failure>,
}

struct Failure {
    left: usize,
    moment: Moment,
    misfortune: Misfortune,
}

/// What a caller gets instead of an answer: an error, or nothing at all.
type Misfortune = Option<Arc<dyn Fn() -> PortError + Send + Sync>>;

/// Whether a call that fails has taken effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It has not.
    Before,
    /// It has, and only the answer is lost.
    After,
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// It ran to its end.
    Finished(T),
    /// It died at a crash point. [`CrashPlan::died_at`] says where.
    Crashed,
}

/// Runs `process` until it ends or until it dies at a point of `plan`. A dead process is dropped where it stands;
/// afterwards the plan lets a new one run.
pub async fn until_crash<T>(plan: &CrashPlan, process: impl Future<Output = T>) -> Outcome<T> {
    let outcome = {
        let process = pin!(process);
        let mut dead = plan.dead.subscribe();
        tokio::select! {
            biased;
            _ = dead.wait_for(|dead| *dead) => Outcome::Crashed,
            value = process => Outcome::Finished(value),
        }
    };
    plan.dead.send_replace(false);
    outcome
}

impl CrashPlan {
    /// A plan without a crash and without failures.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the process die at point `number`, once. Panics when that point has already been passed.
    pub fn crash_at(&self, number: u64) {
        let mut script = locked(&self.script);
        assert!(number > script.passed, "point {number} lies behind: {} were passed", script.passed);
        script.crash_at = Some(number);
    }

    /// How many points were passed so far, the one that was fatal included.
    pub fn points_passed(&self) -> u64 {
        locked(&self.script).passed
    }

    /// The latest point that was fatal, such as `point 7: after cdn.apply`.
    pub fn died_at(&self) -> Option<String> {
        locked(&self.script).died_at.clone()
    }

    /// Lets the next `times` calls of `method` (such as `cdn.apply`) fail without effect. Replaces what was said
    /// about that method before. Panics when no fake has such a method.
    pub fn fail(&self, method: &str, times: usize, make: impl Fn() -> PortError + Send + Sync + 'static) {
        self.meet(method, Failure { left: times, moment: Moment::Before, misfortune: Some(Arc::new(make)) });
    }

    /// Like [`CrashPlan::fail`], but the calls take effect, and only their answers are lost.
    pub fn lose(&self, method: &str, times: usize, make: impl Fn() -> PortError + Send + Sync + 'static) {
        self.meet(method, Failure { left: times, moment: Moment::After, misfortune: Some(Arc::new(make)) });
    }

    /// Lets the next `times` calls of `method` never come back, with or without an effect.
    pub fn hang(&self, method: &str, times: usize, moment: Moment) {
        self.meet(method, Failure { left: times, moment, misfortune: None });
    }

    fn meet(&self, method: &str, failure: Failure) {
        assert!(METHODS.contains(&method), "no fake has a method {method:?}");
        locked(&self.script).failures.insert(method.to_owned(), failure);
    }

    /// Lets everything work again, and nobody die.
    pub fn heal(&self) {
        let mut script = locked(&self.script);
        script.failures.clear();
        script.crash_at = None;
    }

    /// Lets `method` work again.
    pub fn mend(&self, method: &str) {
        locked(&self.script).failures.remove(method);
    }

    /// One call of `method`: the point before it, a failure if one was ordered, the effect, the point after it.
    pub(super) async fn pass<T>(
        &self,
        method: &'static str,
        effect: impl FnOnce() -> PortResult<T>,
    ) -> PortResult<T> {
        self.point("before", method).await;
        let failure = locked(&self.script).failure(method);
        if let Some((Moment::Before, misfortune)) = failure {
            return suffer(misfortune).await;
        }
        let answer = effect();
        if let Some((Moment::After, misfortune)) = failure {
            return suffer(misfortune).await;
        }
        self.point("after", method).await;
        answer
    }

    async fn point(&self, moment: &str, method: &'static str) {
        debug_assert!(METHODS.contains(&method), "{method} is missing in METHODS");
        let already_dead = *self.dead.borrow();
        if already_dead || locked(&self.script).dies_here(moment, method) {
            self.dead.send_replace(true);
            pending::<()>().await;
        }
    }
}

impl Script {
    fn dies_here(&mut self, moment: &str, method: &str) -> bool {
        self.passed += 1;
        let dies = self.crash_at == Some(self.passed);
        if dies {
            self.crash_at = None;
            self.died_at = Some(format!("point {}: {moment} {method}", self.passed));
        }
        dies
    }

    fn failure(&mut self, method: &str) -> Option<(Moment, Misfortune)> {
        let failure = self.failures.get_mut(method).filter(|failure| failure.left > 0)?;
        failure.left -= 1;
        Some((failure.moment, failure.misfortune.clone()))
    }
}

async fn suffer<T>(misfortune: Misfortune) -> PortResult<T> {
    match misfortune {
        Some(make) => Err(make()),
        None => pending().await,
    }
}

impl std::fmt::Debug for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Failure")
            .field("left", &self.left)
            .field("moment", &self.moment)
            .finish_non_exhaustive()
    }
}
