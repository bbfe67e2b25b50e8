//! Which checks this broker runs, and with what.

use std::sync::Arc;

use acme_core::{AcmeIssuer, DirectoryCheck};
use anyhow::Context;
use broker::{AcmeIssue, CheckPorts, Checks, Expiry, LiveSites, SeveralTenants};
use contract::Check;
use store::Store;

use super::Built;
use crate::config::Config;

/// All checks for which everything is set up that they need.
pub(super) fn wire(config: &Config, built: &Built, store: &Arc<Store>) -> anyhow::Result<Checks> {
    let ports = &built.ports;
    let mut checks: Vec<Arc<dyn Check>> = vec![
        Arc::new(DirectoryCheck::new(built.issuer.clone(), store.clone())),
        Arc::new(LiveSites {
            ports: ports.clone(),
            edge: built.probe.clone(),
            web: built.probe.clone(),
            troubles: store.clone(),
            store: store.clone(),
        }),
        Arc::new(Expiry { ports: ports.clone(), several: config.checks.several }),
        Arc::new(SeveralTenants {
            troubles: store.clone(),
            store: store.clone(),
            alerts: ports.alerts.clone(),
            clock: ports.clock.clone(),
            several: config.checks.several,
        }),
    ];
    if let Some(check) = acme_issue(config, built, store)? {
        checks.push(Arc::new(check));
    }
    let check_ports = CheckPorts {
        store: store.clone(),
        alerts: ports.alerts.clone(),
        clock: ports.clock.clone(),
        randomness: ports.randomness.clone(),
    };
    Ok(Checks::paced(checks, check_ports, config.checks.every.clone()).only(&config.checks.on))
}

/// A second issuer: the same program, at another directory, with an account of its own.
fn acme_issue(config: &Config, built: &Built, store: &Arc<Store>) -> anyhow::Result<Option<AcmeIssue>> {
    let (Some(settings), Some(zone)) = (&config.checks.acme, &built.zone) else { return Ok(None) };
    let Some(apex) = config.proofs.managed_zone.clone() else { return Ok(None) };
    let issuer = AcmeIssuer::new(
        settings.clone(),
        store.clone(),
        store.clone(),
        store.clone(),
        built.probe.clone(),
        built.ports.clock.clone(),
    );
    Ok(Some(AcmeIssue {
        issuer: Arc::new(issuer.context("cannot use the settings of CHECK_ACME_URL")?),
        zone: zone.clone(),
        apex,
        store: store.clone(),
        randomness: built.ports.randomness.clone(),
    }))
}
