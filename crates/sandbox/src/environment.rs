//! The environment that points a broker at a sandbox.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::platform::BROKER_CLIENT;
use crate::process::free_port;
use crate::{BROKER_HOST, BUCKET, BrokerProcess, CHALLENGE_HOST, DEFAULT_ORIGIN, MANAGED_ZONE, Sandbox};

/// What may differ between brokers of one sandbox.
#[derive(Clone, Debug)]
pub struct BrokerSettings {
    /// Where its API listens, on 127.0.0.1.
    pub port: u16,
    /// The user of its API.
    pub username: String,
    /// The password of that user.
    pub password: String,
    /// `DATABASE_URL`.
    pub database_url: String,
    /// `DATABASE_ENCRYPTION_KEYS`.
    pub encryption_keys: String,
    /// `DEPLOYMENT_POLL`: how often it looks whether a distribution is deployed, such as `500ms`.
    pub deployment_poll: String,
    /// `STEP_TIMEOUT`: how long one step of its workflow may take, such as `45s`.
    pub step_timeout: String,
    /// `UPDATE_PROOF_WAIT`: how long an update waits for its user, such as `1h`.
    pub update_proof_wait: String,
    /// `WAF_WEB_ACL_ARN`: the web ACL of the second plan, if that is to be offered.
    pub web_acl: Option<String>,
    /// `CERTIFICATE_KEY_TYPE`: `rsa2048`, or `p256`, which an unoptimised build makes much faster.
    pub key_type: String,
    /// `CHECKS`: which checks run by themselves, such as `on`; `off` unless it is about them, so that nothing happens that
    /// nobody has asked for.
    pub checks: String,
    /// More variables, or others, as pairs of name and value.
    pub more: Vec<(String, String)>,
    /// What its operator has set up for other proofs of control than a TXT record.
    pub proofs: Proofs,
    /// Whether it is told where the platform is: `API_ADDRESS`, `CLIENT_ID` and `CLIENT_SECRET`.
    pub platform: bool,
    /// Whether the platform signs users on: `DASHBOARD_CLIENT_ID` and `DASHBOARD_CLIENT_SECRET`.
    pub sign_on: bool,
}

/// What an operator offers beside TXT records (`design.md`, 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proofs {
    /// `CHALLENGE_URL`: the broker answers challenges under its own name, for users who redirect.
    pub challenge_url: bool,
    /// `CHALLENGE_HOST`: a front end takes any name and redirects to `CHALLENGE_URL`.
    pub challenge_host: bool,
    /// `MANAGED_ZONE`: a zone of Route 53 in which the broker keeps names of its own.
    pub managed_zone: bool,
}

impl Proofs {
    /// Everything.
    pub const ALL: Self = Self { challenge_url: true, challenge_host: true, managed_zone: true };
}

impl BrokerSettings {
    /// A free port, SQLite in the folder `state`, a fixed credential, a key that is the same each time so that the same
    /// database opens again, and a look at deployments twice a second.
    pub fn new(state: &Path) -> anyhow::Result<Self> {
        let key = STANDARD.encode(Sha256::digest("the sandbox keeps no secrets"));
        Ok(Self {
            port: free_port()?.port(),
            username: "sandbox".to_owned(),
            password: "sandbox".to_owned(),
            database_url: format!("sqlite://{}", state.join("broker.sqlite").display()),
            encryption_keys: format!("sandbox:{key}"),
            deployment_poll: "500ms".to_owned(),
            step_timeout: "45s".to_owned(),
            update_proof_wait: "1h".to_owned(),
            web_acl: None,
            key_type: "rsa2048".to_owned(),
            checks: "off".to_owned(),
            more: Vec::new(),
            proofs: Proofs::default(),
            platform: false,
            sign_on: false,
        })
    }
}

impl Sandbox {
    /// Starts `cdn-broker serve` for this sandbox and waits until it listens. The platform's router leads the broker's name
    /// to it. Its log is `broker.log` in the state folder.
    pub async fn start_broker(
        &self,
        binary: &Path,
        settings: &BrokerSettings,
    ) -> anyhow::Result<BrokerProcess> {
        let log = self.state().join("broker.log");
        self.route_broker(settings.port);
        BrokerProcess::start(binary, self.broker_environment(settings), log).await
    }

