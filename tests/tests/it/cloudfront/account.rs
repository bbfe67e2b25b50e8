//! An AWS account of the sandbox, with our ports on one side and an operator on the other.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use async_trait::async_trait;
use bytes::Bytes;
use cloudfront_core::{Endpoint, Rates, Retries, ZoneSettings};
use contract::testing::{conformance, sample};
use contract::{
    Cdn, CertificateBundle, CertificateVault, Distribution, DistributionId, DistributionSpec, DomainName,
    InstanceId, PortResult, Reference, Remedy, Secret, Serving, Timestamp, VaultName,
};
use http::{Request, Response};
use http_body_util::Full;
use sandbox::Client;
use sandbox::aws::{Aws, AwsSettings, Fault, FaultKind, FaultMoment, JournalEntry};
use sandbox::pki::Ca;

pub(super) const BUCKET: &str = "challenges";
/// The hosted zone that the broker may write in.
pub(super) const ZONE: &str = "managed.example.net";

/// Longer than anything takes to reach every edge.
const LONG: Duration = Duration::from_hours(1);

/// The delays and quotas of the real AWS, and the bucket.
pub(super) fn settings() -> AwsSettings {
    AwsSettings { buckets: vec![BUCKET.to_owned()], ..AwsSettings::default() }
}

/// Everything that a test of this account needs; a clone is the same account.
#[derive(Clone)]
pub(super) struct Account {
    pub(super) local: Arc<Aws>,
    pub(super) cdn: Arc<dyn Cdn>,
    pub(super) vault: Arc<dyn CertificateVault>,
    zone: String,
    authority: Arc<Ca>,
    operator: Client,
}

impl Account {
    /// An account with the delays and quotas of the real AWS.
    pub(super) async fn open() -> anyhow::Result<Self> {
        Self::with(settings()).await
    }

    pub(super) async fn with(settings: AwsSettings) -> anyhow::Result<Self> {
        let local = Aws::start(settings).await?;
        let authority = Ca::new("Public Authority")?;
        local.trust(authority.pem())?;
        let zone = local.host_zone(ZONE)?;
        let ours = connect(&local, 3, &zone).await;
        let (cdn, vault) = (Arc::new(ours.cdn), Arc::new(ours.vault));
        Ok(Self {
            local: Arc::new(local),
            cdn,
            vault,
            zone,
            authority: Arc::new(authority),
            operator: Client::trusting("")?,
        })
    }

    /// The ports as another process has them: it remembers nothing, and hands every error on at once.
    pub(super) async fn process(&self) -> cloudfront_core::Aws {
        self.process_with_zone(&self.zone).await
    }

    /// The same, with another zone id in its settings.
    pub(super) async fn process_with_zone(&self, zone: &str) -> cloudfront_core::Aws {
        connect(&self.local, 1, zone).await
    }

    /// The ports of an operator who has set neither a log bucket nor a web ACL.
    pub(super) async fn bare_process(&self) -> cloudfront_core::Aws {
        cloudfront_core::connect(&our_settings(&self.local, 1)).await
    }

    /// The ports of a process that calls CloudFront at most so often per second.
    pub(super) async fn slow_process(&self, per_second: u32) -> cloudfront_core::Aws {
        let rates = Rates { cloudfront: per_second, ..Rates::default() };
        let settings = cloudfront_core::AwsSettings { rates, ..our_settings(&self.local, 1) };
        cloudfront_core::connect(&settings).await
    }

    /// A certificate for these names that CloudFront trusts, each time another one.
    pub(super) fn bundle(&self, names: &[DomainName]) -> CertificateBundle {
        let texts: Vec<&str> = names.iter().map(DomainName::as_str).collect();
        let signed = self.authority.server_certificate(&texts).unwrap();
        CertificateBundle {
            leaf_pem: signed.chain_pem,
            chain_pem: String::new(),
            private_key_pem: Secret::new(signed.key_pem),
            ..sample::bundle(1, names, Timestamp::default())
        }
    }

    /// Reads what is in the bucket.
    pub(super) fn reader(&self) -> Bucket {
        Bucket(self.clone())
    }

    /// What an instance begins with: a deployed distribution without names.
    pub(super) async fn distribution(&self, instance: &str) -> PortResult<(Distribution, DistributionSpec)> {
        let spec = sample::spec(&InstanceId::new(instance), None);
        let made = self.cdn.ensure(&Reference::new(format!("{instance}-1")), &spec).await?;
        self.settle();
        Ok((made, spec))
    }

    /// The spec with these names and a certificate for them that CloudFront knows.
    pub(super) async fn served(
        &self,
        spec: &DistributionSpec,
        names: &[&str],
    ) -> PortResult<DistributionSpec> {
        let names = sample::names(names);
        let bundle = self.bundle(&names);
        let name = VaultName::new(format!("cdn-{}", self.local.state().certificates.len()));
        let certificate = self.vault.ensure(&name, &bundle).await?;
        self.settle();
        Ok(DistributionSpec { serving: Some(Serving { names, certificate }), ..spec.clone() })
    }

    /// Lets everything arrive that is under way.
    pub(super) fn settle(&self) {
        self.local.advance(LONG);
    }

    /// The calls of an operation so far.
    pub(super) fn calls(&self, op: &str) -> Vec<JournalEntry> {
        self.local.journal().into_iter().filter(|entry| entry.op == op).collect()
    }

