//! The unit of work behind `advance`: seven steps in a row. Each looks at the record first and does nothing when its
//! work is done, so that any process can begin at the top at any time; each saves what it has learnt before the next
//! one builds on it. None sleeps.

mod places;
mod prove;
mod rehearse;
mod tenants;

use std::time::Duration;

use contract::{IssuanceProgress, IssuanceRecord};

use crate::chain::Chain;
use crate::error::AcmeError;
use crate::issuer::AcmeIssuer;
use crate::order::{LiveOrder, Standing};
use crate::{keys, orders, pace};

/// The steps, in order.
const PLAN: [Step; 7] = [
    Step::GenerateKey,
    Step::Rehearse,
    Step::PlaceOrder,
    Step::PresentProofs,
    Step::ProveDomains,
    Step::FinalizeOrder,
    Step::Download,
];

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Makes the leaf key and the signing request, and stores them.
    GenerateKey,
    /// Where proofs die within hours, waits for what stays; nothing otherwise.
    Rehearse,
    /// Orders a certificate, and stores where the order is.
    PlaceOrder,
    /// Reads what proves control over each domain, and stores it for the user to see.
    PresentProofs,
    /// Looks for each proof, and asks the authority to look as soon as it is there.
    ProveDomains,
    /// Sends the signing request.
    FinalizeOrder,
    /// Fetches the chain, checks that it is ours, and stores it.
    Download,
}

/// A proof that dies sooner than this is one that people miss.
const HARD_TO_MEET: Duration = Duration::from_hours(12);

/// What a step has to say.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is handed on at once")]
pub(crate) enum Flow {
    /// Its work is done; the next one may begin.
    On,
    /// Something has to happen elsewhere first.
    Pause(IssuanceProgress),
}

pub(crate) type StepResult = Result<Flow, AcmeError>;

/// Runs the steps until one has to wait. `None` when all are done.
pub(crate) async fn run(work: &mut Work<'_>) -> Result<Option<IssuanceProgress>, AcmeError> {
    for step in PLAN {
        if let Flow::Pause(progress) = work.step(step).await? {
            tracing::debug!(issuance.id = %work.record.id, ?step, ?progress, "the issuance waits");
            return Ok(Some(progress));
        }
    }
    Ok(None)
}

/// One issuance in hand.
pub(crate) struct Work<'a> {
    pub(crate) issuer: &'a AcmeIssuer,
    pub(crate) record: IssuanceRecord,
    /// The record as the store has it.
    stored: IssuanceRecord,
    /// The order as it was last read by this process.
    order: Option<LiveOrder>,
    /// Whether that was in this unit of work, so that it need not be read again.
    fresh: bool,
}

impl<'a> Work<'a> {
    /// `order` is what this process remembers of the order.
    pub(crate) fn new(issuer: &'a AcmeIssuer, record: IssuanceRecord, order: Option<LiveOrder>) -> Self {
        Self { issuer, stored: record.clone(), record, order, fresh: false }
    }

    /// What is left for the next unit of work: the record as stored, and the order if it was read in this one.
    pub(crate) fn into_parts(self) -> (IssuanceRecord, Option<LiveOrder>) {
        (self.record, self.order.filter(|_| self.fresh))
    }

    async fn step(&mut self, step: Step) -> StepResult {
        match step {
            Step::GenerateKey => self.generate_key().await,
            Step::Rehearse => Box::pin(self.rehearse()).await,
            Step::PlaceOrder => self.place_order().await,
            Step::PresentProofs => Box::pin(self.present_proofs()).await,
            Step::ProveDomains => Box::pin(self.prove_domains()).await,
            Step::FinalizeOrder => self.finalize_order().await,
            Step::Download => self.download().await,
        }
    }

