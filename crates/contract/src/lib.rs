#![doc = include_str!("../README.md")]

mod alerts;
mod allowance;
mod authority;
mod canary;
mod cdn;
mod certificate;
mod check;
mod domain;
mod edge;
mod error;
mod ids;
mod instructions;
mod label;
mod lead;
mod legacy;
mod meter;
mod page;
mod platform;
mod proof;
mod secret;
mod sign_on;
mod site;
mod storage;
#[cfg(feature = "testing")]
pub mod testing;
mod time;
mod vault;
mod visit;
mod zone;

pub use alerts::{Alert, Alerts, Letter, Messenger, Notice, Parcel, Report, Side, Turn};
pub use allowance::{Allowance, KnownLimit, LimitUse, Room, RoomOf};
pub use authority::{AccountStanding, AuthorityAccount, AuthorityAccounts};
pub use canary::{Canary, CanarySource};
pub use cdn::{
    Behaviour, CachePolicy, Cdn, Cookies, Delivery, Distribution, DistributionSpec, ListedDistribution,
    MinimumTls, Origin, OriginRequestPolicy, Policies, PriceClass, Serving, WholeDistribution, Wish,
};
pub use certificate::{
    CertificateBundle, CertificateFacts, CertificateIssuer, CertificateReader, CertificateRequest,
    IssuanceProgress, KeyType, RenewalAdvice,
};
pub use check::{Check, CheckFailure, CheckOutcome, CheckSchedule, StepTime, StepTimes};
pub use domain::{DomainName, DomainNameError};
pub use edge::{EdgeProbe, EdgeQuestion, Presented};
pub use error::{ErrorRule, Obstacle, PortError, PortResult, Reach, Remedy, Upstream, chain};
pub use ids::{
    DistributionId, IncidentId, InstanceId, IssuanceId, LeaseToken, OperationId, PageToken, Reference,
    StoredCertificate, VaultName,
};
pub use instructions::{
    DomainInstructions, LastLook, Outlook, ProofMethod, ProofRecord, ProofState, ProofWay,
};
pub use label::{durable_label, is_durable_label};
pub use lead::{Lead, LeadEnd, LeadQuestion, NameProbe};
pub use legacy::{LegacyBroker, LegacyCertificate, LegacyInstance, LegacyInstances, LegacyStanding};
pub use meter::{Meter, NoMeter};
pub use page::Page;
pub use platform::{Place, PlatformDirectory, PlatformDomain};
pub use proof::{CaaQuestion, Hop, HttpQuestion, ProofProbe, Sighting, TxtQuestion, Verdict};
pub use secret::Secret;
pub use sign_on::{Permissions, SignOn};
pub use site::{ChallengeSite, SiteFolder};
pub use storage::{
    AccountRecord, AccountStore, AuthorizationRecord, Breaker, BreakerStore, CertificateKey,
    CertificateRecord, CertificateState, CertificateStore, ChallengeAnswers, Change, CheckRecord, CheckRun,
    CheckStore, Chore, ChoreStore, ChosenMoment, Claim, Cursor, Dispatch, DispatchState, DomainRecord,
    DomainState, DomainStore, HttpAnswer, Incident, IncidentStore, Instance, InstanceState, InstanceStore,
    IssuanceRecord, IssuanceStore, KeyStanding, LedgerStore, LogEntry, Mishap, Operation, OperationFilter,
    OperationKind, OperationState, OperationStore, OperatorStore, OriginalRequest, Outbox, PageStore,
    PresentedProof, ProofPlace, RUNS_KEPT, Readiness, RenewalPlan, RenewalStore, Resealed, SealedPlace,
    SealedStore, SealingKeyUse, Settings, Sight, SiteFinding, Standing, StuckValue, Survey, Sweep,
    SweepStore, Track, TroubleStore, WorkQueue,
};
pub use storage::{Adopted, Adoption, ImportRecord, ImportStore};
pub use storage::{Census, CensusStore, Condition, OperationCount, Pool};
pub use time::{Clock, Randomness, Timestamp};
pub use vault::{CertificateVault, KeptCertificate};
pub use visit::{VisitAnswer, VisitQuestion, Visitor};
pub use zone::{ManagedZone, RecordContent, ZoneRecord};
