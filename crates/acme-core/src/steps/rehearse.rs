use std::collections::HashMap;

use contract::{PortError, ProofMethod};

use super::{Flow, StepResult, Work, awaiting};
use crate::error::AcmeError;
use crate::{orders, rehearsal};

impl Work<'_> {
    /// Where proofs die within hours: goes on only when what stays has been seen for every name, in one look. Until then
    /// the authority is asked for nothing.
    pub(super) async fn rehearse(&mut self) -> StepResult {
        let is_over = self.record.order_url.is_some() || self.record.chain.is_some();
        if is_over || !self.issuer.proofs.durable_only {
            return Ok(Flow::On);
        }
        if let Some(wait) = orders::pause_after_failure(&self.record, self.issuer.clock.now()) {
            return Ok(awaiting(wait));
        }
        rehearsal::prepare(&mut self.record, &self.issuer.proofs)?;
        let (seen, trouble) = self.look_around().await?;
        if seen.len() == self.record.authorizations.len() {
            return Ok(Flow::On);
        }
        self.save().await?;
        trouble.map_or_else(|| Ok(awaiting(self.look_again())), |error| Err(error.into()))
    }

    /// Puts into place what is due, and looks at everything that is open. Gives the proofs that are there, by
    /// authorization, and what kept something from being put into place.
    pub(super) async fn look_around(
        &mut self,
    ) -> Result<(HashMap<String, ProofMethod>, Option<PortError>), AcmeError> {
        let mut trouble = self.put_due_proofs().await?;
        let (seen, announced) = self.look().await?;
        if announced {
            trouble = self.put_due_proofs().await?.or(trouble);
        }
        let next = self.issuer.clock.now() + self.look_again();
        orders::look_next(&mut self.record, next);
        Ok((seen, trouble))
    }
}
