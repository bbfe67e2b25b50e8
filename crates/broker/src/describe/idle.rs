//! What `cf update-service NAME -c '{}'` answers about an instance on which nothing of the user's runs.

use std::time::Duration;

use contract::{
    CertificateFacts, DomainInstructions, DomainName, Instance, Operation, OperationKind, OperationState,
    SiteFinding, Timestamp,
};

use super::found;
use super::proofs::Proofs;
use super::sights::Sights;
use super::words::{list, size, some, span};

/// Up to this many domains, all fits on a screen or two.
const FEW: usize = 10;

/// The longest text for few domains, and for many, in bytes (R108).
const LIMITS: (usize, usize) = (4 * 1024, 32 * 1024);

/// What is left for other things when many domains are to be proven for an update.
const RESERVE: usize = 700;

/// For whoever has proven everything after their update had failed.
const DONE: &str =
    "All that it needs has been proven or seen. Make the same update again: it goes on where it stopped.";

/// Everything that the state of an idle instance depends on.
pub(crate) struct Idle<'a> {
    pub(crate) instance: &'a Instance,
    /// The names that are served now.
    pub(crate) served: &'a [DomainName],
    /// What the served certificate says.
    pub(crate) certificate: Option<&'a CertificateFacts>,
    /// The names that were given up because they could not be proven any more.
    pub(crate) lapsed: &'a [DomainName],
    /// When the certificate is to be renewed, once a moment has been chosen.
    pub(crate) renewal: Option<Timestamp>,
    /// What a renewal that runs wants of the user.
    pub(crate) renewing: Open<'a>,
    /// What an update that has failed wanted of the user, as long as it is of use.
    pub(crate) update: Open<'a>,
    /// What was seen of the names that are served.
    pub(crate) sights: Sights<'a>,
    /// What visits have found, which a look does not see.
    pub(crate) findings: &'a [SiteFinding],
    /// The latest operation of the user's.
    pub(crate) latest: Option<&'a Operation>,
}

/// What is asked of the user.
#[derive(Clone, Copy)]
pub(crate) struct Open<'a> {
    pub(crate) instructions: &'a [DomainInstructions],
    /// Whether all of it was looked at just now.
    pub(crate) in_time: bool,
}

