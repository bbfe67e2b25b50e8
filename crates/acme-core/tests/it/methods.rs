//! Every way to prove a domain, against the real Pebble, with nothing but DNS and `Host` deciding the route; and that
//! nobody proves anything with what somebody else has set up.

mod caa;
mod clearing;
mod delegated;
mod durable;
mod foreign;
mod mixed;
mod outlook;
mod over_http;

use std::sync::Arc;

use acme_core::{AcmeSettings, Probe, ProbeSettings, ProofSettings};
use anyhow::{Context, Result, bail};
use contract::{
    CertificateIssuer, CertificateRequest, DomainInstructions, DomainName, InstanceId, IssuanceId,
    IssuanceProgress, KeyType, ManagedZone, ProofMethod, ProofState, durable_label,
};

use crate::support::{
    Answer, Harness, NameServer, Pebble, PebbleOptions, SharedProbe, Town, probe_settings, request,
};

/// The organization that most instances here belong to.
const OURS: &str = "org-a";

/// An operator who has set up everything, and the world around.
struct Lab {
    dns: NameServer,
    town: Town,
    pebble: Pebble,
    harness: Harness,
}

impl Lab {
    async fn start() -> Result<Self> {
        Self::with(PebbleOptions::default()).await
    }

    async fn with(options: PebbleOptions) -> Result<Self> {
        let dns = NameServer::start().await?;
        let mut harness =
            Harness::with_probe(AcmeSettings::new("unknown"), Arc::new(SharedProbe::default()))?;
        dns.publish(&harness.zone);
        let town = Town::start(&dns, &harness.store, &harness.site).await?;
        let options = PebbleOptions { http_port: Some(town.port), ..options };
        let pebble = Pebble::start(dns.address, options).await?;
        harness.settings = AcmeSettings {
            root_certificates_pem: Some(pebble.root_pem.clone()),
            ..AcmeSettings::new(&pebble.directory_url)
        };
        let settings = ProbeSettings { http_port: town.port, ..probe_settings(dns.address) };
        harness.probe = Arc::new(Probe::new(&settings)?);
        harness.proofs = ProofSettings {
            challenge_url: Some(town.challenge_url().parse()?),
            challenge_host: Some(DomainName::parse("front.example")?),
            managed_zone: Some(DomainName::parse("cdn.example")?),
        };
        Ok(Self { dns, town, pebble, harness })
    }

    async fn open(&self, id: &str, tenant: &str, names: &[&str]) -> Result<IssuanceId> {
        self.harness.open(id, &asked_by(tenant, names)).await
    }

    /// Works until a user has something to do. That takes one unit of work, or some: the authority may give an order
    /// whose proofs are another tenant's, and then there is another one.
    async fn look(&self, id: &IssuanceId) -> Result<Vec<DomainInstructions>> {
        let issuer = self.harness.issuer()?;
        for _ in 0..20 {
            match issuer.advance(id).await? {
                IssuanceProgress::AwaitingProof { .. } => return Ok(issuer.instructions(id).await?),
                IssuanceProgress::Working { again } if again.is_zero() => {}
                other => bail!("{other:?}"),
            }
        }
        bail!("nothing comes of {id}")
    }

    /// Works until the certificate is there, and gives how each name was proven.
    async fn issue(&self, id: &IssuanceId) -> Result<Vec<ProofMethod>> {
        self.harness.until_issued_by_many(id).await?;
        let instructions = self.harness.issuer()?.instructions(id).await?;
        instructions.into_iter().map(|one| one.proven_by.context("how it was proven")).collect()
    }

    /// How often the authority was asked to look.
    fn answers(&self) -> usize {
        self.pebble.requests("POST /chalZ")
    }

    /// The owner's present site, which knows nothing of us.
    fn site_at(&self, name: &str) {
        self.dns.set(&format!("{name}."), Answer::at(&["127.0.0.12"]));
    }

    /// The owner makes the name a CNAME to the record of a tenant.
    fn manage(&self, name: &str, tenant: &str) {
        self.dns.set(&format!("{name}."), Answer::Cname(format!("{}.cdn.example.", label(tenant, name))));
    }

    /// The broker's workflow lets that record point somewhere.
    async fn point(&self, name: &str, tenant: &str, target: &str) -> Result<()> {
        Ok(self.harness.zone.point(&format!("{}.cdn.example.", label(tenant, name)), target).await?)
    }

    /// The owner redirects the challenge path of the present site to the place of a tenant.
    fn redirect(&self, name: &str, status: u16, tenant: &str) {
        self.town.redirect(name, status, &format!("{}/{}/", self.town.challenge_url(), label(tenant, name)));
    }

    /// The owner delegates to the record of a tenant.
    fn delegate(&self, name: &str, tenant: &str) {
        let target = format!("_acme-challenge.{}.cdn.example.", label(tenant, name));
        self.dns.set(&format!("_acme-challenge.{name}."), Answer::Cname(target));
    }
}

fn label(tenant: &str, name: &str) -> String {
    DomainName::parse(name).map(|name| durable_label(tenant, &name)).unwrap_or_default()
}

fn asked_by(tenant: &str, names: &[&str]) -> CertificateRequest {
    let site = InstanceId::new(format!("instance of {tenant}"));
    CertificateRequest { tenant: tenant.into(), site, ..request(KeyType::P256, names) }
}

fn saw(one: &DomainInstructions) -> String {
    one.last_look.as_ref().map(|look| look.saw.clone()).unwrap_or_default()
}

fn states(all: &[DomainInstructions]) -> Vec<ProofState> {
    all.iter().map(|one| one.state).collect()
}