    async fn generate_key(&mut self) -> StepResult {
        if self.record.private_key.is_some() && self.record.csr.is_some() {
            return Ok(Flow::On);
        }
        let request = self.record.request.clone();
        let leaf = tokio::task::spawn_blocking(move || keys::generate(&request)).await;
        let leaf = leaf.map_err(|_| AcmeError::Key("making the leaf key was interrupted"))??;
        (self.record.private_key, self.record.csr) = (Some(leaf.private_key), Some(leaf.csr));
        self.save().await
    }

    async fn place_order(&mut self) -> StepResult {
        if self.record.order_url.is_some() {
            return Ok(Flow::On);
        }
        if let Some(wait) = orders::pause_after_failure(&self.record, self.issuer.clock.now()) {
            return Ok(awaiting(wait));
        }
        let placed = match self.issuer.place(&self.record.request).await? {
            Ok(order) => order,
            Err(held) => return Ok(Flow::Pause(held.into())),
        };
        tracing::info!(issuance.id = %self.record.id, order.url = placed.url(), "placed an order");
        orders::adopt(&mut self.record, &placed);
        self.hold(placed);
        self.save().await
    }

    async fn present_proofs(&mut self) -> StepResult {
        let was_held = orders::is_held(&self.record);
        if was_held {
            if let Some(waiting) = self.wait_for_others().await? {
                return Ok(waiting);
            }
        } else if !self.record.authorizations.is_empty() && !self.wants_something_else_now().await? {
            return Ok(Flow::On);
        }
        let Some(mut order) = self.take_order().await? else { return self.forget_order().await };
        match order.standing() {
            // It died because those went away to whom it belonged.
            Standing::Invalid if was_held => return self.forget_order().await,
            Standing::Invalid => return self.order_failed(order).await,
            _ => {}
        }
        let authorizations = match order.authorizations().await {
            Err(error) if error.is_gone() => return self.forget_order().await,
            authorizations => authorizations?,
        };
        let foreign = self.foreign(&authorizations).await?;
        if !foreign.is_empty() {
            return self.leave_to_others(order, foreign).await;
        }
        orders::present(&mut self.record, &authorizations, &self.issuer.proofs)?;
        self.record.thumbprint = Some(order.thumbprint().to_owned());
        self.warn_of_short_lives();
        self.issuer.proofs.announce_answers(&mut self.record);
        self.hold(order);
        self.save().await
    }

    /// Whether what is still to be proven was computed with a key that the account has no more (RFC 8555, section 8.1).
    async fn wants_something_else_now(&self) -> Result<bool, AcmeError> {
        let Some(thumbprint) = self.record.thumbprint.as_ref().filter(|_| !orders::is_proven(&self.record))
        else {
            return Ok(false);
        };
        let account = self.issuer.accounts.account().await?;
        Ok(account.key_thumbprint() != thumbprint)
    }

    /// Without being told, nobody here knows how long an authority's proofs live before it has made some.
    fn warn_of_short_lives(&self) {
        let left = self.record.order_expires.map(|expires| expires.since(self.issuer.clock.now()));
        if !self.issuer.proofs.durable_only && left.is_some_and(|left| left < HARD_TO_MEET) {
            tracing::warn!(
                issuance.id = %self.record.id,
                order.profile = self.issuer.settings.profile,
                "the authority's proofs die within hours; users cannot be expected to set TXT records in time, so let \
                 durable proofs come before the order"
            );
        }
    }

    async fn finalize_order(&mut self) -> StepResult {
        if self.record.chain.is_some() {
            return Ok(Flow::On);
        }
        let Some(mut order) = self.take_order().await? else { return self.forget_order().await };
        if order.standing() == Standing::Ready {
            let csr = self.record.csr.as_deref().ok_or(AcmeError::Key("the signing request is missing"))?;
            self.issuer.ledger.count(&self.record.request, order.url()).await?;
            order.finalize(csr).await?;
        }
        if order.standing() == Standing::Processing && order.retry_after().is_none() {
            order.refresh().await?;
        }
        match order.standing() {
            Standing::Valid => {
                self.hold(order);
                Ok(Flow::On)
            }
            Standing::Invalid => self.order_failed(order).await,
            _ => Ok(self.authority_at_work(order)),
        }
    }

