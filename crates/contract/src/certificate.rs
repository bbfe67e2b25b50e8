use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    DomainInstructions, DomainName, InstanceId, IssuanceId, IssuanceRecord, Outlook, PortResult, Secret,
    Timestamp,
};

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
    /// Who asks. Durable proofs are bound to it: what was set up for one tenant proves nothing for another. The
    /// organization, on a platform that has some.
    #[serde(default)]
    pub tenant: String,
    /// Whose folder of the challenge site HTTP-01 answers go to.
    #[serde(default = "nobody")]
    pub site: InstanceId,
    /// Those of the names that are served from that folder's own distribution now, so that an HTTP-01 answer put
    /// there can be seen by the world.
    #[serde(default)]
    pub served: Vec<DomainName>,
    /// Those of the names that another service has had before this one, and for which its records stay good: the DNS-01
    /// challenge may be delegated to `_acme-challenge.NAME.ZONE`, too, which says nothing of a tenant.
    #[serde(default)]
    pub inherited: Vec<DomainName>,
    /// Which certificate this one is to replace: its [`CertificateFacts::renewal_id`]. Also says that this is a
    /// renewal, which goes before first issuances where the authority's limits make things scarce.
    #[serde(default)]
    pub replaces: Option<String>,
    /// When what it is to replace runs out. No wait that the authority asks for is obeyed beyond half of the time that
    /// is left until then.
    #[serde(default)]
    pub needed_by: Option<Timestamp>,
}

fn nobody() -> InstanceId {
    InstanceId::new("")
}

impl CertificateRequest {
    /// A first certificate for these names, asked for by nobody in particular.
    pub fn new(names: Vec<DomainName>, key_type: KeyType) -> Self {
        Self {
            names,
            key_type,
            tenant: String::new(),
            site: nobody(),
            served: Vec::new(),
            inherited: Vec::new(),
            replaces: None,
            needed_by: None,
        }
    }
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
    /// The authority that the certificate names as its issuer, for people to read; `None` when it names none.
    #[serde(default)]
    pub issuer: Option<String>,
    /// How the issuer calls this certificate when it is asked about its renewal (RFC 9773, section 4.1: `CertID`);
    /// `None` when the certificate does not say enough for that.
    #[serde(default)]
    pub renewal_id: Option<String>,
}

/// Reads certificates that somebody else has obtained.
pub trait CertificateReader: Send + Sync {
    /// What the leaf of a PEM chain says.
    ///
    /// Errors: `GiveUp` when there is no certificate in it.
    fn facts(&self, chain_pem: &str) -> PortResult<CertificateFacts>;

    /// Whether a private key (PKCS#8 PEM) is that of the leaf. What cannot be read is not.
    fn is_key_of(&self, private_key_pem: &Secret, chain_pem: &str) -> bool;
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
    /// The authority's limits, as far as they are known, leave no room now. Nothing was asked of it.
    HeldBack {
        /// When there will be room.
        until: Timestamp,
        /// A sentence for the user: what is scarce.
        why: String,
    },
    /// The certificate is here. Asking again gives the same one.
    Issued(CertificateBundle),
}

/// When to renew a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenewalAdvice {
    /// The first moment at which a renewal makes sense. In the past: at once.
    pub from: Timestamp,
    /// The last moment of the window in which a moment should be picked at random; never before `from`.
    pub until: Timestamp,
    /// When to ask for advice again: windows move, for example when certificates are to be revoked.
    pub ask_again: Timestamp,
    /// Where the authority explains an unusual window (RFC 9773, section 4.2: `explanationURL`).
    pub explanation: Option<String>,
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

    /// What the user has to do, in the order of the request. Only reads the store; empty before anybody knows, and for an
    /// unknown issuance. Where an issuer orders only after durable proofs were seen, those are here before the order is.
    async fn instructions(&self, id: &IssuanceId) -> PortResult<Vec<DomainInstructions>>;

    /// The same, for an issuance that was read together with something else ([`Standing`]): nothing is read again.
    ///
    /// [`Standing`]: crate::Standing
    fn instructions_of(&self, issuance: &IssuanceRecord) -> Vec<DomainInstructions>;

    /// Looks at every domain of an issuance that is open, now, and notes what is there instead of its proof for
    /// [`Self::instructions`] to show. It does nothing else: no challenge is answered, nothing of the authority's is asked
    /// for, and whoever advances the issuance meanwhile is not disturbed. Each domain is noted as soon as it has been
    /// looked at, so that a call that is given up half-way has looked at some. Nothing happens when nothing is open: the
    /// issuance is unknown, finished or abandoned, or its order is over.
    ///
    /// Errors: the store's.
    async fn look(&self, id: &IssuanceId) -> PortResult<()>;

    /// How the names of a request would be proven if it were made now, in its order: by looking at the world, of which
    /// nothing is changed. Nothing of the authority's is asked for.
    ///
    /// Errors: the store's.
    async fn outlook(&self, request: &CertificateRequest) -> PortResult<Vec<Outlook>>;

    /// When to renew a certificate: what the authority suggests (RFC 9773), or a share of the certificate's life where
    /// it suggests nothing or cannot be asked. Changes nothing.
    ///
    /// Errors: none that the advice of last resort could not stand in for.
    async fn renewal(&self, certificate: &CertificateFacts) -> PortResult<RenewalAdvice>;

    /// Ends an issuance: its private key and chain are wiped, and pending authorizations are given back where the
    /// authority allows it (best effort). Called again, or for an unknown id, it does nothing.
    async fn abandon(&self, id: &IssuanceId) -> PortResult<()>;
}
