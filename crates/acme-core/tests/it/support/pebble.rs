use std::ffi::OsString;
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// How Pebble is to behave.
#[derive(Clone, Debug, Default)]
pub(crate) struct PebbleOptions {
    /// How many percent of good nonces are refused.
    pub(crate) nonce_reject: u8,
    /// How many percent of valid authorizations are used again.
    pub(crate) authz_reuse: u8,
    /// Key id and MAC key (base64url) that are required for a new account.
    pub(crate) external_account: Option<(String, String)>,
    /// What stands for port 80; a port that nobody uses, if left out.
    pub(crate) http_port: Option<u16>,
    /// Another program than the one that is installed.
    pub(crate) program: Option<OsString>,
}

/// A running Pebble, Let's Encrypt's own test authority. Stopped on drop.
pub(crate) struct Pebble {
    pub(crate) directory_url: String,
    pub(crate) root_pem: String,
    log: Arc<Mutex<Vec<String>>>,
    _child: Child,
    _files: TempDir,
}

impl Pebble {
    /// Starts Pebble on free ports; it validates through the name server at `dns`.
    pub(crate) async fn start(dns: SocketAddr, options: PebbleOptions) -> Result<Self> {
        let mut last = None;
        // Somebody else may take a port between our choosing it and Pebble's listening on it.
        for _ in 0..3 {
            match Self::try_start(dns, &options).await {
                Ok(pebble) => return Ok(pebble),
                Err(error) => last = Some(error),
            }
        }
        Err(last.context("Pebble was never tried")?)
    }

    /// How many requests have come for paths that contain `part`.
    pub(crate) fn requests(&self, part: &str) -> usize {
        let log = self.log.lock().map(|log| log.clone()).unwrap_or_default();
        log.iter().filter(|line| line.contains("-> calling handler") && line.contains(part)).count()
    }

    async fn try_start(dns: SocketAddr, options: &PebbleOptions) -> Result<Self> {
        let files = tempfile::tempdir()?;
        let root_pem = write_tls(&files)?;
        let [acme, management, http, tls] = free_ports()?;
        let config = serde_json::json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{acme}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": files.path().join("leaf.pem"),
            "privateKey": files.path().join("leaf.key"),
            "httpPort": options.http_port.unwrap_or(http),
            "tlsPort": tls,
            "ocspResponderURL": "",
            // Known to newer ones only.
            "profiles": {
                "default": {"description": "ninety days", "validityPeriod": 90 * 86_400},
                "shortlived": {"description": "six days", "validityPeriod": 6 * 86_400},
            },
            "externalAccountBindingRequired": options.external_account.is_some(),
            "externalAccountMACKeys": options.external_account.iter().cloned()
                .collect::<std::collections::HashMap<_, _>>(),
        }});
        std::fs::write(files.path().join("config.json"), config.to_string())?;
        let mut child = command(&files, dns, options)
            .spawn()
            .context("`pebble` cannot be started; it is the Debian package of the same name")?;
        let log = follow(&mut child)?;
        await_listening(&mut child, acme, &log).await?;
        let directory_url = format!("https://127.0.0.1:{acme}/dir");
        Ok(Self { directory_url, root_pem, log, _child: child, _files: files })
    }
}

fn command(files: &TempDir, dns: SocketAddr, options: &PebbleOptions) -> Command {
    let mut command = Command::new(options.program.as_deref().unwrap_or("pebble".as_ref()));
    command
        .arg("-strict")
        .arg("-config")
        .arg(files.path().join("config.json"))
        .args(["-dnsserver", &dns.to_string()])
        .env("PEBBLE_VA_NOSLEEP", "1")
        .env("PEBBLE_WFE_NONCEREJECT", options.nonce_reject.to_string())
        .env("PEBBLE_AUTHZREUSE", options.authz_reuse.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    command
}

/// A root and a leaf for Pebble's own TLS. Gives the root.
fn write_tls(files: &TempDir) -> Result<String> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let leaf = CertificateParams::new(["127.0.0.1".to_owned()])?.signed_by(&key, &root)?;
    std::fs::write(files.path().join("leaf.pem"), leaf.pem())?;
    std::fs::write(files.path().join("leaf.key"), key.serialize_pem())?;
    Ok(root.pem())
}

fn free_ports() -> Result<[u16; 4]> {
    let listeners = [0; 4].map(|_| TcpListener::bind("127.0.0.1:0"));
    let mut ports = [0; 4];
    for (port, listener) in ports.iter_mut().zip(listeners) {
        *port = listener?.local_addr()?.port();
    }
    Ok(ports)
}

fn follow(child: &mut Child) -> Result<Arc<Mutex<Vec<String>>>> {
    let log = Arc::new(Mutex::new(Vec::new()));
    let mut lines = BufReader::new(child.stdout.take().context("Pebble's output")?).lines();
    let written = Arc::clone(&log);
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            if let Ok(mut log) = written.lock() {
                log.push(line);
            }
        }
    });
    Ok(log)
}

async fn await_listening(child: &mut Child, port: u16, log: &Mutex<Vec<String>>) -> Result<()> {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    for _ in 0..1500 {
        ticks.tick().await;
        if let Some(status) = child.try_wait()? {
            bail!("Pebble ended with {status}: {:?}", log.lock().map(|log| log.clone()));
        }
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return Ok(());
        }
    }
    bail!("Pebble does not listen after 30 s")
}