    async fn download(&mut self) -> StepResult {
        if self.record.chain.is_some() {
            return Ok(Flow::On);
        }
        let Some(mut order) = self.take_order().await? else { return self.forget_order().await };
        let Some(pem) = order.certificate().await? else { return Ok(self.authority_at_work(order)) };
        let key = self.record.private_key.as_ref().ok_or(AcmeError::Key("the leaf key is missing"))?;
        let chain = Chain::parse(&pem)?;
        chain.verify(&keys::public_key(key)?, &self.record.request.names, self.issuer.clock.now())?;
        self.record.chain = Some(chain.pem());
        tracing::info!(issuance.id = %self.record.id, order.url = order.url(), "a certificate was issued");
        self.save().await
    }

    /// The order has died without fault, of age for example: the next unit of work places another.
    async fn forget_order(&mut self) -> StepResult {
        tracing::info!(issuance.id = %self.record.id, order.url = self.record.order_url, "the order is gone");
        orders::forget(&mut self.record);
        self.save().await?;
        Ok(working(pace::after_lost_order(self.record.orders_placed)))
    }

    /// The authority has declared the order invalid: what it says is kept for the user, and the next order waits.
    async fn order_failed(&mut self, mut order: LiveOrder) -> StepResult {
        let authorizations = match order.authorizations().await {
            // A reason that cannot be read is no reason to ask for it for ever.
            Err(error) if error.is_unreadable() || error.is_gone() => Vec::new(),
            authorizations => authorizations?,
        };
        let now = self.issuer.clock.now();
        orders::fail(&mut self.record, &authorizations, order.problem().as_ref(), now);
        let (id, failure) = (&self.record.id, &self.record.failure);
        tracing::error!(issuance.id = %id, order.url = order.url(), failure, "the authority failed the order");
        self.save().await?;
        let failed = authorizations.iter().filter(|one| one.problem.is_some()).map(|one| one.name.clone());
        let failed: Vec<_> = failed.collect();
        self.issuer.transport.meter().failed_proofs(failed.len() as u64);
        self.issuer.ledger.failed(&failed).await;
        Ok(awaiting(pace::after_failed_order(self.record.orders_placed)))
    }

    fn authority_at_work(&mut self, order: LiveOrder) -> Flow {
        let again = self.poll_again(&order);
        self.hold(order);
        working(again)
    }

    fn poll_again(&self, order: &LiveOrder) -> Duration {
        let since = self.issuer.clock.now().since(pace::last_event(&self.record));
        pace::poll_again(since, order.retry_after())
    }

    /// Keeps the order as it was just read.
    fn hold(&mut self, order: LiveOrder) {
        (self.order, self.fresh) = (Some(order), true);
    }

    /// The order as read in this unit of work, or read now; `None` when the authority does not know it any more.
    async fn take_order(&mut self) -> Result<Option<LiveOrder>, AcmeError> {
        match (self.order.take(), &self.record.order_url) {
            (Some(order), _) if self.fresh => Ok(Some(order)),
            (Some(order), _) => order.read_again().await,
            (None, Some(url)) => self.issuer.read(url).await,
            (None, None) => Ok(None),
        }
    }

    /// Stores what was learnt, if anything.
    async fn save(&mut self) -> StepResult {
        if self.record == self.stored {
            return Ok(Flow::On);
        }
        if !self.issuer.issuances.save(&self.record).await? {
            return Err(AcmeError::Outpaced);
        }
        self.record.version += 1;
        self.stored.clone_from(&self.record);
        Ok(Flow::On)
    }
}

fn working(again: Duration) -> Flow {
    Flow::Pause(IssuanceProgress::Working { again })
}

fn awaiting(look_again: Duration) -> Flow {
    Flow::Pause(IssuanceProgress::AwaitingProof { look_again })
}
