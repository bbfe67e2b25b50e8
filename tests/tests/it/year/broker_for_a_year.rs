use std::sync::{Arc, Mutex};
use std::time::Duration;

use acme_core::{AcmeIssuer, AcmeSettings};
use async_trait::async_trait;
use broker::{Breakers, Chores, Offer, Offering, Pace, Plans, Ports, Rules, Service, WorkSettings, Worker};
use contract::testing::World;
use contract::{
    CaaQuestion, CertificateFacts, CertificateIssuer, CertificateRecord, CertificateRequest, Clock,
    DomainInstructions, DomainName, HttpQuestion, InstanceId, IssuanceId, IssuanceProgress, IssuanceRecord,
    KeyType, Outlook, PortResult, ProofProbe, Randomness, RenewalAdvice, Sighting, Timestamp, TxtQuestion,
    Verdict,
};
use http::{HeaderMap, HeaderValue, Method};
use osb_core::{Api, Credential, Request};
use serde_json::json;

use super::scripted::Scripted;

const DAY: Duration = Duration::from_hours(24);

/// Chance that is the same in every run (the generator `SplitMix64`).
struct Chance(Mutex<u64>);

impl Randomness for Chance {
    fn bytes(&self) -> [u8; 16] {
        let mut state = self.0.lock().unwrap();
        let mut next = || {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        };
        (u128::from(next()) << 64 | u128::from(next())).to_be_bytes()
    }
}

/// All domains are proven.
struct Proven;

#[async_trait]
impl ProofProbe for Proven {
    async fn txt(&self, _: &TxtQuestion) -> PortResult<Sighting> {
        Ok(Sighting::seen(vec![]))
    }

    async fn http(&self, _: &HttpQuestion) -> PortResult<Sighting> {
        Ok(Sighting::seen(vec![]))
    }

    async fn caa(&self, _: &CaaQuestion) -> PortResult<Verdict> {
        Ok(Verdict::Seen)
    }
}

/// The real issuer, whose advice is good for a fortnight: asking it every day for a year would show nothing more.
struct Unhurried(AcmeIssuer, Arc<dyn Clock>);

#[async_trait]
impl CertificateIssuer for Unhurried {
    async fn open(&self, id: &IssuanceId, request: &CertificateRequest) -> PortResult<()> {
        self.0.open(id, request).await
    }

    async fn advance(&self, id: &IssuanceId) -> PortResult<IssuanceProgress> {
        self.0.advance(id).await
    }

    async fn instructions(&self, id: &IssuanceId) -> PortResult<Vec<DomainInstructions>> {
        self.0.instructions(id).await
    }

    fn instructions_of(&self, issuance: &IssuanceRecord) -> Vec<DomainInstructions> {
        self.0.instructions_of(issuance)
    }

    async fn look(&self, id: &IssuanceId) -> PortResult<()> {
        self.0.look(id).await
    }

    async fn outlook(&self, request: &CertificateRequest) -> PortResult<Vec<Outlook>> {
        self.0.outlook(request).await
    }

    async fn renewal(&self, certificate: &CertificateFacts) -> PortResult<RenewalAdvice> {
        let advice = self.0.renewal(certificate).await?;
        Ok(RenewalAdvice { ask_again: self.1.now() + 14 * DAY, ..advice })
    }

    async fn abandon(&self, id: &IssuanceId) -> PortResult<()> {
        self.0.abandon(id).await
    }
}

/// A broker on fakes, but for its issuer, and the authority of that.
pub(super) struct Year {
    pub(super) world: World,
    pub(super) authority: Scripted,
    pub(super) instances: Vec<(InstanceId, u32)>,
    ports: Ports,
    worker: Worker,
    chores: Chores,
}

impl Year {
    /// So many instances of certificates that live so many days, all asked for at once.
    pub(super) async fn begin(kinds: &[(u32, u32)]) -> Self {
        // The CDN takes minutes; asking it every few seconds for a year would show nothing more.
        let pace = Pace { deployment_poll: Duration::from_mins(5), ..Pace::default() };
        let (world, authority) = (World::new(), Scripted::start().await.unwrap());
        let clock = world.clock.clone();
        authority.certificates_live(move |name| {
            let days: u32 = name.split(['.', '-']).nth(1).and_then(|days| days.parse().ok()).unwrap_or(90);
            let now = clock.now().as_millis().div_euclid(1000);
            (now, now + i64::from(days) * 86_400)
        });
        let ports = ports(&world, &authority, &pace);
        let settings = WorkSettings { pace: pace.clone(), key_type: KeyType::P256, plans: Plans::default() };
        let worker = Worker::new(ports.clone(), settings);
        let chores = Chores::new(ports.clone(), worker.bell());
        let instances = provision(&ports, pace, kinds).await;
        Self { world, authority, instances, ports, worker, chores }
    }

