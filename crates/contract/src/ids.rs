use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps an id that is already known to be well formed.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// The platform's id of a service instance (OSB 2.17: `instance_id`), 1 to 255 unreserved characters.
    InstanceId
}
text_id! {
    /// The broker's id of one operation on an instance; also the `operation` string of OSB (R109).
    OperationId
}
text_id! {
    /// The id of one intent to obtain a certificate. One issuance finalizes at most one order.
    IssuanceId
}
text_id! {
    /// A caller's name for a distribution, unique for ever in the AWS account (`CallerReference`).
    Reference
}
text_id! {
    /// CloudFront's id of a distribution, such as `E2QWRUHAPOMQZL`.
    DistributionId
}
text_id! {
    /// The name under which a certificate is kept in the vault, unique in it (IAM: `ServerCertificateName`).
    VaultName
}
text_id! {
    /// What a CDN needs in order to use a stored certificate: an IAM server certificate id today. Opaque to
    /// everybody but the vault and the CDN of the same provider.
    StoredCertificate
}
text_id! {
    /// The broker's id of something that the operator was told of.
    IncidentId
}
text_id! {
    /// Where a list goes on. Opaque to everybody but the one who gave it, and of use for a short time only.
    PageToken
}
text_id! {
    /// Proof that its bearer holds the lease of an instance. Never used twice.
    LeaseToken
}
