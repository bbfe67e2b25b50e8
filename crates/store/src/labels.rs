use contract::{
    CertificateState, DispatchState, DomainState, InstanceState, OperationKind, OperationState, ProofMethod,
    ProofState, Side, Track,
};

/// An enumeration kept as text. The words are part of the database's format (its CHECK constraints list them): a
/// word never changes its meaning.
pub(crate) trait Label: Copy + Sized + 'static {
    /// The word in the database.
    fn label(self) -> &'static str;

    /// The value for a word; `None` for a word that no version has written.
    fn parse(text: &str) -> Option<Self>;
}

macro_rules! labels {
    ($($type:ident { $($variant:ident = $word:literal),+ $(,)? })+) => {
        $(impl Label for $type {
            fn label(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            fn parse(text: &str) -> Option<Self> {
                match text { $($word => Some(Self::$variant),)+ _ => None }
            }
        })+

        #[cfg(test)]
        mod tests {
            use super::*;

            #[test]
            fn every_word_reads_back_as_its_value() {
                $($(assert_eq!($type::parse($type::$variant.label()), Some($type::$variant));)+)+
                $(assert_eq!($type::parse("anything else"), None);)+
            }
        }
    };
}

labels! {
    InstanceState {
        Provisioning = "provisioning",
        Ready = "ready",
        ProvisionFailed = "provision_failed",
        Deprovisioning = "deprovisioning",
        DeprovisionFailed = "deprovision_failed",
        Gone = "gone",
    }
    Track { User = "user", Renewal = "renewal" }
    OperationKind { Provision = "provision", Update = "update", Renew = "renew", Deprovision = "deprovision", Recreate = "recreate" }
    OperationState { Running = "running", Succeeded = "succeeded", Failed = "failed", Cancelled = "cancelled" }
    CertificateState {
        Pending = "pending",
        Stored = "stored",
        Live = "live",
        Retired = "retired",
        Removed = "removed",
    }
    ProofMethod {
        ManagedName = "managed_name",
        Redirected = "redirected",
        ThroughCdn = "through_cdn",
        Delegated = "delegated",
        Direct = "direct",
    }
    DispatchState { Waiting = "waiting", Delivered = "delivered", GivenUp = "given_up" }
    Side { Us = "us", Authority = "authority", Aws = "aws", Dns = "dns", Tenant = "tenant" }
    DomainState { Proven = "proven", Lapsed = "lapsed" }
    ProofState { Open = "open", Answered = "answered", Proven = "proven" }
}
