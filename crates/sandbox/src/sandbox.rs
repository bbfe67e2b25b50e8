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
use crate::hosts::{ChallengeHost, Ports, Router, Site, Sites, SitesAdmin};
use crate::loopback::Loopback;
use crate::origin::Origin;
use crate::owner::Owner;
use crate::pki::Ca;
use crate::platform::Platform;

/// The bucket for challenge objects.
pub const BUCKET: &str = "cdn-broker-challenges";

/// The origin of instances that name none; its certificate is under the sandbox's own authority.
pub const DEFAULT_ORIGIN: &str = "apps.example.gov";
/// An origin that a user may name. The same site stands behind it.
pub const OWN_ORIGIN: &str = "shop.example.net";

/// The broker's own host name, which the platform's router knows.
pub const BROKER_HOST: &str = "cdn-broker.example.net";

/// The front end that takes any name on port 80 and redirects ACME challenges to the broker.
pub const CHALLENGE_HOST: &str = "challenges.example.net";

/// The zone in which the broker keeps managed names. It is hosted in the emulated Route 53.
pub const MANAGED_ZONE: &str = "managed.example.net";

/// How many pairs of free ports are tried until one is free at every address.
const ATTEMPTS: usize = 16;

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
    /// The address of the edge; absent, it gets a loopback address that no other sandbox has.
    pub edge_address: Option<IpAddr>,
    /// The port for HTTP of the edge and of every other host: what 80 is in life.
    pub edge_http_port: u16,
    /// The port for HTTPS of the edge and of every other host: what 443 is in life.
    pub edge_https_port: u16,
}

impl Settings {
    /// A cloud that deploys in two seconds and shows certificates and record changes after one; every port from the system.
    pub fn new(state: impl Into<PathBuf>) -> Self {
        let aws = AwsSettings {
            deploy: Duration::from_secs(2),
            iam_propagation: Duration::from_secs(1),
            iam_release: Duration::from_secs(1),
            route53_sync: Duration::from_secs(1),
            ..AwsSettings::default()
        };
        Self {
            state: state.into(),
            aws,
            authority: AuthoritySettings::default(),
            dns_port: 0,
            dns_admin_port: 0,
            edge_address: None,
            edge_http_port: 0,
            edge_https_port: 0,
        }
    }
}

/// Everything a broker and its users talk to, running. Dropping it stops all of it.
///
/// The names under `cloudfront.net` lead to the edge, the default origin leads to the origin, the broker's name to the
/// platform's router, [`CHALLENGE_HOST`] to the front end for any name, [`MANAGED_ZONE`] is hosted; the cloud trusts the authority's roots, and
/// CloudFront may read the bucket of challenge objects. Edge, router, front end and sites share two ports.
pub struct Sandbox {
    state: PathBuf,
    dns: Arc<Dns>,
    dns_admin: DnsAdmin,
    authority: Authority,
    origin: Origin,
    aws: Aws,
    managed_zone: String,
    hosts: Hosts,
    sites: Arc<Sites>,
    sites_admin: SitesAdmin,
    platform: Box<Platform>,
}

impl Sandbox {
    /// Starts all parts and waits until each answers.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        let state = settings.state.clone();
        std::fs::create_dir_all(&state).with_context(|| format!("cannot make {}", state.display()))?;
        let block = Arc::new(Loopback::claim()?);
        let dns = Arc::new(Dns::start_in(&block, local(settings.dns_port)).await?);
        let dns_admin = DnsAdmin::start(Arc::clone(&dns), local(settings.dns_admin_port)).await?;
        let ca = Ca::new("Sandbox CA for origins")?;
        let origin = Origin::start(&ca, &[DEFAULT_ORIGIN, OWN_ORIGIN]).await?;
        let aws = start_aws(settings.aws.clone()).await?;
        aws.serve_zones(&dns)?;
        let managed_zone = aws.host_zone(MANAGED_ZONE)?;
        let hosts = Hosts::start(&settings, &block, &aws, &ca, &origin).await?;
        hosts.publish(&dns, &origin)?;
        let authority = start_authority(&settings, &dns, hosts.ports).await?;
        authority.roots_pem().iter().try_for_each(|root| aws.trust(root))?;
        let sites = Arc::new(Sites::new(block, hosts.ports, Arc::clone(&dns)));
        let sites_admin = SitesAdmin::start(Arc::clone(&sites), local(0)).await?;
        let platform = Box::new(Box::pin(Platform::start(None)).await?);
        Ok(Self {
            state,
            dns,
            dns_admin,
            authority,
            origin,
            aws,
            managed_zone,
            hosts,
            sites,
            sites_admin,
            platform,
        })
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
        &self.hosts.edge
    }

    /// The ports of the edge and of all other hosts: what 80 and 443 are in life.
    pub fn ports(&self) -> Ports {
        self.hosts.ports
    }

    /// The front end that takes any name.
    pub fn challenge_host(&self) -> &ChallengeHost {
        &self.hosts.challenge_host
    }

    /// The platform's router, which knows the broker's name.
    pub fn router(&self) -> &Router {
        &self.hosts.router
    }

    /// The id of the hosted zone [`MANAGED_ZONE`].
    pub fn managed_zone(&self) -> &str {
        &self.managed_zone
    }

    /// `CHALLENGE_URL`: where the broker answers challenges under its own name, by way of the platform's router.
    pub fn challenge_url(&self) -> String {
        challenge_url("http", self.ports().http)
    }

    /// The same over HTTPS.
    pub fn secure_challenge_url(&self) -> String {
        challenge_url("https", self.ports().https)
    }

    /// The present site of a user, at an address of its own; it is opened at the first call, and the name leads to it then.
    pub async fn site(&self, host: &str) -> anyhow::Result<Arc<Site>> {
        self.sites.open(host).await
    }

    /// The admin interface of the present sites.
    pub fn sites_admin(&self) -> &SitesAdmin {
        &self.sites_admin
    }

    /// The platform's API and its UAA.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// Lets a domain owner stand before the broker on `broker` who sets every TXT record that its instructions name. The
    /// answer listens on `address` and passes everything on.
    pub async fn owner(&self, broker: SocketAddr, address: SocketAddr) -> anyhow::Result<Owner> {
        Owner::start(Arc::clone(&self.dns), broker, address).await
    }

    /// Stops all parts and waits until the programs among them are gone.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.hosts.edge.stop().await;
        self.aws.stop().await;
        self.authority.stop().await
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn challenge_url(scheme: &str, port: u16) -> String {
    format!("{scheme}://{BROKER_HOST}:{port}/.well-known/acme-challenge")
}

