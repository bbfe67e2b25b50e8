use super::{
    CrashPlan, FakeCdn, FakeIssuer, FakeNames, FakePlatform, FakeSite, FakeVault, FakeZone, ManualClock,
    MemoryStore, RecordingAlerts, SequentialRandomness,
};

/// Everything outside the broker, faked, under one clock and one crash plan. A clone is the same world seen by a new
/// process.
#[derive(Clone, Debug)]
pub struct World {
    /// The time.
    pub clock: ManualClock,
    /// The source of ids and lease tokens.
    pub randomness: SequentialRandomness,
    /// Where processes die and calls fail.
    pub plan: CrashPlan,
    /// The database.
    pub store: MemoryStore,
    /// The authority.
    pub issuer: FakeIssuer,
    /// The certificates of the fake AWS account.
    pub vault: FakeVault,
    /// The distributions of the fake AWS account.
    pub cdn: FakeCdn,
    /// The challenge answers.
    pub site: FakeSite,
    /// The operator's DNS zone.
    pub zone: FakeZone,
    /// Where names lead.
    pub names: FakeNames,
    /// The platform's own directory.
    pub platform: FakePlatform,
    /// What the operator was told.
    pub alerts: RecordingAlerts,
}

impl World {
    /// An empty world.
    pub fn new() -> Self {
        let clock = ManualClock::new();
        let plan = CrashPlan::new();
        let vault = FakeVault::new(clock.clone()).with_plan(&plan);
        Self {
            randomness: SequentialRandomness::new(),
            store: MemoryStore::new(clock.clone()).with_plan(&plan),
            issuer: FakeIssuer::new(clock.clone()).with_plan(&plan),
            cdn: FakeCdn::new(clock.clone(), &vault).with_plan(&plan),
            site: FakeSite::new().with_clock(&clock).with_plan(&plan),
            zone: FakeZone::new("cdn.example.").with_plan(&plan),
            names: FakeNames::new().with_plan(&plan),
            platform: FakePlatform::new().with_plan(&plan),
            alerts: RecordingAlerts::new().with_plan(&plan),
            clock,
            plan,
            vault,
        }
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
