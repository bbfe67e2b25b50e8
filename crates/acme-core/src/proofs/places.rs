//! What is put where the world can see it, and taken away again. A place is in the record before anything is there,
//! and leaves the record after nothing is there any more: whatever dies in between, nothing is forgotten.

use std::time::Duration;

use contract::{IssuanceId, IssuanceRecord, PortResult, PresentedProof, ProofPlace, ProofState, Timestamp};

use super::Proofs;

/// After how long a proof that nobody has seen is put there again: somebody may have taken it away.
const AGAIN: Duration = Duration::from_mins(5);
/// For how long the world is given to notice.
const NOTICED: Duration = Duration::from_mins(2);

impl Proofs {
    /// Enters the answers that belong into the challenge site.
    pub(crate) fn announce_answers(&self, record: &mut IssuanceRecord) {
        let request = record.request.clone();
        let open = record.authorizations.iter().filter(|one| one.state != ProofState::Proven);
        let served = open.filter(|one| self.is_served(&request, &one.name));
        let places = served
            .filter_map(|one| one.http.as_ref())
            .map(|http| ProofPlace::Site { site: request.site.clone(), token: http.token.clone() });
        announce(record, places.collect());
    }

    /// Puts a proof where it belongs. Twice is as good as once.
    pub(crate) async fn put(&self, record: &IssuanceRecord, place: &ProofPlace) -> PortResult<()> {
        match (place, &self.zone, &self.site) {
            (ProofPlace::Zone { owner, value }, Some(zone), _) => zone.add_txt(owner, value).await,
            (ProofPlace::Site { site, token }, _, Some(folders)) => match answer(record, token) {
                Some(answer) => folders.present(site, token, answer).await,
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Takes a proof away, unless somebody else needs it there.
    pub(crate) async fn take_away(
        &self,
        issuances: &dyn contract::IssuanceStore,
        id: &IssuanceId,
        place: &ProofPlace,
    ) -> PortResult<()> {
        if issuances.wanted_elsewhere(id, place).await? {
            return Ok(());
        }
        match (place, &self.zone, &self.site) {
            (ProofPlace::Zone { owner, value }, Some(zone), _) => zone.remove_txt(owner, value).await,
            (ProofPlace::Site { site, token }, _, Some(folders)) => folders.withdraw(site, token).await,
            _ => {
                tracing::warn!(issuance.id = %id, ?place, "a proof stays behind: the settings to reach it are gone");
                Ok(())
            }
        }
    }
}

/// Enters places that are to have a proof, unless they are there. `true` when one was not.
pub(crate) fn announce(record: &mut IssuanceRecord, places: Vec<ProofPlace>) -> bool {
    let known = record.presented.len();
    for place in places {
        if record.presented.iter().all(|one| one.place != place) {
            record.presented.push(PresentedProof { place, at: None });
        }
    }
    record.presented.len() > known
}

/// Enters a place that has its proof already.
pub(crate) fn note(record: &mut IssuanceRecord, place: Option<ProofPlace>, now: Timestamp) {
    let new = place.filter(|place| record.presented.iter().all(|one| one.place != *place));
    record.presented.extend(new.map(|place| PresentedProof { place, at: Some(now) }));
}

/// The places that are to get their proof now, or once more.
pub(crate) fn due(record: &IssuanceRecord, now: Timestamp) -> Vec<ProofPlace> {
    let due =
        |one: &&PresentedProof| one.at.is_none_or(|at| at + AGAIN <= now) && is_wanted(record, &one.place);
    record.presented.iter().filter(due).map(|one| one.place.clone()).collect()
}

/// Notes that a place has its proof.
pub(crate) fn put_at(record: &mut IssuanceRecord, place: &ProofPlace, now: Timestamp) {
    for one in record.presented.iter_mut().filter(|one| one.place == *place) {
        one.at = Some(now);
    }
}

/// Whether something was put somewhere so lately that the world may not have noticed.
pub(crate) fn is_fresh(record: &IssuanceRecord, now: Timestamp) -> bool {
    record
        .presented
        .iter()
        .any(|one| one.at.is_some_and(|at| now < at + NOTICED) && is_wanted(record, &one.place))
}

/// The places whose proof is of no use any more.
pub(crate) fn stale(record: &IssuanceRecord) -> Vec<ProofPlace> {
    record.presented.iter().map(|one| one.place.clone()).filter(|place| !is_wanted(record, place)).collect()
}

/// Forgets a place at which nothing is any more.
pub(crate) fn taken_away(record: &mut IssuanceRecord, place: &ProofPlace) {
    record.presented.retain(|one| one.place != *place);
}

/// A proof is wanted until its name is proven, and its order and issuance go on.
fn is_wanted(record: &IssuanceRecord, place: &ProofPlace) -> bool {
    let goes_on = !record.abandoned && record.chain.is_none();
    let mut unproven = record.authorizations.iter().filter(|one| one.state != ProofState::Proven);
    goes_on
        && unproven.any(|one| match place {
            ProofPlace::Zone { value, .. } => one.dns.as_ref() == Some(value),
            ProofPlace::Site { token, .. } => one.http.as_ref().is_some_and(|http| http.token == *token),
        })
}

fn answer<'a>(record: &'a IssuanceRecord, token: &str) -> Option<&'a str> {
    let mut wanted = record.authorizations.iter().filter_map(|one| one.http.as_ref());
    wanted.find(|http| http.token == token).map(|http| http.answer.as_str())
}
