use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::{CrashPlan, ManualClock, locked, sample};
use crate::{
    CertificateBundle, CertificateFacts, CertificateIssuer, CertificateRequest, Clock, DomainInstructions,
    DomainName, IssuanceId, IssuanceProgress, IssuanceRecord, LastLook, Outlook, PortError, PortResult,
    ProofMethod, ProofRecord, ProofState, ProofWay, Remedy, RenewalAdvice, Timestamp,
};

/// How long the instructions of an order are of use, as at Let's Encrypt (profile `classic`).
const ORDER_LIFE: Duration = Duration::from_hours(7 * 24);

/// How long to leave a user alone who has something to do.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// How long an advice on renewal is good for, unless a test says otherwise.
const ADVICE_LIFE: Duration = Duration::from_hours(6);

/// Certificates that live shorter than this are renewed at half their life instead of at two thirds.
const SHORT_LIFE: Duration = Duration::from_hours(10 * 24);

/// An authority in memory that plays what a test says: a name is proven once the test has called
/// [`FakeIssuer::prove`]. Clones share the authority and its issuances.
///
/// An issuance takes these units of work: place the order; look for the proofs, as often as needed; finalize; hand
/// out the certificate, as often as asked.
#[derive(Clone, Debug)]
pub struct FakeIssuer {
    clock: ManualClock,
    plan: CrashPlan,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    issuances: BTreeMap<IssuanceId, Issuance>,
    provable: BTreeSet<DomainName>,
    orders: usize,
    serials: u64,
    /// Until when, and why, there is no room for orders.
    full: Option<(Timestamp, String)>,
    /// What keeps this authority from issuing for a name.
    forbidden: BTreeMap<DomainName, String>,
    /// Whether a look at what is open ever ends.
    is_blind: bool,
}

#[derive(Debug)]
struct Issuance {
    request: CertificateRequest,
    order: Option<Order>,
    finalized: usize,
    bundle: Option<CertificateBundle>,
    abandoned: bool,
}

#[derive(Debug)]
struct Order {
    number: usize,
    expires: Timestamp,
    proven: BTreeSet<DomainName>,
    /// The names whose record was there at the last look.
    visible: BTreeSet<DomainName>,
    looked: Option<Timestamp>,
}

impl FakeIssuer {
    /// An authority that knows nobody.
    pub fn new(clock: ManualClock) -> Self {
        Self { clock, plan: CrashPlan::new(), state: Arc::default() }
    }

    /// The same authority, with every call passing `plan`.
    #[must_use]
    pub fn with_plan(mut self, plan: &CrashPlan) -> Self {
        self.plan = plan.clone();
        self
    }

    /// Plays the user who sets the record for `name`, for this and every later order.
    pub fn prove(&self, name: &DomainName) {
        locked(&self.state).provable.insert(name.clone());
    }

    /// Plays the user who takes the record away.
    pub fn unprove(&self, name: &DomainName) {
        locked(&self.state).provable.remove(name);
    }

    /// Lets the authority have no room for new orders until then.
    pub fn hold_back(&self, until: Timestamp, why: &str) {
        locked(&self.state).full = Some((until, why.to_owned()));
    }

    /// Lets the owner of `name` forbid this authority to issue for it.
    pub fn forbid(&self, name: &DomainName, saw: &str) {
        locked(&self.state).forbidden.insert(name.clone(), saw.to_owned());
    }

    /// Lets no look that somebody asks for ever end.
    pub fn looks_never_end(&self) {
        locked(&self.state).is_blind = true;
    }

    /// How many orders were placed, those that died included.
    pub fn orders_placed(&self) -> usize {
        locked(&self.state).orders
    }

    /// How many orders of an issuance were finalized.
    pub fn finalized(&self, id: &IssuanceId) -> usize {
        locked(&self.state).issuances.get(id).map_or(0, |issuance| issuance.finalized)
    }

    /// How many certificates were issued altogether.
    pub fn finalized_in_all(&self) -> usize {
        locked(&self.state).issuances.values().map(|issuance| issuance.finalized).sum()
    }

    /// The issuances that were opened.
    pub fn opened(&self) -> Vec<IssuanceId> {
        locked(&self.state).issuances.keys().cloned().collect()
    }

    /// What an issuance was opened with.
    pub fn request(&self, id: &IssuanceId) -> Option<CertificateRequest> {
        locked(&self.state).issuances.get(id).map(|issuance| issuance.request.clone())
    }

    /// Whether an issuance was abandoned.
    pub fn is_abandoned(&self, id: &IssuanceId) -> bool {
        locked(&self.state).issuances.get(id).is_some_and(|issuance| issuance.abandoned)
    }
}

#[async_trait]
impl CertificateIssuer for FakeIssuer {
    async fn open(&self, id: &IssuanceId, request: &CertificateRequest) -> PortResult<()> {
        self.plan
            .pass("issuer.open", || {
                let mut state = locked(&self.state);
                state.issuances.entry(id.clone()).or_insert_with(|| Issuance {
                    request: request.clone(),
                    order: None,
                    finalized: 0,
                    bundle: None,
                    abandoned: false,
                });
                Ok(())
            })
            .await
    }

    async fn advance(&self, id: &IssuanceId) -> PortResult<IssuanceProgress> {
        self.plan.pass("issuer.advance", || locked(&self.state).advance(id, self.clock.now())).await
    }

    async fn instructions(&self, id: &IssuanceId) -> PortResult<Vec<DomainInstructions>> {
        self.plan.pass("issuer.instructions", || Ok(locked(&self.state).instructions(id))).await
    }

