//! The whole emulated account: one value behind one lock, so that every call is atomic.

use std::time::Duration;

use rustls_pki_types::CertificateDer;

use super::certificate::read_pem;
use super::clock::Clock;
use super::cloudfront::CloudFront;
use super::iam::Vault;
use super::ids::Ids;
use super::journal::JournalEntry;
use super::s3::Buckets;

/// The id of the one account of this cloud.
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
    /// The most server certificates the account can hold.
    pub certificate_quota: usize,
    /// The most distributions that one origin access control can serve.
    pub distributions_per_control: usize,
    /// Buckets that exist from the start.
    pub buckets: Vec<String>,
}

impl Default for AwsSettings {
    fn default() -> Self {
        Self {
            deploy: Duration::from_mins(5),
            iam_propagation: Duration::from_secs(20),
            iam_release: Duration::from_mins(15),
            certificate_quota: 20,
            distributions_per_control: 100,
            buckets: Vec::new(),
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
    pub(crate) cloudfront: CloudFront,
    pub(crate) iam: Vault,
    pub(crate) s3: Buckets,
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
            cloudfront: CloudFront::default(),
            iam: Vault::default(),
            s3,
            journal: Vec::new(),
        }
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

    /// Writes one line of the journal; sequence and time are set here.
    pub(crate) fn record(&mut self, entry: JournalEntry) {
        let sequence = self.journal.last().map_or(0, |last| last.sequence) + 1;
        let time_ms = self.clock.now();
        self.journal.push(JournalEntry { sequence, time_ms, ..entry });
    }
}
