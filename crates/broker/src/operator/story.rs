use contract::{
    CertificateRecord, CertificateState, DomainInstructions, DomainRecord, Instance, InstanceId, LogEntry,
    Operation, OperationState, PortResult, RenewalPlan, SiteFinding, Timestamp,
};

use super::Operator;
use super::plot::last_errors;
use crate::describe::Outlook;
use crate::workflow::facts;

/// How many operations a story tells of.
const OPERATIONS: u32 = 10;
/// How many lines of history.
const LINES: usize = 15;

/// All that is known about one instance.
#[derive(Clone, Debug)]
pub struct Story {
    /// When it was told.
    pub at: Timestamp,
    /// The instance, and what was asked.
    pub instance: Instance,
    /// Its operations on both tracks, the newest first; the last ten.
    pub operations: Vec<Operation>,
    /// The certificates of its incarnation, the oldest first.
    pub certificates: Vec<CertificateRecord>,
    /// The names it has proven, and those that have lapsed.
    pub domains: Vec<DomainRecord>,
    /// How each name of the certificate that is being obtained stands, or of the one that is served.
    pub proofs: Vec<DomainInstructions>,
    /// When the certificate is to be renewed.
    pub renewal: Option<RenewalPlan>,
    /// The latest lines of the history of all its operations, the oldest first.
    pub log: Vec<LogEntry>,
    /// The last errors of its operations, the oldest first.
    pub errors: Vec<LogEntry>,
    /// Until when a broker has it, while one is at work on it.
    pub leased_until: Option<Timestamp>,
    /// What the last look at its names has found wrong.
    pub findings: Vec<SiteFinding>,
    /// Where it stands, what it waits for, and what happens next and when: one sentence each.
    pub outlook: Vec<String>,
}

impl Operator {
    /// The whole story of an instance; `None` when there never was one of this id.
    ///
    /// Errors: the store's.
    pub async fn story(&self, id: &InstanceId) -> PortResult<Option<Story>> {
        let Some(instance) = self.ports.instances.find(id).await? else { return Ok(None) };
        let operations = self.operations.of_instance(id, OPERATIONS).await?;
        let certificates = self.ports.certificates.of_instance(id, instance.incarnation).await?;
        let renewal = self.ports.renewals.of_instance(id).await?;
        let at = self.ports.clock.now();
        let proofs = self.proofs(&operations, &certificates).await?;
        let findings = self.ports.troubles.findings(id).await?;
        let outlook = Outlook {
            proofs: &proofs,
            instance: &instance,
            operations: &operations,
            live: facts::live(&certificates),
            renewal: renewal.as_ref(),
            pace: &self.pace,
            now: at,
        };
        let (log, errors) = self.latest_lines(&operations).await?;
        Ok(Some(Story {
            at,
            findings,
            outlook: outlook.sentences(),
            proofs,
            leased_until: self.operations.leased_until(id).await?,
            errors,
            log,
            domains: self.ports.domains.of_instance(id).await?,
            instance,
            operations,
            certificates,
            renewal,
        }))
    }

    async fn proofs(
        &self,
        operations: &[Operation],
        certificates: &[CertificateRecord],
    ) -> PortResult<Vec<DomainInstructions>> {
        let runs = operations.iter().any(|one| one.state == OperationState::Running);
        let pending = certificates.iter().rfind(|one| one.state == CertificateState::Pending);
        match pending.filter(|_| runs).or_else(|| facts::live(certificates)).or(pending) {
            Some(certificate) => self.ports.issuer.instructions(&certificate.issuance).await,
            None => Ok(Vec::new()),
        }
    }

    /// The latest lines of history, and the latest of them that tell of an error, which may be older.
    async fn latest_lines(&self, operations: &[Operation]) -> PortResult<(Vec<LogEntry>, Vec<LogEntry>)> {
        let mut lines = Vec::new();
        for operation in operations {
            lines.extend(self.ports.operations.history(&operation.id).await?);
        }
        lines.sort_by_key(|line| line.at);
        let errors = last_errors(&lines).into_iter().cloned().collect();
        let first = lines.len().saturating_sub(LINES);
        Ok((lines.split_off(first), errors))
    }
}
