//! The rehearsal of an order. Where the authority's proofs die within hours, no user could set a TXT record in time: so
//! the order is placed only when what stays has been seen working for every name. The same is done then as for an
//! order, with tokens and values of our own in place of the authority's, which is asked for nothing.
//!
//! Whoever knows such a token gains nothing by it: at worst an order is placed too early.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::{AuthorizationRecord, DomainName, HttpAnswer, IssuanceRecord, ProofState};
use sha2::{Digest, Sha256};

use crate::error::AcmeError;
use crate::proofs::Proofs;

/// What stands in for the URLs of authorizations.
const PREFIX: &str = "rehearsal:";

/// Whether what is in the record is none of the authority's.
pub(crate) fn is_on(record: &IssuanceRecord) -> bool {
    record.order_url.is_none() && record.authorizations.iter().any(|one| one.url.starts_with(PREFIX))
}

/// Enters what is to be seen of each name, unless that is what the record has already.
///
/// Errors: a name for which the operator has set up nothing that stays.
pub(crate) fn prepare(record: &mut IssuanceRecord, proofs: &Proofs) -> Result<(), AcmeError> {
    let wanted = record.request.names.iter().map(|name| stand_in(record, proofs, name));
    let wanted = wanted.collect::<Result<Vec<_>, _>>()?;
    let is_same = |(known, wanted): (&AuthorizationRecord, &AuthorizationRecord)| {
        known.url == wanted.url && known.http == wanted.http && known.dns == wanted.dns
    };
    let known = &record.authorizations;
    if known.len() != wanted.len() || !known.iter().zip(&wanted).all(is_same) {
        record.authorizations = wanted;
        proofs.announce_answers(record);
    }
    Ok(())
}

fn stand_in(
    record: &IssuanceRecord,
    proofs: &Proofs,
    name: &DomainName,
) -> Result<AuthorizationRecord, AcmeError> {
    let text =
        |what: &str| URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{PREFIX}{what}\n{}\n{name}", record.id)));
    let one = AuthorizationRecord {
        http: proofs
            .answers_http(&record.request, name)
            .then(|| HttpAnswer { token: text("token"), answer: text("answer") }),
        dns: proofs.landmarks(&record.request, name).delegate().map(|_| text("value")),
        ..AuthorizationRecord::new(name.clone(), format!("{PREFIX}{name}"), ProofState::Open)
    };
    if one.http.is_some() || one.dns.is_some() {
        Ok(one)
    } else {
        Err(AcmeError::NoDurableProof(name.clone()))
    }
}

#[cfg(test)]
#[path = "rehearsal_tests.rs"]
mod tests;
