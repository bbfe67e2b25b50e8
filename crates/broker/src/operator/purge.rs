//! Instances that the platform does not know any more (`cf purge-service-instance`).

use contract::{
    CertificateState, DistributionId, InstanceId, InstanceState, LogEntry, Operation, OperationKind,
    OperationState, PortResult, VaultName,
};

use super::{Asked, Operator, is_running, unknown};

/// What became of wanting an instance forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forgotten {
    /// The store has forgotten it.
    Done(LeftBehind),
    /// A broker works on it at this moment: try again.
    Busy,
    /// It cannot be: a sentence that says why. Nothing was changed.
    Refused(String),
}

/// What stays in the cloud of an instance that was forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftBehind {
    /// Its distribution, which goes on to serve.
    pub distribution: Option<DistributionId>,
    /// The names of its certificates in the vault.
    pub certificates: Vec<VaultName>,
}

impl Operator {
    /// Deprovisions an instance, as its user would: a broker does it.
    ///
    /// Errors: the store's, here and below.
    pub async fn purge(&self, id: &InstanceId) -> PortResult<Asked> {
        let operation = self.ports.draft(id, OperationKind::Deprovision, None, self.ports.clock.now());
        if self.ports.operations.begin_deprovision(&operation).await? {
            return Ok(Asked::Begun(operation));
        }
        let Some((instance, latest)) = self.found(id).await? else { return Ok(unknown(id)) };
        match latest.filter(is_running).filter(|one| one.kind == OperationKind::Deprovision) {
            Some(running) => Ok(Asked::Underway(running)),
            None if instance.state == InstanceState::Gone => Ok(Asked::Refused(gone(id))),
            None => Ok(super::not_in(&instance)),
        }
    }

    /// Forgets an instance in the store, and leaves alone what it has in the cloud.
    pub async fn forget(&self, id: &InstanceId) -> PortResult<Forgotten> {
        let Some((instance, _)) = self.found(id).await? else {
            return Ok(Forgotten::Refused(format!("there is no service instance {id}")));
        };
        if instance.state == InstanceState::Gone {
            return Ok(Forgotten::Refused(gone(id)));
        }
        let known = self.ports.certificates.of_instance(id, instance.incarnation).await?;
        let now = self.ports.clock.now();
        let draft = self.ports.draft(id, OperationKind::Deprovision, None, now);
        let operation = Operation { state: OperationState::Succeeded, step: "forget".to_owned(), ..draft };
        if !self.operations.forget(&operation).await? {
            return Ok(Forgotten::Busy);
        }
        self.note(&operation).await?;
        for certificate in &known {
            // What is in the cloud stays; what the store has sealed goes.
            if let Err(error) = self.ports.issuer.abandon(&certificate.issuance).await {
                tracing::warn!(%error, issuance.id = %certificate.issuance, "an issuance was not cleared away");
            }
        }
        let kept = known.into_iter().filter(|one| {
            matches!(one.state, CertificateState::Stored | CertificateState::Live | CertificateState::Retired)
        });
        Ok(Forgotten::Done(LeftBehind {
            distribution: instance.distribution,
            certificates: kept.map(|one| one.vault_name).collect(),
        }))
    }

    async fn note(&self, operation: &Operation) -> PortResult<()> {
        let sentence = "forgotten by hand; what it has in the cloud was left alone";
        let entry = LogEntry {
            operation: operation.id.clone(),
            step: operation.step.clone(),
            outcome: "forgotten".to_owned(),
            sentence: sentence.to_owned(),
            request_id: None,
            at: operation.started_at,
        };
        self.ports.queue.log(&entry).await
    }
}

fn gone(id: &InstanceId) -> String {
    format!("instance {id} has been deleted: nothing of it is left to be purged")
}
