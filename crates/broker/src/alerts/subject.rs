//! What incidents are about, in the words that are stored, and read back by those who see to their end.

use contract::{InstanceId, OperationId, VaultName};

/// What an incident is about, as far as this crate raises it and nobody says when it is over.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// An operation that needs the operator, or has failed.
    Operation(OperationId, InstanceId),
    /// A certificate that is late to be renewed.
    Certificate(InstanceId),
    /// Names that a renewal goes on without.
    Names(InstanceId),
    /// A certificate that the vault does not let go of.
    Removal(VaultName),
}

/// What differs between the store and the world.
pub(crate) const RECONCILIATION: &str = "reconciliation";

pub(crate) fn operation(id: &OperationId, instance: &InstanceId) -> String {
    format!("operation {id} of instance {instance}")
}

pub(crate) fn certificate(instance: &InstanceId) -> String {
    format!("certificate of instance {instance}")
}

pub(crate) fn names(instance: &InstanceId) -> String {
    format!("names of instance {instance}")
}

pub(crate) fn removal(name: &VaultName) -> String {
    format!("certificate {name}")
}

pub(crate) fn breaker(scope: &str) -> String {
    format!("breaker {scope}")
}

/// The operation and the instance that a subject is about, for the log.
pub(super) fn ids(text: &str) -> (Option<OperationId>, Option<InstanceId>) {
    match Subject::read(text) {
        Some(Subject::Operation(operation, instance)) => (Some(operation), Some(instance)),
        Some(Subject::Certificate(instance) | Subject::Names(instance)) => (None, Some(instance)),
        Some(Subject::Removal(_)) | None => (None, None),
    }
}

impl Subject {
    /// `None` for what somebody else sees to.
    pub(super) fn read(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix("operation ") {
            let (id, instance) = rest.split_once(" of instance ")?;
            return Some(Self::Operation(OperationId::new(id), InstanceId::new(instance)));
        }
        if let Some(instance) = text.strip_prefix("certificate of instance ") {
            return Some(Self::Certificate(InstanceId::new(instance)));
        }
        if let Some(instance) = text.strip_prefix("names of instance ") {
            return Some(Self::Names(InstanceId::new(instance)));
        }
        Some(Self::Removal(VaultName::new(text.strip_prefix("certificate ")?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let (id, instance) = (OperationId::new("o-1"), InstanceId::new("i-1"));
        let name = VaultName::new("cdn-i-1");
        let read = |text: String| Subject::read(&text);
        let expected = Subject::Operation(id.clone(), instance.clone());
        assert_eq!(read(operation(&id, &instance)), Some(expected));
        assert_eq!(read(certificate(&instance)), Some(Subject::Certificate(instance.clone())));
        assert_eq!(read(names(&instance)), Some(Subject::Names(instance)));
        assert_eq!(read(removal(&name)), Some(Subject::Removal(name)));
        for other in [breaker("cdn/create"), RECONCILIATION.to_owned(), "check expiry".to_owned()] {
            assert_eq!(read(other), None);
        }
    }
}
