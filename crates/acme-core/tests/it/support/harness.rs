use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use acme_core::{AcmeIssuer, AcmeSettings, Probe, ProbeSettings, ProofSettings};
use anyhow::{Context, Result};
use async_trait::async_trait;
use contract::testing::{CrashPlan, FakeSite, FakeZone, ManualClock, MemoryStore};
use contract::{
    CaaQuestion, CertificateBundle, CertificateIssuer, CertificateRequest, DomainName, HttpQuestion,
    IssuanceId, IssuanceProgress, IssuanceRecord, IssuanceStore, KeyType, PortResult, ProofProbe, Sighting,
    Timestamp, TxtQuestion, Verdict,
};

use super::NameServer;

pub(crate) fn names(names: &[&str]) -> Vec<DomainName> {
    names.iter().filter_map(|name| DomainName::parse(name).ok()).collect()
}

pub(crate) fn request(key_type: KeyType, of: &[&str]) -> CertificateRequest {
    CertificateRequest::new(names(of), key_type)
}

/// A probe in a world whose only name server, and resolver, is at this address.
pub(crate) fn probe_settings(dns: SocketAddr) -> ProbeSettings {
    ProbeSettings {
        resolvers: vec![dns],
        dns_port: dns.port(),
        allow_private_addresses: true,
        ..ProbeSettings::default()
    }
}

/// The broker around an issuer: the stores that survive, and the settings that every process starts with.
pub(crate) struct Harness {
    pub(crate) settings: AcmeSettings,
    pub(crate) store: MemoryStore,
    pub(crate) clock: ManualClock,
    pub(crate) plan: CrashPlan,
    pub(crate) probe: Arc<dyn ProofProbe>,
    /// What the operator has set up for durable proofs: nothing, unless a test says so.
    pub(crate) proofs: ProofSettings,
    pub(crate) zone: FakeZone,
    pub(crate) site: FakeSite,
}

impl Harness {
    /// A broker whose probe asks `resolver`.
    pub(crate) fn new(settings: AcmeSettings, resolver: SocketAddr) -> Result<Self> {
        Self::with_probe(settings, Arc::new(Probe::new(&probe_settings(resolver))?))
    }

    pub(crate) fn with_probe(settings: AcmeSettings, probe: Arc<dyn ProofProbe>) -> Result<Self> {
        let (clock, plan) = (ManualClock::at(today()?), CrashPlan::new());
        let store = MemoryStore::new(clock.clone()).with_plan(&plan);
        let zone = FakeZone::new("cdn.example.").with_plan(&plan);
        let site = FakeSite::new().with_plan(&plan);
        Ok(Self { settings, store, clock, plan, probe, proofs: ProofSettings::default(), zone, site })
    }

    /// A process of the broker, freshly started.
    pub(crate) fn issuer(&self) -> Result<AcmeIssuer> {
        let store = || Arc::new(self.store.clone());
        let (probe, clock) = (Arc::clone(&self.probe), Arc::new(self.clock.clone()));
        let issuer = AcmeIssuer::new(self.settings.clone(), store(), store(), store(), probe, clock)?;
        let issuer = issuer.with_proofs(self.proofs.clone())?;
        Ok(issuer.with_zone(Arc::new(self.zone.clone())).with_site(Arc::new(self.site.clone())))
    }

    pub(crate) async fn open(&self, id: &str, request: &CertificateRequest) -> Result<IssuanceId> {
        let id = IssuanceId::new(id);
        self.issuer()?.open(&id, request).await?;
        Ok(id)
    }

    pub(crate) async fn record(&self, id: &IssuanceId) -> Result<IssuanceRecord> {
        self.store.load(id).await?.context("the issuance")
    }

    /// Calls one process until the certificate is there.
    pub(crate) async fn until_issued(
        &self,
        issuer: &AcmeIssuer,
        id: &IssuanceId,
    ) -> Result<CertificateBundle> {
        self.drive(id, || Ok(None), issuer).await
    }

    /// Starts a new process for every single call.
    pub(crate) async fn until_issued_by_many(&self, id: &IssuanceId) -> Result<CertificateBundle> {
        self.drive(id, || self.issuer().map(Some), &self.issuer()?).await
    }

    async fn drive(
        &self,
        id: &IssuanceId,
        fresh: impl Fn() -> Result<Option<AcmeIssuer>>,
        issuer: &AcmeIssuer,
    ) -> Result<CertificateBundle> {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        for _ in 0..1500 {
            ticks.tick().await;
            let other = fresh()?;
            let progress = other.as_ref().unwrap_or(issuer).advance(id).await?;
            self.clock.advance(Duration::from_millis(20));
            if let IssuanceProgress::Issued(bundle) = progress {
                return Ok(bundle);
            }
        }
        anyhow::bail!("no certificate after 1500 calls: {:?}", self.record(id).await?)
    }

    /// The user sets all records of the instructions.
    pub(crate) async fn set_records(&self, id: &IssuanceId, dns: &NameServer) -> Result<()> {
        for one in self.issuer()?.instructions(id).await? {
            if let Some(record) = one.direct() {
                dns.add_txt(&record.name, &record.value);
            }
        }
        Ok(())
    }
}

/// Certificates of real authorities are valid from now on, so the clock starts there.
#[expect(clippy::disallowed_methods, reason = "Pebble knows the real time only")]
fn today() -> Result<Timestamp> {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(Timestamp::from_secs(i64::try_from(since_epoch.as_secs())?))
}

/// A probe that sees what the test lets it see: everything, nothing, or the proofs of some names.
#[derive(Clone, Default)]
pub(crate) struct SharedProbe(Arc<Mutex<Visible>>);

#[derive(Default)]
struct Visible {
    everything: bool,
    names: HashSet<String>,
}

impl SharedProbe {
    pub(crate) fn seeing_everything() -> Self {
        let probe = Self::default();
        probe.see_everything(true);
        probe
    }

    pub(crate) fn see_everything(&self, everything: bool) {
        if let Ok(mut visible) = self.0.lock() {
            visible.everything = everything;
        }
    }

    /// Lets the probe see the proof for one domain.
    pub(crate) fn see(&self, name: &str) {
        if let Ok(mut visible) = self.0.lock() {
            visible.names.insert(format!("_acme-challenge.{name}."));
        }
    }

    fn look(&self, name: &str) -> Sighting {
        let seen = self.0.lock().is_ok_and(|visible| visible.everything || visible.names.contains(name));
        if seen { Sighting::seen(vec![]) } else { Sighting::not_yet("Nothing yet.", vec![]) }
    }
}

#[async_trait]
impl ProofProbe for SharedProbe {
    async fn txt(&self, question: &TxtQuestion) -> PortResult<Sighting> {
        Ok(self.look(&question.name))
    }

    async fn http(&self, question: &HttpQuestion) -> PortResult<Sighting> {
        Ok(self.look(&format!("_acme-challenge.{}.", question.name)))
    }

    async fn caa(&self, _: &CaaQuestion) -> PortResult<Verdict> {
        Ok(Verdict::Seen)
    }
}
