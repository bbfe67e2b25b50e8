//! What an order and its authorizations leave in the record. Pure functions: nobody is asked anything here.

use std::collections::HashMap;
use std::time::Duration;

use contract::{
    AuthorizationRecord, CertificateRequest, DomainName, IssuanceRecord, LastLook, ProofMethod, ProofState,
    Timestamp,
};

use crate::error::AcmeError;
use crate::order::{LiveAuthorization, LiveOrder};
use crate::pace;
use crate::problem::Problem;
use crate::proofs::Proofs;
use crate::rehearsal;

/// Enters a new order. What a failed one has left behind goes.
pub(crate) fn adopt(record: &mut IssuanceRecord, order: &LiveOrder) {
    record.order_url = Some(order.url().to_owned());
    record.order_expires = order.expires();
    record.orders_placed += 1;
    record.authorizations.clear();
}

/// Enters what proves control, in the order of the request. A name for which the authority wants no authorization at
/// all needs no proof.
pub(crate) fn present(
    record: &mut IssuanceRecord,
    authorizations: &[LiveAuthorization],
    proofs: &Proofs,
) -> Result<(), AcmeError> {
    let order_url = record.order_url.clone().unwrap_or_default();
    let presented = record.request.names.iter().map(|name| match of(authorizations, name) {
        Some(authorization) => presented(authorization, &record.request, proofs),
        None => Ok(AuthorizationRecord::new(name.clone(), &order_url, ProofState::Proven)),
    });
    record.authorizations = presented.collect::<Result<_, _>>()?;
    let pending = authorizations.iter().filter(|one| one.state != Some(ProofState::Proven));
    let deaths = pending.filter_map(|one| one.expires).chain(record.order_expires);
    record.order_expires = deaths.min();
    Ok(())
}

/// Whether nothing is left to be proven.
pub(crate) fn is_proven(record: &IssuanceRecord) -> bool {
    record.authorizations.iter().all(|one| one.state == ProofState::Proven)
}

/// Whether the order rests on what belongs to others: that is all that is known of its authorizations then. Whatever is
/// shown to a user has at least one challenge.
pub(crate) fn is_held(record: &IssuanceRecord) -> bool {
    let is_foreign =
        |one: &AuthorizationRecord| one.state == ProofState::Open && one.http.is_none() && one.dns.is_none();
    record.order_url.is_some() && record.authorizations.iter().any(is_foreign)
}

/// Whether the order has died of age.
pub(crate) fn has_expired(record: &IssuanceRecord, now: Timestamp) -> bool {
    record.order_expires.is_some_and(|expires| expires <= now)
}

/// Whether a proof is in this state.
pub(crate) fn any(record: &IssuanceRecord, state: ProofState) -> bool {
    record.authorizations.iter().any(|one| one.state == state)
}

/// Takes over what the authority says now, and gives the authorizations of which a challenge is due to be answered: a
/// proof has been seen, and nobody has answered yet.
pub(crate) fn reconcile(
    record: &mut IssuanceRecord,
    authorizations: &[LiveAuthorization],
    seen: &HashMap<String, ProofMethod>,
) -> Vec<(String, ProofMethod)> {
    for live in authorizations {
        let known = record.authorizations.iter_mut().find(|one| one.url == live.url);
        // An answer that was given is not forgotten because the authority still calls the challenge pending.
        if let (Some(known), Some(state)) = (known, live.state)
            && state != ProofState::Open
        {
            known.state = state;
        }
    }
    let open = record.authorizations.iter().filter(|one| one.state == ProofState::Open);
    open.filter_map(|one| Some((one.url.clone(), *seen.get(&one.url)?))).collect()
}

/// Puts these authorizations into a state.
pub(crate) fn mark(record: &mut IssuanceRecord, urls: &[String], state: ProofState) {
    for one in record.authorizations.iter_mut().filter(|one| urls.contains(&one.url)) {
        one.state = state;
    }
}

/// Says when somebody looks next for what is open.
pub(crate) fn look_next(record: &mut IssuanceRecord, at: Timestamp) {
    for one in &mut record.authorizations {
        one.next_look = Some(at).filter(|_| one.state == ProofState::Open);
    }
}

/// The authority is satisfied with every proof.
pub(crate) fn all_proven(record: &mut IssuanceRecord) {
    for one in &mut record.authorizations {
        one.state = ProofState::Proven;
    }
}

