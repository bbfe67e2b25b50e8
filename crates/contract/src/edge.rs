use async_trait::async_trait;

use crate::{DomainName, PortResult};

/// Which certificate does the CDN present for a name?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeQuestion {
    /// The name that is asked for; for a wildcard, some name that it stands for.
    pub name: DomainName,
    /// The host name of the distribution: its addresses are asked, wherever the name itself leads.
    pub host: String,
}

/// What the CDN presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    /// A certificate.
    Certificate {
        /// SHA-256 over the DER form of the leaf, lower-case hexadecimal.
        fingerprint: String,
    },
    /// None; `saw` is a sentence: what came instead.
    Nothing {
        /// What came instead.
        saw: String,
    },
}

/// Looks at what visitors of the CDN get. Each look is bounded in time and changes nothing; whatever the world answers is a
/// [`Presented`]; an error means that no look could be taken at all: `GiveUp` for a question that cannot be asked.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait EdgeProbe: Send + Sync {
    /// Asks the CDN for the certificate of a name (TLS, SNI).
    async fn presented(&self, question: &EdgeQuestion) -> PortResult<Presented>;
}
