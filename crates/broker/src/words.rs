//! The words of commands and pages, the same in tables and in JSON.

use contract::{
    CertificateState, InstanceState, OperationKind, OperationState, ProofMethod, ProofState, Timestamp,
};

use crate::{WAITING, Waiting};

/// All stages of life, in the order in which they come.
pub const STATES: [InstanceState; 6] = [
    InstanceState::Provisioning,
    InstanceState::Ready,
    InstanceState::ProvisionFailed,
    InstanceState::Deprovisioning,
    InstanceState::DeprovisionFailed,
    InstanceState::Gone,
];

/// The stage of life of an instance in a word.
pub fn state(state: InstanceState) -> &'static str {
    match state {
        InstanceState::Provisioning => "provisioning",
        InstanceState::Ready => "ready",
        InstanceState::ProvisionFailed => "provision-failed",
        InstanceState::Deprovisioning => "deprovisioning",
        InstanceState::DeprovisionFailed => "deprovision-failed",
        InstanceState::Gone => "gone",
    }
}

/// The stage of life for a word.
///
/// Errors: a sentence with the words that there are.
pub fn parse_state(text: &str) -> Result<InstanceState, String> {
    let found = STATES.into_iter().find(|one| state(*one) == text);
    found.ok_or_else(|| format!("the states are {}", STATES.map(state).join(", ")))
}

/// All that an operation can do.
pub const KINDS: [OperationKind; 5] = [
    OperationKind::Provision,
    OperationKind::Update,
    OperationKind::Renew,
    OperationKind::Recreate,
    OperationKind::Deprovision,
];

/// All the ways in which an operation can stand.
pub const OUTCOMES: [OperationState; 4] =
    [OperationState::Running, OperationState::Succeeded, OperationState::Failed, OperationState::Cancelled];

/// What an operation does, for a word.
///
/// Errors: a sentence with the words that there are.
pub fn parse_kind(text: &str) -> Result<OperationKind, String> {
    let found = KINDS.into_iter().find(|one| kind(*one) == text);
    found.ok_or_else(|| format!("the kinds are {}", KINDS.map(kind).join(", ")))
}

/// How an operation stands, for a word.
///
/// Errors: a sentence with the words that there are.
pub fn parse_outcome(text: &str) -> Result<OperationState, String> {
    let found = OUTCOMES.into_iter().find(|one| outcome(*one) == text);
    found.ok_or_else(|| format!("the states are {}", OUTCOMES.map(outcome).join(", ")))
}

/// For whom an operation waits, for a word.
///
/// Errors: a sentence with the words that there are.
pub fn parse_waiting(text: &str) -> Result<Waiting, String> {
    let found = WAITING.into_iter().find(|one| one.word() == text);
    found.ok_or_else(|| format!("what operations wait for is {}", WAITING.map(Waiting::word).join(", ")))
}

/// What an operation does, in a word.
pub fn kind(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Provision => "provision",
        OperationKind::Update => "update",
        OperationKind::Renew => "renew",
        OperationKind::Recreate => "recreate",
        OperationKind::Deprovision => "deprovision",
    }
}

/// How an operation stands, in a word.
pub fn outcome(state: OperationState) -> &'static str {
    match state {
        OperationState::Running => "running",
        OperationState::Succeeded => "succeeded",
        OperationState::Failed => "failed",
        OperationState::Cancelled => "cancelled",
    }
}

/// All stages of life of a certificate.
pub const CERTIFICATES: [CertificateState; 5] = [
    CertificateState::Pending,
    CertificateState::Stored,
    CertificateState::Live,
    CertificateState::Retired,
    CertificateState::Removed,
];

/// The stage of life of a certificate for a word.
///
/// Errors: a sentence with the words that there are.
pub fn parse_certificate(text: &str) -> Result<CertificateState, String> {
    let found = CERTIFICATES.into_iter().find(|one| certificate(*one) == text);
    found.ok_or_else(|| format!("the states are {}", CERTIFICATES.map(certificate).join(", ")))
}

/// The stage of life of a certificate in a word.
pub fn certificate(state: CertificateState) -> &'static str {
    match state {
        CertificateState::Pending => "pending",
        CertificateState::Stored => "stored",
        CertificateState::Live => "live",
        CertificateState::Retired => "retired",
        CertificateState::Removed => "removed",
    }
}

/// How far a proof is, in a word.
pub fn proof(state: ProofState) -> &'static str {
    match state {
        ProofState::Open => "open",
        ProofState::Answered => "answered",
        ProofState::Proven => "proven",
    }
}

/// How control is proven, in a word or two.
pub fn method(method: ProofMethod) -> &'static str {
    match method {
        ProofMethod::ManagedName => "managed-name",
        ProofMethod::Redirected => "redirected",
        ProofMethod::ThroughCdn => "through-cdn",
        ProofMethod::Delegated => "delegated",
        ProofMethod::Direct => "direct",
    }
}

/// RFC 3339, to the second.
pub fn rfc3339(at: Timestamp) -> String {
    let minute = at.to_string();
    let minute = minute.trim_end_matches(" UTC").replace(' ', "T");
    format!("{minute}:{:02}Z", at.as_secs().rem_euclid(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_reads_back() {
        for one in STATES {
            assert_eq!(parse_state(state(one)), Ok(one));
        }
        assert!(parse_state("failed").unwrap_err().contains("provision-failed"));
        for one in KINDS {
            assert_eq!(parse_kind(kind(one)), Ok(one));
        }
        assert!(parse_kind("delete").unwrap_err().contains("deprovision"));
        for one in OUTCOMES {
            assert_eq!(parse_outcome(outcome(one)), Ok(one));
        }
        assert!(parse_outcome("done").unwrap_err().contains("succeeded"));
        for one in CERTIFICATES {
            assert_eq!(parse_certificate(certificate(one)), Ok(one));
        }
        assert!(parse_certificate("lost").unwrap_err().contains("retired"));
        for one in WAITING {
            assert_eq!(parse_waiting(one.word()), Ok(one));
        }
        assert!(parse_waiting("nobody").unwrap_err().contains("operator"));
    }

    #[test]
    fn moments_are_written_for_programs() {
        assert_eq!(rfc3339(Timestamp::from_millis(1_795_456_867_999)), "2026-11-23T18:01:07Z");
    }
}
