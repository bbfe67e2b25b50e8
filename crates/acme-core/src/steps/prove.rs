//! How domains come to be proven: each by itself, and each as soon as its own proof is there.

use std::collections::HashMap;
use std::time::Duration;

use contract::{ProofMethod, ProofState};

use super::{Flow, StepResult, Work, awaiting};
use crate::error::AcmeError;
use crate::order::{LiveOrder, Standing};
use crate::proofs::{announce, is_fresh};
use crate::{looks, orders, pace};

impl Work<'_> {
    /// Puts into place what is due, looks at everything that is open, and answers what has been seen.
    pub(super) async fn prove_domains(&mut self) -> StepResult {
        if orders::is_proven(&self.record) {
            return Ok(Flow::On);
        }
        let now = self.issuer.clock.now();
        if orders::has_expired(&self.record, now) {
            return self.forget_order().await;
        }
        let (seen, trouble) = self.look_around().await?;
        if seen.is_empty() && !orders::any(&self.record, ProofState::Answered) {
            self.save().await?;
            return trouble.map_or_else(|| Ok(awaiting(self.look_again())), |error| Err(error.into()));
        }
        // A look alone is not stored when more follows: of two processes in step, each would outpace the other with
        // its look for ever, and neither come to store what matters.
        match self.ask(&seen).await {
            Ok(Some(order)) => self.settle(order).await,
            Ok(None) => self.forget_order().await,
            Err(error) => {
                self.save().await?;
                Err(error)
            }
        }
    }

    /// Looks at every open domain. Gives the proofs that are there, and whether there are values that belong somewhere
    /// now: the record says where.
    pub(super) async fn look(&mut self) -> Result<(HashMap<String, ProofMethod>, bool), AcmeError> {
        let caa = self.issuer.accounts.in_caa().await?;
        let looks = looks::take(&self.issuer.probe, &self.issuer.proofs, &self.record, caa.as_ref()).await?;
        let found = looks::keep(&mut self.record, looks, self.issuer.clock.now());
        let announced = announce(&mut self.record, found.delegates);
        Ok((found.seen, announced))
    }

    /// How long until the next look.
    pub(super) fn look_again(&self) -> Duration {
        let now = self.issuer.clock.now();
        let wait = pace::look_again(now.since(self.record.opened_at));
        if is_fresh(&self.record, now) { wait.min(pace::SOON) } else { wait }
    }

    /// Reads the order, answers the challenges whose proof has been seen, and reads again how that went down. Gives
    /// the order as it is now; `None` when it is gone.
    ///
    /// An order that is remembered as waiting for answers is answered without being read before. When the authority
    /// has moved on meanwhile it refuses, and the order is read after all.
    async fn ask(&mut self, seen: &HashMap<String, ProofMethod>) -> Result<Option<LiveOrder>, AcmeError> {
        if let Some(remembered) = self.take_unanswered() {
            match self.answer(remembered, seen).await {
                Err(error) if error.is_refusal() => {}
                outcome => return outcome.map(Some),
            }
        }
        let Some(mut order) = self.take_order().await? else { return Ok(None) };
        if order.standing() != Standing::Pending || !orders::any(&self.record, ProofState::Open) {
            return Ok(Some(order));
        }
        self.answer(order, seen).await.map(Some)
    }

    /// Answers what is due, and reads the order again when nothing is left to be answered. What the authority was
    /// told stays in the record even when it refuses half-way.
    async fn answer(
        &mut self,
        mut order: LiveOrder,
        seen: &HashMap<String, ProofMethod>,
    ) -> Result<LiveOrder, AcmeError> {
        let authorizations = order.authorizations().await?;
        let due = orders::reconcile(&mut self.record, &authorizations, seen);
        let (told, result) = order.answer(&due).await;
        orders::mark(&mut self.record, &told, ProofState::Answered);
        result?;
        if !told.is_empty() && !orders::any(&self.record, ProofState::Open) {
            self.save().await?;
            order.refresh().await?;
        }
        Ok(order)
    }

    /// Decides how to go on after the challenges of all visible proofs have been answered.
    async fn settle(&mut self, mut order: LiveOrder) -> StepResult {
        match order.standing() {
            Standing::Invalid => self.order_failed(order).await,
            Standing::Pending if orders::any(&self.record, ProofState::Open) => {
                self.save().await?;
                let look = self.look_again();
                let answered = orders::any(&self.record, ProofState::Answered);
                let wait = if answered { look.min(self.poll_again(&order)) } else { look };
                self.hold(order);
                Ok(awaiting(wait))
            }
            Standing::Pending => {
                self.save().await?;
                Ok(self.authority_at_work(order))
            }
            Standing::Ready | Standing::Processing | Standing::Valid => {
                orders::all_proven(&mut self.record);
                self.issuer.ledger.proven(&self.record.request.names).await;
                self.hold(order);
                self.save().await
            }
        }
    }

    /// The order as it is remembered, if nobody has answered anything of it by then.
    fn take_unanswered(&mut self) -> Option<LiveOrder> {
        let told = orders::any(&self.record, ProofState::Answered);
        self.order.take_if(|order| !told && order.standing() == Standing::Pending)
    }
}
