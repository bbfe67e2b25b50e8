use async_trait::async_trait;

use crate::{DomainName, PortResult};

/// A TXT record that should be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxtQuestion {
    /// The owner name, absolute, with its trailing dot (RFC 8555, section 8.4: `_acme-challenge.NAME.`).
    pub name: String,
    /// The value that one of its records must have.
    pub value: String,
}

/// An answer that a name should give over HTTP (RFC 8555, section 8.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpQuestion {
    /// The name to be proven; never a wildcard.
    pub name: DomainName,
    /// The last segment of the path: `/.well-known/acme-challenge/TOKEN`.
    pub token: String,
    /// The key authorization, which is the body that must come back; white space behind it does not matter.
    pub answer: String,
}

/// May this authority issue for a name (RFC 8659, RFC 8657)?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaaQuestion {
    /// The name to be certified, with its `*.` where it is a wildcard.
    pub name: DomainName,
    /// The names under which the authority finds itself in `issue` and `issuewild`: the directory's `caaIdentities`
    /// (RFC 8555, section 7.1.1). Without any there is nothing to be found out.
    pub issuers: Vec<String>,
    /// The URL of our account, which an `accounturi` parameter must be equal to.
    pub account_url: Option<String>,
    /// The method that will be used, as `validationmethods` has it: `http-01` or `dns-01`.
    pub method: String,
}

/// What the world answers to a question about a proof, and which way the answer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Whether the proof is there.
    pub verdict: Verdict,
    /// The way, in the order in which it was travelled, also when it led nowhere.
    pub route: Vec<Hop>,
}

/// Whether a question may be put to the authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is as it should be: the authority will see it too.
    Seen,
    /// It is not, or not yet; `saw` is a sentence for the user about what is there instead.
    NotYet {
        /// What is there instead.
        saw: String,
    },
}

/// A place where the way to a proof led on, or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hop {
    /// One name stands for another. Names are in lower case, without a trailing dot.
    Cname {
        /// The alias.
        from: String,
        /// What it stands for.
        to: String,
    },
    /// An HTTP answer sent us on.
    Redirect {
        /// The absolute URL it sent us to.
        to: String,
        /// The status of the answer: 301, 302, 307 or 308.
        status: u16,
    },
    /// A page of somebody's came instead of the answer, with status 200: whatever is asked for there is answered so.
    Page,
    /// The responder of a broker gave the last HTTP answer, and said where: its header `x-acme-responder`.
    Responder {
        /// The header's value.
        place: String,
    },
}

/// Looks at proofs the way the authority will, before the authority is asked: a wrong answer costs an attempt.
///
/// Each look is bounded in time, remembers nothing that the user may just be changing, and can be taken any number of
/// times. Whatever the world answers, or does not, is a verdict; an error means that no look could be taken at all:
/// `GiveUp` for a question that cannot be asked.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait ProofProbe: Send + Sync {
    /// Looks for a TXT record at the name servers of its zone, following CNAMEs, past caches.
    async fn txt(&self, question: &TxtQuestion) -> PortResult<Sighting>;

    /// Asks for the answer over HTTP, with the authority's rules about redirects and addresses. The route has the
    /// CNAME chain of every host that was visited and every redirect.
    async fn http(&self, question: &HttpQuestion) -> PortResult<Sighting>;

    /// Looks for the CAA records that concern a name, and says whether they let the authority issue.
    async fn caa(&self, question: &CaaQuestion) -> PortResult<Verdict>;
}

impl Sighting {
    /// The proof is there.
    pub fn seen(route: Vec<Hop>) -> Self {
        Self { verdict: Verdict::Seen, route }
    }

    /// The proof is not there; `saw` is what is there instead.
    pub fn not_yet(saw: impl Into<String>, route: Vec<Hop>) -> Self {
        Self { verdict: Verdict::NotYet { saw: saw.into() }, route }
    }

    /// Whether the proof is there.
    pub fn is_seen(&self) -> bool {
        self.verdict == Verdict::Seen
    }
}
