//! The promises of all storage ports.
//!
//! The suite takes the whole queue for itself: nobody else may work on the same database while it runs, and what it
//! finds running there it brings to an end.

pub mod accounts;
pub mod answers;
pub mod breakers;
pub mod census;
pub mod certificates;
pub mod checks;
pub mod chores;
pub mod domains;
pub mod imports;
pub mod incidents;
pub mod instances;
pub mod issuances;
pub mod leases;
pub mod ledger;
pub mod operations;
pub mod operator;
pub mod pages;
pub mod queue;
pub mod race;
pub mod recreations;
pub mod renewals;
pub mod sealed;
pub mod sweeps;
pub mod troubles;
pub mod updates;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use super::{Passage, keep_promises};
use crate::CensusStore;
use crate::ImportStore;
use crate::testing::sample;
use crate::{
    AccountStore, BreakerStore, CertificateStore, ChallengeAnswers, CheckStore, ChoreStore, Claim, Cursor,
    DomainStore, IncidentStore, Instance, InstanceId, InstanceStore, IssuanceStore, LeaseToken, LedgerStore,
    Operation, OperationKind, OperationState, OperationStore, OperatorStore, Outbox, PageStore, PortResult,
    RenewalStore, SweepStore, TroubleStore, WorkQueue,
};

/// How long the suite's leases last.
const LEASE: Duration = Duration::from_mins(1);

/// A text that shows careless quoting, encoding and cutting: quotes, wide characters, more than 32 KiB.
const ODD_TEXT: &str =
    "'; DROP TABLE instances; -- \"quoted\" %s \\ \t\r\n Größe 東京 🦀 \u{202e}evil\u{202c} e\u{301}";

/// All storage ports together.
pub trait Storage:
    InstanceStore
    + OperationStore
    + OperatorStore
    + WorkQueue
    + CertificateStore
    + IssuanceStore
    + ChallengeAnswers
    + AccountStore
    + LedgerStore
    + DomainStore
    + ImportStore
    + RenewalStore
    + SweepStore
    + ChoreStore
    + BreakerStore
    + CensusStore
    + IncidentStore
    + Outbox
    + CheckStore
    + TroubleStore
    + PageStore
{
}

impl<T> Storage for T where
    T: InstanceStore
        + OperationStore
        + OperatorStore
        + WorkQueue
        + CertificateStore
        + IssuanceStore
        + ChallengeAnswers
        + AccountStore
        + LedgerStore
        + DomainStore
        + ImportStore
        + RenewalStore
        + SweepStore
        + ChoreStore
        + BreakerStore
        + CensusStore
        + IncidentStore
        + Outbox
        + CheckStore
        + TroubleStore
        + PageStore
{
}

/// The store under test and its time.
#[derive(Clone)]
pub struct Subject {
    instances: Arc<dyn InstanceStore>,
    operations: Arc<dyn OperationStore>,
    operator: Arc<dyn OperatorStore>,
    queue: Arc<dyn WorkQueue>,
    certificates: Arc<dyn CertificateStore>,
    issuances: Arc<dyn IssuanceStore>,
    answers: Arc<dyn ChallengeAnswers>,
    accounts: Arc<dyn AccountStore>,
    ledger: Arc<dyn LedgerStore>,
    domains: Arc<dyn DomainStore>,
    imports: Arc<dyn ImportStore>,
    renewals: Arc<dyn RenewalStore>,
    sweeps: Arc<dyn SweepStore>,
    chores: Arc<dyn ChoreStore>,
    breakers: Arc<dyn BreakerStore>,
    census: Arc<dyn CensusStore>,
    incidents: Arc<dyn IncidentStore>,
    outbox: Arc<dyn Outbox>,
    checks: Arc<dyn CheckStore>,
    troubles: Arc<dyn TroubleStore>,
    pages: Arc<dyn PageStore>,
    time: Arc<dyn Passage>,
    prefix: String,
    ids: Arc<AtomicU64>,
}

/// Runs every promise. Panics with the name of the first one that is not kept.
pub async fn run(subject: &Subject) {
    work(subject).await;
    by_the_operator(subject).await;
    records(subject).await;
    names_and_chores(subject).await;
    what_is_told(subject).await;
}