/// Drops an order that has died without fault. Key and signing request stay.
pub(crate) fn forget(record: &mut IssuanceRecord) {
    (record.order_url, record.order_expires) = (None, None);
    record.authorizations.clear();
}

/// Drops an order that the authority has declared invalid, but keeps, per name, what it says about it. An issuance
/// with authorizations of the authority's and without an order is one whose last order has failed.
pub(crate) fn fail(
    record: &mut IssuanceRecord,
    authorizations: &[LiveAuthorization],
    problem: Option<&Problem>,
    now: Timestamp,
) {
    let order_url = record.order_url.clone().unwrap_or_default();
    let remains = record.request.names.iter().map(|name| {
        let live = of(authorizations, name);
        let special = live.and_then(|live| live.problem.as_ref());
        let nobody = authorizations.iter().all(|live| live.problem.is_none());
        // The general word goes to everybody only when no name was singled out.
        let general = problem.filter(|problem| nobody && concerns(problem, name));
        let url = live.map_or_else(|| order_url.clone(), |live| live.url.clone());
        let last_look = LastLook { at: now, saw: verdict(name, special.or(general)) };
        let state = remaining_state(live, special.or(general));
        AuthorizationRecord {
            last_look: Some(last_look),
            ..AuthorizationRecord::new(name.clone(), url, state)
        }
    });
    let remains = remains.collect();
    record.failure = Some(failure(record, authorizations, problem));
    record.authorizations = remains;
    (record.order_url, record.order_expires) = (None, None);
}

/// How long the next order has to wait, when the last one has failed.
pub(crate) fn pause_after_failure(record: &IssuanceRecord, now: Timestamp) -> Option<Duration> {
    if record.order_url.is_some() || record.authorizations.is_empty() || rehearsal::is_on(record) {
        return None;
    }
    let until = pace::last_event(record) + pace::after_failed_order(record.orders_placed);
    Some(until.since(now)).filter(|wait| !wait.is_zero())
}

fn of<'a>(authorizations: &'a [LiveAuthorization], name: &DomainName) -> Option<&'a LiveAuthorization> {
    authorizations.iter().find(|one| &one.name == name)
}

fn presented(
    live: &LiveAuthorization,
    request: &CertificateRequest,
    proofs: &Proofs,
) -> Result<AuthorizationRecord, AcmeError> {
    let record =
        AuthorizationRecord::new(live.name.clone(), &live.url, live.state.unwrap_or(ProofState::Open));
    if record.state == ProofState::Proven {
        return Ok(record);
    }
    let record = AuthorizationRecord { http: live.http.clone(), dns: live.dns.clone(), ..record };
    if proofs.can_meet(request, &record) {
        Ok(record)
    } else {
        Err(AcmeError::NoUsableChallenge(record.name))
    }
}

/// What the operator should know: which challenges failed, how we had seen their proofs, and what the order says.
fn failure(record: &IssuanceRecord, live: &[LiveAuthorization], problem: Option<&Problem>) -> String {
    let failed = live.iter().filter_map(|live| {
        let problem = live.problem.as_ref()?;
        let known = record.authorizations.iter().find(|one| one.url == live.url);
        let method =
            known.and_then(|one| one.method).map_or("not seen".to_owned(), |method| format!("{method:?}"));
        Some(format!("{} ({method}): {problem}", live.name))
    });
    let order = problem.map(|problem| format!("order: {problem}"));
    let failed: Vec<String> = failed.chain(order).collect();
    if failed.is_empty() { "the authority gives no reason".to_owned() } else { failed.join("; ") }
}

fn concerns(problem: &Problem, name: &DomainName) -> bool {
    problem.names().is_empty() || problem.names().iter().any(|about| about.base() == name.base())
}

fn remaining_state(live: Option<&LiveAuthorization>, problem: Option<&Problem>) -> ProofState {
    match live.and_then(|live| live.state) {
        Some(ProofState::Proven) if problem.is_none() => ProofState::Proven,
        _ => ProofState::Open,
    }
}

fn verdict(name: &DomainName, problem: Option<&Problem>) -> String {
    match problem {
        Some(problem) => format!("The certificate authority says: {}", problem.about(name)),
        None => "The certificate authority ended the order, but not because of this domain.".to_owned(),
    }
}

#[cfg(test)]
#[path = "orders_tests.rs"]
mod tests;
