//! The storage ports: what each user of the database needs, no more. All of them are implemented by `store`.
//!
//! Every error of these ports is `Retry`: a database that does not answer now will answer later, and nothing may be
//! concluded from its silence. `GiveUp` means that a row could not be understood, which only a person can mend.

mod account;
mod breakers;
mod census;
mod certificates;
mod checks;
mod chores;
mod domains;
mod imports;
mod incidents;
mod instances;
mod issuance;
mod ledger;
mod operations;
mod operator;
mod pages;
mod queue;
mod readiness;
mod renewals;
mod sealed;
mod sweeps;
mod troubles;

pub use account::{AccountRecord, AccountStore};
pub use breakers::{Breaker, BreakerStore};
pub use census::{Census, CensusStore, Condition, OperationCount, Pool};
pub use certificates::{CertificateKey, CertificateRecord, CertificateState, CertificateStore};
pub use checks::{CheckRecord, CheckRun, CheckStore, RUNS_KEPT};
pub use chores::{Chore, ChoreStore};
pub use domains::{DomainRecord, DomainState, DomainStore};
pub use imports::{Adopted, Adoption, ImportRecord, ImportStore};
pub use incidents::{Dispatch, DispatchState, Incident, IncidentStore, Outbox};
pub use instances::{Instance, InstanceState, InstanceStore, OriginalRequest, Settings};
pub use issuance::{
    AuthorizationRecord, ChallengeAnswers, HttpAnswer, IssuanceRecord, IssuanceStore, PresentedProof,
    ProofPlace,
};
pub use ledger::LedgerStore;
pub use operations::{
    Change, LogEntry, Operation, OperationKind, OperationState, OperationStore, Standing, Track,
};
pub use operator::{OperationFilter, OperatorStore};
pub use pages::{PageStore, Sight, Survey};
pub use queue::{Claim, Cursor, WorkQueue};
pub use readiness::Readiness;
pub use renewals::{ChosenMoment, RenewalPlan, RenewalStore};
pub use sealed::{KeyStanding, Resealed, SealedPlace, SealedStore, SealingKeyUse, StuckValue};
pub use sweeps::{Sweep, SweepStore};
pub use troubles::{Mishap, SiteFinding, TroubleStore};

#[cfg(feature = "testing")]
pub use census::MockCensusStore;
#[cfg(feature = "testing")]
pub use {
    account::MockAccountStore, breakers::MockBreakerStore, certificates::MockCertificateStore,
    checks::MockCheckStore, chores::MockChoreStore, domains::MockDomainStore, incidents::MockIncidentStore,
    incidents::MockOutbox, instances::MockInstanceStore, issuance::MockChallengeAnswers,
    issuance::MockIssuanceStore, ledger::MockLedgerStore, operations::MockOperationStore,
    operator::MockOperatorStore, pages::MockPageStore, queue::MockWorkQueue, readiness::MockReadiness,
    renewals::MockRenewalStore, sealed::MockSealedStore, sweeps::MockSweepStore, troubles::MockTroubleStore,
};
