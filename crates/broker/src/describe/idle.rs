//! What `cf update-service NAME -c '{}'` answers about an instance on which nothing of the user's runs.

use contract::{
    CertificateFacts, DomainInstructions, DomainName, Instance, Operation, OperationKind, OperationState,
    Timestamp,
};

use super::proofs::Proofs;
use super::words::{list, some};

/// Everything that the state of an idle instance depends on.
pub(crate) struct Idle<'a> {
    pub(crate) instance: &'a Instance,
    /// The names that are served now.
    pub(crate) served: &'a [DomainName],
    /// What the served certificate says.
    pub(crate) certificate: Option<&'a CertificateFacts>,
    /// The names that were given up because they could not be proven any more.
    pub(crate) lapsed: &'a [DomainName],
    /// When the certificate is to be renewed, once a moment has been chosen.
    pub(crate) renewal: Option<Timestamp>,
    /// What a renewal that runs wants of the user.
    pub(crate) instructions: &'a [DomainInstructions],
    /// The latest operation of the user's.
    pub(crate) latest: Option<&'a Operation>,
}

impl Idle<'_> {
    pub(crate) fn text(&self) -> String {
        let mut lines = vec![format!(
            "The CDN serves {} over HTTPS, with content from {}.",
            list(self.served),
            self.instance.settings.origin.domain
        )];
        lines.extend(self.lapsed());
        lines.extend(self.certificate());
        lines.extend(self.proofs());
        lines.extend(self.failed_update());
        lines.extend(self.target());
        lines.join("\n")
    }

    fn lapsed(&self) -> Option<String> {
        (!self.lapsed.is_empty()).then(|| {
            format!(
                "Not served any more: {}. Control could not be proven when the certificate had to be renewed. Name all \
                 domains in an update to bring them back.",
                some(self.lapsed)
            )
        })
    }

    fn certificate(&self) -> Option<String> {
        let facts = self.certificate?;
        let renewal = match (self.instructions.is_empty(), self.renewal) {
            (false, _) => "it is being renewed".to_owned(),
            (true, Some(at)) => format!("it is renewed by itself, next on {at}"),
            (true, None) => "it is renewed by itself".to_owned(),
        };
        Some(format!("The certificate is good until {}; {renewal}.", facts.not_after))
    }

    fn proofs(&self) -> Vec<String> {
        let proofs = Proofs { tenant: &self.instance.request.organization, instructions: self.instructions };
        if proofs.open() == 0 {
            return Vec::new();
        }
        let mut lines = vec![proofs.head("The renewal needs you to prove control of")];
        lines.extend(proofs.lines());
        let end = self.certificate.map_or(String::new(), |facts| {
            format!(" A domain that is not proven shortly before {} is not served any more.", facts.not_after)
        });
        lines.push(format!("The broker looks now, and then again by itself.{end}"));
        lines
    }

    fn failed_update(&self) -> Option<String> {
        let is_update = |latest: &&Operation| latest.kind == OperationKind::Update;
        let latest = self.latest.filter(|latest| latest.state == OperationState::Failed).filter(is_update)?;
        let cause = latest.sentence.as_deref().unwrap_or("The operators have been told.");
        Some(format!("The latest update, of {}, has failed and changed nothing. {cause}", latest.started_at))
    }

    fn target(&self) -> Option<String> {
        let target = self.instance.distribution_domain.as_deref()?;
        Some(format!(
            "Point {} to {target} with a CNAME or ALIAS record, if that is not done yet.",
            list(self.served)
        ))
    }
}
