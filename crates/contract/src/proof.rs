use async_trait::async_trait;

use crate::PortResult;

/// A TXT record that should be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxtQuestion {
    /// The owner name, absolute, with its trailing dot (RFC 8555, section 8.4: `_acme-challenge.NAME.`).
    pub name: String,
    /// The value that one of its records must have.
    pub value: String,
}

/// What the world answers to a question about a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// The proof is there: the authority will see it too.
    Seen,
    /// It is not, or not yet; `saw` is a sentence for the user about what is there instead.
    NotYet {
        /// What is there instead.
        saw: String,
    },
}

/// Looks at proofs the way the authority will, before the authority is asked: a wrong answer costs an attempt.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait ProofProbe: Send + Sync {
    /// Looks for a TXT record, following CNAMEs, past caches. Whatever DNS answers, or does not, is a sighting; an
    /// error means that no look could be taken at all.
    async fn txt(&self, question: &TxtQuestion) -> PortResult<Sighting>;
}
