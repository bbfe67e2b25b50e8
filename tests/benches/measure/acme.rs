//! acme-core against Pebble, beside instant-acme alone against the same Pebble in the same minute.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use acme_core::{AcmeIssuer, AcmeSettings, Probe, ProbeSettings};
use anyhow::{Context, bail, ensure};
use contract::testing::{ManualClock, MemoryStore};
use contract::{CertificateIssuer, CertificateRequest, DomainName, IssuanceId, IssuanceProgress, KeyType};
use instant_acme::Account;
use sandbox::authority::{Authority, AuthoritySettings};
use sandbox::dns::Dns;
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::bare;
use crate::clock::{Stopwatch, SystemClock, pause};
use crate::report::{Aim, Report};
use crate::stats::{Sorted, float, millis};

/// Pebble can deadlock above four orders at once.
const CONCURRENCY: [usize; 2] = [1, 4];

/// Both sides take turns, so that what happens on the machine meanwhile happens to both.
const ROUNDS: usize = 12;

/// Certificates of one side in one round.
const CERTIFICATES: usize = 16;

/// One certificate that takes longer has met an authority that hangs.
const BOUND: Duration = Duration::from_mins(1);

pub(crate) async fn measure(report: &mut Report) -> anyhow::Result<()> {
    for concurrency in CONCURRENCY {
        let laboratory = Laboratory::warm().await?;
        let (mut bare, mut ours) = (Total::default(), Total::default());
        for round in 0..ROUNDS {
            let name = |side: &str| format!("{side}-{concurrency}-{round}");
            bare.add(laboratory.round(Side::Bare, &name("bare"), concurrency).await?);
            let side = Side::AcmeCore(KeyType::P256);
            ours.add(laboratory.round(side, &name("acme"), concurrency).await?);
        }
        bare.report(report, &format!("instant-acme alone, {concurrency} at once"));
        ours.report(report, &format!("acme-core, {concurrency} at once"));
        let ratio = ours.time.as_secs_f64() / bare.time.as_secs_f64();
        report.aim(format!("ratio, {concurrency} at once"), ratio, "times", Aim::Below(1.2));
        let ratio = ours.at_work() / bare.at_work();
        report.note(format!("ratio, {concurrency} at once, waits left out"), ratio, "times");
    }
    let (laboratory, mut rsa) = (Laboratory::warm().await?, Total::default());
    rsa.add(laboratory.round(Side::AcmeCore(KeyType::Rsa2048), "rsa", 1).await?);
    rsa.report(report, "acme-core with RSA-2048, 1 at once");
    Ok(())
}

#[derive(Clone, Copy)]
enum Side {
    Bare,
    AcmeCore(KeyType),
}

/// One certificate: how long it took, and how much of that was pauses between two questions to the authority: those
/// that acme-core asks for, and those of the bare loop.
#[derive(Clone, Copy)]
struct Made {
    took: Duration,
    waited: Duration,
}

/// All rounds of one side.
#[derive(Default)]
struct Total {
    time: Duration,
    made: Vec<Made>,
}

impl Total {
    fn add(&mut self, (time, made): (Duration, Vec<Made>)) {
        self.time += time;
        self.made.extend(made);
    }

    fn sum(&self, of: impl Fn(&Made) -> Duration) -> f64 {
        self.made.iter().map(of).sum::<Duration>().as_secs_f64()
    }

    /// Seconds that all certificates together took, pauses left out.
    fn at_work(&self) -> f64 {
        self.sum(|made| made.took.saturating_sub(made.waited))
    }

    fn report(&self, report: &mut Report, name: &str) {
        let rate = float(self.made.len()) / self.time.as_secs_f64();
        let median = Sorted::new(self.made.iter().map(|made| made.took).collect()).median();
        report.note(format!("{name}: certificates"), rate, "1/s");
        report.note(format!("{name}: median"), millis(median), "ms");
        let share = 100.0 * self.sum(|made| made.waited) / self.sum(|made| made.took);
        report.note(format!("{name}: pauses"), share, "%");
    }
}

/// One Pebble, and both of its clients.
struct Laboratory {
    dns: Dns,
    account: Account,
    issuer: AcmeIssuer,
    _authority: Authority,
    _state: TempDir,
}

impl Laboratory {
    /// A new one, because Pebble locks up after some five hundred orders. Accounts are made and connections are opened before
    /// anything is measured.
    async fn warm() -> anyhow::Result<Arc<Self>> {
        let laboratory = Arc::new(Self::new().await?);
        laboratory.round(Side::Bare, "warm-up-bare", 1).await?;
        laboratory.round(Side::AcmeCore(KeyType::P256), "warm-up-acme", 1).await?;
        Ok(laboratory)
    }

