//! An authority that is overloaded, slow, forgetful or unwilling.

mod failed;
mod lost;
mod overload;
mod slow;

use std::sync::Arc;

use acme_core::AcmeSettings;
use anyhow::Result;
use contract::{CertificateIssuer, IssuanceId, KeyType, PortError};

use crate::support::{Harness, Scripted, SharedProbe, request};

async fn laboratory() -> Result<(Scripted, SharedProbe, Harness, IssuanceId)> {
    let authority = Scripted::start().await?;
    let probe = SharedProbe::seeing_everything();
    let settings = AcmeSettings::new(&authority.directory_url);
    let harness = Harness::with_probe(settings, Arc::new(probe.clone()))?;
    let id = harness.open("i-1", &request(KeyType::P256, &["a.example", "b.example"])).await?;
    Ok((authority, probe, harness, id))
}

async fn refusal(harness: &Harness, id: &IssuanceId) -> Result<PortError> {
    match harness.issuer()?.advance(id).await {
        Err(error) => Ok(error),
        Ok(progress) => anyhow::bail!("went on: {progress:?}"),
    }
}
