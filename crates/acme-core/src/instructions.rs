use contract::{AuthorizationRecord, DomainInstructions, IssuanceRecord, ProofState, ProofWay};

use crate::orders;
use crate::proofs::{Proofs, ways};

/// What the user has to do, from the record and the operator's settings alone, in the order of the request. Nothing while
/// others are at work with the same proofs.
pub(crate) fn instructions(record: &IssuanceRecord, proofs: &Proofs) -> Vec<DomainInstructions> {
    if orders::is_held(record) {
        return Vec::new();
    }
    let of = |name| record.authorizations.iter().find(move |one| &one.name == name);
    record.request.names.iter().filter_map(of).map(|one| instruction(one, record, proofs)).collect()
}

fn instruction(one: &AuthorizationRecord, record: &IssuanceRecord, proofs: &Proofs) -> DomainInstructions {
    let ways = ways(proofs, record, one);
    let dies = ways.iter().any(|way| matches!(way, ProofWay::Direct(_)));
    DomainInstructions {
        name: one.name.clone(),
        state: one.state,
        ways,
        proven_by: one.method,
        expires: record.order_expires.filter(|_| dies),
        last_look: one.last_look.clone(),
        next_look: one.next_look.filter(|_| one.state == ProofState::Open),
    }
}