/// Instances, their operations, and who works on them.
async fn work(subject: &Subject) {
    keep_promises!(subject =>
        instances::what_is_unknown_is_none,
        instances::an_instance_comes_back_as_created,
        instances::a_taken_id_is_refused,
        instances::of_many_at_once_one_creates,
        instances::an_instance_and_its_operation_are_stored_both_or_neither,
        instances::a_tombstone_gives_way_to_the_next_incarnation,
        instances::the_distribution_is_recorded_after_a_cancellation,
        instances::what_happens_to_one_leaves_the_others,
        instances::instances_are_listed_page_by_page,
        operations::the_latest_is_the_newest_on_the_users_track,
        operations::a_deprovision_takes_over,
        operations::a_deprovision_is_single,
        operations::of_many_deprovisions_at_once_one_begins,
        operations::a_deprovision_begins_whole_or_not_at_all,
        operations::a_failed_deprovision_can_be_begun_again,
        operations::the_history_is_kept_in_order,
        updates::an_update_begins_and_leaves_the_instance,
        updates::an_update_needs_an_idle_instance_as_it_was_seen,
        updates::an_update_supersedes_a_renewal_only_when_told,
        updates::of_many_updates_at_once_one_begins,
        updates::an_update_begins_whole_or_not_at_all,
        updates::a_change_is_adopted_with_the_end_of_its_operation,
        updates::a_change_without_a_context_leaves_the_context,
        updates::a_lost_lease_adopts_nothing,
        updates::what_waits_is_hastened_and_what_failed_is_not,
        queue::an_idle_queue_has_nothing,
        queue::a_due_operation_is_claimed,
        queue::the_longest_due_comes_first,
        queue::what_is_not_due_waits,
        queue::the_next_due_is_the_earliest,
        queue::a_save_writes_the_cursor,
        queue::an_ended_operation_is_left_alone,
        leases::a_held_instance_is_not_claimed,
        leases::the_lease_is_the_instances,
        leases::a_released_instance_is_claimed,
        leases::an_expired_lease_passes_on,
        leases::a_save_extends_the_lease,
        leases::a_save_after_cancellation_changes_nothing,
        race::workers_share_operations_without_a_double_claim,
    );
}

/// What an operator begins by hand.
async fn by_the_operator(subject: &Subject) {
    keep_promises!(subject =>
        recreations::a_recreation_begins_on_what_serves_or_never_did,
        recreations::a_recreation_needs_the_users_track,
        recreations::a_recreation_supersedes_a_renewal_and_none_begins_beside_it,
        recreations::of_many_recreations_at_once_one_begins,
        recreations::a_deprovision_takes_over_a_recreation,
        recreations::a_failed_operation_goes_on_where_it_was_given_up,
        recreations::only_the_newest_that_has_failed_is_resumed,
        recreations::what_nobody_works_on_is_ended_where_it_stands,
        recreations::the_operations_of_an_instance_come_newest_first,
        recreations::a_spent_reference_is_replaced_once,
        operator::operations_are_listed_page_by_page,
        operator::operations_are_filtered,
        operator::who_is_at_work_is_known,
        imports::an_adopted_instance_is_stored_whole,
        imports::what_is_taken_is_not_adopted,
        imports::an_adoption_is_forgotten_whole,
        imports::what_was_changed_since_is_not_forgotten,
        imports::what_was_only_looked_at_is_forgotten,
        imports::what_was_inherited_goes_with_the_name,
        operator::an_instance_is_forgotten_whole,
    );
}

/// What is kept about certificates and the authority.
async fn records(subject: &Subject) {
    keep_promises!(subject =>
        certificates::a_certificate_is_put_and_replaced,
        certificates::certificates_are_listed_by_generation,
        certificates::all_certificates_are_listed_page_by_page,
        certificates::what_expires_first_is_found,
        certificates::only_one_certificate_is_live,
        certificates::a_certificate_is_found_by_its_name_in_the_vault,
        issuances::an_issuance_is_inserted_once,
        issuances::an_issuance_comes_back_as_saved,
        issuances::an_issuance_is_shown_without_its_secrets,
        issuances::what_is_underway_stands_with_its_issuance,
        issuances::a_save_needs_the_version_it_has_read,
        issuances::of_many_saves_at_once_one_counts,
        issuances::authorizations_are_replaced_whole,
        issuances::a_look_is_noted_beside_whoever_is_at_work,
        issuances::what_is_wiped_is_gone,
        issuances::a_proof_is_credited_to_one_tenant_for_ever,
        issuances::whoever_is_underway_relies_on_its_authorizations,
        answers::an_answer_is_found_at_its_name_and_label,
        answers::tenants_do_not_get_each_others_answers,
        answers::an_answer_is_there_as_long_as_it_is_of_use,
        answers::a_shared_proof_is_known_to_be_wanted,
        accounts::the_first_account_of_a_directory_wins,
        accounts::of_many_at_once_all_get_the_same_account,
        accounts::the_url_is_recorded,
        accounts::a_key_follows_on_another,
        accounts::of_many_keys_at_once_one_follows,
        ledger::a_moment_is_replaced_only_by_who_has_seen_it,
        ledger::of_many_at_once_none_is_lost,
        ledger::moments_are_listed_page_by_page,
        ledger::what_has_passed_is_forgotten,
        ledger::the_furthest_come_first,
    );
}

