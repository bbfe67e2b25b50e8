//! All parts together, wired as they are in life.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use http_body_util::Full;
use serde_json::json;

use crate::authority::{Authority, AuthoritySettings};
use crate::aws::{ACCOUNT, Aws, AwsSettings};
use crate::client::Client;
use crate::dns::{Dns, DnsAdmin};
use crate::edge::{Edge, EdgeSettings, OriginMap};
use crate::origin::Origin;
use crate::pki::Ca;

/// The bucket for challenge objects.
pub const BUCKET: &str = "cdn-broker-challenges";

/// The origin of instances that name none; its certificate is under the sandbox's own authority.
pub const DEFAULT_ORIGIN: &str = "apps.example.gov";

/// How a sandbox is to be.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder for files that parts of it leave: configuration, logs, the broker's database.
    pub state: PathBuf,
    /// The emulated cloud: its delays and quotas.
    pub aws: AwsSettings,
    /// The ACME authority.
    pub authority: AuthoritySettings,
    /// The port of the name server; 0 takes a free one, here and below.
    pub dns_port: u16,
    /// The port of the name server's admin interface.
    pub dns_admin_port: u16,
    /// The address of the edge, one of its own so that DNS decides the way.
    pub edge_address: IpAddr,
    /// The edge's port for HTTP.
    pub edge_http_port: u16,
    /// The edge's port for HTTPS.
    pub edge_https_port: u16,
}

impl Settings {
    /// A cloud that deploys in two seconds and shows certificates after one; every port from the system.
    pub fn new(state: impl Into<PathBuf>) -> Self {
        let aws = AwsSettings {
            deploy: Duration::from_secs(2),
            iam_propagation: Duration::from_secs(1),
            iam_release: Duration::from_secs(1),
            ..AwsSettings::default()
        };
        Self {
            state: state.into(),
            aws,
            authority: AuthoritySettings::default(),
            dns_port: 0,
            dns_admin_port: 0,
            edge_address: IpAddr::from([127, 0, 0, 2]),
            edge_http_port: 0,
            edge_https_port: 0,
        }
    }
}

/// Everything a broker and its users talk to, running. Dropping it stops all of it.
///
/// The names under `cloudfront.net` lead to the edge, the default origin leads to the origin, the cloud trusts the
/// authority's roots, and CloudFront may read the bucket of challenge objects.
pub struct Sandbox {
    state: PathBuf,
    dns: Arc<Dns>,
    dns_admin: DnsAdmin,
    authority: Authority,
    origin: Origin,
    aws: Aws,
    edge: Edge,
}

impl Sandbox {
    /// Starts all parts and waits until each answers.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        let state = settings.state.clone();
        std::fs::create_dir_all(&state).with_context(|| format!("cannot make {}", state.display()))?;
        let dns = Arc::new(Dns::start(SocketAddr::from((Ipv4Addr::LOCALHOST, settings.dns_port))).await?);
        let admin_address = SocketAddr::from((Ipv4Addr::LOCALHOST, settings.dns_admin_port));
        let dns_admin = DnsAdmin::start(Arc::clone(&dns), admin_address).await?;
        let authority_state = state.join("authority");
        let authority = Authority::start(&authority_state, dns.address(), &settings.authority).await?;
        let ca = Ca::new("Sandbox CA for origins")?;
        let origin = Origin::start(&ca, &[DEFAULT_ORIGIN]).await?;
        let aws = start_aws(settings.aws.clone(), &authority).await?;
        let edge = start_edge(&settings, &aws, &ca, &origin).await?;
        dns.set_a("*.cloudfront.net", vec![edge.https().ip()])?;
        dns.set_a(DEFAULT_ORIGIN, vec![origin.https().ip()])?;
        Ok(Self { state, dns, dns_admin, authority, origin, aws, edge })
    }

    /// The folder for files.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The name server.
    pub fn dns(&self) -> &Dns {
        &self.dns
    }

    /// The name server's admin interface.
    pub fn dns_admin(&self) -> &DnsAdmin {
        &self.dns_admin
    }

    /// The ACME authority.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The site behind the default origin.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The emulated cloud.
    pub fn aws(&self) -> &Aws {
        &self.aws
    }

    /// CloudFront's edge.
    pub fn edge(&self) -> &Edge {
        &self.edge
    }

    /// Stops all parts and waits until the programs among them are gone.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.edge.stop().await;
        self.aws.stop().await;
        self.authority.stop().await
    }
}

async fn start_aws(settings: AwsSettings, authority: &Authority) -> anyhow::Result<Aws> {
    let mut settings = settings;
    if !settings.buckets.iter().any(|bucket| bucket == BUCKET) {
        settings.buckets.push(BUCKET.to_owned());
    }
    let aws = Aws::start(settings).await?;
    for root in authority.roots_pem() {
        aws.trust(root)?;
    }
    let_cloudfront_read(&aws.url()).await.context("the policy of the challenge bucket")?;
    Ok(aws)
}

async fn start_edge(settings: &Settings, aws: &Aws, ca: &Ca, origin: &Origin) -> anyhow::Result<Edge> {
    let mut origins = OriginMap::default();
    origins.map(DEFAULT_ORIGIN, origin.http(), origin.https());
    let edge_settings = EdgeSettings {
        address: settings.edge_address,
        http_port: settings.edge_http_port,
        https_port: settings.edge_https_port,
        origins,
        origin_roots_pem: vec![ca.pem().to_owned()],
    };
    Edge::start(aws, edge_settings).await
}

/// What an operator does once (`aws.md` 1.3): CloudFront, acting for distributions of this account, may read objects.
async fn let_cloudfront_read(aws_url: &str) -> anyhow::Result<()> {
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "cloudfront.amazonaws.com" },
            "Action": "s3:GetObject",
            "Resource": format!("arn:aws:s3:::{BUCKET}/*"),
            "Condition": { "StringEquals": { "AWS:SourceAccount": ACCOUNT } },
        }],
    });
    let request = http::Request::put(format!("{aws_url}/{BUCKET}?policy"))
        .header("authorization", "AWS4-HMAC-SHA256 Credential=OPERATOR/20260101/us-east-1/s3/aws4_request")
        .body(Full::from(policy.to_string()))?;
    let answer = Client::trusting("")?.send(request).await?;
    anyhow::ensure!(
        answer.status().is_success(),
        "{}: {}",
        answer.status(),
        String::from_utf8_lossy(answer.body())
    );
    Ok(())
}
