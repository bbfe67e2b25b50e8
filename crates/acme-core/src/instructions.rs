use contract::{
    AuthorizationRecord, DomainInstructions, DomainName, IssuanceRecord, ProofRecord, ProofState, ProofWay,
    TxtQuestion,
};

const TTL: u32 = 60;

/// Where the proof for a domain is looked for (RFC 8555, section 8.4): the same place with and without `*.`.
pub(crate) fn challenge_name(name: &DomainName) -> String {
    format!("_acme-challenge.{}.", name.base())
}

/// What has to be seen before the challenge of an open authorization is answered.
pub(crate) fn question(authorization: &AuthorizationRecord) -> Option<TxtQuestion> {
    let value = authorization.dns.clone().filter(|_| authorization.state == ProofState::Open)?;
    Some(TxtQuestion { name: challenge_name(&authorization.name), value })
}

/// What the user has to do, from the record alone, in the order of the request.
pub(crate) fn instructions(record: &IssuanceRecord) -> Vec<DomainInstructions> {
    let of = |name| record.authorizations.iter().find(move |one| &one.name == name);
    record.request.names.iter().filter_map(of).map(|one| instruction(one, record)).collect()
}

fn instruction(one: &AuthorizationRecord, record: &IssuanceRecord) -> DomainInstructions {
    let proof = one.dns.clone().filter(|_| one.state != ProofState::Proven).map(|value| ProofRecord {
        name: challenge_name(&one.name),
        kind: "TXT".to_owned(),
        value,
        ttl: TTL,
    });
    DomainInstructions {
        name: one.name.clone(),
        state: one.state,
        expires: record.order_expires.filter(|_| proof.is_some()),
        ways: proof.into_iter().map(ProofWay::Direct).collect(),
        proven_by: one.method,
        next_look: one.next_look,
        last_look: one.last_look.clone(),
    }
}
