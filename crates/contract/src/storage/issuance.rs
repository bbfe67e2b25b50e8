use async_trait::async_trait;

use crate::{
    CertificateRequest, DomainName, IssuanceId, LastLook, PortResult, ProofState, Secret, Timestamp,
};

/// Everything acme-core knows about one issuance; enough to go on in another process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuanceRecord {
    /// Its id.
    pub id: IssuanceId,
    /// Counts the writes; a write must name the version it has read.
    pub version: i32,
    /// What is wanted.
    pub request: CertificateRequest,
    /// The directory URL of the authority that was asked.
    pub directory: String,
    /// The leaf key, PKCS#8 PEM, made before it is used. Sealed at rest.
    pub private_key: Option<Secret>,
    /// The certificate signing request for that key, DER (RFC 2986).
    pub csr: Option<Vec<u8>>,
    /// The order's URL, once placed (RFC 8555, section 7.4).
    pub order_url: Option<String>,
    /// When the order dies.
    pub order_expires: Option<Timestamp>,
    /// How many orders were placed, including those that died.
    pub orders_placed: i32,
    /// One per authorization of the order.
    pub authorizations: Vec<AuthorizationRecord>,
    /// The issued chain, leaf first, PEM.
    pub chain: Option<String>,
    /// When the issuance was opened.
    pub opened_at: Timestamp,
    /// Whether it was ended by its owner; key and chain are wiped then.
    pub abandoned: bool,
}

/// One authorization of an order (RFC 8555, section 7.1.4) and the one challenge chosen in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationRecord {
    /// The name of the request it is for, with its `*.` if it has one.
    pub name: DomainName,
    /// The authorization's URL.
    pub url: String,
    /// The challenge type, such as `dns-01`; `None` when the authorization was valid from the start.
    pub method: Option<String>,
    /// The value that proves control: for `dns-01` the TXT data.
    pub value: Option<String>,
    /// How far the proof is.
    pub state: ProofState,
    /// What was seen at the last look.
    pub last_look: Option<LastLook>,
}

/// Keeps issuances.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait IssuanceStore: Send + Sync {
    /// Stores a new issuance at version 0. Does nothing when the id is known.
    async fn insert(&self, record: &IssuanceRecord) -> PortResult<()>;

    /// The issuance; `None` when the id is unknown.
    async fn load(&self, id: &IssuanceId) -> PortResult<Option<IssuanceRecord>>;

    /// Writes the record, authorizations included, if nobody has written since `record.version` was read; the stored
    /// version is then one more. `false` when somebody has: nothing was changed.
    async fn save(&self, record: &IssuanceRecord) -> PortResult<bool>;
}
