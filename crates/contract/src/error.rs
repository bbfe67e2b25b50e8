use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::Side;

/// What a caller of a port can do about an error. Decided once, in the adapter that knows the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The same call may succeed later. `after` is what the other side asked for (`Retry-After`); without it the
    /// caller backs off by itself.
    Retry {
        /// How long the other side asked to wait, if it did.
        after: Option<Duration>,
    },
    /// Nothing helps until the tenant changes something, for example a DNS record.
    AwaitTenant,
    /// Nothing helps until the operator changes something: a quota, a credential, a permission.
    AwaitOperator,
    /// What was begun is lost upstream; the same work must be begun again from its first step.
    StartOver,
    /// No repetition can help.
    GiveUp,
}

/// Who stands on the other side of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// The account that CDN, vault, site and zone belong to: who we are there.
    Account,
    /// Who serves the domains.
    Cdn,
    /// Where certificates are kept for the CDN.
    Vault,
    /// Where HTTP-01 answers are put.
    Site,
    /// The operator's DNS zone.
    Zone,
    /// Who issues certificates.
    Authority,
    /// The keys that private keys are sealed with in the database, which the operator hands in: one may be missing.
    SealingKeys,
}

impl Upstream {
    /// Its word: `account`, `cdn`, `vault`, `site`, `zone`, `authority`, `sealing-keys`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Cdn => "cdn",
            Self::Vault => "vault",
            Self::Site => "site",
            Self::Zone => "zone",
            Self::Authority => "authority",
            Self::SealingKeys => "sealing-keys",
        }
    }
}

/// How much of the work with one upstream an obstacle stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Every call, for example because the credentials have expired.
    Everything,
    /// Calls that do the same, for example because there is no room for one thing more, or because one action is not
    /// permitted.
    SameKind,
}

/// What an error says about other calls than the one that has met it: they would meet it too, until the operator has
/// acted. Comes with [`Remedy::AwaitOperator`] only; an error without one is about a single thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// Where it stands.
    pub upstream: Upstream,
    /// What it stops there.
    pub reach: Reach,
}

/// The one error of every port: what was being done, what can be done about it, and two messages.
///
/// `Display` is the operator's message: it names the action and the cause, with the upstream request id where
/// there is one. [`PortError::for_tenant`] is what the tenant may read. Neither ever holds a secret.
#[derive(Debug)]
pub struct PortError {
    doing: String,
    remedy: Remedy,
    obstacle: Option<Obstacle>,
    for_tenant: Option<String>,
    request_id: Option<String>,
    class: Option<Box<(Side, String)>>,
    source: Box<dyn StdError + Send + Sync>,
}

impl PortError {
    /// An error while `doing` something ("create the distribution"), caused by `source`.
    pub fn new(
        doing: impl Into<String>,
        remedy: Remedy,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self {
            doing: doing.into(),
            remedy,
            obstacle: None,
            for_tenant: None,
            request_id: None,
            class: None,
            source: source.into(),
        }
    }

    /// Says that other calls would meet the same, if this is for the operator to remove.
    #[must_use]
    pub fn stopping(mut self, upstream: Upstream, reach: Reach) -> Self {
        let is_the_operators = self.remedy == Remedy::AwaitOperator;
        self.obstacle = is_the_operators.then_some(Obstacle { upstream, reach });
        self
    }

    /// Adds the sentence that the tenant may read. It says what to do next and holds no internals.
    #[must_use]
    pub fn for_tenant(mut self, sentence: impl Into<String>) -> Self {
        self.for_tenant = Some(sentence.into());
        self
    }

    /// Adds the request id that the other side gave to the failed call, for its support.
    #[must_use]
    pub fn with_request_id(mut self, id: Option<impl Into<String>>) -> Self {
        self.request_id = id.map(Into::into);
        self
    }

    /// Says on whose side it arose, and what kind of error it is in that side's own words: its code, no names, no numbers.
    /// The same class at several tenants' is an incident.
    #[must_use]
    pub fn of_class(mut self, side: Side, class: impl Into<String>) -> Self {
        self.class = Some(Box::new((side, class.into())));
        self
    }

    /// What was being done when the error occurred.
    pub fn doing(&self) -> &str {
        &self.doing
    }

    /// What the caller can do about it.
    pub fn remedy(&self) -> Remedy {
        self.remedy
    }

    /// What other calls would meet too, until the operator has acted.
    pub fn obstacle(&self) -> Option<Obstacle> {
        self.obstacle
    }

    /// What the tenant may read, if there is anything they can understand or do.
    pub fn tenant_sentence(&self) -> Option<&str> {
        self.for_tenant.as_deref()
    }

    /// On whose side it arose and what kind of error it is, if the adapter could tell.
    pub fn class(&self) -> Option<(Side, &str)> {
        self.class.as_deref().map(|(side, class)| (*side, class.as_str()))
    }

    /// The upstream's id of the failed request.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not {}: {}", self.doing, chain(self.source.as_ref()))?;
        match &self.request_id {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

impl StdError for PortError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.source.as_ref())
    }
}

/// The text of an error and of those below it, `above: below`, for operators. What the text above says already is left out: the
/// errors of many libraries, and [`PortError`], tell their cause and name it as well.
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    std::iter::successors(error.source(), |cause| (*cause).source()).fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.contains(&cause) { text } else { format!("{text}: {cause}") }
    })
}

/// One row of an adapter's table of errors, for people: what the other side says, what follows, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorRule {
    /// The error in the other side's words.
    pub error: String,
    /// What a caller can do about it.
    pub remedy: Remedy,
    /// What else it stops, if anything, until the operator has acted.
    pub stops: Option<&'static str>,
    /// What the tenant reads, if there is anything for them in it.
    pub for_tenant: Option<&'static str>,
    /// Why.
    pub reason: &'static str,
}

/// The result of every method of a port.
pub type PortResult<T> = Result<T, PortError>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_message_names_action_cause_and_request() {
        let error = PortError::new("create the distribution", Remedy::GiveUp, "AccessDenied")
            .with_request_id(Some("r-1"))
            .for_tenant("Ask the operator.");
        assert_eq!(error.to_string(), "could not create the distribution: AccessDenied (request r-1)");
        assert_eq!(error.tenant_sentence(), Some("Ask the operator."));
    }

    #[test]
    fn a_cause_is_told_once() {
        let error = PortError::new("list them", Remedy::GiveUp, std::io::Error::other("no route"));
        assert_eq!(chain(&error), "could not list them: no route");
        let outer = PortError::new("start", Remedy::GiveUp, error);
        assert_eq!(chain(&outer), "could not start: could not list them: no route");
        assert_eq!(chain(&fmt::Error), fmt::Error.to_string());
    }

    #[test]
    fn only_what_is_for_the_operator_stops_others() {
        let error = |remedy| PortError::new("do it", remedy, "no").stopping(Upstream::Vault, Reach::SameKind);
        let expected = Obstacle { upstream: Upstream::Vault, reach: Reach::SameKind };
        assert_eq!(error(Remedy::AwaitOperator).obstacle(), Some(expected));
        assert_eq!(error(Remedy::Retry { after: None }).obstacle(), None);
    }
}
