use std::fmt;
use std::time::Duration;

use contract::{DomainName, IssuanceId, PortError, Reach, Remedy, Side, Upstream};
use http::StatusCode;

use crate::chain::ChainError;
use crate::exchange::Exchange;
use crate::http::TransportError;
use crate::problem::Problem;
use crate::rules::{self, Rule, Tells};

/// Everything that can stop a unit of work. [`AcmeError::into_port`] decides once what the caller does about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AcmeError {
    /// A store or a probe has decided already.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Another process has written the issuance since it was read.
    #[error("another process has gone on with this issuance")]
    Outpaced,
    /// Another call has been opening the account for as long as a request may take.
    #[error("the account is still being opened")]
    AccountBusy,
    /// The key of the account was replaced while a request was under way that was signed with the old one.
    #[error("the key of the account was replaced meanwhile")]
    KeyReplaced,
    #[error("there is no account at {0} yet: it is opened with the first certificate")]
    NoAccount(String),
    #[error("the authority offers no way to replace the key of an account (RFC 8555, section 7.3.5)")]
    NoKeyChange,
    /// Neither the account's key nor the one that is to follow on it.
    #[error("the authority knows the account under none of its keys")]
    NoKeyIsKnown,
    #[error("issuance {0} is unknown")]
    Unknown(IssuanceId),
    #[error("issuance {0} was abandoned")]
    Abandoned(IssuanceId),
    /// The authority refused, or did not answer.
    #[error(transparent)]
    Refused(Box<Refusal>),
    #[error("the authority offers no challenge for {0} that can be met here")]
    NoUsableChallenge(DomainName),
    #[error("nothing is set up with which {0} could be proven for longer than the authority's proofs live")]
    NoDurableProof(DomainName),
    /// The account key or a leaf key is unusable.
    #[error("{0}")]
    Key(&'static str),
    #[error("the key or the signing request cannot be made or read")]
    Request(#[from] rcgen::Error),
    /// The certificate that came is not the one that was asked for.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// What was asked of the authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    ReadDirectory,
    NewAccount,
    KeyChange,
    NewOrder,
    ReadOrder,
    ReadAuthorization,
    Answer,
    Finalize,
    Download,
    Deactivate,
}

/// What authorities call it when an order cannot replace what it says.
const REPLACES_NOTHING: [&str; 3] = ["alreadyReplaced", "malformed", "unauthorized"];

/// An operation that did not succeed, with all that is known about why.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) operation: Operation,
    pub(crate) status: Option<StatusCode>,
    pub(crate) problem: Option<Problem>,
    pub(crate) retry_after: Option<Duration>,
    url: String,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl Refusal {
    pub(crate) fn new(
        operation: Operation,
        exchange: &Exchange,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        let failed = exchange.status.is_some_and(|status| !status.is_success());
        Self {
            operation,
            status: exchange.status,
            problem: failed.then(|| Problem::read(&exchange.json())).flatten(),
            retry_after: exchange.retry_after,
            url: exchange.url.clone(),
            source: source.into(),
        }
    }

    /// Whether it is sure that nothing came of what was asked: it was refused, or never arrived.
    pub(crate) fn is_certain(&self) -> bool {
        let unreachable =
            |error: &TransportError| matches!(error, TransportError::Unreachable(e) if e.is_connect());
        let source: &(dyn std::error::Error + 'static) = self.source.as_ref();
        let library = source.downcast_ref::<instant_acme::Error>();
        let transport = match library {
            Some(instant_acme::Error::Other(inner)) => inner.downcast_ref(),
            _ => source.downcast_ref(),
        };
        self.status.is_some_and(|status| !status.is_success()) || transport.is_some_and(unreachable)
    }

    /// What kind of refusal it is: the problem's type, or else the status; without an answer, that.
    fn class(&self) -> String {
        match (self.kind(), self.status) {
            ("", None) => "no-answer".to_owned(),
            ("", Some(status)) => format!("status-{}", status.as_u16()),
            (kind, _) => kind.to_owned(),
        }
    }

    pub(crate) fn kind(&self) -> &str {
        self.problem.as_ref().map_or("", |problem| problem.kind.as_str())
    }

    fn rule(&self) -> Option<&'static Rule> {
        rules::find(self.kind(), self.operation)
    }

    /// What is not in the table may pass: an unknown refusal must never end an issuance.
    fn remedy(&self) -> Remedy {
        match self.rule().map(|rule| rule.remedy) {
            Some(Remedy::Retry { .. }) => Remedy::Retry { after: self.retry_after },
            Some(other) => other,
            None if self.is_untrusted() => Remedy::AwaitOperator,
            None => Remedy::Retry { after: self.retry_after },
        }
    }

    /// Whether the other side could not prove who it is: the trusted roots are wrong, or somebody is in between.
    fn is_untrusted(&self) -> bool {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(self.source.as_ref());
        while let Some(error) = cause {
            if let Some(rustls::Error::InvalidCertificate(_)) = error.downcast_ref() {
                return true;
            }
            // TLS errors travel inside I/O errors, whose `source` skips what they hold.
            let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
            cause = match held {
                Some(held) => Some(held),
                None => error.source(),
            };
        }
        false
    }

    fn tenant_sentence(&self) -> Option<String> {
        let problem = self.problem.as_ref()?;
        match self.rule()?.tells {
            Tells::Nothing => None,
            Tells::Patience => {
                Some("The certificate authority limits requests; this goes on by itself.".to_owned())
            }
            Tells::ItsWords => Some(format!("The certificate authority says: {}", problem.detail)),
            Tells::Refused => {
                Some(format!("The certificate authority refuses the request: {}", problem.detail))
            }
            Tells::Names => Some(rejection(problem)),
        }
    }
}

/// Names the rejected domains, when the authority does.
fn rejection(problem: &Problem) -> String {
    let names = problem.names();
    let Some(first) = names.first() else {
        return format!("The certificate authority does not issue for these domains: {}", problem.detail);
    };
    let listed: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!(
        "The certificate authority does not issue for {}: {}",
        listed.join(", "),
        problem.about(first).detail
    )
}

impl AcmeError {
    pub(crate) fn refused(operation: Operation, exchange: &Exchange, source: instant_acme::Error) -> Self {
        Self::Refused(Box::new(Refusal::new(operation, exchange, source)))
    }

    /// The same error, with a wait that is at most this long.
    pub(crate) fn at_most(self, longest: Duration) -> Self {
        match self {
            Self::Refused(mut refusal) => {
                refusal.retry_after = refusal.retry_after.map(|wait| wait.min(longest));
                Self::Refused(refusal)
            }
            other => other,
        }
    }

    /// Whether the authority knows nothing (any more) of what was asked about.
    pub(crate) fn is_gone(&self) -> bool {
        let gone = [StatusCode::NOT_FOUND, StatusCode::GONE];
        matches!(self, Self::Refused(refusal) if refusal.status.is_some_and(|status| gone.contains(&status)))
    }

    /// Whether the authority has answered that what was asked for cannot be had (HTTP 4xx), save for rate limits.
    pub(crate) fn is_refusal(&self) -> bool {
        let refuses =
            |status: StatusCode| status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS;
        matches!(self, Self::Refused(refusal) if refusal.status.is_some_and(refuses))
    }

    /// Whether the authority was willing, and only its answer could not be understood.
    pub(crate) fn is_unreadable(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status.is_some_and(|status| status.is_success()))
    }

    /// Whether an order was refused for what it says that it replaces (RFC 9773, section 5): somebody has replaced that
    /// already, or the authority does not know it as ours, or does not want to hear of it at all.
    pub(crate) fn is_about_what_is_replaced(&self) -> bool {
        let Self::Refused(refusal) = self else { return false };
        let status = [StatusCode::NOT_FOUND, StatusCode::CONFLICT];
        REPLACES_NOTHING.contains(&refusal.kind())
            || refusal.status.is_some_and(|answered| status.contains(&answered))
            || matches!(refusal.source.downcast_ref(), Some(instant_acme::Error::Unsupported(_)))
    }

    pub(crate) fn is(&self, kind: &str) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.kind() == kind)
    }

    /// The one place where an error becomes something to do.
    pub(crate) fn into_port(self) -> PortError {
        let doing = self.doing();
        match self {
            Self::Port(error) => error,
            Self::Outpaced | Self::AccountBusy | Self::KeyReplaced => {
                PortError::new(doing, Remedy::Retry { after: None }, self)
            }
            Self::Unknown(_) | Self::Abandoned(_) | Self::NoAccount(_) | Self::NoKeyChange => {
                PortError::new(doing, Remedy::GiveUp, self)
            }
            Self::NoKeyIsKnown => PortError::new(doing, Remedy::AwaitOperator, self),
            Self::NoUsableChallenge(ref name) => {
                let sentence = format!(
                    "The certificate authority does not accept any proof of control over `{name}` that can be given here."
                );
                PortError::new(doing, Remedy::GiveUp, self).for_tenant(sentence)
            }
            Self::NoDurableProof(ref name) => {
                let sentence = format!(
                    "Control over `{name}` cannot be proven here: the certificates of this service need a record that \
                     stays, and its operators have set up none that would do for this domain."
                );
                PortError::new(doing, Remedy::GiveUp, self).for_tenant(sentence)
            }
            Self::Key(_) | Self::Request(_) | Self::Chain(_) => {
                PortError::new(doing, Remedy::AwaitOperator, self)
            }
            Self::Refused(refusal) => {
                // What is refused for the account's sake, or for the authority's own, is refused to everybody.
                let error = |refusal: Box<Refusal>| {
                    let class = refusal.class();
                    PortError::new(doing, refusal.remedy(), *refusal)
                        .stopping(Upstream::Authority, Reach::Everything)
                        .of_class(Side::Authority, class)
                };
                match refusal.tenant_sentence() {
                    Some(sentence) => error(refusal).for_tenant(sentence),
                    None => error(refusal),
                }
            }
        }
    }

    fn doing(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.operation.doing(),
            Self::Key(_) | Self::Request(_) => "make the key and the signing request",
            Self::Chain(_) => "accept the certificate",
            Self::NoAccount(_) | Self::NoKeyChange | Self::NoKeyIsKnown => Operation::KeyChange.doing(),
            _ => "go on with the issuance",
        }
    }
}

impl Operation {
    pub(crate) fn doing(self) -> &'static str {
        match self {
            Self::ReadDirectory => "read the ACME directory",
            Self::NewAccount => "open the ACME account",
            Self::KeyChange => "replace the key of the ACME account",
            Self::NewOrder => "place the order",
            Self::ReadOrder => "read the order",
            Self::ReadAuthorization => "read an authorization of the order",
            Self::Answer => "answer the challenge",
            Self::Finalize => "finalize the order",
            Self::Download => "download the certificate",
            Self::Deactivate => "give an authorization back",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.problem, self.status) {
            (Some(problem), Some(status)) => write!(f, "{problem}, HTTP {}", status.as_u16())?,
            (None, Some(status)) => write!(f, "unexpected answer, HTTP {}", status.as_u16())?,
            (_, None) => f.write_str("no answer")?,
        }
        if self.url.is_empty() { Ok(()) } else { write!(f, " from {}", self.url) }
    }
}

impl std::error::Error for Refusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // With a problem document the library's error would only repeat it.
        if self.problem.is_some() { None } else { Some(self.source.as_ref()) }
    }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
