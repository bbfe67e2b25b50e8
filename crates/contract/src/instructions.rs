use serde::{Deserialize, Serialize};

use crate::{DomainName, Timestamp};

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

/// The way in which control over a name is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProofMethod {
    /// `http-01`: the name itself is a CNAME to a record of ours, once and for ever.
    ManagedName,
    /// `http-01`: the site that the user has redirects the challenge path to us.
    Redirected,
    /// `http-01`: the name points at its own distribution, which serves the challenge path.
    ThroughCdn,
    /// `dns-01`: `_acme-challenge.NAME` is a CNAME to a record of ours, once and for ever.
    Delegated,
    /// `dns-01`: the user sets the TXT record, each time.
    Direct,
}

/// A DNS record that the user is asked to set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofRecord {
    /// The owner name, absolute, with its trailing dot.
    pub name: String,
    /// The record type, `TXT` or `CNAME`.
    pub kind: String,
    /// The record data.
    pub value: String,
    /// The time to live to recommend, in seconds.
    pub ttl: u32,
}

/// What a user can do in order to prove control over one domain. Any one of those offered is enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProofWay {
    /// [`ProofMethod::ManagedName`]: set this CNAME, once and for ever.
    ManagedName(ProofRecord),
    /// [`ProofMethod::Redirected`]: redirect everything below one URL of the present site to below another.
    Redirected {
        /// Below this, without the star: `http://NAME/.well-known/acme-challenge/`.
        from: String,
        /// To below this.
        to: String,
    },
    /// [`ProofMethod::ThroughCdn`]: nothing, as long as the name points at its distribution.
    ThroughCdn,
    /// [`ProofMethod::Delegated`]: set this CNAME, once and for ever.
    Delegated(ProofRecord),
    /// [`ProofMethod::Direct`]: set this TXT record, this time.
    Direct(ProofRecord),
}

impl ProofWay {
    /// The method behind it.
    pub fn method(&self) -> ProofMethod {
        match self {
            Self::ManagedName(_) => ProofMethod::ManagedName,
            Self::Redirected { .. } => ProofMethod::Redirected,
            Self::ThroughCdn => ProofMethod::ThroughCdn,
            Self::Delegated(_) => ProofMethod::Delegated,
            Self::Direct(_) => ProofMethod::Direct,
        }
    }
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
    /// What can be done, the most durable first; empty when nothing can or need be done any more.
    pub ways: Vec<ProofWay>,
    /// How the proof came that was seen, as soon as one was.
    pub proven_by: Option<ProofMethod>,
    /// Until when the value of [`ProofWay::Direct`] is of use; a fresh one follows then.
    pub expires: Option<Timestamp>,
    /// What was seen at the last look.
    pub last_look: Option<LastLook>,
    /// When somebody looks next.
    pub next_look: Option<Timestamp>,
}

/// How control over a name would be proven if a certificate were asked for now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlook {
    /// The name in question.
    pub name: DomainName,
    /// The way in which the proof would come with nothing to be done by the user; `None` when it would not.
    pub by_itself: Option<ProofMethod>,
    /// What would keep the authority from issuing: a sentence for the user. `None` when nothing would.
    pub forbidden: Option<String>,
    /// A record which, set once, lets the proof come by itself for ever; `None` where there is none to be set.
    pub once: Option<ProofRecord>,
}

impl DomainInstructions {
    /// The TXT record that can be set this time, if that is one of the ways.
    pub fn direct(&self) -> Option<&ProofRecord> {
        self.ways.iter().find_map(|way| match way {
            ProofWay::Direct(record) => Some(record),
            _ => None,
        })
    }
}
