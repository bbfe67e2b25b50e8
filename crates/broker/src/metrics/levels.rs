use std::sync::atomic::AtomicU64;
use std::time::Duration;

use contract::{
    Census, CheckRecord, CheckRun, Condition, InstanceState, OperationKind, Pool, Room, Side, Timestamp,
};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Names and values.
pub(super) type Labels = Vec<(&'static str, String)>;

type Whole = Gauge<u64, AtomicU64>;
type Exact = Gauge<f64, AtomicU64>;

const DAY: Duration = Duration::from_hours(24);

/// By how soon certificates expire: those that expire within so much time.
pub(super) const HORIZONS: [Duration; 8] = [
    Duration::ZERO,
    DAY,
    Duration::from_hours(3 * 24),
    Duration::from_hours(7 * 24),
    Duration::from_hours(14 * 24),
    Duration::from_hours(21 * 24),
    Duration::from_hours(30 * 24),
    Duration::from_hours(60 * 24),
];

/// Where messages go.
const TARGETS: [&str; 3] = ["webhook", "email", "letters"];

const KINDS: [OperationKind; 5] = [
    OperationKind::Provision,
    OperationKind::Update,
    OperationKind::Renew,
    OperationKind::Deprovision,
    OperationKind::Recreate,
];

const STATES: [InstanceState; 6] = [
    InstanceState::Provisioning,
    InstanceState::Ready,
    InstanceState::ProvisionFailed,
    InstanceState::Deprovisioning,
    InstanceState::DeprovisionFailed,
    InstanceState::Gone,
];

/// How much there is of what. The names are listed in docs/METRICS.md, and a test compares them.
#[derive(Default)]
pub(super) struct Levels {
    database_up: Whole,
    operations: Family<Labels, Whole>,
    oldest: Family<Labels, Exact>,
    instances: Family<Labels, Whole>,
    expiring: Family<Labels, Whole>,
    certificates: Family<Labels, Whole>,
    next_expiry: Family<Labels, Exact>,
    incidents: Family<Labels, Whole>,
    waiting: Family<Labels, Whole>,
    waiting_age: Family<Labels, Exact>,
    given_up: Family<Labels, Whole>,
    leases: Family<Labels, Whole>,
    room: Family<Labels, Exact>,
    capacity: Family<Labels, Exact>,
    connections: Family<Labels, Whole>,
    connections_most: Whole,
    queue: Whole,
    check_failing: Family<Labels, Whole>,
    check_failures: Family<Labels, Whole>,
    check_age: Family<Labels, Exact>,
    check_duration: Family<Labels, Exact>,
}

impl Levels {
    pub(super) fn register(registry: &mut Registry, version: &'static str) -> Self {
        let build = Family::<Labels, Whole>::default();
        build.get_or_create(&vec![("version", version.to_owned())]).set(1);
        registry.register("build_info", "The program that runs: always 1", build);
        let levels = Self::default();
        levels.register_work(registry);
        levels.register_others(registry);
        levels.register_checks(registry);
        levels
    }

    fn register_work(&self, registry: &mut Registry) {
        registry.register("database_up", "Whether the database could be asked", self.database_up.clone());
        registry.register("operations", "Operations that run", self.operations.clone());
        registry.register(
            "oldest_operation_age_seconds",
            "The age of the oldest operation that runs",
            self.oldest.clone(),
        );
        registry.register("instances", "Service instances", self.instances.clone());
        registry.register("leases", "Instances that a broker works on now", self.leases.clone());
        registry.register("certificates", "Certificates that are served", self.certificates.clone());
        registry.register(
            "certificates_expiring",
            "Certificates that are served and expire within so many days",
            self.expiring.clone(),
        );
        registry.register(
            "certificate_earliest_expiry_timestamp_seconds",
            "When the first of the certificates expires that are served",
            self.next_expiry.clone(),
        );
    }

    fn register_others(&self, registry: &mut Registry) {
        registry.register(
            "incidents_open",
            "Incidents that are open, by probable side",
            self.incidents.clone(),
        );
        registry.register("deliveries_waiting", "Messages that wait to be delivered", self.waiting.clone());
        registry.register(
            "deliveries_oldest_age_seconds",
            "The age of the oldest message that waits",
            self.waiting_age.clone(),
        );
        registry.register(
            "deliveries_given_up",
            "Messages that were given up in the last 90 days",
            self.given_up.clone(),
        );
        registry.register(
            "ledger_room",
            "How often the authority may be asked at once now",
            self.room.clone(),
        );
        registry.register("ledger_capacity", "How often it may be asked at most", self.capacity.clone());
        registry.register("database_connections", "Connections to the database", self.connections.clone());
        registry.register(
            "database_connections_max",
            "How many connections there may be",
            self.connections_most.clone(),
        );
        registry.register("database_queue", "Calls that wait for a connection", self.queue.clone());
    }

    fn register_checks(&self, registry: &mut Registry) {
        registry.register("check_failing", "Whether the last run has failed", self.check_failing.clone());
        registry.register(
            "check_failures_in_a_row",
            "How many runs have failed one after the other",
            self.check_failures.clone(),
        );
        registry.register("check_age_seconds", "How long ago the last run has ended", self.check_age.clone());
        registry.register(
            "check_duration_seconds",
            "How long the last run took",
            self.check_duration.clone(),
        );
    }

    /// Sets how the checks stand, each with its newest run.
    pub(super) fn set_checks(&self, checks: &[(CheckRecord, Option<CheckRun>)], now: Timestamp) {
        for (check, newest) in checks {
            let labels = one("check", &check.name);
            let failures = u64::try_from(check.failures).unwrap_or_default();
            self.check_failing.get_or_create(&labels).set(failures.min(1));
            self.check_failures.get_or_create(&labels).set(failures);
            if let Some(run) = newest {
                let age = now.since(run.began + run.took).as_secs_f64();
                self.check_age.get_or_create(&labels).set(age);
                self.check_duration.get_or_create(&labels).set(run.took.as_secs_f64());
            }
        }
    }

    /// Sets everything that was counted. What there is none of is 0, so that alerts and graphs have something to go by.
    pub(super) fn set(&self, census: &Census, rooms: &[Room], now: Timestamp) {
        self.forget();
        self.database_up.set(1);
        self.set_operations(census, now);
        for state in STATES {
            let count =
                census.instances.iter().find(|(known, _)| *known == state).map_or(0, |(_, count)| *count);
            self.instances.get_or_create(&one("state", instance(state))).set(count);
        }
        self.set_certificates(census);
        self.set_told(census, now);
        self.leases.get_or_create(&Vec::new()).set(census.leases);
        for room in rooms {
            let labels = one("limit", room.limit);
            self.room.get_or_create(&labels).set(room.left);
            self.capacity.get_or_create(&labels).set(f64::from(room.most));
        }
    }

    fn set_operations(&self, census: &Census, now: Timestamp) {
        for (operation, condition) in KINDS.into_iter().flat_map(|one| CONDITIONS.map(|other| (one, other))) {
            let known =
                census.operations.iter().filter(|one| (one.kind, one.condition) == (operation, condition));
            let labels =
                vec![("kind", kind(operation).to_owned()), ("state", in_words(condition).to_owned())];
            self.operations.get_or_create(&labels).set(known.map(|one| one.count).sum());
        }
        for operation in KINDS {
            let oldest =
                census.operations.iter().filter(|one| one.kind == operation).map(|one| one.oldest).min();
            let age = oldest.map_or(0.0, |oldest| now.since(oldest).as_secs_f64());
            self.oldest.get_or_create(&one("kind", kind(operation))).set(age);
        }
    }

    fn set_certificates(&self, census: &Census) {
        for (horizon, count) in &census.expiring {
            let days = horizon.as_secs() / DAY.as_secs();
            self.expiring.get_or_create(&one("within_days", &days.to_string())).set(*count);
        }
        self.certificates.get_or_create(&Vec::new()).set(census.certificates);
        if let Some(first) = census.next_expiry {
            let since_epoch = first.since(Timestamp::default()).as_secs_f64();
            self.next_expiry.get_or_create(&Vec::new()).set(since_epoch);
        }
    }

    fn set_told(&self, census: &Census, now: Timestamp) {
        for side in Side::ALL.into_iter().map(Some).chain([None]) {
            let count =
                census.incidents.iter().find(|(known, _)| *known == side).map_or(0, |(_, count)| *count);
            self.incidents.get_or_create(&one("side", side.map_or("unknown", Side::word))).set(count);
        }
        for target in TARGETS {
            self.waiting.get_or_create(&one("target", target)).set(0);
            self.waiting_age.get_or_create(&one("target", target)).set(0.0);
            self.given_up.get_or_create(&one("target", target)).set(0);
        }
        for (target, count, oldest) in &census.waiting {
            self.waiting.get_or_create(&one("target", target)).set(*count);
            self.waiting_age.get_or_create(&one("target", target)).set(now.since(*oldest).as_secs_f64());
        }
        for (target, count) in &census.given_up {
            self.given_up.get_or_create(&one("target", target)).set(*count);
        }
    }

    pub(super) fn set_pool(&self, pool: Pool) {
        self.connections.get_or_create(&one("state", "idle")).set(pool.idle);
        self.connections.get_or_create(&one("state", "busy")).set(pool.open.saturating_sub(pool.idle));
        self.connections_most.set(pool.most);
        self.queue.set(pool.queue);
    }

    /// Nothing is known: nothing is shown, rather than what was once.
    pub(super) fn forget(&self) {
        self.database_up.set(0);
        for family in [
            &self.operations,
            &self.instances,
            &self.expiring,
            &self.certificates,
            &self.incidents,
            &self.waiting,
            &self.given_up,
            &self.leases,
            &self.check_failing,
            &self.check_failures,
        ] {
            family.clear();
        }
        for family in [
            &self.oldest,
            &self.next_expiry,
            &self.waiting_age,
            &self.room,
            &self.capacity,
            &self.check_age,
            &self.check_duration,
        ] {
            family.clear();
        }
    }
}

const CONDITIONS: [Condition; 3] = [Condition::Working, Condition::Retrying, Condition::Parked];

fn one(key: &'static str, value: &str) -> Labels {
    vec![(key, value.to_owned())]
}

pub(super) fn kind(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Provision => "provision",
        OperationKind::Update => "update",
        OperationKind::Renew => "renew",
        OperationKind::Deprovision => "deprovision",
        OperationKind::Recreate => "recreate",
    }
}

fn in_words(condition: Condition) -> &'static str {
    match condition {
        Condition::Working => "working",
        Condition::Retrying => "retrying",
        Condition::Parked => "parked",
    }
}

fn instance(state: InstanceState) -> &'static str {
    match state {
        InstanceState::Provisioning => "provisioning",
        InstanceState::Ready => "ready",
        InstanceState::ProvisionFailed => "provision_failed",
        InstanceState::Deprovisioning => "deprovisioning",
        InstanceState::DeprovisionFailed => "deprovision_failed",
        InstanceState::Gone => "gone",
    }
}
