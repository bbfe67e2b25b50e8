use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{DomainName, IssuanceId, PortResult, Secret, Timestamp};

/// The kind of key a certificate is made for. CloudFront takes no others from the IAM store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyType {
    /// RSA with 2048 bits: the type with years of practice in the IAM store.
    #[default]
    Rsa2048,
    /// ECDSA on the curve P-256.
    P256,
}

/// What a certificate is wanted for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateRequest {
    /// The names, in the order in which the user gave them, without repetition; never empty.
    pub names: Vec<DomainName>,
    /// The kind of key.
    pub key_type: KeyType,
}

/// What can be read off a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// The serial number, lower-case hexadecimal without separators.
    pub serial: String,
    /// SHA-256 over the DER form of the leaf, lower-case hexadecimal.
    pub fingerprint: String,
    /// Start of validity.
    pub not_before: Timestamp,
    /// End of validity.
    pub not_after: Timestamp,
    /// The DNS names of the subject alternative name extension.
    pub names: Vec<DomainName>,
}

/// A certificate with everything that is needed to serve it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateBundle {
    /// The leaf, PEM.
    pub leaf_pem: String,
    /// The intermediates from the leaf's issuer upwards, PEM, without the root; may be empty.
    pub chain_pem: String,
    /// The private key of the leaf, PKCS#8 PEM.
    pub private_key_pem: Secret,
    /// What the leaf says.
    pub facts: CertificateFacts,
}

/// How far an issuance has come after one unit of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuanceProgress {
    /// There is more to do, not before `again` has passed (zero: at once).
    Working {
        /// How long to leave the issuance alone.
        again: Duration,
    },
    /// The user has something to do first; [`CertificateIssuer::instructions`] says what.
    AwaitingProof {
        /// How long until it makes sense to look again.
        look_again: Duration,
    },
    /// The certificate is here. Asking again gives the same one.
    Issued(CertificateBundle),
}

/// Whether control over a name has been proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProofState {
    /// The user has still to act.
    Open,
    /// The proof has been seen by us and the authority has been asked to look.
    Answered,
    /// The authority is satisfied.
    Proven,
}

/// A DNS record that the user is asked to set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofRecord {
    /// The owner name, absolute, with its trailing dot.
    pub name: String,
    /// The record type, `TXT`.
    pub kind: String,
    /// The record data.
    pub value: String,
    /// The time to live to recommend, in seconds.
    pub ttl: u32,
}

/// What was seen when somebody last looked for a proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastLook {
    /// When.
    pub at: Timestamp,
    /// A sentence for the user: what the world answers now.
    pub saw: String,
}

/// What the user has to do for one domain, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainInstructions {
    /// The domain in question.
    pub name: DomainName,
    /// Whether anything is left to do.
    pub state: ProofState,
    /// The record to set; `None` when nothing can or need be set any more.
    pub record: Option<ProofRecord>,
    /// Until when the record is of use; afterwards fresh instructions follow.
    pub expires: Option<Timestamp>,
    /// What was seen at the last look.
    pub last_look: Option<LastLook>,
}

/// Somebody who issues certificates: an ACME authority behind acme-core today.
///
/// Every call is one bounded unit of work: nothing sleeps, nothing waits for the user. The state of an issuance is
/// kept by the issuer, so that any process may make the next call.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait CertificateIssuer: Send + Sync {
    /// Begins an issuance. Afterwards `id` is known for ever; nothing has been asked of the authority yet. Called
    /// again with the same `id`, it changes nothing, whatever the request says.
    ///
    /// Errors: the store's.
    async fn open(&self, id: &IssuanceId, request: &CertificateRequest) -> PortResult<()>;

    /// Does the next unit of work. A second call after a lost answer goes on where the first one stopped; an issued
    /// certificate is handed out again without asking the authority.
    ///
    /// Errors: `Retry` (network, rate limit, the authority's internal errors), `AwaitOperator` (the account is
    /// unknown or may not issue), `GiveUp` (the authority will never issue for these names, or the issuance is
    /// unknown or abandoned).
    async fn advance(&self, id: &IssuanceId) -> PortResult<IssuanceProgress>;

    /// What the user has to do, in the order of the request. Only reads the store; empty before the order exists
    /// and for an unknown issuance.
    async fn instructions(&self, id: &IssuanceId) -> PortResult<Vec<DomainInstructions>>;

    /// Ends an issuance: its private key and chain are wiped, and pending authorizations are given back where the
    /// authority allows it (best effort). Called again, or for an unknown id, it does nothing.
    async fn abandon(&self, id: &IssuanceId) -> PortResult<()>;
}
