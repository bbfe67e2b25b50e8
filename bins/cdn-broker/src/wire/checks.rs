//! Which checks this broker runs, and with what.

use std::sync::Arc;

use acme_core::{AcmeIssuer, DirectoryCheck};
use anyhow::Context;
use broker::{
    AcmeIssue, CanarySettings, CanaryStore, CanaryZone, CheckPorts, Checks, EndToEnd, EndToEndPorts, Expiry,
    KeptCanary, LiveSites, SeveralTenants,
};
use cloudfront_core::{Contract, ContractCheck, ContractPorts};
use contract::{Check, Origin};
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
    checks.extend(contracts(config, built));
    checks.push(Arc::new(end_to_end(config, built)?));
    let check_ports = CheckPorts {
        store: store.clone(),
        alerts: ports.alerts.clone(),
        clock: ports.clock.clone(),
        randomness: ports.randomness.clone(),
    };
    Ok(Checks::paced(checks, check_ports, config.checks.every.clone()).only(&config.checks.on))
}

/// What AWS's rules are looked at with.
fn contracts(config: &Config, built: &Built) -> Vec<Arc<dyn Check>> {
    let ports = &built.ports;
    let contract_ports = ContractPorts {
        bench: built.bench.clone(),
        edge: built.probe.clone(),
        canary: Arc::new(KeptCanary::new(ports.clone())),
        zone: built.zone.clone(),
        chores: ports.chores.clone(),
        clock: ports.clock.clone(),
        randomness: ports.randomness.clone(),
        origin: Origin {
            domain: config.checks.canary_origin(&config.service.default_origin),
            path: String::new(),
            insecure: false,
        },
        pace: config.service.deployment_poll,
    };
    let check = |contract| Arc::new(ContractCheck::new(contract, contract_ports.clone())) as Arc<dyn Check>;
    Contract::ALL.map(check).to_vec()
}

/// The service from end to end, through its own API.
fn end_to_end(config: &Config, built: &Built) -> anyhow::Result<EndToEnd> {
    let ports = &built.ports;
    let apex = config.proofs.managed_zone.clone();
    let zone = built.zone.clone().zip(apex).map(|(zone, apex)| CanaryZone { zone, apex });
    let end_to_end = EndToEnd::new(EndToEndPorts {
        store: CanaryStore::new(ports.chores.clone()),
        instances: ports.instances.clone(),
        alerts: ports.alerts.clone(),
        visitor: built.probe.clone(),
        zone,
        settings: CanarySettings {
            api: config.checks.canary_api(config.http.address, config.http.tls.is_some()),
            own: config.http.tls.clone().filter(|_| config.checks.canary_api.is_none()),
            username: config.http.own.username.clone(),
            password: config.http.own.password.clone(),
            orders_per_week: config.checks.canary_orders,
            origin: config.checks.canary_origin.clone(),
            pace: config.service.deployment_poll,
        },
        clock: ports.clock.clone(),
        randomness: ports.randomness.clone(),
    });
    end_to_end.context("cannot use the broker's own API")
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
    let issuer = issuer.context("cannot use the settings of CHECK_ACME_URL")?;
    Ok(Some(AcmeIssue {
        issuer: Arc::new(
            issuer.with_proofs(config.proofs.clone()).context("cannot use the settings for proofs")?,
        ),
        offers_http: config.proofs.challenge_url.is_some(),
        zone: zone.clone(),
        apex,
        store: store.clone(),
        randomness: built.ports.randomness.clone(),
    }))
}