/// Who has which name, and what the broker does unasked.
async fn names_and_chores(subject: &Subject) {
    keep_promises!(subject =>
        renewals::a_renewal_begins_on_its_own_track,
        renewals::a_renewal_begins_only_where_none_runs,
        renewals::a_renewal_gives_way_to_an_update_with_a_certificate,
        renewals::of_many_renewals_at_once_one_begins,
        renewals::a_plan_is_kept,
        renewals::a_successor_has_a_plan_of_its_own,
        renewals::a_due_plan_is_taken_once,
        renewals::brokers_share_due_plans,
        domains::the_first_to_prove_a_name_has_it,
        domains::of_many_claims_at_once_one_has_the_name,
        domains::a_lapsed_name_belongs_to_nobody,
        domains::names_are_given_back,
        domains::a_former_life_gets_no_names,
        sweeps::a_removal_is_taken_until_it_is_done,
        sweeps::the_longest_due_removal_comes_first,
        chores::a_chore_is_stored_once,
        chores::a_due_chore_is_taken_by_one,
        checks::a_check_is_kept_once,
        checks::of_many_at_once_one_runs_a_check,
        checks::the_latest_runs_of_a_check_are_kept,
        checks::a_check_remembers,
        troubles::the_last_mishap_counts,
        troubles::findings_are_those_of_the_last_look,
        breakers::a_breaker_is_kept_once_per_scope,
        breakers::of_many_at_once_one_opens_and_one_changes,
        breakers::what_waits_goes_on_when_it_gives_way,
        pages::everybody_signs_with_the_same_key,
        pages::links_are_revoked_one_instance_at_a_time,
        pages::what_was_seen_is_kept,
    );
}

/// What the operator and the users are told.
async fn what_is_told(subject: &Subject) {
    keep_promises!(subject =>
        census::what_is_there_is_counted,
        census::what_runs_is_counted_by_what_it_stands_at,
        incidents::a_subject_has_one_open_incident,
        incidents::of_many_at_once_one_opens_and_one_changes,
        incidents::what_is_told_is_stored_with_the_incident,
        incidents::incidents_are_listed_latest_first,
        incidents::what_has_ended_is_forgotten,
        incidents::a_delivery_is_stored_once,
        incidents::a_due_delivery_is_taken_by_one,
        incidents::deliveries_about_one_thing_keep_their_order,
        incidents::only_who_has_taken_a_delivery_ends_it,
    );
}