    /// How often an operation has taken effect.
    pub(super) fn effects(&self, op: &str) -> usize {
        self.calls(op).iter().filter(|entry| entry.status < 300).count()
    }

    /// The next call of `op` takes effect, but its answer is lost.
    pub(super) fn lose_the_answer_of(&self, op: &str) {
        self.strike(op, FaultMoment::After, FaultKind::Reset);
    }

    pub(super) fn strike(&self, op: &str, when: FaultMoment, kind: FaultKind) {
        self.local.faults().add(Fault { op: op.to_owned(), nth: 1, when, kind });
    }

    /// What an operator does at the console: reads the configuration, replaces a text in it, and writes it back.
    pub(super) async fn edit(&self, id: &DistributionId, from: &str, to: &str) -> anyhow::Result<()> {
        let path = format!("/2020-05-31/distribution/{id}/config");
        let read = self.send("cloudfront", Request::get(self.url(&path)), "").await?;
        let tag = read.headers().get("etag").context("a version was expected")?.clone();
        let config = std::str::from_utf8(read.body())?;
        ensure!(config.contains(from), "{from} is not in {config}");
        let put = Request::put(self.url(&path)).header("if-match", tag);
        let written = self.send("cloudfront", put, &config.replacen(from, to, 1)).await?;
        ensure!(written.status() == 200, "{written:?}");
        Ok(())
    }

    /// Deletes an origin access control, as an operator who tidies up.
    pub(super) async fn delete_control(&self, id: &str) -> anyhow::Result<()> {
        let url = self.url(&format!("/2020-05-31/origin-access-control/{id}"));
        let read = self.send("cloudfront", Request::get(&url), "").await?;
        let tag = read.headers().get("etag").context("a version was expected")?;
        let deleted = self.send("cloudfront", Request::delete(&url).header("if-match", tag), "").await?;
        ensure!(deleted.status() == 204, "{deleted:?}");
        Ok(())
    }

    /// The configuration of a distribution, as XML.
    pub(super) async fn config(&self, id: &DistributionId) -> anyhow::Result<String> {
        let url = self.url(&format!("/2020-05-31/distribution/{id}/config"));
        let read = self.send("cloudfront", Request::get(url), "").await?;
        Ok(std::str::from_utf8(read.body())?.to_owned())
    }

    /// A call to a service, by the account's owner. The sandbox reads the scope of a signature and trusts it.
    pub(super) async fn send(
        &self,
        service: &str,
        request: http::request::Builder,
        body: &str,
    ) -> anyhow::Result<Response<Bytes>> {
        let scope =
            format!("AWS4-HMAC-SHA256 Credential=AKIAOPERATOR/20260101/us-east-1/{service}/aws4_request");
        let request = request.header("authorization", scope);
        self.operator.send(request.body(Full::from(body.to_owned()))?).await
    }

    pub(super) fn url(&self, path: &str) -> String {
        self.local.url() + path
    }
}

#[async_trait]
impl conformance::Settle for Account {
    async fn settle(&self) {
        self.local.advance(LONG);
    }
}

/// The challenge bucket, seen by the account's owner.
pub(super) struct Bucket(Account);

impl Bucket {
    pub(super) async fn object(&self, instance: &InstanceId, token: &str) -> anyhow::Result<Response<Bytes>> {
        let folder = cloudfront_core::folder(instance);
        let path = format!("/{BUCKET}/{folder}/.well-known/acme-challenge/{token}");
        self.0.send("s3", Request::get(self.0.url(&path)), "").await
    }
}

#[async_trait]
impl conformance::site::Reader for Bucket {
    async fn read(&self, instance: &InstanceId, token: &str) -> Option<String> {
        let answer = self.object(instance, token).await.unwrap();
        let is_there = answer.status() == 200;
        is_there.then(|| String::from_utf8(answer.into_body().to_vec()).unwrap())
    }
}

async fn connect(local: &Aws, attempts: u32, zone: &str) -> cloudfront_core::Aws {
    cloudfront_core::connect(&cloudfront_core::AwsSettings {
        managed_zone: Some(ZoneSettings { name: ZONE.to_owned(), id: zone.to_owned() }),
        log_bucket: Some("access-logs".to_owned()),
        web_acl: Some("arn:aws:wafv2:us-east-1:111111111111:global/webacl/public/1".to_owned()),
        ..our_settings(local, attempts)
    })
    .await
}

fn our_settings(local: &Aws, attempts: u32) -> cloudfront_core::AwsSettings {
    let endpoint = Endpoint {
        url: local.url(),
        access_key_id: "AKIABROKER".to_owned(),
        secret_access_key: Secret::new("secret"),
    };
    let pause = Duration::from_millis(1);
    cloudfront_core::AwsSettings {
        endpoint: Some(endpoint),
        retries: Retries { attempts, initial_backoff: pause, max_backoff: pause },
        // So small that every list is turned over.
        page_size: Some(2),
        ..cloudfront_core::AwsSettings::new(BUCKET)
    }
}

/// What the refusal asks for; `None` when there was none.
pub(super) fn remedy<T>(answer: PortResult<T>) -> Option<Remedy> {
    answer.err().map(|error| error.remedy())
}

/// Whether the same call may succeed later.
pub(super) fn is_retry<T>(answer: PortResult<T>) -> bool {
    matches!(remedy(answer), Some(Remedy::Retry { .. }))
}