impl Idle<'_> {
    /// How the instance stands. What there is to do goes before what is only worth knowing.
    pub(crate) fn text(&self) -> String {
        let start: Vec<String> =
            [Some(self.head()), self.lapsed(), self.certificate()].into_iter().flatten().collect();
        let failed: Vec<String> = self.failed_update().into_iter().collect();
        let target: Vec<String> = self.target().into_iter().collect();
        let mut room = self.limit().saturating_sub(size(&start) + size(&failed) + size(&target));
        let found = found::lines(self.findings, room / 2);
        room = room.saturating_sub(size(&found));
        let renewing = self.renewing(room);
        room = room.saturating_sub(size(&renewing));
        let update = self.update(room.saturating_sub(RESERVE));
        room = room.saturating_sub(size(&update));
        [start, found, self.sights.lines(room), renewing, failed, update, target].concat().join("\n")
    }

    fn limit(&self) -> usize {
        let domains = self.served.len().max(self.update.instructions.len());
        if domains <= FEW { LIMITS.0 } else { LIMITS.1 }
    }

    pub(super) fn head(&self) -> String {
        format!(
            "The CDN serves {} over HTTPS, with content from {}.",
            list(self.served),
            self.instance.settings.origin.domain
        )
    }

    pub(super) fn lapsed(&self) -> Option<String> {
        (!self.lapsed.is_empty()).then(|| {
            format!(
                "Not served any more: {}. Control could not be proven when the certificate had to be renewed. Name all \
                 domains in an update to bring them back.",
                some(self.lapsed)
            )
        })
    }

    fn certificate(&self) -> Option<String> {
        let facts = self.certificate?;
        let renewal = match (self.renewing.instructions.is_empty(), self.renewal) {
            (false, _) => "it is being renewed".to_owned(),
            (true, Some(at)) => format!("its renewal begins by itself, next on {at}"),
            (true, None) => "its renewal begins by itself".to_owned(),
        };
        Some(format!("The certificate is good until {}; {renewal}.", facts.not_after))
    }

    fn renewing(&self, room: usize) -> Vec<String> {
        let proofs = self.proofs(self.renewing);
        if proofs.open() == 0 {
            return Vec::new();
        }
        let end = self.certificate.map_or(String::new(), |facts| {
            format!(" A domain that is not proven shortly before {} is not served any more.", facts.not_after)
        });
        let tail = match self.looked(self.renewing) {
            Some(late) => format!("{late} The broker goes on looking by itself.{end}"),
            None => format!("The broker has looked just now, and goes on looking by itself.{end}"),
        };
        surround(proofs.head("The renewal needs you to prove control of"), &proofs, tail, room)
    }

    pub(super) fn failed_update(&self) -> Option<String> {
        let is_update = |latest: &&Operation| latest.kind == OperationKind::Update;
        let latest = self.latest.filter(|latest| latest.state == OperationState::Failed).filter(is_update)?;
        let cause = latest.sentence.as_deref().unwrap_or("The operators have been told.");
        Some(format!("The latest update, of {}, has failed and changed nothing. {cause}", latest.started_at))
    }

    /// That the renewal which runs cannot go on by itself.
    pub(super) fn renewal_needs_user(&self) -> Option<String> {
        let proofs = self.proofs(self.renewing);
        (proofs.open() > 0).then(|| proofs.head("The renewal needs you to prove control of"))
    }

    /// How an update that has failed goes on.
    pub(super) fn update_goes_on(&self) -> Option<String> {
        let proofs = self.proofs(self.update);
        match (self.update.instructions.is_empty(), proofs.open()) {
            (true, _) => None,
            (false, 0) => Some(DONE.to_owned()),
            (false, _) => Some(format!(
                "{} Then make the same update again: it goes on where it stopped.",
                proofs.head("To go on with it, prove control of")
            )),
        }
    }

    fn update(&self, room: usize) -> Vec<String> {
        let proofs = self.proofs(self.update);
        match (self.update.instructions.is_empty(), proofs.open()) {
            (true, _) => Vec::new(),
            (false, 0) => vec![DONE.to_owned()],
            (false, _) => {
                let expires = self.update.instructions.iter().filter_map(|one| one.expires).min();
                let good =
                    expires.map_or(String::new(), |at| format!(" The TXT values are good until {at}."));
                let looked = self.looked(self.update).map_or(String::new(), |looked| format!("{looked} "));
                let tail =
                    format!("{looked}Then make the same update again: it goes on where it stopped.{good}");
                surround(proofs.head("To go on with it, prove control of"), &proofs, tail, room)
            }
        }
    }

    fn proofs<'b>(&'b self, open: Open<'b>) -> Proofs<'b> {
        Proofs { tenant: &self.instance.request.organization, instructions: open.instructions }
    }

    /// What to say about a look that was not finished.
    fn looked(&self, open: Open<'_>) -> Option<String> {
        (!open.in_time).then(|| late(self.sights.patience))
    }

    /// Where each name leads says more, if it was seen.
    fn target(&self) -> Option<String> {
        let target = self.instance.distribution_domain.as_deref().filter(|_| self.sights.seen.is_empty())?;
        Some(format!(
            "Point {} to {target} with a CNAME or ALIAS record, if that is not done yet.",
            list(self.served)
        ))
    }
}

fn late(patience: Duration) -> String {
    format!("Not everything answered within {}: the rest is shown as it was seen last.", span(patience))
}

/// What there is to do, between its first line and its last.
fn surround(head: String, proofs: &Proofs<'_>, tail: String, room: usize) -> Vec<String> {
    let rest = room.saturating_sub(head.len() + tail.len() + 2);
    let mut lines = vec![head];
    lines.extend(proofs.lines_within(rest));
    lines.push(tail);
    lines
}
