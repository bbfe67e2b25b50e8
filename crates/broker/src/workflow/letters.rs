//! What a user is told by mail, where they have named an address: what needs their hand, and what has become of it for want
//! of it. Each letter is stored once, whatever dies in between and however often a step is run; any broker delivers it.

use contract::{
    CertificateFacts, CertificateRecord, Dispatch, DomainInstructions, DomainName, Letter, Notice,
    PortResult, ProofState,
};

use super::{Run, facts};
use crate::describe;

/// The messenger that mails letters is known by this name.
const TARGET: &str = "letters";

impl Run<'_> {
    /// Writes to whoever has to do something for a renewal: when it has begun and the proofs have been looked for in vain,
    /// and once more when a tenth of the certificate's life is left. Never more than these two for one certificate.
    pub(super) async fn write_for_proof(
        &self,
        certificate: &CertificateRecord,
        known: &[CertificateRecord],
    ) -> PortResult<()> {
        let served = facts::live(known).and_then(|live| Some((live, live.facts.as_ref()?)));
        let Some((live, facts)) = served.filter(|_| self.is_renewal() && self.writes()) else {
            return Ok(());
        };
        let about = format!("renewal {}-{}-{}", self.instance.id, live.incarnation, live.generation);
        let number = 1 + i32::from(self.is_last_tenth(facts));
        if self.is_written(&about, number).await? {
            return Ok(());
        }
        let instructions = self.ports.issuer.instructions(&certificate.issuance).await?;
        if !needs_hand(&instructions) {
            return Ok(());
        }
        let letter = describe::renewal_letter(self.instance, &instructions, facts.not_after);
        self.write(&about, number, letter).await
    }

    /// Writes that a renewal goes on without names that nobody could prove.
    pub(super) async fn write_of_lapse(
        &self,
        certificate: &CertificateRecord,
        lapsing: &[DomainName],
    ) -> PortResult<()> {
        if !self.writes() {
            return Ok(());
        }
        let about =
            format!("lapse {}-{}-{}", self.instance.id, certificate.incarnation, certificate.generation);
        self.write(&about, 1, describe::lapse_letter(self.instance, lapsing)).await
    }

    fn writes(&self) -> bool {
        self.ports.letters.is_some() && self.instance.settings.notify.is_some()
    }

    fn is_last_tenth(&self, facts: &CertificateFacts) -> bool {
        let life = facts.not_after.since(facts.not_before);
        self.ports.clock.now() >= facts.not_after - life / 10
    }

    async fn is_written(&self, about: &str, number: i32) -> PortResult<bool> {
        match &self.ports.letters {
            Some(letters) => Ok(letters.about(about).await?.iter().any(|one| one.number >= number)),
            None => Ok(true),
        }
    }

    async fn write(&self, about: &str, number: i32, (subject, text): (String, String)) -> PortResult<()> {
        let (Some(letters), Some(to)) = (&self.ports.letters, &self.instance.settings.notify) else {
            return Ok(());
        };
        let notice = Notice::Letter(Letter { to: to.clone(), subject, text });
        letters.add(&[Dispatch::new(about, number, TARGET, notice, self.ports.clock.now())]).await?;
        Ok(())
    }
}

/// Whether a proof is missing that was looked for.
fn needs_hand(instructions: &[DomainInstructions]) -> bool {
    let open = || instructions.iter().filter(|one| one.state == ProofState::Open && one.proven_by.is_none());
    open().next().is_some() && open().all(|one| one.last_look.is_some())
}
