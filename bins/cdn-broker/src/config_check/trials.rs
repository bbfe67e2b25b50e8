//! What can be tried out, each for a bounded time. AWS is asked past the breakers: this is to find out, not to stop others.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use acme_core::Probe;
use anyhow::{Context, bail, ensure};
use broker::{CloudController, self_test_answer, self_test_token};
use cloudfront_core::{Aws, Examination, ZoneSettings};
use contract::{
    Cdn, CertificateVault, ChallengeSite, DomainName, HttpQuestion, InstanceId, ManagedZone, ProofProbe,
    Randomness, Sighting, Verdict, chain,
};
use serde_json::{Value, json};
use url::Url;

use super::{database, permissions};
use crate::clock::{SystemClock, SystemRandomness};
use crate::config::Config;

/// How long one of them may take.
const LIMIT: Duration = Duration::from_secs(30);

/// One thing that was tried.
pub(super) struct Trial {
    pub(super) what: &'static str,
    pub(super) outcome: Outcome,
    /// One by one what the outcome is about, for people.
    pub(super) details: Vec<String>,
}

/// All that was tried, and what came of asking about permissions; nothing where nobody answered in time.
pub(super) struct Tried {
    pub(super) trials: Vec<Trial>,
    pub(super) examination: Option<Examination>,
}

/// How it went.
pub(super) enum Outcome {
    /// It works.
    Fine(String),
    /// It works as soon as a broker has started, which makes ready what is not.
    Pending {
        how: String,
        /// What can be done before.
        cure: &'static str,
    },
    /// It does not.
    Failed {
        why: String,
        /// What to do.
        cure: Cow<'static, str>,
    },
    /// It may work or not: it could not be looked at.
    Unchecked {
        why: String,
        /// What to do so that it can be.
        cure: String,
    },
    /// It is not set up, or needs what does not work.
    Skipped(&'static str),
}

impl Trial {
    /// Verdict, what, and why, for a table.
    pub(super) fn line(&self) -> [String; 3] {
        let (verdict, message) = self.told();
        [verdict.to_uppercase(), self.what.to_owned(), message.to_owned()]
    }

    pub(super) fn json(&self) -> Value {
        let (verdict, message) = self.told();
        let cure = match &self.outcome {
            Outcome::Pending { cure, .. } => Some(*cure),
            Outcome::Failed { cure, .. } => Some(cure.as_ref()),
            Outcome::Unchecked { cure, .. } => Some(cure.as_str()),
            Outcome::Fine(_) | Outcome::Skipped(_) => None,
        };
        json!({ "what": self.what, "verdict": verdict, "message": message, "cure": cure })
    }

    /// What to do, with the things one by one; nothing where there is nothing to do.
    pub(super) fn advice(&self) -> Option<String> {
        let head = match &self.outcome {
            Outcome::Pending { cure, .. } => format!("{} is not ready yet: {cure}", self.what),
            Outcome::Failed { cure, .. } if self.what == permissions::WHAT => {
                format!("{} are missing: {cure}", self.what)
            }
            Outcome::Failed { cure, .. } => format!("{} does not work: {cure}", self.what),
            Outcome::Unchecked { cure, .. } => format!("{} were not all checked: {cure}", self.what),
            Outcome::Fine(_) | Outcome::Skipped(_) => return None,
        };
        let details = self.details.iter().map(|detail| format!("\n  {detail}"));
        Some(details.fold(head, |text, detail| text + &detail))
    }

