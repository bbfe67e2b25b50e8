//! The ACME authority: Pebble, with a gate before it.

mod gate;
mod hold;
mod pebble;
mod pretence;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

pub use gate::{Gate, GateRequest};
pub use hold::{Held, Moment};
use pebble::{Laboratory, Pebble};
pub use pretence::Pretence;

use crate::pki::Ca;

/// What Pebble logs once for each authorization that a failed challenge has made invalid.
const FAILED_CHALLENGE: &str = "set INVALID by completed challenge";

/// How the authority is to behave.
#[derive(Clone, Debug)]
pub struct AuthoritySettings {
    /// Refuse what a coming version of the protocol will refuse.
    pub strict: bool,
    /// How many requests in a hundred are refused with `badNonce` (RFC 8555, 6.5).
    pub nonce_rejection_percent: u8,
    /// How many new orders in a hundred find a valid authorization from before reused.
    pub authorization_reuse_percent: u8,
    /// How long certificates are valid: at least some seconds.
    pub validity: Duration,
    /// External accounts, as pairs of key id and base64url HMAC key. When there are any, a new account has to be bound
    /// to one of them (RFC 8555, 7.3.4).
    pub external_accounts: Vec<(String, String)>,
    /// The port of the gate; 0 takes a free one.
    pub port: u16,
    /// The port on which HTTP-01 challenges are asked for, instead of 80. Redirects are followed to the port they name.
    pub http_port: u16,
    /// The port on which TLS-ALPN-01 challenges are asked for, instead of 443.
    pub tls_port: u16,
}

impl Default for AuthoritySettings {
    /// Strict, with a few refused nonces, half of the authorizations reused, certificates for 90 days as in the default
    /// profile of Let's Encrypt, no external accounts, any port of its own, and the
    /// ports of the real world for challenges.
    fn default() -> Self {
        Self {
            strict: true,
            nonce_rejection_percent: 5,
            authorization_reuse_percent: 50,
            validity: Duration::from_hours(90 * 24),
            external_accounts: Vec::new(),
            port: 0,
            http_port: 80,
            tls_port: 443,
        }
    }
}

/// A running authority. Its accounts and its issuing roots live in its memory and go with it, so it is never
/// restarted under a running broker. Dropping it kills Pebble.
pub struct Authority {
    gate: Gate,
    pebble: Pebble,
    root_file: PathBuf,
}

impl Authority {
    /// Starts Pebble and the gate and waits until both answer. Pebble validates by asking the name server `dns`; its
    /// configuration, certificate and log lie in the folder `state`.
    ///
    /// Fails with the name of the package to install where Pebble is missing, and with the last lines of
    /// its log where it does not come up.
    pub async fn start(state: &Path, dns: SocketAddr, settings: &AuthoritySettings) -> anyhow::Result<Self> {
        std::fs::create_dir_all(state).with_context(|| format!("cannot make {}", state.display()))?;
        let ca = Ca::new("Sandbox CA for the TLS of the ACME server")?;
        let certificate = ca.server_certificate(&["localhost", "127.0.0.1"])?;
        let pebble = Pebble::start(&Laboratory { state, dns, settings }, &ca, &certificate).await?;
        let gate = Gate::start(settings.port, &pebble, &certificate).await?;
        let root_file = state.join("acme-root.pem");
        let trusted = [std::slice::from_ref(&ca.pem().to_owned()), pebble.roots()].concat().concat();
        std::fs::write(&root_file, trusted)
            .with_context(|| format!("cannot write {}", root_file.display()))?;
        Ok(Self { gate, pebble, root_file })
    }

    /// Where an ACME client starts (RFC 8555, 7.1.1): the gate's directory.
    pub fn directory_url(&self) -> String {
        self.gate.directory_url()
    }

    /// The roots under which certificates are issued, each in PEM.
    pub fn roots_pem(&self) -> &[String] {
        self.pebble.roots()
    }

    /// A PEM file with the root of the authority's own TLS and with the issuing roots: one file to reach the
    /// authority and to verify a site that shows its certificates.
    pub fn root_file(&self) -> &Path {
        &self.root_file
    }

    /// The gate, for what tests want to see or to hold back.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Everything that Pebble has logged until now.
    pub fn log(&self) -> anyhow::Result<String> {
        self.pebble.log()
    }

    /// How many challenges have failed until now: each is an attempt that was wasted.
    pub fn failed_challenges(&self) -> anyhow::Result<usize> {
        Ok(self.log()?.matches(FAILED_CHALLENGE).count())
    }

    /// Closes the gate, ends Pebble and waits until it is gone.
    pub async fn stop(self) -> anyhow::Result<()> {
        drop(self.gate);
        self.pebble.stop().await
    }
}
