//! The whole emulated account: one value behind one lock, so that every call is atomic.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};

use super::certificate::read_pem;
use super::clock::{Clock, Millis};
use super::cloudfront::CloudFront;
use super::iam::Vault;
use super::identity::Role;
use super::ids::Ids;
use super::journal::JournalEntry;
use super::route53::{HostedZone, Route53};
use super::rules::Rule;
use super::s3::Buckets;
use crate::dns::{Dns, parse_name};

/// The id of the account that everything belongs to unless it is said otherwise.
pub const ACCOUNT: &str = "111111111111";

/// How this cloud behaves. The default has the delays and quotas of the real one (`aws.md` 1.5, 1.6, 1.8); tests set
/// short ones or advance the clock.
#[derive(Clone, Debug)]
pub struct AwsSettings {
    /// From a change of a distribution until it is `Deployed`. Until then viewers see the former configuration.
    pub deploy: Duration,
    /// From an upload until CloudFront can see the certificate.
    pub iam_propagation: Duration,
    /// From the deployment of a change that dropped a certificate until it can be deleted.
    pub iam_release: Duration,
    /// How long every call takes before it is begun.
    pub answer_after: Duration,
    /// The most server certificates the account can hold.
    pub certificate_quota: usize,
    /// The most distributions the account can have.
    pub distribution_quota: usize,
    /// The most distributions that one origin access control can serve.
    pub distributions_per_control: usize,
    /// Buckets that exist from the start.
    pub buckets: Vec<String>,
    /// How long a change of a hosted zone takes until the name servers say it.
    pub route53_sync: Duration,
    /// The accounts of access keys; keys that are not here belong to [`ACCOUNT`].
    pub accounts: BTreeMap<String, String>,
    /// The role whose sessions all callers are; `None` for a user.
    pub role: Option<Role>,
    /// What is not as it is at today's AWS.
    pub rules: BTreeSet<Rule>,
}

impl Default for AwsSettings {
    fn default() -> Self {
        Self {
            deploy: Duration::from_mins(5),
            iam_propagation: Duration::from_secs(20),
            iam_release: Duration::from_mins(15),
            answer_after: Duration::ZERO,
            certificate_quota: 20,
            distribution_quota: 500,
            distributions_per_control: 100,
            buckets: Vec::new(),
            route53_sync: Duration::from_secs(30),
            accounts: BTreeMap::new(),
            role: None,
            rules: BTreeSet::new(),
        }
    }
}

/// What an administrator changes while the cloud runs; what is absent stays as it is. A change of a distribution that is
/// under way takes as long as it was to take when it began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Adjustment {
    /// [`AwsSettings::deploy`], in milliseconds.
    pub deploy_ms: Option<u64>,
    /// [`AwsSettings::iam_propagation`], in milliseconds.
    pub iam_propagation_ms: Option<u64>,
    /// [`AwsSettings::iam_release`], in milliseconds.
    pub iam_release_ms: Option<u64>,
    /// [`AwsSettings::answer_after`], in milliseconds.
    pub answer_after_ms: Option<u64>,
    /// [`AwsSettings::certificate_quota`].
    pub certificate_quota: Option<usize>,
    /// [`AwsSettings::distribution_quota`].
    pub distribution_quota: Option<usize>,
    /// [`AwsSettings::rules`]: all that hold from now on.
    pub rules: Option<BTreeSet<Rule>>,
}

impl AwsSettings {
    /// Takes over what is given.
    pub(crate) fn adjust(&mut self, change: &Adjustment) {
        let delays = [
            (&mut self.deploy, change.deploy_ms),
            (&mut self.iam_propagation, change.iam_propagation_ms),
            (&mut self.iam_release, change.iam_release_ms),
            (&mut self.answer_after, change.answer_after_ms),
        ];
        for (delay, wanted) in delays {
            *delay = wanted.map_or(*delay, Duration::from_millis);
        }
        self.certificate_quota = change.certificate_quota.unwrap_or(self.certificate_quota);
        self.distribution_quota = change.distribution_quota.unwrap_or(self.distribution_quota);
        if let Some(rules) = &change.rules {
            self.rules.clone_from(rules);
        }
    }
}

