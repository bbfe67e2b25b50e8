//! Unbound: a resolver that validates DNSSEC, as those of authorities do.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;
use tokio::process::Command;

use crate::dns::{Dns, is_answered};
use crate::loopback::Loopback;
use crate::process::{Process, tethered};

/// Where Debian puts it, which is not on everybody's PATH.
const DEBIAN: &str = "/usr/sbin/unbound";

const START_BOUND: Duration = Duration::from_secs(30);

/// The digest of a key that nobody has.
const NOBODYS_KEY: &str = "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF";

/// A running Unbound at an address of its own, which asks the resolver of a [`Dns`] about everything, validates
/// what that says, and remembers nothing but failures, for some seconds. Dropping it stops it and removes its files.
pub struct Unbound {
    address: SocketAddr,
    _process: Process,
    _folder: TempDir,
    _block: Loopback,
}

impl Unbound {
    /// Starts it, and waits until it answers. It has been told that the zones `signed` are signed with a key that nobody
    /// has (a trust anchor, RFC 4033, section 2), so that whatever they say is bogus; no other zone needs to be signed.
    ///
    /// Fails with the name of the package to install where Unbound is missing.
    pub async fn start(dns: &Dns, signed: &[&str]) -> anyhow::Result<Self> {
        ensure_installed().await?;
        let (folder, block) = (TempDir::with_prefix("unbound")?, Loopback::claim()?);
        let address = free_port(&block)?;
        let config = folder.path().join("unbound.conf");
        std::fs::write(&config, configuration(folder.path(), address, dns, signed))?;
        let mut command = tethered(Path::new(program())).await;
        command.args(["-d", "-p", "-c"]).arg(&config);
        let mut process = Process::start("unbound", command, &folder.path().join("log")).await?;
        process.ready(START_BOUND, || is_answered(address)).await?;
        Ok(Self { address, _process: process, _folder: folder, _block: block })
    }

    /// Where it answers, over UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A port that is free at an address that nobody else uses.
fn free_port(block: &Loopback) -> anyhow::Result<SocketAddr> {
    let tcp = TcpListener::bind((block.fresh()?, 0))?;
    let address = tcp.local_addr()?;
    UdpSocket::bind(address).context("a port that is free for TCP is taken for UDP")?;
    Ok(address)
}

fn configuration(folder: &Path, listen: SocketAddr, dns: &Dns, signed: &[&str]) -> String {
    let (ip, port, folder) = (listen.ip(), listen.port(), folder.display());
    let anchor = |zone: &&str| format!("  trust-anchor: \"{zone}. DS 1 13 2 {NOBODYS_KEY}\"\n");
    let anchors = signed.iter().map(anchor).collect::<Vec<_>>().concat();
    // Its own way from the root would lead to port 53: so it asks the resolver, and judges what that says.
    let upstream = dns.address();
    format!(
        "server:
  interface: {ip}
  port: {port}
  directory: \"{folder}\"
  chroot: \"\"
  username: \"\"
  use-syslog: no
  num-threads: 1
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  module-config: \"validator iterator\"
  ede: yes
  qname-minimisation: no
  cache-max-ttl: 0
  cache-max-negative-ttl: 0
{anchors}remote-control:
  control-enable: no
forward-zone:
  name: \".\"
  forward-addr: {}@{}
",
        upstream.ip(),
        upstream.port()
    )
}

/// A missing program is the most likely mistake, so it is told apart from one that fails.
async fn ensure_installed() -> anyhow::Result<()> {
    let asked = Command::new(program()).arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    asked.map(drop).context("Unbound, a DNS resolver, is missing: install the Debian package `unbound`")
}

fn program() -> &'static str {
    if Path::new(DEBIAN).exists() { DEBIAN } else { "unbound" }
}
