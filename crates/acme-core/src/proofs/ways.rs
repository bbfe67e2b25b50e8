use contract::{AuthorizationRecord, DomainName, IssuanceRecord, ProofRecord, ProofState, ProofWay};

use super::{Landmarks, Proofs};

/// How long resolvers may remember a record, in seconds: long enough to be of use, short enough to be changed.
const TTL: u32 = 60;

/// Where the DNS proof for a domain is looked for (RFC 8555, section 8.4): the same place with and without `*.`.
pub(crate) fn challenge_name(name: &DomainName) -> String {
    format!("_acme-challenge.{}.", name.base())
}

/// What a user can do about an authorization, the least work for the longest time first.
pub(crate) fn ways(proofs: &Proofs, record: &IssuanceRecord, one: &AuthorizationRecord) -> Vec<ProofWay> {
    if one.state == ProofState::Proven {
        return Vec::new();
    }
    // Between two orders nobody knows what the next one will offer; durable records may be set up meanwhile.
    let nothing_known = one.http.is_none() && one.dns.is_none();
    let (name, landmarks) = (&one.name, proofs.landmarks(&record.request, &one.name));
    let mut ways = Vec::new();
    if !name.is_wildcard() && (one.http.is_some() || nothing_known) {
        ways.extend(proofs.is_served(&record.request, name).then_some(ProofWay::ThroughCdn));
        ways.extend(landmarks.managed_name().map(|to| ProofWay::ManagedName(cname(format!("{name}."), &to))));
        let from = format!("http://{name}/.well-known/acme-challenge/");
        ways.extend(landmarks.redirect().map(|to| ProofWay::Redirected { from, to }));
    }
    if one.dns.is_some() || nothing_known {
        ways.extend(delegation(&landmarks, name).map(ProofWay::Delegated));
    }
    let direct = one.dns.clone().filter(|_| !proofs.durable_only);
    ways.extend(direct.map(|value| {
        ProofWay::Direct(ProofRecord { name: challenge_name(name), kind: "TXT".into(), value, ttl: TTL })
    }));
    ways
}

/// The record that delegates the DNS proof for a name to us, once and for ever.
pub(crate) fn delegation(landmarks: &Landmarks, name: &DomainName) -> Option<ProofRecord> {
    landmarks.delegate().map(|to| cname(challenge_name(name), &to))
}

fn cname(from: String, to: &str) -> ProofRecord {
    ProofRecord { name: from, kind: "CNAME".into(), value: format!("{to}."), ttl: TTL }
}

#[cfg(test)]
#[path = "ways_tests.rs"]
mod tests;
