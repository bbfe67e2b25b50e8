//! What the authority itself has said about its limits, when it refused an order.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{CertificateRequest, Timestamp};

use super::scarce::{Scarce, meant};
use super::{Ledger, Urgency};
use crate::error::{AcmeError, Refusal};

/// How long to wait when the authority does not say.
const UNSAID: Duration = Duration::from_mins(10);
/// How long everybody waits when it does not say what is scarce.
const UNNAMED: Duration = Duration::from_mins(10);
/// How often to see whether somebody has lifted a pause.
const PAUSED: Duration = Duration::from_hours(1);
/// No limit that is known lasts longer.
const LONGEST: Duration = Duration::from_hours(7 * 24);
const URGENCIES: [Urgency; 4] = [Urgency::First, Urgency::Renewal, Urgency::SameNames, Urgency::Invited];

/// No order is placed before this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldBack {
    pub(crate) until: Timestamp,
    /// A sentence for the user.
    pub(crate) why: String,
}

/// Where it is kept until when the authority wants no such orders, by the urgency of the one that it refused.
pub(super) fn keys(scarce: &Scarce, directory: &str) -> impl Iterator<Item = String> {
    let of = scarce.key(directory);
    URGENCIES.into_iter().map(move |urgency| key(&of, urgency))
}

/// Until when the authority wants no orders of such urgency. What it refused to a more urgent one it refuses to this
/// one, but not the other way round: most limits do not apply to renewals.
pub(super) fn until(
    scarce: &Scarce,
    directory: &str,
    urgency: Urgency,
    moments: &BTreeMap<String, Timestamp>,
) -> Option<Timestamp> {
    let of = scarce.key(directory);
    let refused = URGENCIES.into_iter().filter(|refused| *refused >= urgency);
    refused.filter_map(|refused| moments.get(&key(&of, refused)).copied()).max()
}

fn key(scarce: &str, urgency: Urgency) -> String {
    let urgency = match urgency {
        Urgency::First => "first",
        Urgency::Renewal => "renewal",
        Urgency::SameNames => "same-names",
        Urgency::Invited => "invited",
    };
    format!("hold {urgency} {scarce}")
}

impl Ledger {
    /// The authority has refused an order because of a limit: until when it is held back, and with it all others that
    /// the same limit is about.
    pub(crate) async fn refused(
        &self,
        request: &CertificateRequest,
        urgency: Urgency,
        refusal: &Refusal,
    ) -> Result<HeldBack, AcmeError> {
        let (now, problem) = (self.clock.now(), refusal.problem.clone().unwrap_or_default());
        if let Some(link) = &problem.unpause {
            return Ok(self.paused(link, now + PAUSED));
        }
        let wait = refusal.retry_after.unwrap_or(UNSAID).min(LONGEST);
        let wait = request.needed_by.map_or(wait, |needed_by| wait.min(needed_by.since(now) / 2));
        let meant = meant(&problem, request);
        let (scarce, hold) = match meant.clone() {
            Some(scarce) => (scarce, wait),
            None => (Scarce::Orders, wait.min(UNNAMED)),
        };
        let key = key(&scarce.key(&self.directory), urgency);
        self.change(&key, |kept, now| kept.unwrap_or(now).max(now + hold)).await?;
        let until = now + wait;
        let why = match meant {
            Some(scarce) => scarce.sentence(&self.limits, until),
            None => format!(
                "{} limits how much it is asked for; this goes on by itself on {until}.",
                self.limits.authority
            ),
        };
        Ok(HeldBack { until, why })
    }

    fn paused(&self, link: &str, until: Timestamp) -> HeldBack {
        let authority = &self.limits.authority;
        let why = format!(
            "{authority} issues no certificates for these domains any more, because it has found their proofs wrong for \
             too long. Correct the DNS records, then open this page and lift the pause: {link} This goes on by itself \
             afterwards."
        );
        HeldBack { until, why }
    }
}
