mod breakers;
mod census;
mod checks;
mod chores;
mod domains;
mod imports;
mod incidents;
mod instances;
mod ledger;
mod operator;
mod pages;
mod queue;
mod records;
mod sealed;
mod troubles;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::{CrashPlan, ManualClock, locked};
use crate::ImportRecord;
use crate::{
    AccountRecord, Breaker, CertificateRecord, CheckRecord, CheckRun, Chore, Clock, Dispatch, DomainName,
    DomainRecord, Incident, Instance, InstanceId, IssuanceId, IssuanceRecord, LeaseToken, LogEntry, Mishap,
    Operation, OperationId, OperationState, PortResult, RenewalPlan, SealedPlace, Secret, SiteFinding,
    Survey, Sweep, Timestamp, VaultName,
};

/// All storage ports in memory, with exactly the promises of the ports. Clones share the data, so that the store
/// outlives the process that used it.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    clock: ManualClock,
    plan: CrashPlan,
    /// The names of the keys that it seals with and opens; nothing is really sealed.
    keys: Arc<[String]>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    instances: BTreeMap<InstanceId, Instance>,
    leases: BTreeMap<InstanceId, Lease>,
    /// In the order in which they were stored.
    operations: Vec<Operation>,
    /// So many of the first operations have ended; those that have, have for ever. A year's worth is never looked through.
    ended: usize,
    log: Vec<LogEntry>,
    /// By instance, incarnation and generation.
    certificates: BTreeMap<(InstanceId, i32, i32), CertificateRecord>,
    issuances: BTreeMap<IssuanceId, IssuanceRecord>,
    /// Who has proven what an authorization is about, by its URL.
    credits: BTreeMap<String, String>,
    accounts: BTreeMap<String, AccountRecord>,
    /// Under which key each sealed value is.
    sealed_under: BTreeMap<SealedPlace, String>,
    ledger: BTreeMap<String, Timestamp>,
    domains: BTreeMap<(InstanceId, DomainName), DomainRecord>,
    renewals: BTreeMap<InstanceId, RenewalPlan>,
    sweeps: BTreeMap<VaultName, Sweep>,
    chores: BTreeMap<String, Chore>,
    breakers: BTreeMap<String, Breaker>,
    /// In the order in which they were opened.
    incidents: Vec<Incident>,
    /// In the order in which they were stored.
    deliveries: Vec<Dispatch>,
    checks: BTreeMap<String, CheckRecord>,
    /// In the order in which they ended.
    check_runs: Vec<CheckRun>,
    check_notes: BTreeMap<String, String>,
    /// By class and instance.
    mishaps: BTreeMap<(String, InstanceId), Mishap>,
    findings: BTreeMap<InstanceId, Vec<SiteFinding>>,
    page_key: Option<Secret>,
    page_generations: BTreeMap<InstanceId, i32>,
    surveys: BTreeMap<InstanceId, Survey>,
    imports: BTreeMap<InstanceId, ImportRecord>,
}

#[derive(Debug)]
struct Lease {
    token: LeaseToken,
    until: Timestamp,
}

impl MemoryStore {
    /// An empty store whose leases and due times go by `clock`.
    pub fn new(clock: ManualClock) -> Self {
        Self { clock, plan: CrashPlan::new(), keys: Arc::from(["fake".to_owned()]), state: Arc::default() }
    }

    /// The same store, opened with these keys; the first one seals.
    #[must_use]
    pub fn with_keys(mut self, keys: &[&str]) -> Self {
        self.keys = keys.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// The same store, with every call passing `plan`.
    #[must_use]
    pub fn with_plan(mut self, plan: &CrashPlan) -> Self {
        self.plan = plan.clone();
        self
    }

    /// Every operation that was ever stored, oldest first.
    pub fn operations(&self) -> Vec<Operation> {
        locked(&self.state).operations.clone()
    }

    /// What is still to be removed from the vault.
    pub fn sweeps(&self) -> Vec<Sweep> {
        locked(&self.state).sweeps.values().cloned().collect()
    }

    /// What stands in the way until the operator has acted.
    pub fn breakers(&self) -> Vec<Breaker> {
        locked(&self.state).breakers.values().cloned().collect()
    }

    /// Every incident that is kept, oldest first.
    pub fn incidents(&self) -> Vec<Incident> {
        locked(&self.state).incidents.clone()
    }

    /// Every delivery that is kept, oldest first.
    pub fn deliveries(&self) -> Vec<Dispatch> {
        locked(&self.state).deliveries.clone()
    }

    /// The plans for renewals.
    pub fn renewals(&self) -> Vec<RenewalPlan> {
        locked(&self.state).renewals.values().cloned().collect()
    }

    /// Which instances have which names.
    pub fn domains(&self) -> Vec<DomainRecord> {
        locked(&self.state).domains.values().cloned().collect()
    }

    /// The certificates of all instances.
    pub fn certificates(&self) -> Vec<CertificateRecord> {
        locked(&self.state).certificates.values().cloned().collect()
    }

    /// One call of a port: `effect` runs alone and at once, between the two points of the plan.
    async fn call<T: Send>(
        &self,
        method: &'static str,
        effect: impl FnOnce(&mut State, Timestamp) -> PortResult<T> + Send,
    ) -> PortResult<T> {
        self.plan.pass(method, || effect(&mut locked(&self.state), self.clock.now())).await
    }
}

impl State {
    fn operation(&self, id: &OperationId) -> Option<&Operation> {
        self.operations.iter().rfind(|operation| operation.id == *id)
    }

    fn running(&self) -> impl Iterator<Item = &Operation> {
        let recent = self.operations.get(self.ended..).unwrap_or_default();
        recent.iter().filter(|operation| operation.state == OperationState::Running)
    }

    fn count_ended(&mut self) {
        let recent = self.operations.get(self.ended..).unwrap_or_default();
        self.ended +=
            recent.iter().take_while(|operation| operation.state != OperationState::Running).count();
    }
}