    /// Lets the broker's name lead to a broker on this port of 127.0.0.1, beside those that it leads to already.
    pub fn route_broker(&self, port: u16) {
        self.router().map(BROKER_HOST, SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }

    /// The whole environment of a broker that uses this sandbox for everything: pairs of variable and value, and all
    /// that a broker needs to start.
    pub fn broker_environment(&self, settings: &BrokerSettings) -> Vec<(String, String)> {
        let dns = self.dns().address();
        let ports = self.ports();
        let variables = [
            ("PORT", settings.port.to_string()),
            ("BIND_ADDRESS", "127.0.0.1".to_owned()),
            ("PUBLIC_URL", format!("http://127.0.0.1:{}", settings.port)),
            ("BROKER_USERNAME", settings.username.clone()),
            ("BROKER_PASSWORD", settings.password.clone()),
            ("DATABASE_URL", settings.database_url.clone()),
            ("DATABASE_ENCRYPTION_KEYS", settings.encryption_keys.clone()),
            ("EMAIL", "operator@example.gov".to_owned()),
            ("ACME_URL", self.authority().directory_url()),
            ("ACME_ROOT_CA", self.authority().root_file().display().to_string()),
            ("AWS_ACCESS_KEY_ID", "AKIDSANDBOX".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "sandbox".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ENDPOINT_URL", self.aws().url()),
            ("BUCKET", BUCKET.to_owned()),
            ("IAM_PATH_PREFIX", "letsencrypt".to_owned()),
            ("DEFAULT_ORIGIN", DEFAULT_ORIGIN.to_owned()),
            ("DNS_RESOLVERS", dns.to_string()),
            ("PROOF_DNS_PORT", dns.port().to_string()),
            ("PROOF_HTTP_PORT", ports.http.to_string()),
            ("PROOF_HTTPS_PORT", ports.https.to_string()),
            ("PROOF_ALLOW_PRIVATE_ADDRESSES", "true".to_owned()),
            ("DEPLOYMENT_POLL", settings.deployment_poll.clone()),
            ("STEP_TIMEOUT", settings.step_timeout.clone()),
            ("UPDATE_PROOF_WAIT", settings.update_proof_wait.clone()),
            ("CERTIFICATE_KEY_TYPE", settings.key_type.clone()),
            ("CHECKS", settings.checks.clone()),
        ];
        let web_acl = settings.web_acl.iter().map(|arn| ("WAF_WEB_ACL_ARN", arn.clone()));
        let offered = self.offered(settings.proofs);
        let (client, secret) = BROKER_CLIENT;
        let platform = [
            ("API_ADDRESS", self.platform().api_url()),
            ("CLIENT_ID", client.to_owned()),
            ("CLIENT_SECRET", secret.to_owned()),
        ];
        let platform = platform.into_iter().filter(|_| settings.platform);
        variables
            .into_iter()
            .chain(web_acl)
            .chain(offered)
            .chain(platform)
            .chain(sign_on(settings.sign_on))
            .map(|(name, value)| (name.to_owned(), value))
            .filter(|(name, _)| settings.more.iter().all(|(other, _)| other != name))
            .chain(settings.more.iter().cloned())
            .collect()
    }

    fn offered(&self, proofs: Proofs) -> Vec<(&'static str, String)> {
        let offers = [
            (proofs.challenge_url, "CHALLENGE_URL", self.challenge_url()),
            (proofs.challenge_host, "CHALLENGE_HOST", CHALLENGE_HOST.to_owned()),
            (proofs.managed_zone, "MANAGED_ZONE", format!("{MANAGED_ZONE}:{}", self.managed_zone())),
        ];
        let offered = offers.into_iter().filter(|(wanted, ..)| *wanted);
        offered.map(|(_, name, value)| (name, value)).collect()
    }
}

/// The client that the platform makes for pages, with a secret that has to be escaped in a form.
fn sign_on(wanted: bool) -> impl Iterator<Item = (&'static str, String)> {
    let client = [
        ("DASHBOARD_CLIENT_ID", "cdn-pages".to_owned()),
        ("DASHBOARD_CLIENT_SECRET", "sandbox-dashboard&secret=%".to_owned()),
    ];
    client.into_iter().filter(move |_| wanted)
}