    fn instructions_of(&self, issuance: &IssuanceRecord) -> Vec<DomainInstructions> {
        locked(&self.state).instructions(&issuance.id)
    }

    async fn look(&self, id: &IssuanceId) -> PortResult<()> {
        if locked(&self.state).is_blind {
            return pending().await;
        }
        self.plan
            .pass("issuer.look", || {
                let mut state = locked(&self.state);
                let (state, now) = (&mut *state, self.clock.now());
                if let Some(issuance) = state.issuances.get_mut(id).filter(|one| one.bundle.is_none())
                    && let Some(order) = issuance.order.as_mut().filter(|order| now < order.expires)
                {
                    order.look(&issuance.request.names, &state.provable, now);
                }
                Ok(())
            })
            .await
    }

    async fn outlook(&self, request: &CertificateRequest) -> PortResult<Vec<Outlook>> {
        self.plan.pass("issuer.outlook", || Ok(locked(&self.state).outlook(request))).await
    }

    async fn renewal(&self, certificate: &CertificateFacts) -> PortResult<RenewalAdvice> {
        self.plan
            .pass("issuer.renewal", || {
                let life = certificate.not_after.since(certificate.not_before);
                let from = certificate.not_after - if life < SHORT_LIFE { life / 2 } else { life / 3 };
                let ask_again = self.clock.now() + ADVICE_LIFE;
                Ok(RenewalAdvice { from, until: from + life / 50, ask_again, explanation: None })
            })
            .await
    }

    async fn abandon(&self, id: &IssuanceId) -> PortResult<()> {
        self.plan
            .pass("issuer.abandon", || {
                if let Some(issuance) = locked(&self.state).issuances.get_mut(id) {
                    issuance.abandoned = true;
                    issuance.bundle = None;
                    issuance.order = None;
                }
                Ok(())
            })
            .await
    }
}

impl State {
    fn instructions(&self, id: &IssuanceId) -> Vec<DomainInstructions> {
        self.issuances.get(id).map(Issuance::instructions).unwrap_or_default()
    }

    fn advance(&mut self, id: &IssuanceId, now: Timestamp) -> PortResult<IssuanceProgress> {
        let Some(issuance) = self.issuances.get_mut(id).filter(|issuance| !issuance.abandoned) else {
            let cause = format!("the issuance {id} is unknown or abandoned");
            return Err(PortError::new("obtain the certificate", Remedy::GiveUp, cause));
        };
        if let Some(bundle) = &issuance.bundle {
            return Ok(IssuanceProgress::Issued(bundle.clone()));
        }
        let names = &issuance.request.names;
        match &mut issuance.order {
            Some(order) if names.iter().all(|name| order.proven.contains(name)) => {
                self.serials += 1;
                issuance.finalized += 1;
                issuance.bundle = Some(sample::bundle(self.serials, names, now));
            }
            Some(order) if now < order.expires => {
                order.look(names, &self.provable, now);
                order.proven.extend(order.visible.iter().cloned());
                if !names.iter().all(|name| order.proven.contains(name)) {
                    return Ok(IssuanceProgress::AwaitingProof { look_again: LOOK_AGAIN });
                }
            }
            _ => {
                if let Some((until, why)) = self.full.clone().filter(|(until, _)| now < *until) {
                    return Ok(IssuanceProgress::HeldBack { until, why });
                }
                self.orders += 1;
                let expires = now + ORDER_LIFE;
                let number = self.orders;
                issuance.order = Some(Order {
                    number,
                    expires,
                    proven: BTreeSet::new(),
                    visible: BTreeSet::new(),
                    looked: None,
                });
            }
        }
        Ok(IssuanceProgress::Working { again: Duration::ZERO })
    }
}

impl State {
    /// What is served is proven through the CDN, and nothing else by itself.
    fn outlook(&self, request: &CertificateRequest) -> Vec<Outlook> {
        let served = |name: &DomainName| request.served.contains(name) && !name.is_wildcard();
        let one = |name: &DomainName| Outlook {
            name: name.clone(),
            by_itself: served(name).then_some(ProofMethod::ThroughCdn),
            forbidden: self.forbidden.get(name).cloned(),
            once: None,
        };
        request.names.iter().map(one).collect()
    }
}

impl Issuance {
    fn instructions(&self) -> Vec<DomainInstructions> {
        let Some(order) = &self.order else { return Vec::new() };
        self.request.names.iter().map(|name| order.instructions(name)).collect()
    }
}

impl Order {
    fn look(&mut self, names: &[DomainName], provable: &BTreeSet<DomainName>, now: Timestamp) {
        self.looked = Some(now);
        self.visible = names.iter().filter(|name| provable.contains(name)).cloned().collect();
    }

    fn instructions(&self, name: &DomainName) -> DomainInstructions {
        let proven = self.proven.contains(name);
        let record = ProofRecord {
            name: format!("_acme-challenge.{}.", name.base()),
            kind: "TXT".into(),
            value: format!("value-{}-of-{}", self.number, name.as_str().replace("*.", "wildcard-")),
            ttl: 60,
        };
        let saw = if proven || self.visible.contains(name) {
            "the record is there"
        } else {
            "there is no such record"
        };
        DomainInstructions {
            name: name.clone(),
            state: if proven { ProofState::Proven } else { ProofState::Open },
            ways: if proven { Vec::new() } else { vec![ProofWay::Direct(record)] },
            proven_by: proven.then_some(ProofMethod::Direct),
            expires: (!proven).then_some(self.expires),
            last_look: self.looked.map(|at| LastLook { at, saw: saw.into() }),
            next_look: self.looked.filter(|_| !proven).map(|at| at + LOOK_AGAIN),
        }
    }
}
