//! Obtains a certificate from an ACME authority by DNS-01, with a person setting the TXT records.
//!
//! `cargo run -p acme-core --example issue -- DIRECTORY_URL ROOT_PEM_FILE RESOLVER NAME...`
//!
//! `-` for the file means the system's trusted roots, `-` for the resolver the system's resolvers.

use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use acme_core::{AcmeIssuer, AcmeSettings, Probe, ProbeSettings};
use anyhow::{Context, Result};
use contract::testing::{ManualClock, MemoryStore};
use contract::{
    CertificateIssuer, CertificateRequest, Clock, DomainName, IssuanceId, IssuanceProgress, KeyType,
    Timestamp,
};

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, root, resolver, names @ ..] = arguments.as_slice() else {
        anyhow::bail!("usage: issue DIRECTORY_URL ROOT_PEM_FILE|- RESOLVER|- NAME...");
    };
    let names: Vec<DomainName> = names
        .iter()
        .map(|name| DomainName::parse(name).with_context(|| format!("`{name}`")))
        .collect::<Result<_>>()?;
    anyhow::ensure!(!names.is_empty(), "no domain name is given");

    let issuer = issuer(directory, root, resolver)?;
    let id = IssuanceId::new("example");
    issuer.open(&id, &CertificateRequest::new(names, KeyType::P256)).await?;
    drive(&issuer, &id).await
}

/// An issuer that keeps everything in memory: good enough for a single process.
fn issuer(directory: &str, root: &str, resolver: &str) -> Result<AcmeIssuer> {
    let mut settings = AcmeSettings::new(directory);
    if root != "-" {
        settings.root_certificates_pem = Some(std::fs::read_to_string(root).context(root.to_owned())?);
    }
    let resolvers =
        if resolver == "-" { vec![] } else { vec![resolver.parse().context(resolver.to_owned())?] };
    let store = Arc::new(MemoryStore::new(ManualClock::new()));
    let probe = Arc::new(Probe::new(&settings_for(resolvers))?);
    Ok(AcmeIssuer::new(settings, store.clone(), store.clone(), store, probe, Arc::new(SystemClock))?)
}

/// A resolver that is named is a laboratory's, where it stands for all of DNS.
fn settings_for(resolvers: Vec<SocketAddr>) -> ProbeSettings {
    let real = ProbeSettings::default();
    let dns_port = resolvers.first().map_or(real.dns_port, SocketAddr::port);
    ProbeSettings { allow_private_addresses: !resolvers.is_empty(), dns_port, resolvers, ..real }
}

/// What a broker's worker does: one unit of work, then as much patience as it asks for.
async fn drive(issuer: &AcmeIssuer, id: &IssuanceId) -> Result<()> {
    let mut shown = HashMap::new();
    let mut out = std::io::stdout();
    loop {
        let wait = match issuer.advance(id).await? {
            IssuanceProgress::Issued(bundle) => {
                write!(out, "{}{}", bundle.leaf_pem, bundle.chain_pem)?;
                return Ok(());
            }
            IssuanceProgress::Working { again } => again,
            IssuanceProgress::AwaitingProof { look_again } => look_again,
            IssuanceProgress::HeldBack { until, why } => {
                writeln!(out, "{why}")?;
                until.since(SystemClock.now())
            }
        };
        for one in issuer.instructions(id).await? {
            let record =
                one.direct().map(|record| format!("{} {} \"{}\"", record.name, record.kind, record.value));
            let saw = one.last_look.map(|look| look.saw);
            let now = (one.state, record, saw);
            if shown.get(&one.name) != Some(&now) {
                let (state, record, saw) = &now;
                writeln!(out, "{}: {state:?}", one.name)?;
                record.iter().try_for_each(|record| writeln!(out, "  set  {record}"))?;
                saw.iter().try_for_each(|saw| writeln!(out, "  seen {saw}"))?;
                shown.insert(one.name, now);
            }
        }
        pause(wait).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "a person waits here, and no step of a workflow")]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place of the program that reads the time")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}
