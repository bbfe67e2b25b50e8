//! A cloud with the delays of the real one, a canary in it, and checks that are run whenever they want to be.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use acme_core::{Probe, ProbeSettings};
use anyhow::{Context, bail};
use async_trait::async_trait;
use cloudfront_core::{
    AwsSettings, Contract, ContractCheck, ContractPorts, Endpoint, PolicySettings, Progress, Retries,
    Verdict, ZoneSettings, bucket_policy,
};
use contract::testing::{ManualClock, MemoryStore, SequentialRandomness, sample};
use contract::{
    Canary, CanarySource, Cdn, CertificateBundle, CertificateVault, InstanceId, ManagedZone, PortResult,
    Reference, Secret, Serving, Timestamp, VaultName, VisitQuestion, Visitor,
};
use http::Request;
use http_body_util::Full;
use sandbox::aws::{ACCOUNT, Adjustment, Rule};
use sandbox::pki::Ca;
use sandbox::{BUCKET, Client, DEFAULT_ORIGIN, MANAGED_ZONE};
use serde_json::Value;

use crate::house::House;

/// What the canary serves.
const NAME: &str = "canary.managed.example.net";
/// No walk has to be gone on with as often.
const MOST_STEPS: usize = 3000;

/// Everything that a check needs.
pub(super) struct Laboratory {
    pub(super) house: House,
    pub(super) store: MemoryStore,
    clock: ManualClock,
    randomness: SequentialRandomness,
    probe: Arc<Probe>,
    canary: Option<Canary>,
}

/// What came of a walk: what was told on the way, and the end.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) told: Vec<String>,
    pub(super) verdict: Verdict,
}

struct Known(Option<Canary>);

#[async_trait]
impl CanarySource for Known {
    async fn canary(&self) -> PortResult<Option<Canary>> {
        Ok(self.0.clone())
    }
}

impl Laboratory {
    pub(super) async fn open() -> anyhow::Result<Self> {
        let mut laboratory = Self::without_canary().await?;
        laboratory.canary = Some(laboratory.make_canary().await?);
        Ok(laboratory)
    }

    pub(super) async fn without_canary() -> anyhow::Result<Self> {
        let house = House::without_broker(|settings| {
            settings.aws.deploy = Duration::from_mins(5);
            settings.aws.iam_propagation = Duration::from_secs(20);
            settings.aws.iam_release = Duration::from_mins(15);
        })
        .await?;
        let clock = ManualClock::new();
        let dns = house.sandbox.dns().address();
        let ports = house.sandbox.ports();
        let probe = Probe::new(&ProbeSettings {
            resolvers: vec![dns],
            dns_port: dns.port(),
            http_port: ports.http,
            https_port: ports.https,
            allow_private_addresses: true,
            edge_marks: Vec::new(),
        })?;
        let laboratory = Self {
            store: MemoryStore::new(clock.clone()),
            clock,
            randomness: SequentialRandomness::default(),
            probe: Arc::new(probe),
            canary: None,
            house,
        };
        laboratory.let_cloudfront_read(true).await?;
        Ok(laboratory)
    }

    /// An instance as the broker leaves it behind: served under a certificate that is good for more names than its own.
    async fn make_canary(&self) -> anyhow::Result<Canary> {
        let ca = Ca::new("Public Authority")?;
        self.house.sandbox.aws().trust(ca.pem())?;
        let (names, aws) = (sample::names(&[NAME]), self.aws().await);
        let signed = ca.server_certificate(&[NAME, &format!("*.{NAME}")])?;
        let bundle = CertificateBundle {
            leaf_pem: signed.chain_pem,
            chain_pem: String::new(),
            private_key_pem: Secret::new(signed.key_pem),
            ..sample::bundle(1, &names, Timestamp::default())
        };
        let instance = InstanceId::new("ca9a51e5-0000-4000-8000-000000000001");
        let made = aws.cdn.ensure(&Reference::new("cdn-canary-1"), &sample::spec(&instance, None)).await?;
        let stored = aws.vault.ensure(&VaultName::new("cdn-ca9a51e5-1-1"), &bundle).await?;
        self.pass(Duration::from_hours(1));
        let serving = Serving { names: names.clone(), certificate: stored.clone() };
        aws.cdn.apply(&made.id, &sample::spec(&instance, Some(serving))).await?;
        let zone = aws.zone.context("there is a zone")?;
        for owner in [format!("{NAME}."), format!("*.{NAME}.")] {
            zone.point(&owner, &made.domain).await?;
        }
        self.pass(Duration::from_hours(1));
        let question = VisitQuestion {
            at: made.domain.clone(),
            host: NAME.to_owned(),
            path: "/".to_owned(),
            secure: true,
        };
        let facts = self.probe.ask(&question).await?.certificate.context("the edge presents one")?;
        let bundle = CertificateBundle { facts, ..bundle };
        Ok(Canary { instance, name: names[0].clone(), host: made.domain, stored, bundle })
    }

