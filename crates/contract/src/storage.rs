//! The storage ports: what each user of the database needs, no more. All of them are implemented by `store`.
//!
//! Every error of these ports is `Retry`: a database that does not answer now will answer later, and nothing may be
//! concluded from its silence. `GiveUp` means that a row could not be understood, which only a person can mend.

mod account;
mod certificates;
mod instances;
mod issuance;
mod ledger;
mod operations;
mod queue;

pub use account::{AccountRecord, AccountStore};
pub use certificates::{CertificateRecord, CertificateState, CertificateStore};
pub use instances::{Instance, InstanceState, InstanceStore, OriginalRequest, Settings};
pub use issuance::{
    AuthorizationRecord, ChallengeAnswers, HttpAnswer, IssuanceRecord, IssuanceStore, PresentedProof,
    ProofPlace,
};
pub use ledger::LedgerStore;
pub use operations::{
    Change, LogEntry, Operation, OperationKind, OperationState, OperationStore, Standing, Track,
};
pub use queue::{Claim, Cursor, WorkQueue};

#[cfg(feature = "testing")]
pub use {
    account::MockAccountStore, certificates::MockCertificateStore, instances::MockInstanceStore,
    issuance::MockChallengeAnswers, issuance::MockIssuanceStore, ledger::MockLedgerStore,
    operations::MockOperationStore, queue::MockWorkQueue,
};
