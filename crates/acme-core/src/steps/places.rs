//! What the steps put where the world can see it, and take away again.

use contract::PortError;

use super::Work;
use crate::error::AcmeError;
use crate::proofs::{due, put_at, stale, taken_away};

impl Work<'_> {
    /// Puts proofs where they are to be, after having stored that they will be there. What cannot be put keeps nothing
    /// else from going on; the first reason is given.
    pub(super) async fn put_due_proofs(&mut self) -> Result<Option<PortError>, AcmeError> {
        let due = due(&self.record, self.issuer.clock.now());
        if due.is_empty() {
            return Ok(None);
        }
        self.save().await?;
        let mut trouble = None;
        for place in due {
            match self.issuer.proofs.put(&self.record, &place).await {
                Ok(()) => put_at(&mut self.record, &place, self.issuer.clock.now()),
                Err(error) => {
                    tracing::warn!(issuance.id = %self.record.id, ?place, %error, "a proof could not be put into place");
                    trouble.get_or_insert(error);
                }
            }
        }
        Ok(trouble)
    }

    /// Takes away the proofs that are of no use any more. The first reason why one could not be taken away is given;
    /// the next unit of work tries again.
    pub(crate) async fn take_stale_proofs_away(&mut self) -> Result<(), AcmeError> {
        let mut trouble = None;
        for place in stale(&self.record) {
            let issuances = self.issuer.issuances.as_ref();
            match self.issuer.proofs.take_away(issuances, &self.record.id, &place).await {
                Ok(()) => taken_away(&mut self.record, &place),
                Err(error) => drop(trouble.get_or_insert(error)),
            }
        }
        self.save().await?;
        trouble.map_or(Ok(()), |error| Err(error.into()))
    }

    /// The same, where nothing depends on it.
    pub(crate) async fn tidy(&mut self) {
        if let Err(error) = self.take_stale_proofs_away().await {
            tracing::warn!(issuance.id = %self.record.id, %error, "a proof that is of no use any more stays for now");
        }
    }
}
