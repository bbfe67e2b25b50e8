//! The authority's limits, mirrored: what was used is kept in the store, shared by all brokers on one database, so that
//! nobody asks for what would be refused. What the authority says when it refuses all the same is kept beside it.
//!
//! Everything is a moment by key. A moment that has passed means nothing, and is forgotten.

mod bucket;
mod hold;
mod rooms;
mod scarce;
mod usage;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use contract::{CertificateRequest, Clock, DomainName, LedgerStore, PortResult, Timestamp};

use self::bucket::Bucket;
pub(crate) use self::hold::HeldBack;
pub(crate) use self::scarce::exact_set;
use self::scarce::{Scarce, registered_domains};
use crate::error::AcmeError;
use crate::limits::Limits;
use crate::settings::AcmeSettings;

/// How often a write is tried against others who write the same.
const ATTEMPTS: u32 = 20;
/// For how long a certificate makes the next one for the same names a renewal, as at Let's Encrypt.
const RENEWED_WITHIN: Duration = Duration::from_hours(120 * 24);
/// For how long it is remembered that an order was counted; no order lives longer.
const COUNTED: Duration = Duration::from_hours(30 * 24);

/// What the authority's limits leave.
pub(crate) struct Ledger {
    store: Arc<dyn LedgerStore>,
    limits: Limits,
    directory: String,
    clock: Arc<dyn Clock>,
}

/// How much an order matters, and so what it may use. Later ones go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// A first certificate: it may use a part of what is scarce.
    First,
    /// It replaces a certificate, for other names: it may use all.
    Renewal,
    /// A certificate for the same names was issued lately: the authority counts only those per set of names.
    SameNames,
    /// It replaces a certificate inside of the window that the authority has suggested: no limit applies.
    Invited,
}

/// What became of asking for room.
pub(crate) enum Admission {
    /// There is room; what was taken of it can be given back.
    Granted(Urgency, Taken),
    /// There is none now.
    HeldBack(HeldBack),
}

/// What was taken of the buckets.
#[derive(Debug, Default)]
pub(crate) struct Taken(Vec<(String, Bucket)>);

impl Ledger {
    pub(crate) fn new(settings: &AcmeSettings, store: Arc<dyn LedgerStore>, clock: Arc<dyn Clock>) -> Self {
        let (limits, directory) = (settings.limits.clone(), settings.directory_url.clone());
        Self { store, limits, directory, clock }
    }

    /// Asks for room for an order, and takes it, before the order is placed.
    pub(crate) async fn admit(
        &self,
        request: &CertificateRequest,
        is_invited: bool,
    ) -> Result<Admission, AcmeError> {
        let issued = self.issued(request);
        let scarce = everything(request);
        let mut keys: Vec<String> = scarce.iter().map(|one| one.key(&self.directory)).collect();
        keys.extend(scarce.iter().flat_map(|one| hold::keys(one, &self.directory)));
        keys.push(issued.clone());
        let moments = self.store.moments(&keys).await?;
        let now = self.clock.now();
        let urgency = match (is_invited, &request.replaces) {
            (true, _) => Urgency::Invited,
            _ if moments.get(&issued).is_some_and(|until| *until > now) => Urgency::SameNames,
            (_, Some(_)) => Urgency::Renewal,
            (_, None) => Urgency::First,
        };
        let obstacle = scarce.into_iter().filter_map(|one| self.obstacle(one, urgency, &moments, now)).max();
        match obstacle.filter(|(until, _)| is_worth_waiting(request, *until, now)) {
            Some((until, scarce)) => Ok(self.held_back(&scarce, until)),
            None => self.take(urgency, request.needed_by.is_some()).await,
        }
    }

    /// Gives back what was taken for an order that was certainly not placed. Best effort: at worst an order too few is
    /// placed later.
    pub(crate) async fn give_back(&self, taken: Taken) {
        for (key, bucket) in taken.0 {
            let given = self.change(&key, |full, now| full.map_or(now, |full| bucket.give_back(full))).await;
            note(given, "what was taken of a limit was not given back");
        }
    }

    /// Counts a certificate that is about to be issued for an order, once.
    pub(crate) async fn count(&self, request: &CertificateRequest, order_url: &str) -> Result<(), AcmeError> {
        if self.limits.certificates_per_domain.is_none() && self.limits.certificates_per_set.is_none() {
            return Ok(());
        }
        let (now, issued) = (self.clock.now(), self.issued(request));
        let counted = format!("counted {} {order_url}", self.directory);
        if !self.store.swap(&counted, None, now + COUNTED).await? {
            return Ok(());
        }
        let before = self.store.moments(std::slice::from_ref(&issued)).await?;
        let is_renewal = before.get(&issued).is_some_and(|until| *until > now);
        let domains = registered_domains(&request.names).into_iter().filter(|_| !is_renewal);
        for scarce in domains.map(Scarce::Domain).chain([Scarce::Set(exact_set(&request.names))]) {
            self.spend(&scarce).await?;
        }
        self.change(&issued, |_, now| now + RENEWED_WITHIN).await?;
        Ok(())
    }

    /// The authority has found the proofs of these names wrong.
    pub(crate) async fn failed(&self, names: &[DomainName]) {
        for name in names {
            let name = name.base().to_owned();
            note(self.spend(&Scarce::Failures(name.clone())).await, "a failed validation was not counted");
            note(self.spend(&Scarce::InARow(name)).await, "a failed validation was not counted");
        }
    }

