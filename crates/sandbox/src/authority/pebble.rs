//! Pebble: its configuration, its process, its management interface.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::Command;

use super::AuthoritySettings;
use crate::client::Client;
use crate::pki::{Ca, ServerCertificate};
use crate::process::{Process, free_port, tethered};

/// How long it may take to come up on a busy machine.
const START_BOUND: Duration = Duration::from_secs(30);

/// Ports are chosen and then given to it; between the two another process may take one.
const ATTEMPTS: usize = 5;

pub(super) struct Pebble {
    process: Process,
    client: Client,
    listen: SocketAddr,
    directory: Directory,
    roots: Vec<String>,
    log: PathBuf,
}

/// The part of the directory (RFC 8555, 7.1.1) that the gate has to know.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Directory {
    new_order: String,
}

/// Where Pebble runs and how.
pub(super) struct Laboratory<'a> {
    pub(super) state: &'a Path,
    pub(super) dns: SocketAddr,
    pub(super) settings: &'a AuthoritySettings,
}

struct Ports {
    listen: SocketAddr,
    management: SocketAddr,
}

impl Pebble {
    pub(super) async fn start(
        laboratory: &Laboratory<'_>,
        ca: &Ca,
        certificate: &ServerCertificate,
    ) -> anyhow::Result<Self> {
        ensure_installed().await?;
        let state = laboratory.state;
        std::fs::write(state.join("pebble-certificate.pem"), &certificate.chain_pem)?;
        std::fs::write(state.join("pebble-key.pem"), &certificate.key_pem)?;
        let client = Client::trusting(ca.pem())?;
        let mut attempt = 1;
        loop {
            match launch(laboratory, client.clone()).await {
                Err(error) if attempt < ATTEMPTS && lost_its_port(&error) => attempt += 1,
                outcome => return outcome,
            }
        }
    }

    /// Where it speaks ACME.
    pub(super) fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// A client that trusts its TLS certificate.
    pub(super) fn client(&self) -> Client {
        self.client.clone()
    }

    /// The path of the resource that makes new orders.
    pub(super) fn new_order_path(&self) -> anyhow::Result<String> {
        Ok(url::Url::parse(&self.directory.new_order)?.path().to_owned())
    }

    pub(super) fn roots(&self) -> &[String] {
        &self.roots
    }

    pub(super) fn log(&self) -> anyhow::Result<String> {
        std::fs::read_to_string(&self.log).with_context(|| format!("cannot read {}", self.log.display()))
    }

    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        self.process.kill().await
    }
}

/// A missing program is the most likely mistake, so it is told apart from one that fails.
async fn ensure_installed() -> anyhow::Result<()> {
    match Command::new("pebble").arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().await {
        Ok(_) => Ok(()),
        Err(error) => Err(error).context(
            "`pebble`, the ACME test server, cannot be run: install the Debian package `pebble` \
             (apt-get install pebble)",
        ),
    }
}

async fn launch(laboratory: &Laboratory<'_>, client: Client) -> anyhow::Result<Pebble> {
    let ports = Ports { listen: free_port()?, management: free_port()? };
    let config = laboratory.state.join("pebble.json");
    std::fs::write(&config, serde_json::to_vec_pretty(&configuration(laboratory, &ports))?)?;
    let log = laboratory.state.join("pebble.log");
    let mut process = Process::start("pebble", command(laboratory, &config).await, &log).await?;
    let directory_url = format!("https://{}/dir", ports.listen);
    let management_url = format!("https://{}/roots/0", ports.management);
    let both_answer =
        || async { client.get(&directory_url).await.is_ok() && client.get(&management_url).await.is_ok() };
    process.ready(START_BOUND, both_answer).await?;
    let directory = serde_json::from_slice(&client.get(&directory_url).await?.into_body())?;
    let roots = fetch_roots(&client, ports.management).await?;
    Ok(Pebble { process, client, listen: ports.listen, directory, roots, log })
}

fn configuration(laboratory: &Laboratory<'_>, ports: &Ports) -> Value {
    let accounts: BTreeMap<_, _> = laboratory.settings.external_accounts.iter().cloned().collect();
    json!({ "pebble": {
        "listenAddress": ports.listen.to_string(),
        "managementListenAddress": ports.management.to_string(),
        "certificate": laboratory.state.join("pebble-certificate.pem"),
        "privateKey": laboratory.state.join("pebble-key.pem"),
        "httpPort": laboratory.settings.http_port,
        "tlsPort": laboratory.settings.tls_port,
        "ocspResponderURL": "",
        "certificateValidityPeriod": laboratory.settings.validity.as_secs(),
        "externalAccountBindingRequired": !accounts.is_empty(),
        "externalAccountMACKeys": accounts,
    }})
}

async fn command(laboratory: &Laboratory<'_>, config: &Path) -> Command {
    let settings = laboratory.settings;
    let mut command = tethered(Path::new("pebble")).await;
    command.arg("-config").arg(config).arg("-dnsserver").arg(laboratory.dns.to_string());
    if settings.strict {
        command.arg("-strict");
    }
    command
        .env("PEBBLE_VA_NOSLEEP", "1")
        .env("PEBBLE_WFE_NONCEREJECT", settings.nonce_rejection_percent.to_string())
        .env("PEBBLE_AUTHZREUSE", settings.authorization_reuse_percent.to_string());
    command
}

fn lost_its_port(error: &anyhow::Error) -> bool {
    format!("{error:#}").contains("address already in use")
}

/// There is one root, or several where Pebble was told to make alternatives.
async fn fetch_roots(client: &Client, management: SocketAddr) -> anyhow::Result<Vec<String>> {
    let mut roots = Vec::new();
    loop {
        let answer = client.get(&format!("https://{management}/roots/{}", roots.len())).await?;
        match answer.status() {
            StatusCode::OK => roots.push(String::from_utf8(answer.into_body().to_vec())?),
            _ if roots.is_empty() => bail!("pebble shows no root: {}", answer.status()),
            _ => return Ok(roots),
        }
    }
}
