//! What a distribution needs that an earlier broker has made, before anything can be proven through it.

use contract::{OperationKind, PortResult, Serving};

use super::Run;
use crate::names;

impl Run<'_> {
    /// Tells a distribution that was adopted where this broker puts its answers, and nothing that visitors could see: names,
    /// certificate, origin and behaviour stay. One that this broker has made is not even looked at, and one that has its shape
    /// already is left alone.
    pub(super) async fn take_over(&self) -> PortResult<()> {
        let is_own = names::is_distribution_of(&self.instance.reference, self.instance);
        let may_be_adopted = matches!(self.operation.kind, OperationKind::Renew | OperationKind::Update);
        if is_own || !may_be_adopted {
            return Ok(());
        }
        let seen = self.distribution().await?;
        let serving = seen.certificate.clone().filter(|_| !seen.names.is_empty());
        let serving = serving.map(|certificate| Serving { names: seen.names.clone(), certificate });
        // An update that adds names has told the CDN nothing yet: its settings come with its certificate.
        let spec = match &self.operation.change {
            Some(_) => self.present_spec(serving),
            None => self.spec(serving),
        };
        self.ports.cdn.apply(&seen.id, &spec).await.map(drop)
    }
}
