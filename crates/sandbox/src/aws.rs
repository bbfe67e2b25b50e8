//! A local AWS: CloudFront, IAM, Route 53, S3 and STS as far as a CDN broker needs them, with the real rules enforced.
//!
//! One plain HTTP port answers for every service; which one is meant is read from the scope of the request's signature
//! (not verified), so a client needs an endpoint URL and any credentials. What CloudFront does with its viewers is in
//! [`crate::edge`].

mod admin;
mod certificate;
mod clock;
mod cloudfront;
mod dispatch;
mod error;
mod faults;
mod glob;
mod iam;
mod identity;
mod ids;
mod journal;
mod listener;
mod message;
mod route53;
mod rules;
mod s3;
mod server;
mod state;
mod sts;
mod world;
mod xml;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Weak};
use std::time::Duration;

pub use faults::{Fault, FaultKind, FaultMoment, Faults, Held, Outage};
pub use identity::Role;
pub use journal::JournalEntry;
pub use rules::Rule;
pub use state::{
    AwsState, BucketState, CertificateState, ControlState, DistributionState, HostedZoneState, RecordState,
};
pub use world::{ACCOUNT, Adjustment, AwsSettings};

pub(crate) use certificate::{matches_wildcard, provider};
pub(crate) use cloudfront::{Distribution, s3_bucket};
pub(crate) use glob::glob;
pub(crate) use listener::Listener;
pub(crate) use s3::{Caller, Object, percent_decode};
pub(crate) use server::Shared;
pub(crate) use world::World;
pub(crate) use xml::Element;

use crate::dns::Dns;
use iam::Vault;
use server::serve;

/// A running local AWS. Every access key belongs to the account `111111111111` unless the settings say otherwise; hosted
/// zones are kept apart by account, everything else is the one account's. It ends when it is stopped or dropped.
#[derive(Debug)]
pub struct Aws {
    shared: Arc<Shared>,
    listener: Listener,
}

impl Aws {
    /// Starts on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// If no port can be opened.
    pub async fn start(settings: AwsSettings) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared::new(World::new(settings)));
        let serving = Arc::clone(&shared);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = Listener::open(address, move |stream| serve(Arc::clone(&serving), stream)).await?;
        Ok(Self { shared, listener })
    }

    /// The endpoint of every service, such as `http://127.0.0.1:40000`. Paths below `/_sandbox/` are for tests.
    pub fn url(&self) -> String {
        format!("http://{}", self.listener.address())
    }

    /// Makes everything that is there older than it is.
    pub fn make_older(&self, by: Duration) {
        self.shared.world().make_older(clock::millis(by));
    }

    /// Makes CloudFront accept certificates that lead to these roots. Adding a root again changes nothing.
    ///
    /// # Errors
    /// If the text holds no certificate.
    pub fn trust(&self, root_pem: &str) -> anyhow::Result<()> {
        self.shared.world().trust(root_pem)
    }

    /// Lets ACM have a certificate for these names, which distributions may use, and gives its ARN. The edge cannot serve it.
    pub fn acm_certificate(&self, names: &[&str]) -> String {
        let mut world = self.shared.world();
        let arn = format!("arn:aws:acm:us-east-1:{ACCOUNT}:certificate/{}", world.acm.len() + 1);
        world.acm.insert(arn.clone(), names.iter().map(ToString::to_string).collect());
        arn
    }

    /// Makes a hosted zone of the account `111111111111` and answers its id. With [`Aws::serve_zones`] its name servers are
    /// those of the sandbox.
    ///
    /// # Errors
    /// If the name is no DNS name.
    pub fn host_zone(&self, name: &str) -> anyhow::Result<String> {
        self.host_zone_of(ACCOUNT, name)
    }

    /// The same for another account.
    pub fn host_zone_of(&self, account: &str, name: &str) -> anyhow::Result<String> {
        self.shared.world().host_zone(account, name)
    }

    /// Lets every caller be a session of this role from now on, instead of a user.
    pub fn call_as(&self, role: Role) {
        self.shared.world().settings.role = Some(role);
    }

    /// Lets a distribution of somebody else hold an alternate domain name: no distribution here can have it until
    /// [`Aws::let_go_elsewhere`]. Names compare exactly.
    pub fn hold_elsewhere(&self, alias: &str) {
        self.shared.world().cloudfront.held_elsewhere.insert(alias.to_owned());
    }

    /// Somebody else's distribution drops the name.
    pub fn let_go_elsewhere(&self, alias: &str) {
        self.shared.world().cloudfront.held_elsewhere.remove(alias);
    }

    /// Plays the loss of the account, in whose place the operator has set up another one: the buckets and the hosted zones
    /// are there, and nothing else is. What the world outside holds ([`Aws::hold_elsewhere`]) it still holds.
    pub fn lose_account(&self) {
        let mut world = self.shared.world();
        let lost = std::mem::take(&mut world.cloudfront);
        world.cloudfront.held_elsewhere = lost.held_elsewhere;
        world.iam = Vault::default();
        world.s3.0.values_mut().for_each(|bucket| bucket.objects.clear());
    }

    /// Lets a name server answer for the hosted zones, those that exist and those to come. A change is answered when it is
    /// in sync. CloudFront asks it too where an alternate domain name points.
    ///
    /// # Errors
    /// If the name server does not take a zone.
    pub fn serve_zones(&self, dns: &Arc<Dns>) -> anyhow::Result<()> {
        self.shared.world().serve_zones(Arc::clone(dns))?;
        let feed: Weak<Shared> = Arc::downgrade(&self.shared);
        dns.follow(feed);
        Ok(())
    }

    /// Every call so far, in the order in which they took effect.
    pub fn journal(&self) -> Vec<JournalEntry> {
        self.shared.world().journal.clone()
    }

    /// How many calls there were so far.
    pub fn calls(&self) -> usize {
        self.shared.world().journal.len()
    }

    /// What is in the account now.
    pub fn state(&self) -> AwsState {
        state::summary(&self.shared.world())
    }

    /// Changes how many server certificates the account may hold, as a quota request does. What is there stays.
    pub fn set_certificate_quota(&self, quota: usize) {
        self.shared.world().settings.certificate_quota = quota;
    }

    /// Moves the clock of this cloud forward: deployments, propagation and expiry go with it.
    pub fn advance(&self, by: Duration) {
        self.shared.world().clock.advance(by);
    }

    /// Changes delays and quotas from now on.
    pub fn adjust(&self, change: &Adjustment) {
        self.shared.world().settings.adjust(change);
    }

    /// Planned misfortunes, and the calls that are held.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Closes the port and every connection.
    pub async fn stop(&self) {
        self.listener.close().await;
    }

    /// What the edge reads.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }
}
