use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::{CertificateFacts, PortResult};

/// A request to whoever answers for a host name, under that name or under another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitQuestion {
    /// The host name whose addresses are connected to.
    pub at: String,
    /// The host that is asked for: what the header `Host` says, and the server name of TLS.
    pub host: String,
    /// The path, with a leading slash, and the query if there is one.
    pub path: String,
    /// Whether it is asked over TLS. Whatever certificate is presented is taken, and told.
    pub secure: bool,
}

/// What came back. A redirect is an answer like any other: it is not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitAnswer {
    /// The status of HTTP.
    pub status: u16,
    /// The headers, by their names in lower case; what is no text is left out.
    pub headers: BTreeMap<String, String>,
    /// The beginning of the body: 64 KiB at most.
    pub body: Vec<u8>,
    /// What the certificate says that was presented; `None` without TLS, and when it cannot be read.
    pub certificate: Option<CertificateFacts>,
}

/// Asks the servers of the world as a visitor would.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Visitor: Send + Sync {
    /// Sends one request, bounded in time. Nothing is remembered between two calls.
    ///
    /// Errors: `Retry` when there is no answer (no address, no connection, no TLS, no HTTP); `GiveUp` for a question that
    /// cannot be asked.
    async fn ask(&self, question: &VisitQuestion) -> PortResult<VisitAnswer>;
}
