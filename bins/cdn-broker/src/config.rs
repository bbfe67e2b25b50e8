//! The environment, read once: the variables of docs/CONFIGURATION.md. Every mistake is reported, not only the first.

mod alerts;
mod bindings;
mod broker;
mod checks;
#[cfg(test)]
mod document;
mod earlier;
mod hidden;
mod metrics;
mod offering;
mod pages;
mod proofs;
mod reader;
mod retired;
pub(crate) mod table;
#[cfg(test)]
mod tests;
mod upstream;
mod variables;

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{DomainName, KeyType};

pub(crate) use self::alerts::{AlertConfig, MailConfig, MailTls, WebhookConfig, WebhookFormat};
pub(crate) use self::checks::ChecksConfig;
pub(crate) use self::hidden::without_user;
pub(crate) use self::metrics::MetricsConfig;
use self::reader::Reader;
pub(crate) use self::reader::{Source, Understood};
pub(crate) use self::retired::retired;
pub(crate) use self::variables::{Environment, Variables};

/// Everything the operator can say.
pub(crate) struct Config {
    pub(crate) http: HttpConfig,
    pub(crate) store: store::StoreSettings,
    pub(crate) acme: acme_core::AcmeSettings,
    pub(crate) probe: acme_core::ProbeSettings,
    /// `CHALLENGE_URL`, `CHALLENGE_HOST` and `MANAGED_ZONE`.
    pub(crate) proofs: acme_core::ProofSettings,
    pub(crate) aws: cloudfront_core::AwsSettings,
    pub(crate) service: ServiceConfig,
    pub(crate) checks: ChecksConfig,
    /// `API_ADDRESS`, `CLIENT_ID`, `CLIENT_SECRET`, `API_ROOT_CA`; `None` when the platform is not asked.
    pub(crate) platform: Option<::broker::PlatformSettings>,
    pub(crate) log: LogConfig,
    pub(crate) alerts: AlertConfig,
    pub(crate) metrics: MetricsConfig,
}

/// Where the API listens and who may ask.
pub(crate) struct HttpConfig {
    /// `BIND_ADDRESS` and `PORT`.
    pub(crate) address: std::net::SocketAddr,
    /// `BROKER_USERNAME` and `BROKER_PASSWORD`, `BROKER_CREDENTIALS`.
    pub(crate) credentials: Vec<osb_core::Credential>,
    /// `PUBLIC_URL`; `None` where there are no pages.
    pub(crate) public_url: Option<::broker::PublicUrl>,
    /// `DASHBOARD_CLIENT_ID` and `DASHBOARD_CLIENT_SECRET`; `None` where pages are opened with links.
    pub(crate) dashboard_client: Option<osb_core::DashboardClient>,
    /// Whether one of their passwords has fewer than [`SHORT_PASSWORD`] characters.
    pub(crate) has_short_password: bool,
    /// `TLS_CERT` and `TLS_KEY`; `None` for plain HTTP.
    pub(crate) tls: Option<std::sync::Arc<::broker::Tls>>,
    /// The first of them, with which the broker asks itself.
    pub(crate) own: OwnCredential,
}

/// A user and a password.
pub(crate) struct OwnCredential {
    pub(crate) username: String,
    pub(crate) password: contract::Secret,
}

/// A random password of so many letters and digits is not guessed (docs/decisions/0050).
pub(crate) const SHORT_PASSWORD: usize = 16;

/// What the service does for its users.
pub(crate) struct ServiceConfig {
    /// `DEFAULT_ORIGIN`.
    pub(crate) default_origin: DomainName,
    /// `CERTIFICATE_KEY_TYPE`.
    pub(crate) key_type: KeyType,
    /// `PROVISION_PROOF_WAIT`.
    pub(crate) provision_proof_wait: Duration,
    /// `UPDATE_PROOF_WAIT`.
    pub(crate) update_proof_wait: Duration,
    /// `STEP_TIMEOUT`.
    pub(crate) step_timeout: Duration,
    /// `DEPLOYMENT_POLL`.
    pub(crate) deployment_poll: Duration,
    /// `RECONCILE_EVERY`; `None` for never.
    pub(crate) reconcile_every: Option<Duration>,
    /// `RECONCILE_FIX`.
    pub(crate) reconcile_fix: bool,
    /// `CATALOG_FILE`.
    pub(crate) offering: ::broker::Offering,
}

/// What is logged, and how.
pub(crate) struct LogConfig {
    /// `LOG`; every directive of it parses.
    pub(crate) filter: String,
    /// `LOG_FORMAT`.
    pub(crate) format: LogFormat,
}

/// The two forms of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// What was found in the environment.
pub(crate) struct Examined {
    /// By the names of the variables that were asked for.
    pub(crate) understood: BTreeMap<&'static str, Understood>,
    /// What follows from it, or everything that is wrong with it.
    pub(crate) config: Result<Config, Vec<String>>,
}

impl Config {
    /// Reads everything, or says everything that is wrong.
    pub(crate) fn read(variables: &dyn Variables) -> Result<Self, Vec<String>> {
        Self::examine(variables).config
    }

    /// The same, with what each variable was found to be.
    pub(crate) fn examine(variables: &dyn Variables) -> Examined {
        let mut reader = Reader::new(variables);
        let config = Self::understand(&mut reader);
        let understood = reader.asked().clone();
        let mistakes = reader.into_mistakes();
        Examined { understood, config: config.filter(|_| mistakes.is_empty()).ok_or(mistakes) }
    }

    /// Every part reads before any of them gives up, so that all mistakes are noted.
    fn understand(reader: &mut Reader<'_>) -> Option<Self> {
        let http = broker::http(reader);
        let store = broker::store(reader);
        let acme = upstream::acme(reader);
        let probe = upstream::probe(reader);
        let proofs = proofs::proofs(reader, probe.as_ref());
        if let (Some(acme), Some((proofs, _))) = (&acme, &proofs) {
            proofs::check_durable(reader, acme, proofs);
        }
        let aws = upstream::aws(reader);
        let has_acl = aws.as_ref().is_none_or(|aws| aws.web_acl.is_some());
        let service = broker::service(reader, has_acl);
        let checks = checks::checks(reader, acme.as_ref());
        let platform = upstream::platform(reader);
        let log = broker::log(reader);
        let public_url =
            pages::public_url(reader, proofs.as_ref().and_then(|(proofs, _)| proofs.challenge_url.as_ref()));
        let has_platform = platform.as_ref().is_none_or(Option::is_some);
        let dashboard_client =
            pages::dashboard_client(reader, public_url.as_ref().and_then(Option::as_ref), has_platform);
        let alerts = alerts::alerts(reader);
        let metrics = metrics::metrics(reader);
        let (proofs, managed_zone) = proofs?;
        Some(Self {
            http: HttpConfig { public_url: public_url?, dashboard_client: dashboard_client?, ..http? },
            store: store?,
            acme: acme?,
            probe: probe?,
            proofs,
            aws: cloudfront_core::AwsSettings { managed_zone, ..aws? },
            service: service?,
            checks: checks?,
            platform: platform?,
            log: log?,
            alerts: alerts?,
            metrics: metrics?,
        })
    }
}
