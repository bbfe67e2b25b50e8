//! The words of the commands, the same in tables and in JSON.

use contract::{
    CertificateState, DomainName, InstanceState, OperationKind, OperationState, ProofMethod, ProofState,
    Timestamp,
};

const STATES: [InstanceState; 6] = [
    InstanceState::Provisioning,
    InstanceState::Ready,
    InstanceState::ProvisionFailed,
    InstanceState::Deprovisioning,
    InstanceState::DeprovisionFailed,
    InstanceState::Gone,
];

pub(super) fn state(state: InstanceState) -> &'static str {
    match state {
        InstanceState::Provisioning => "provisioning",
        InstanceState::Ready => "ready",
        InstanceState::ProvisionFailed => "provision-failed",
        InstanceState::Deprovisioning => "deprovisioning",
        InstanceState::DeprovisionFailed => "deprovision-failed",
        InstanceState::Gone => "gone",
    }
}

pub(super) fn parse_state(text: &str) -> Result<InstanceState, String> {
    let found = STATES.into_iter().find(|one| state(*one) == text);
    found.ok_or_else(|| format!("the states are {}", STATES.map(state).join(", ")))
}

pub(super) fn kind(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Provision => "provision",
        OperationKind::Update => "update",
        OperationKind::Renew => "renew",
        OperationKind::Recreate => "recreate",
        OperationKind::Deprovision => "deprovision",
    }
}

pub(super) fn outcome(state: OperationState) -> &'static str {
    match state {
        OperationState::Running => "running",
        OperationState::Succeeded => "succeeded",
        OperationState::Failed => "failed",
        OperationState::Cancelled => "cancelled",
    }
}

pub(super) fn certificate(state: CertificateState) -> &'static str {
    match state {
        CertificateState::Pending => "pending",
        CertificateState::Stored => "stored",
        CertificateState::Live => "live",
        CertificateState::Retired => "retired",
        CertificateState::Removed => "removed",
    }
}

pub(super) fn proof(state: ProofState) -> &'static str {
    match state {
        ProofState::Open => "open",
        ProofState::Answered => "answered",
        ProofState::Proven => "proven",
    }
}

pub(super) fn method(method: ProofMethod) -> &'static str {
    match method {
        ProofMethod::ManagedName => "managed-name",
        ProofMethod::Redirected => "redirected",
        ProofMethod::ThroughCdn => "through-cdn",
        ProofMethod::Delegated => "delegated",
        ProofMethod::Direct => "direct",
    }
}

/// RFC 3339, to the second.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    let minute = at.to_string();
    let minute = minute.trim_end_matches(" UTC").replace(' ', "T");
    format!("{minute}:{:02}Z", at.as_secs().rem_euclid(60))
}

/// The time of day, to the second.
pub(super) fn clock_time(at: Timestamp) -> String {
    let text = rfc3339(at);
    text.split_once('T').map_or(text.as_str(), |(_, time)| time.trim_end_matches('Z')).to_owned()
}

pub(super) fn comma_separated(names: &[DomainName]) -> String {
    names.iter().map(DomainName::as_str).collect::<Vec<_>>().join(", ")
}

/// Columns of words, two spaces apart; the last one is as wide as it is.
pub(crate) fn columns<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
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
    }

    #[test]
    fn moments_are_written_for_programs_and_for_people() {
        let at = Timestamp::from_millis(1_795_456_867_999);
        assert_eq!(rfc3339(at), "2026-11-23T18:01:07Z");
        assert_eq!(clock_time(at), "18:01:07");
    }

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [["a", "bbb", "c"], ["aaaa", "b", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(columns(&rows), ["a     bbb  c", "aaaa  b"]);
    }
}
