//! What an operator wants to know of the authority before its users do.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contract::{
    Check, CheckFailure, CheckOutcome, CheckSchedule, CheckStore, Clock, PortError, Side, StepTimes,
    Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::directory::{Directories, Fresh};
use crate::error::AcmeError;
use crate::http::Transport;
use crate::issuer::AcmeIssuer;
use crate::settings::{AcmeSettings, SettingsError};

/// More than this is no delay of the network. Certificates are dated, proofs expire, and renewals are due by our clock.
const MOST_SKEW: Duration = Duration::from_mins(1);

/// For how long changed terms are a failure. Then they are the terms that are known.
const NEWS: Duration = Duration::from_hours(24);

/// Where the check remembers the terms.
const TERMS: &str = "acme-directory/terms";

/// The check `acme-directory`: the authority is reachable, its terms are what they were, it knows our account, and its
/// clock and ours agree. Nothing is ordered, and no account is made.
pub struct DirectoryCheck {
    issuer: Arc<AcmeIssuer>,
    store: Arc<dyn CheckStore>,
    remembers: bool,
}

impl DirectoryCheck {
    /// Looks at the authority of this issuer, and remembers its terms in this store.
    pub fn new(issuer: Arc<AcmeIssuer>, store: Arc<dyn CheckStore>) -> Self {
        Self { issuer, store, remembers: true }
    }

    /// The same check, which leaves no trace: the terms are compared with the known ones, and not remembered.
    #[must_use]
    pub fn without_a_trace(self) -> Self {
        Self { remembers: false, ..self }
    }

    async fn examine(&self, steps: &StepTimes) -> Result<(), CheckFailure> {
        let asked = self.issuer.clock.now();
        let fresh = steps.step("read the directory", Box::pin(self.issuer.accounts.read_directory())).await;
        let fresh = fresh.map_err(unreachable)?;
        compare_clocks(&fresh, asked, self.issuer.clock.now())?;
        self.look_for_account(steps).await?;
        self.compare_terms(fresh.directory.meta.terms_of_service).await
    }

    async fn look_for_account(&self, steps: &StepTimes) -> Result<(), CheckFailure> {
        let known = steps.step("ask for the account", Box::pin(self.issuer.accounts.is_known())).await;
        match known.map_err(unreachable)? {
            None | Some(true) => Ok(()),
            Some(false) => {
                let sentence = "the authority does not know our account any more: no certificate can be obtained or renewed. \
                                Ask the authority why; a new account is never made silently";
                let relies = "every order is placed with this account, and users' CAA records may name it";
                Err(CheckFailure::new(Side::Authority, "account-unknown", sentence, relies))
            }
        }
    }

    /// New terms are told for a day. After that, they are the known ones.
    async fn compare_terms(&self, terms: Option<String>) -> Result<(), CheckFailure> {
        let (terms, now) = (terms.unwrap_or_default(), self.issuer.clock.now());
        let known = self.store.recall(TERMS).await.map_err(|error| unkept(&error))?;
        let known = known.and_then(|text| serde_json::from_str::<Terms>(&text).ok());
        let Some(mut known) = known else {
            return self.remember(&Terms { known: terms, changed: None }).await;
        };
        if known.known == terms {
            known.changed = None;
            return self.remember(&known).await;
        }
        let since = match known.changed.take() {
            Some((seen, since)) if seen == terms => since,
            _ => now,
        };
        if now.since(since) >= NEWS {
            return self.remember(&Terms { known: terms, changed: None }).await;
        }
        let sentence = format!(
            "the authority's terms of service have changed from {} to {terms}: read them. This closes by itself a day \
             after it was seen first",
            known.known
        );
        self.remember(&Terms { changed: Some((terms, since)), ..known }).await?;
        let relies =
            "this broker has agreed to the terms in its operator's name, and goes on to use the account";
        Err(CheckFailure::new(Side::Authority, "terms-changed", sentence, relies))
    }

    async fn remember(&self, terms: &Terms) -> Result<(), CheckFailure> {
        if !self.remembers {
            return Ok(());
        }
        // Texts and numbers can always be written.
        let text = serde_json::to_string(terms).unwrap_or_default();
        self.store.remember(TERMS, &text).await.map_err(|error| unkept(&error))
    }
}

/// The terms of service (RFC 8555, section 7.1.1: `termsOfService`), by their URL.
#[derive(Debug, Serialize, Deserialize)]
struct Terms {
    known: String,
    /// Others that were seen instead, and since when.
    changed: Option<(String, Timestamp)>,
}

/// Looks at an authority without a store: its directory can be read, and its clock and ours agree.
///
/// Errors: settings that cannot work.
pub async fn look_at_directory(
    settings: &AcmeSettings,
    clock: Arc<dyn Clock>,
) -> Result<CheckOutcome, SettingsError> {
    settings.check()?;
    let transport = Transport::new(settings, Arc::clone(&clock))?;
    let directories = Directories::new(&settings.directory_url, transport, Arc::clone(&clock));
    let asked = clock.now();
    let fresh = Box::pin(directories.read()).await.map_err(unreachable);
    Ok(fresh.and_then(|fresh| compare_clocks(&fresh, asked, clock.now())).into())
}

/// The answer was dated somewhere between our question and now.
fn compare_clocks(fresh: &Fresh, asked: Timestamp, now: Timestamp) -> Result<(), CheckFailure> {
    let Some(date) = fresh.date else { return Ok(()) };
    // The header has no fractions of seconds.
    let (early, late) = (asked.since(date + Duration::from_secs(1)), date.since(now));
    let skew = early.max(late);
    if skew <= MOST_SKEW {
        return Ok(());
    }
    let direction = if early > late { "ahead of" } else { "behind" };
    let sentence = format!(
        "this machine's clock is {} seconds {direction} the authority's (it says {date}): set the clock of this \
         machine right",
        skew.as_secs()
    );
    let relies =
        "when certificates are renewed, and whether they and their proofs are still valid, goes by the clock";
    Err(CheckFailure::new(Side::Us, "clock-skew", sentence, relies))
}

fn unreachable(error: AcmeError) -> CheckFailure {
    let relies = "every certificate is ordered and renewed there";
    let error = error.into_port();
    let (side, class) = error.class().unwrap_or((Side::Us, "error"));
    CheckFailure::new(side, class, error.to_string(), relies)
}

fn unkept(error: &PortError) -> CheckFailure {
    let relies = "checks remember in the database what was so the last time";
    CheckFailure::new(Side::Us, "database", error.to_string(), relies)
}

#[async_trait]
impl Check for DirectoryCheck {
    fn name(&self) -> &'static str {
        "acme-directory"
    }

    fn stands_for(&self) -> &'static str {
        "the certificate authority is reachable, knows our account, has not changed its terms, and its clock agrees with ours"
    }

    fn schedule(&self) -> CheckSchedule {
        CheckSchedule::new(Duration::from_mins(10), Duration::from_mins(2))
    }

    async fn run(&self, steps: &StepTimes) -> CheckOutcome {
        Box::pin(self.examine(steps)).await.into()
    }
}