    /// Lets time pass until `end`, from one thing that is due to the next.
    pub(super) async fn pass_until(&self, end: Timestamp) {
        let clock = &self.world.clock;
        while clock.now() < end {
            self.chores.run_due().await.unwrap();
            self.worker.run_due().await.unwrap();
            let due = [
                self.ports.queue.next_due().await.unwrap(),
                self.ports.renewals.next_check().await.unwrap(),
                self.ports.sweeps.next_try().await.unwrap(),
            ];
            let next = due.into_iter().flatten().min().unwrap_or(end);
            clock.set(next.max(clock.now() + Duration::from_millis(1)).min(end));
        }
    }

    /// Lets time pass until nothing is in the middle of a swap.
    pub(super) async fn pass_until_idle(&self) {
        for _ in 0..1000 {
            let work = self.ports.queue.next_due().await.unwrap();
            let left_behind = self.ports.sweeps.next_try().await.unwrap();
            if work.is_none() && left_behind.is_none() {
                return;
            }
            self.pass_until(self.world.clock.now() + Duration::from_mins(1)).await;
        }
        unreachable!("there is always something in the middle of a swap");
    }

    pub(super) async fn certificates(&self, id: &InstanceId) -> Vec<CertificateRecord> {
        self.ports.certificates.of_instance(id, 1).await.unwrap()
    }
}

fn ports(world: &World, authority: &Scripted, pace: &Pace) -> Ports {
    let World { store, clock, alerts, .. } = world.clone();
    let kept = || Arc::new(store.clone());
    let time: Arc<dyn Clock> = Arc::new(clock.clone());
    let settings = AcmeSettings::new(&authority.directory_url);
    let issuer =
        AcmeIssuer::new(settings, kept(), kept(), kept(), Arc::new(Proven), Arc::clone(&time)).unwrap();
    let breakers =
        Breakers::new(kept(), kept(), Arc::new(alerts.clone()), Arc::clone(&time), pace.step_timeout);
    Ports {
        issuer: breakers.issuer(Arc::new(Unhurried(issuer, Arc::clone(&time)))),
        names: Arc::new(world.names.clone()),
        cdn: breakers.cdn(Arc::new(world.cdn.clone())),
        vault: breakers.vault(Arc::new(world.vault.clone())),
        site: breakers.site(Arc::new(world.site.clone())),
        managed: None,
        platform: None,
        answers: kept(),
        instances: kept(),
        operations: kept(),
        queue: kept(),
        certificates: kept(),
        domains: kept(),
        renewals: kept(),
        sweeps: kept(),
        chores: kept(),
        troubles: kept(),
        readiness: kept(),
        breakers,
        letters: None,
        alerts: Arc::new(alerts),
        clock: time,
        randomness: Arc::new(Chance(Mutex::new(2026))),
    }
}

async fn provision(ports: &Ports, pace: Pace, kinds: &[(u32, u32)]) -> Vec<(InstanceId, u32)> {
    let api =
        Api::new(Offering::built_in(true).catalog, vec![Credential::new("user", "secret").unwrap()]).unwrap();
    let rules = Rules {
        default_origin: DomainName::parse("apps.example.org").unwrap(),
        offer: Offer::default(),
        deleted_retention: Duration::from_hours(1),
        pace,
        plans: Plans::default(),
        managed_zone: None,
    };
    let service = Service::new(api, ports.clone(), rules, Arc::default());
    let mut headers = HeaderMap::new();
    for (name, value) in [("authorization", "Basic dXNlcjpzZWNyZXQ="), ("x-broker-api-version", "2.15")] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let mut instances = Vec::new();
    for (count, days) in kinds {
        for number in 0..*count {
            let id = format!("{days}-{number:03}");
            let (path, query) = (format!("/v2/service_instances/{id}"), Some("accepts_incomplete=true"));
            let body = json!({
                "service_id": broker::SERVICE_ID, "plan_id": broker::PLAN_ID,
                "organization_guid": "org-1", "space_guid": "space-1",
                "parameters": {"domain": format!("site-{id}.example")},
            })
            .to_string();
            let (method, headers, body) = (&Method::PUT, &headers, body.as_bytes());
            let answer = service.answer(&Request { method, path: &path, query, headers, body }).await;
            assert_eq!(answer.status(), 202, "{answer:?}");
            instances.push((InstanceId::new(&id), *days));
        }
    }
    instances
}
