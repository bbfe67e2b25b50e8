//! Stateful fakes, a manual clock, crash points, mocks and conformance suites. Behind the feature `testing`.
//!
//! The fakes are handles on shared state: a clone of a handle, given to a "new process", sees the same world. Every
//! method of every fake passes a [`CrashPlan`], which can end the process there or let the call fail. [`World`] is
//! all of them together.
#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "fakes and conformance suites report by panicking: that is how a test fails"
)]

mod alerts;
mod cdn;
mod clock;
mod cloud;
pub mod conformance;
mod crash;
mod issuer;
mod listing;
mod memory;
mod names;
mod platform;
pub mod sample;
mod site;
mod vault;
mod world;
mod zone;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use alerts::RecordingAlerts;
pub use cdn::FakeCdn;
pub use clock::{ManualClock, SequentialRandomness};
pub use cloud::Write;
pub use crash::{CrashPlan, Moment, Outcome, until_crash};
pub use issuer::FakeIssuer;
pub use memory::MemoryStore;
pub use names::FakeNames;
pub use platform::FakePlatform;
pub use site::FakeSite;
pub use vault::FakeVault;
pub use world::World;
pub use zone::FakeZone;

pub use crate::alerts::{MockAlerts, MockMessenger};
pub use crate::allowance::MockAllowance;
pub use crate::canary::MockCanarySource;
pub use crate::cdn::MockCdn;
pub use crate::certificate::MockCertificateIssuer;
pub use crate::edge::MockEdgeProbe;
pub use crate::lead::MockNameProbe;
pub use crate::platform::MockPlatformDirectory;
pub use crate::proof::MockProofProbe;
pub use crate::sign_on::MockSignOn;
pub use crate::site::MockChallengeSite;
pub use crate::storage::MockCensusStore;
pub use crate::storage::{
    MockAccountStore, MockBreakerStore, MockCertificateStore, MockChallengeAnswers, MockCheckStore,
    MockChoreStore, MockDomainStore, MockIncidentStore, MockInstanceStore, MockIssuanceStore,
    MockLedgerStore, MockOperationStore, MockOperatorStore, MockOutbox, MockPageStore, MockReadiness,
    MockRenewalStore, MockSealedStore, MockSweepStore, MockTroubleStore, MockWorkQueue,
};
pub use crate::time::MockClock;
pub use crate::vault::MockCertificateVault;
pub use crate::visit::MockVisitor;
pub use crate::zone::MockManagedZone;

/// A test that panicked while it held a lock has failed already; the others may go on.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