    fn told(&self) -> (&'static str, &str) {
        match &self.outcome {
            Outcome::Fine(how) => ("ok", how),
            Outcome::Pending { how, .. } => ("pending", how),
            Outcome::Failed { why, .. } => ("failed", why),
            Outcome::Unchecked { why, .. } => ("unchecked", why),
            Outcome::Skipped(why) => ("skipped", why),
        }
    }
}

/// Everything, in an order in which what others need comes first.
pub(super) async fn all(config: &Config) -> Tried {
    let mut trials = Vec::new();
    let (trial, tables) = Box::pin(database::look(config, LIMIT)).await;
    trials.push(trial);
    trials.push(database::keys(&tables).await);
    trials.push(database::plans(config, &tables).await);
    trials.push(Box::pin(database::authority(config, tables)).await);
    let aws = cloudfront_core::connect(&config.aws).await;
    trials.push(tried("CloudFront", AWS_CURE, distributions(&aws)).await);
    trials.push(tried("IAM", AWS_CURE, certificates(&aws)).await);
    trials.push(tried("bucket", BUCKET_CURE, answers(&aws, &config.aws.bucket)).await);
    trials.push(match (&aws.zone, &config.aws.managed_zone) {
        (Some(zone), Some(settings)) => tried("zone", ZONE_CURE, records(zone, settings)).await,
        _ => skipped("zone", "MANAGED_ZONE is not set"),
    });
    let examination = tokio::time::timeout(LIMIT, Box::pin(aws.access.examine())).await.ok();
    trials.push(permissions::trial(examination.as_ref(), LIMIT));
    trials.push(Box::pin(challenge_url(config)).await);
    trials.push(Box::pin(challenge_host(config)).await);
    trials.push(match &config.platform {
        Some(settings) => tried("platform", PLATFORM_CURE, platform(settings)).await,
        None => skipped("platform", "API_ADDRESS is not set: domains are not checked against the platform"),
    });
    Tried { trials, examination }
}

pub(super) async fn tried(
    what: &'static str,
    cure: &'static str,
    work: impl Future<Output = anyhow::Result<String>>,
) -> Trial {
    let ended = tokio::time::timeout(LIMIT, work).await;
    let outcome = match ended {
        Ok(Ok(how)) => Outcome::Fine(how),
        Ok(Err(error)) => Outcome::Failed { why: chain(error.as_ref()), cure: cure.into() },
        Err(_) => Outcome::Failed { why: no_answer(LIMIT), cure: cure.into() },
    };
    Trial { what, outcome, details: Vec::new() }
}

pub(super) fn no_answer(limit: Duration) -> String {
    format!("no answer within {} seconds", limit.as_secs())
}

pub(super) fn skipped(what: &'static str, why: &'static str) -> Trial {
    Trial { what, outcome: Outcome::Skipped(why), details: Vec::new() }
}

const AWS_CURE: &str = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and that no AWS_ENDPOINT_URL is left over from a laboratory, \
                        and give that user the policy that `cdn-broker aws policy` prints";

async fn distributions(aws: &Aws) -> anyhow::Result<String> {
    let page = aws.cdn.list(None).await?;
    Ok(format!("distributions can be listed ({} on the first page)", page.items.len()))
}

async fn certificates(aws: &Aws) -> anyhow::Result<String> {
    let page = aws.vault.list(None).await?;
    Ok(format!("certificates can be listed ({} on the first page)", page.items.len()))
}

const BUCKET_CURE: &str = "check BUCKET and AWS_REGION: the bucket must exist, and the broker's AWS user needs the policy that \
                           `cdn-broker aws policy` prints";

/// Written, listed, removed.
async fn answers(aws: &Aws, bucket: &str) -> anyhow::Result<String> {
    let nonce = nonce();
    let probe = InstanceId::new(format!("config-check-{nonce}"));
    aws.site.present(&probe, &nonce, "written by `cdn-broker config check`").await?;
    let listed = aws.site.list(None).await;
    aws.site.clear(&probe).await?;
    listed?;
    Ok(format!("an object was written to {bucket}, listed and removed"))
}

const ZONE_CURE: &str = "check MANAGED_ZONE (the zone's name and its Route 53 id belong together), and give the broker's AWS user the \
                         policy that `cdn-broker aws policy --zone ID` prints";

/// Written, listed, removed.
async fn records(zone: &impl ManagedZone, settings: &ZoneSettings) -> anyhow::Result<String> {
    let name = settings.name.trim_end_matches('.');
    let owner = format!("_config-check-{}.{name}.", nonce());
    zone.add_txt(&owner, "cdn-broker-config-check").await?;
    let listed = zone.list(None).await;
    zone.remove_txt(&owner, "cdn-broker-config-check").await?;
    listed?;
    Ok(format!("a TXT record was written to {name}, listed and removed"))
}

const URL_CURE: &str = "start a broker with this environment, and see that CHALLENGE_URL leads to it from the Internet, without \
                        credentials";

/// A token that no challenge has is asked for where users' redirects lead to.
async fn challenge_url(config: &Config) -> Trial {
    let Some(base) = &config.proofs.challenge_url else { return skipped("CHALLENGE_URL", "it is not set") };
    let work = async {
        let token = self_test_token(&nonce());
        let url = Url::parse(&format!("{}/self-test/{token}", base.as_str().trim_end_matches('/')))?;
        let host = base.host_str().context("CHALLENGE_URL has no host")?;
        let question = question(host, token)?;
        let probe = Probe::new(&config.probe)?;
        let seen = Box::pin(probe.answer_at(&url, &question)).await;
        answered(&seen)?;
        Ok(format!("a broker answers there ({base})"))
    };
    tried("CHALLENGE_URL", URL_CURE, work).await
}

const HOST_CURE: &str = "see that CHALLENGE_HOST exists, listens on port 80, and redirects /.well-known/acme-challenge/TOKEN of any name \
                         to CHALLENGE_URL/HOST/TOKEN (302)";

/// The same, asked for at the front end, which has to redirect it.
async fn challenge_host(config: &Config) -> Trial {
    let Some(host) = &config.proofs.challenge_host else { return skipped("CHALLENGE_HOST", "it is not set") };
    let work = async {
        let question = question(host.as_str(), self_test_token(&nonce()))?;
        let seen = Probe::new(&config.probe)?.http(&question).await?;
        answered(&seen)?;
        Ok(format!("{host} redirects to CHALLENGE_URL, and a broker answers there"))
    };
    tried("CHALLENGE_HOST", HOST_CURE, work).await
}

fn question(host: &str, token: String) -> anyhow::Result<HttpQuestion> {
    let answer = self_test_answer(&token).context("the token is not one of a self-test")?;
    Ok(HttpQuestion {
        name: DomainName::parse(host).map_err(|why| anyhow::anyhow!("{host} {why}"))?,
        token,
        answer,
    })
}

fn answered(seen: &Sighting) -> anyhow::Result<()> {
    match &seen.verdict {
        Verdict::Seen => Ok(()),
        Verdict::NotYet { saw } => bail!("{saw}"),
    }
}

const PLATFORM_CURE: &str = "check API_ADDRESS, CLIENT_ID and CLIENT_SECRET; the client needs the grant client_credentials and the \
                             authority cloud_controller.global_auditor";

async fn platform(settings: &broker::PlatformSettings) -> anyhow::Result<String> {
    let view = CloudController::new(settings, Arc::new(SystemClock))?.view().await?;
    ensure!(view.organizations > 0, "it lets us in, but shows no organization, and so no private domain");
    Ok(format!("{} organizations can be seen", view.organizations))
}

/// Thirty-two hexadecimal digits that nobody has seen before.
fn nonce() -> String {
    SystemRandomness.bytes().iter().fold(String::new(), |text, b| text + &format!("{b:02x}"))
}
