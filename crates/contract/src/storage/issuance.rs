use async_trait::async_trait;

use serde::{Deserialize, Serialize};

use crate::{
    CertificateRequest, DomainName, InstanceId, IssuanceId, LastLook, PortResult, ProofMethod, ProofState,
    Secret, Timestamp,
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
    /// The thumbprint (RFC 7638) of the account key that what the authorizations want was computed with. With another key they
    /// want something else (RFC 8555, section 8.1). `None` before anything was computed.
    pub thumbprint: Option<String>,
    /// One per authorization of the order.
    pub authorizations: Vec<AuthorizationRecord>,
    /// What was put where the world can see it, or is about to be, and has to be taken away again. Stored before it
    /// is put there, gone after it was taken away; it outlives the order that it was put there for.
    pub presented: Vec<PresentedProof>,
    /// What the authority said when it last failed an order, for the operator: after a proof has been seen that
    /// must not happen.
    pub failure: Option<String>,
    /// The issued chain, leaf first, PEM.
    pub chain: Option<String>,
    /// When the issuance was opened.
    pub opened_at: Timestamp,
    /// Whether it was ended by its owner; key and chain are wiped then.
    pub abandoned: bool,
}

/// One authorization of an order (RFC 8555, section 7.1.4) and the challenges in it that can be met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationRecord {
    /// The name of the request it is for, with its `*.` if it has one.
    pub name: DomainName,
    /// The authorization's URL.
    pub url: String,
    /// What its `http-01` challenge wants; `None` when it has none, or none that is of use any more.
    pub http: Option<HttpAnswer>,
    /// The TXT data that its `dns-01` challenge wants; `None` likewise.
    pub dns: Option<String>,
    /// How the proof came that was seen last; `None` before one was, and when the authorization was valid from the start.
    pub method: Option<ProofMethod>,
    /// How far the proof is.
    pub state: ProofState,
    /// What was seen at the last look.
    pub last_look: Option<LastLook>,
    /// When somebody looks next.
    pub next_look: Option<Timestamp>,
}

/// What an `http-01` challenge wants (RFC 8555, section 8.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The last segment of the path.
    pub token: String,
    /// The key authorization, which is the body.
    pub answer: String,
}

/// A proof that was put somewhere by us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresentedProof {
    /// Where, and which.
    pub place: ProofPlace,
    /// When it was last put there; `None` as long as nobody knows that it was.
    pub at: Option<Timestamp>,
}

/// Where a proof is put by us.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ProofPlace {
    /// A TXT value in the managed zone.
    Zone {
        /// The owner name, absolute, with its trailing dot.
        owner: String,
        /// The value.
        value: String,
    },
    /// An HTTP-01 answer in a folder of the challenge site.
    Site {
        /// Whose folder.
        site: InstanceId,
        /// The token.
        token: String,
    },
}

impl IssuanceRecord {
    /// The version of what must not be saved; none that is stored is negative.
    pub const FOR_SHOW: i32 = -1;

    /// An issuance about which nothing is known but what is wanted, of whom, and since when.
    pub fn opened(
        id: IssuanceId,
        request: CertificateRequest,
        directory: impl Into<String>,
        opened_at: Timestamp,
    ) -> Self {
        Self {
            id,
            version: 0,
            request,
            directory: directory.into(),
            private_key: None,
            csr: None,
            order_url: None,
            order_expires: None,
            orders_placed: 0,
            thumbprint: None,
            authorizations: Vec::new(),
            presented: Vec::new(),
            failure: None,
            chain: None,
            opened_at,
            abandoned: false,
        }
    }
}

impl AuthorizationRecord {
    /// An authorization without challenges.
    pub fn new(name: DomainName, url: impl Into<String>, state: ProofState) -> Self {
        Self {
            name,
            url: url.into(),
            http: None,
            dns: None,
            method: None,
            state,
            last_look: None,
            next_look: None,
        }
    }
}

/// Keeps issuances.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait IssuanceStore: Send + Sync {
    /// Stores a new issuance at version 0. Does nothing when the id is known.
    async fn insert(&self, record: &IssuanceRecord) -> PortResult<()>;

    /// The issuance; `None` when the id is unknown.
    async fn load(&self, id: &IssuanceId) -> PortResult<Option<IssuanceRecord>>;

    /// The issuance as it may be shown to people: without private key, signing request and chain. It cannot be saved
    /// (its version is one that is never stored). Platforms poll, and each poll reads this.
    async fn show(&self, id: &IssuanceId) -> PortResult<Option<IssuanceRecord>>;

    /// Writes the record, authorizations included, if nobody has written since `record.version` was read; the stored
    /// version is then one more. `false` when somebody has: nothing was changed.
    async fn save(&self, record: &IssuanceRecord) -> PortResult<bool>;

    /// Notes what was seen of an authorization (its URL), for people to read. This is no write of the issuance: whoever
    /// has read it before may save it all the same, and notes what it has seen itself. Does nothing when the issuance
    /// has no such authorization, when that is not open any more, or when something later is noted already.
    async fn note_look(&self, id: &IssuanceId, authorization: &str, look: &LastLook) -> PortResult<()>;

    /// Whether an issuance other than `id` that was not abandoned still wants this proof there: some authorities give
    /// the same order to two who ask for the same names.
    async fn wanted_elsewhere(&self, id: &IssuanceId, place: &ProofPlace) -> PortResult<bool>;

    /// Notes, for ever, that this authorization (its URL) belongs to `tenant`, unless somebody is noted already; gives who
    /// is noted. All tenants share one account, and authorities give what an account has again to whoever uses it: this
    /// is how the proof of one tenant is told from that of another.
    async fn credit(&self, authorization: &str, tenant: &str) -> PortResult<String>;

    /// To whom this authorization belongs.
    async fn credited(&self, authorization: &str) -> PortResult<Option<String>>;

    /// Whether an issuance of `tenant` that is neither finished nor abandoned rests on this authorization with the order
    /// that it has now: one whose order was lost or failed rests on nothing until it has the next.
    async fn relies_on(&self, tenant: &str, authorization: &str) -> PortResult<bool>;
}

/// Knows the answers to the `http-01` challenges that are open now, for whoever answers the authority.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait ChallengeAnswers: Send + Sync {
    /// The key authorization for `token`, if it belongs to a challenge that is open or answered, of an issuance that
    /// is neither abandoned nor issued and whose order has not expired, and if `place` is the name to be proven or its
    /// [`durable_label`](crate::durable_label) (both in lower case); `None` otherwise.
    async fn answer(&self, place: &str, token: &str) -> PortResult<Option<String>>;
}