/// Everything there is.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) settings: AwsSettings,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    /// The authorities whose certificates CloudFront accepts for viewers.
    pub(crate) roots: Vec<CertificateDer<'static>>,
    /// Certificates of ACM by their ARNs, and the names each is for. Nobody here sees more of them.
    pub(crate) acm: BTreeMap<String, Vec<String>>,
    pub(crate) cloudfront: CloudFront,
    pub(crate) iam: Vault,
    pub(crate) s3: Buckets,
    pub(crate) route53: Route53,
    /// Who answers for the hosted zones.
    dns: Option<Arc<Dns>>,
    pub(crate) journal: Vec<JournalEntry>,
}

impl World {
    pub(crate) fn new(settings: AwsSettings) -> Self {
        let s3 = Buckets::with(&settings.buckets);
        Self {
            settings,
            clock: Clock::default(),
            ids: Ids::new("sandbox"),
            roots: Vec::new(),
            acm: BTreeMap::new(),
            cloudfront: CloudFront::default(),
            iam: Vault::default(),
            s3,
            route53: Route53::default(),
            dns: None,
            journal: Vec::new(),
        }
    }

    /// Moves every time at which something was made or changed into the past.
    pub(crate) fn make_older(&mut self, by: Millis) {
        for distribution in &mut self.cloudfront.distributions {
            distribution.modified = distribution.modified.saturating_sub(by);
        }
        for certificate in &mut self.iam.certificates {
            certificate.uploaded = certificate.uploaded.saturating_sub(by);
        }
        let objects = self.s3.0.values_mut().flat_map(|bucket| bucket.objects.values_mut());
        for object in objects {
            object.modified = object.modified.saturating_sub(by);
        }
    }

    /// Whether this rule holds.
    pub(crate) fn has(&self, rule: Rule) -> bool {
        self.settings.rules.contains(&rule)
    }

    /// Accepts the certificates of these authorities from now on.
    pub(crate) fn trust(&mut self, roots_pem: &str) -> anyhow::Result<()> {
        for root in read_pem(roots_pem)? {
            if !self.roots.contains(&root) {
                self.roots.push(root);
            }
        }
        Ok(())
    }

    /// Makes a hosted zone, with its name servers.
    pub(crate) fn host_zone(&mut self, account: &str, name: &str) -> anyhow::Result<String> {
        parse_name(name)?;
        let number = self.route53.zones.len();
        let zone = HostedZone::new(&mut self.ids, number, name, account);
        if let Some(dns) = &self.dns {
            publish(dns, &zone)?;
        }
        let id = zone.id.clone();
        self.route53.zones.push(zone);
        Ok(id)
    }

    /// Lets `dns` answer for every hosted zone.
    pub(crate) fn serve_zones(&mut self, dns: Arc<Dns>) -> anyhow::Result<()> {
        self.route53.zones.iter().try_for_each(|zone| publish(&dns, zone))?;
        self.dns = Some(dns);
        Ok(())
    }

    /// The names that the aliases of a name lead to, in the DNS of this cloud's world.
    pub(crate) fn led_to(&self, name: &str) -> Vec<String> {
        self.dns.as_ref().map(|dns| dns.aliases_of(name)).unwrap_or_default()
    }

    /// Writes one line of the journal; sequence and time are set here.
    pub(crate) fn record(&mut self, entry: JournalEntry) {
        let sequence = self.journal.last().map_or(0, |last| last.sequence) + 1;
        let time_ms = self.clock.now();
        self.journal.push(JournalEntry { sequence, time_ms, ..entry });
    }
}

fn publish(dns: &Dns, zone: &HostedZone) -> anyhow::Result<()> {
    dns.place_name_servers(&zone.servers)?;
    dns.set_name_servers(&zone.name, &zone.servers.each_ref().map(String::as_str))
}