    /// The authority has found the proofs of these names right: the row of failures is over.
    pub(crate) async fn proven(&self, names: &[DomainName]) {
        if self.limits.failures_in_a_row.is_none() {
            return;
        }
        let keys: Vec<String> =
            names.iter().map(|name| Scarce::InARow(name.base().to_owned()).key(&self.directory)).collect();
        let Ok(failed) = self.store.moments(&keys).await else { return };
        for key in failed.into_keys() {
            note(self.change(&key, |_, now| now).await, "a success was not counted");
        }
    }

    fn issued(&self, request: &CertificateRequest) -> String {
        format!("issued {} {}", self.directory, exact_set(&request.names))
    }

    /// Until when this keeps an order of such urgency back, if it does.
    fn obstacle(
        &self,
        scarce: Scarce,
        urgency: Urgency,
        moments: &BTreeMap<String, Timestamp>,
        now: Timestamp,
    ) -> Option<(Timestamp, Scarce)> {
        let said = hold::until(&scarce, &self.directory, urgency, moments).filter(|until| *until > now);
        let own = self
            .bucket(&scarce, urgency)
            .and_then(|bucket| bucket.take(moments.get(&scarce.key(&self.directory)).copied(), now).err());
        said.max(own).map(|until| (until, scarce))
    }

    /// The bucket that an order of such urgency is measured by; `None` when the limit does not apply to it.
    fn bucket(&self, scarce: &Scarce, urgency: Urgency) -> Option<Bucket> {
        let quota = scarce.quota(&self.limits)?;
        let applies = match scarce {
            Scarce::Orders | Scarce::Domain(_) => urgency < Urgency::SameNames,
            Scarce::Set(_) | Scarce::Failures(_) | Scarce::InARow(_) => urgency < Urgency::Invited,
        };
        let percent =
            if scarce.is_shared_out() && urgency == Urgency::First { self.limits.first_percent } else { 100 };
        applies.then_some(Bucket { quota, percent })
    }

    /// Takes an order out of its bucket. Certificates are only looked at here and counted when they are issued, as the
    /// authority does: an order that waits for its user for a week must not keep others from theirs.
    async fn take(&self, urgency: Urgency, cannot_wait: bool) -> Result<Admission, AcmeError> {
        let Some(bucket) = self.bucket(&Scarce::Orders, urgency) else {
            return Ok(Admission::Granted(urgency, Taken::default()));
        };
        let key = Scarce::Orders.key(&self.directory);
        for _ in 0..ATTEMPTS {
            let full = self.moment(&key).await?;
            let now = self.clock.now();
            let next = match bucket.take(full, now) {
                Err(until) if !cannot_wait => return Ok(self.held_back(&Scarce::Orders, until)),
                taken => taken.unwrap_or_else(|_| bucket.spend(full, now)),
            };
            if self.store.swap(&key, full, next).await? {
                self.store.forget_before(now).await?;
                return Ok(Admission::Granted(urgency, Taken(vec![(key, bucket)])));
            }
        }
        Err(AcmeError::Outpaced)
    }

    fn held_back(&self, scarce: &Scarce, until: Timestamp) -> Admission {
        Admission::HeldBack(HeldBack { until, why: scarce.sentence(&self.limits, until) })
    }

    async fn spend(&self, scarce: &Scarce) -> PortResult<()> {
        let Some(quota) = scarce.quota(&self.limits) else { return Ok(()) };
        let bucket = Bucket { quota, percent: 100 };
        self.change(&scarce.key(&self.directory), |full, now| bucket.spend(full, now)).await
    }

    /// Puts another moment under a key. Given up when too many others write the same: the ledger is an estimate, and
    /// the authority has the last word.
    async fn change(
        &self,
        key: &str,
        next: impl Fn(Option<Timestamp>, Timestamp) -> Timestamp + Send,
    ) -> PortResult<()> {
        for _ in 0..ATTEMPTS {
            let seen = self.moment(key).await?;
            if self.store.swap(key, seen, next(seen, self.clock.now())).await? {
                return Ok(());
            }
        }
        tracing::warn!(ledger.key = key, "too many write the same limit; it was not counted");
        Ok(())
    }

    async fn moment(&self, key: &str) -> PortResult<Option<Timestamp>> {
        let key = key.to_owned();
        Ok(self.store.moments(std::slice::from_ref(&key)).await?.remove(&key))
    }
}

/// Everything that can keep back an order.
fn everything(request: &CertificateRequest) -> Vec<Scarce> {
    let names = request.names.iter().map(|name| name.base().to_owned());
    let failures = names.flat_map(|name| [Scarce::Failures(name.clone()), Scarce::InARow(name)]);
    let domains = registered_domains(&request.names).into_iter().map(Scarce::Domain);
    let set = Scarce::Set(exact_set(&request.names));
    [Scarce::Orders, set].into_iter().chain(domains).chain(failures).collect()
}

/// Nobody waits for more than half of the time after which the certificate is missed: then the authority is asked, and
/// has the last word.
fn is_worth_waiting(request: &CertificateRequest, until: Timestamp, now: Timestamp) -> bool {
    request.needed_by.is_none_or(|needed_by| until <= now + needed_by.since(now) / 2)
}

fn note(result: PortResult<()>, trouble: &str) {
    if let Err(error) = result {
        tracing::warn!(%error, "{trouble}");
    }
}