    async fn new() -> anyhow::Result<Self> {
        let state = tempfile::tempdir()?;
        let dns = Dns::start(([127, 0, 0, 1], 0).into()).await?;
        let settings = AuthoritySettings {
            nonce_rejection_percent: 0,
            authorization_reuse_percent: 0,
            ..AuthoritySettings::default()
        };
        let authority = Authority::start(state.path(), dns.address(), &settings).await?;
        let directory = pebble(state.path())?;
        let roots = std::fs::read_to_string(authority.root_file())?;
        let account = bare::account(&directory, &roots).await?;
        let settings = AcmeSettings { root_certificates_pem: Some(roots), ..AcmeSettings::new(directory) };
        let store = Arc::new(MemoryStore::new(ManualClock::new()));
        let probe = ProbeSettings {
            resolvers: vec![dns.address()],
            dns_port: dns.address().port(),
            allow_private_addresses: true,
            ..ProbeSettings::default()
        };
        let probe = Arc::new(Probe::new(&probe)?);
        let issuer =
            AcmeIssuer::new(settings, store.clone(), store.clone(), store, probe, Arc::new(SystemClock))?;
        Ok(Self { dns, account, issuer, _authority: authority, _state: state })
    }

    /// Makes certificates, `concurrency` at once, and says how long all of them took together.
    async fn round(
        self: &Arc<Self>,
        side: Side,
        name: &str,
        concurrency: usize,
    ) -> anyhow::Result<(Duration, Vec<Made>)> {
        let watch = Stopwatch::start();
        let mut makers = JoinSet::new();
        for first in 0..concurrency {
            let (laboratory, name) = (Arc::clone(self), name.to_owned());
            makers.spawn(async move {
                let mut made = Vec::new();
                for number in (first..CERTIFICATES).step_by(concurrency) {
                    made.push(laboratory.certificate(side, &format!("{name}-{number}.example.gov")).await?);
                }
                anyhow::Ok(made)
            });
        }
        let mut made = Vec::new();
        while let Some(some) = makers.join_next().await {
            made.extend(some??);
        }
        Ok((watch.elapsed(), made))
    }

    async fn certificate(&self, side: Side, name: &str) -> anyhow::Result<Made> {
        let watch = Stopwatch::start();
        let waited = match side {
            Side::Bare => bounded(bare::certificate(&self.account, &self.dns, name)).await?,
            Side::AcmeCore(key_type) => bounded(self.issue(name, key_type)).await?,
        };
        Ok(Made { took: watch.elapsed(), waited })
    }

    /// Drives acme-core as a worker with nothing else to do would, and says how long it was told to wait.
    async fn issue(&self, name: &str, key_type: KeyType) -> anyhow::Result<Duration> {
        let id = IssuanceId::new(name);
        let names = vec![DomainName::parse(name)?];
        self.issuer.open(&id, &CertificateRequest::new(names, key_type)).await?;
        let (mut waited, mut proven) = (Duration::ZERO, false);
        loop {
            match self.issuer.advance(&id).await? {
                IssuanceProgress::Issued(_) => return Ok(waited),
                IssuanceProgress::Working { again } => {
                    let watch = Stopwatch::start();
                    pause(again).await;
                    waited += watch.elapsed();
                }
                IssuanceProgress::HeldBack { why, .. } => bail!("{name} is held back: {why}"),
                IssuanceProgress::AwaitingProof { .. } if proven => bail!("{name} is not seen"),
                IssuanceProgress::AwaitingProof { .. } => {
                    self.set_records(&id).await?;
                    proven = true;
                }
            }
        }
    }

    async fn set_records(&self, id: &IssuanceId) -> anyhow::Result<()> {
        for one in self.issuer.instructions(id).await? {
            let record = one.direct().cloned().context("no record to set")?;
            self.dns.set_txt(&record.name, vec![record.value])?;
        }
        Ok(())
    }
}

async fn bounded<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::time::timeout(BOUND, work).await.context("the authority hangs")?
}

/// Pebble's own directory: the sandbox's gate before it would cost both sides the same, and blur the ratio.
fn pebble(state: &Path) -> anyhow::Result<String> {
    let config: Value = serde_json::from_slice(&std::fs::read(state.join("pebble.json"))?)?;
    let listen = config["pebble"]["listenAddress"].as_str().unwrap_or_default();
    ensure!(!listen.is_empty(), "pebble.json names no listenAddress");
    Ok(format!("https://{listen}/dir"))
}