    pub(super) async fn let_cloudfront_read(&self, may: bool) -> anyhow::Result<()> {
        let policy = bucket_policy(&PolicySettings {
            account: if may { ACCOUNT } else { "222222222222" }.to_owned(),
            bucket: BUCKET.to_owned(),
            zone: None,
            log_bucket: None,
            principal: None,
            iam_path_prefix: "letsencrypt".to_owned(),
        });
        let scope = "AWS4-HMAC-SHA256 Credential=AKIAOPERATOR/20260101/us-east-1/s3/aws4_request";
        let url = format!("{}/{BUCKET}?policy", self.house.sandbox.aws().url());
        let request =
            Request::put(url).header("authorization", scope).body(Full::from(policy.to_string()))?;
        anyhow::ensure!(Client::trusting("")?.send(request).await?.status() == 204);
        Ok(())
    }

    pub(super) async fn aws(&self) -> cloudfront_core::Aws {
        cloudfront_core::connect(&AwsSettings {
            endpoint: Some(Endpoint {
                url: self.house.sandbox.aws().url(),
                access_key_id: "AKIDSANDBOX".to_owned(),
                secret_access_key: Secret::new("sandbox"),
            }),
            managed_zone: Some(ZoneSettings {
                name: MANAGED_ZONE.to_owned(),
                id: self.house.sandbox.managed_zone().to_owned(),
            }),
            retries: Retries { attempts: 1, ..Retries::default() },
            ..AwsSettings::new(BUCKET)
        })
        .await
    }

    /// The check as a process has it that has just been started.
    pub(super) async fn check(&self, contract: Contract) -> ContractCheck {
        let aws = self.aws().await;
        let origin =
            contract::Origin { domain: sample::name(DEFAULT_ORIGIN), path: String::new(), insecure: false };
        ContractCheck::new(
            contract,
            ContractPorts {
                bench: Arc::new(aws.bench),
                edge: self.probe.clone(),
                zone: aws.zone.map(|zone| Arc::new(zone) as Arc<dyn ManagedZone>),
                canary: Arc::new(Known(self.canary.clone())),
                chores: Arc::new(self.store.clone()),
                clock: Arc::new(self.clock.clone()),
                randomness: Arc::new(self.randomness.clone()),
                origin,
                pace: Duration::from_secs(20),
            },
        )
    }

    /// Lets time pass, here and in the cloud.
    pub(super) fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.house.sandbox.aws().advance(time);
    }

    pub(super) fn set_rules(&self, rules: &[Rule]) {
        let rules = Some(rules.iter().copied().collect::<BTreeSet<_>>());
        self.house.sandbox.aws().adjust(&Adjustment { rules, ..Adjustment::default() });
    }

    /// Goes on with a walk until it ends, with a new process each time. Calls whose answers are lost are made again.
    pub(super) async fn walk(&self, contract: Contract) -> anyhow::Result<Walked> {
        let mut told = Vec::new();
        for _ in 0..MOST_STEPS {
            match self.check(contract).await.go_on().await {
                Ok(Progress::Going { again, .. }) => {
                    self.pass(again);
                    // Name servers hear of records that have become due when they are asked.
                    self.house.sandbox.dns().look_up(NAME).await?;
                }
                Ok(Progress::Found(broken)) => told.push(broken.to_string()),
                Ok(Progress::Ended(verdict)) => return Ok(Walked { told, verdict }),
                Err(_) => self.pass(Duration::from_secs(1)),
            }
        }
        bail!("the walk does not end: {told:#?}")
    }

    /// What the store keeps of a contract's walks.
    pub(super) async fn kept(&self, contract: Contract) -> anyhow::Result<Value> {
        use contract::{Chore, ChoreStore};
        let name = format!("walk {}", contract.name());
        let blank = Chore { name, next_at: Timestamp::default(), found: "{}".to_owned() };
        Ok(serde_json::from_str(&self.store.ensure(&blank).await?.found)?)
    }

    /// What is in the account beside the canary.
    pub(super) fn litter(&self) -> Vec<String> {
        let state = self.house.sandbox.aws().state();
        let canary = |name: &str| name.starts_with("cdn-");
        let distributions =
            state.distributions.iter().map(|one| one.reference.clone()).filter(|name| !canary(name));
        let certificates = state.certificates.iter().map(|one| one.name.clone()).filter(|name| !canary(name));
        let answers = state.buckets.iter().flat_map(|bucket| bucket.keys.clone());
        let records = state.hosted_zones.iter().flat_map(|zone| &zone.records);
        let records = records
            .map(|record| record.name.clone())
            .filter(|name| !name.ends_with(&format!("*.{NAME}")) && name != NAME);
        distributions.chain(certificates).chain(answers).chain(records).collect()
    }

    /// How often a call has taken effect.
    pub(super) fn effects(&self, op: &str) -> usize {
        self.house.successes(op)
    }
}

impl Walked {
    /// The names of the rules that were found broken.
    pub(super) fn broken(&self) -> Vec<&'static str> {
        self.verdict.broken.iter().map(|broken| broken.assumption.name).collect()
    }

    pub(super) fn left_out(&self) -> Vec<&'static str> {
        self.verdict.left_out.iter().map(|assumption| assumption.name).collect()
    }

    /// How long something took.
    pub(super) fn took(&self, what: &str) -> Option<Duration> {
        self.verdict.measured.iter().find(|(name, _)| name == what).map(|(_, took)| *took)
    }
}