async fn start_authority(settings: &Settings, dns: &Dns, ports: Ports) -> anyhow::Result<Authority> {
    let authority =
        AuthoritySettings { http_port: ports.http, tls_port: ports.https, ..settings.authority.clone() };
    Authority::start(&settings.state.join("authority"), dns.address(), &authority).await
}

async fn start_aws(settings: AwsSettings) -> anyhow::Result<Aws> {
    let mut settings = settings;
    if !settings.buckets.iter().any(|bucket| bucket == BUCKET) {
        settings.buckets.push(BUCKET.to_owned());
    }
    let aws = Aws::start(settings).await?;
    let_cloudfront_read(&aws.url()).await.context("the policy of the challenge bucket")?;
    Ok(aws)
}

/// What listens at addresses of its own on the same two ports.
struct Hosts {
    ports: Ports,
    edge: Edge,
    challenge_host: ChallengeHost,
    router: Router,
}

impl Hosts {
    /// The edge takes its ports from the system; where another host cannot have the same, all begin anew.
    async fn start(
        settings: &Settings,
        block: &Loopback,
        aws: &Aws,
        ca: &Ca,
        origin: &Origin,
    ) -> anyhow::Result<Self> {
        let given = settings.edge_http_port != 0 || settings.edge_https_port != 0;
        let address = settings.edge_address.map_or_else(|| block.fresh(), Ok)?;
        let addresses = [address, block.fresh()?, block.fresh()?];
        let mut attempt = 1;
        loop {
            match Self::start_once(settings, addresses, aws, ca, origin).await {
                Err(error) if given || attempt == ATTEMPTS => return Err(error),
                Err(_) => attempt += 1,
                started => return started,
            }
        }
    }

    async fn start_once(
        settings: &Settings,
        [edge, challenge_host, router]: [IpAddr; 3],
        aws: &Aws,
        ca: &Ca,
        origin: &Origin,
    ) -> anyhow::Result<Self> {
        let edge = start_edge(settings, edge, aws, ca, origin).await?;
        let ports = Ports { http: edge.http().port(), https: edge.https().port() };
        let url = challenge_url("http", ports.http);
        let challenge_host = ChallengeHost::start(challenge_host, ports, url).await?;
        let router = Router::start(router, ports, &ca.server_certificate(&[BROKER_HOST])?).await?;
        Ok(Self { ports, edge, challenge_host, router })
    }

    /// Puts the names of all into the DNS.
    fn publish(&self, dns: &Dns, origin: &Origin) -> anyhow::Result<()> {
        dns.set_a("*.cloudfront.net", vec![self.edge.https().ip()])?;
        dns.set_a(CHALLENGE_HOST, vec![self.challenge_host.http().ip()])?;
        dns.set_a(BROKER_HOST, vec![self.router.http().ip()])?;
        dns.set_a(DEFAULT_ORIGIN, vec![origin.https().ip()])
    }
}

async fn start_edge(
    settings: &Settings,
    address: IpAddr,
    aws: &Aws,
    ca: &Ca,
    origin: &Origin,
) -> anyhow::Result<Edge> {
    let mut origins = OriginMap::default();
    origins.map(DEFAULT_ORIGIN, origin.http(), origin.https());
    origins.map(OWN_ORIGIN, origin.http(), origin.https());
    let edge_settings = EdgeSettings {
        address,
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