impl Subject {
    /// A store, its time, and what all ids of this run begin with: something new for each run on a database that
    /// is kept.
    pub fn new<S: Storage + 'static>(
        store: &Arc<S>,
        time: impl Passage + 'static,
        prefix: impl Into<String>,
    ) -> Self {
        Self {
            instances: Arc::<S>::clone(store),
            operations: Arc::<S>::clone(store),
            operator: Arc::<S>::clone(store),
            queue: Arc::<S>::clone(store),
            certificates: Arc::<S>::clone(store),
            issuances: Arc::<S>::clone(store),
            answers: Arc::<S>::clone(store),
            accounts: Arc::<S>::clone(store),
            ledger: Arc::<S>::clone(store),
            domains: Arc::<S>::clone(store),
            imports: Arc::<S>::clone(store),
            renewals: Arc::<S>::clone(store),
            sweeps: Arc::<S>::clone(store),
            chores: Arc::<S>::clone(store),
            breakers: Arc::<S>::clone(store),
            census: Arc::<S>::clone(store),
            incidents: Arc::<S>::clone(store),
            outbox: Arc::<S>::clone(store),
            checks: Arc::<S>::clone(store),
            troubles: Arc::<S>::clone(store),
            pages: Arc::<S>::clone(store),
            time: Arc::new(time),
            prefix: prefix.into(),
            ids: Arc::default(),
        }
    }

    /// An id that was not used before.
    fn fresh(&self, what: &str) -> String {
        format!("{}-{what}-{}", self.prefix, self.ids.fetch_add(1, Ordering::SeqCst))
    }

    /// An operation with a fresh id that is due now; it is not stored.
    async fn operation(&self, instance: &InstanceId, kind: OperationKind) -> Operation {
        sample::operation(&self.fresh("operation"), instance, kind, self.time.now().await)
    }

    /// An instance with a fresh id and its provision operation; neither is stored.
    async fn draft(&self) -> (Instance, Operation) {
        let instance = sample::instance(&self.fresh("instance"), &["www.example.org", "*.example.org"]);
        let operation = self.operation(&instance.id, OperationKind::Provision).await;
        (instance, operation)
    }

    /// A stored instance and its provision operation, due now.
    async fn provisioning(&self) -> PortResult<(Instance, Operation)> {
        let (instance, operation) = self.draft().await;
        assert!(self.instances.create(&instance, &operation).await?, "a fresh id is not taken");
        Ok((instance, operation))
    }

    /// Begins to deprovision an instance.
    async fn deprovisioning(&self, instance: &InstanceId) -> PortResult<Operation> {
        let operation = self.operation(instance, OperationKind::Deprovision).await;
        assert!(self.operations.begin_deprovision(&operation).await?, "no deprovision runs yet");
        Ok(operation)
    }

    async fn stored_instance(&self, id: &InstanceId) -> PortResult<Option<Instance>> {
        self.instances.find(id).await
    }

    async fn latest(&self, id: &InstanceId) -> PortResult<Option<Operation>> {
        Ok(self.operations.standing(id).await?.and_then(|standing| standing.latest))
    }

    async fn stored_operation(&self, operation: &Operation) -> PortResult<Option<Operation>> {
        self.operations.find(&operation.id).await
    }

    async fn claim(&self) -> PortResult<Option<Claim>> {
        self.queue.claim(&LeaseToken::new(self.fresh("token")), LEASE).await
    }

    /// Claims, and insists on getting `operation`.
    async fn claim_of(&self, operation: &Operation) -> PortResult<Claim> {
        let claim = self.claim().await?;
        let claimed = claim.as_ref().map(|claim| &claim.operation.id);
        assert_eq!(claimed, Some(&operation.id), "this operation is the one to claim");
        Ok(claim.unwrap_or_else(|| unreachable!("just compared")))
    }

    /// Ends whatever runs, so that the queue is empty.
    async fn idle(&self) -> PortResult<()> {
        for _ in 0..1000 {
            let Some(due) = self.queue.next_due().await? else { return Ok(()) };
            self.time.pass(due.since(self.time.now().await) + LEASE).await;
            if let Some(claim) = self.claim().await? {
                self.queue.save(&claim, &ended(&claim.operation), LEASE).await?;
                self.queue.release(&claim).await?;
            }
        }
        panic!("the queue does not become empty")
    }
}

/// The cursor that leaves `operation` where it is.
fn unmoved(operation: &Operation) -> Cursor {
    Cursor {
        state: operation.state,
        step: operation.step.clone(),
        attempt: operation.attempt,
        next_at: operation.next_at,
        step_since: operation.step_since,
        sentence: operation.sentence.clone(),
        error: operation.error.clone(),
        waits_for: operation.waits_for.clone(),
        instance_state: None,
        adopt: false,
    }
}

/// The cursor of an operation that is done.
fn ended(operation: &Operation) -> Cursor {
    Cursor { state: OperationState::Succeeded, ..unmoved(operation) }
}

/// [`ODD_TEXT`] until it is longer than 32 KiB.
fn odd_text() -> String {
    ODD_TEXT.repeat(32 * 1024 / ODD_TEXT.len() + 1)
}

/// Does the same thing in eight tasks at once and collects what came out.
async fn at_once<T, F>(task: impl Fn() -> F) -> PortResult<Vec<T>>
where
    T: Send + 'static,
    F: Future<Output = PortResult<T>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        tasks.spawn(task());
    }
    tasks.join_all().await.into_iter().collect()
}
