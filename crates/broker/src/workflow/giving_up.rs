//! Issuances that come to nothing.

use contract::{CertificateRecord, CertificateState, OperationKind, PortError, PortResult, Remedy};

use super::Run;

impl Run<'_> {
    /// A renewal or an update whose issuance the authority refuses for good leaves it behind, so that the next one begins
    /// afresh: its cause may be removed by then. A provision is not tried again; its instance is deleted.
    pub(super) async fn give_up_if_hopeless(
        &self,
        error: &PortError,
        certificate: CertificateRecord,
    ) -> PortResult<()> {
        let is_hopeless = matches!(error.remedy(), Remedy::GiveUp | Remedy::StartOver);
        if is_hopeless && self.operation.kind != OperationKind::Provision {
            self.set_aside(certificate).await?;
        }
        Ok(())
    }

    /// Leaves an issuance behind: what works on the same names next begins another one.
    pub(super) async fn set_aside(&self, certificate: CertificateRecord) -> PortResult<()> {
        self.ports.issuer.abandon(&certificate.issuance).await?;
        let retired = CertificateRecord { state: CertificateState::Retired, ..certificate };
        self.ports.certificates.put(&retired).await
    }
}
