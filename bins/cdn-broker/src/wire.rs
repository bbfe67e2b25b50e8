//! Which adapter stands behind which port. To swap the authority or the CDN, change this file.

use std::sync::Arc;
use std::time::Duration;

use acme_core::{AcmeIssuer, Probe, ProofSettings};
use anyhow::Context;
use broker::{
    Breakers, Chores, ManagedNames, Notifier, Offer, Operator, Pace, Ports, Reconciler, RoundSettings, Rules,
    Service, WorkSettings, Worker,
};
use contract::ManagedZone;
use osb_core::Api;
use store::Store;

use crate::clock::{SystemClock, SystemRandomness};
use crate::config::Config;

/// For how long a finished deletion is reported as succeeded; afterwards it is gone (R67).
const DELETED_RETENTION: Duration = Duration::from_hours(1);

/// The running parts: who answers, who works, and who sees to what nobody asks for.
pub(crate) struct Wired {
    pub(crate) service: Service,
    pub(crate) worker: Worker,
    pub(crate) chores: Chores,
}

/// Opens the database, prepares the clients, and puts everything together. Asks nobody but the database.
pub(crate) async fn wire(config: &Config) -> anyhow::Result<Wired> {
    let pace = pace(config);
    let store = store(config).await?;
    let notifier = notifier(store.clone());
    let ports = ports(config, store, notifier.clone(), &pace).await?;
    let rules = Rules {
        default_origin: config.service.default_origin.clone(),
        offer: Offer { logging: config.aws.log_bucket.is_some() },
        deleted_retention: DELETED_RETENTION,
        pace: pace.clone(),
        plans: config.service.offering.plans.clone(),
    };
    let plans = config.service.offering.plans.clone();
    let worker = Worker::new(ports.clone(), WorkSettings { pace, key_type: config.service.key_type, plans });
    let api = Api::new(config.service.offering.catalog.clone(), config.http.credentials.clone())
        .context("the catalog")?;
    let chores = Chores::new(ports.clone(), worker.bell()).with_notifier(notifier);
    let chores = match config.service.reconcile_every {
        Some(every) => chores.with_rounds(RoundSettings { every, fix: config.service.reconcile_fix }),
        None => chores,
    };
    let service = Service::new(api, ports, rules, worker.bell());
    Ok(Wired { service, worker, chores })
}

/// The operator's hand on what the brokers of this configuration do.
pub(crate) async fn operator(config: &Config) -> anyhow::Result<Operator> {
    let (store, pace) = (store(config).await?, pace(config));
    let ports = ports(config, store.clone(), notifier(store.clone()), &pace).await?;
    Ok(Operator::new(ports, store, pace))
}

/// What compares the store with what AWS shows.
pub(crate) async fn reconciler(config: &Config) -> anyhow::Result<Reconciler> {
    let every = config.service.reconcile_every.unwrap_or(Duration::from_hours(24));
    let store = store(config).await?;
    let ports = ports(config, store.clone(), notifier(store), &pace(config)).await?;
    Ok(Reconciler::new(ports, every))
}

/// The database alone.
pub(crate) async fn store(config: &Config) -> anyhow::Result<Arc<Store>> {
    let opened = Store::open(&config.store, Arc::new(SystemClock)).await;
    Ok(Arc::new(opened.context("cannot open the database")?))
}

fn pace(config: &Config) -> Pace {
    Pace {
        step_timeout: config.service.step_timeout,
        deployment_poll: config.service.deployment_poll,
        provision_proof_wait: config.service.provision_proof_wait,
        update_proof_wait: config.service.update_proof_wait,
        ..Pace::default()
    }
}

/// Who tells the operator.
fn notifier(store: Arc<Store>) -> Notifier {
    Notifier::new(store.clone(), store, Vec::new(), Arc::new(SystemClock), Arc::new(SystemRandomness))
}

async fn ports(config: &Config, store: Arc<Store>, notifier: Notifier, pace: &Pace) -> anyhow::Result<Ports> {
    let clock = Arc::new(SystemClock);
    let probe = Arc::new(Probe::new(&config.probe)?);
    let issuer = AcmeIssuer::new(
        config.acme.clone(),
        store.clone(),
        store.clone(),
        store.clone(),
        probe.clone(),
        clock.clone(),
    )
    .context("cannot use the certificate authority's settings")?;
    let aws = cloudfront_core::connect(&config.aws).await;
    let alerts = Arc::new(notifier);
    // What leads upstream is guarded, also where the issuer uses it.
    let breakers =
        Breakers::new(store.clone(), store.clone(), alerts.clone(), clock.clone(), pace.step_timeout);
    let site = breakers.site(Arc::new(aws.site));
    let issuer = issuer
        .with_proofs(config.proofs.clone())
        .context("cannot use the settings for proofs")?
        .with_site(site.clone());
    let zone = aws.zone.map(|zone| breakers.zone(Arc::new(zone)));
    let issuer = match &zone {
        Some(zone) => issuer.with_zone(zone.clone()),
        None => issuer,
    };
    let managed = zone.and_then(|zone| managed_names(&config.proofs, zone));
    Ok(Ports {
        issuer: breakers.issuer(Arc::new(issuer)),
        names: probe,
        cdn: breakers.cdn(Arc::new(aws.cdn)),
        vault: breakers.vault(Arc::new(aws.vault)),
        site,
        managed,
        answers: store.clone(),
        instances: store.clone(),
        operations: store.clone(),
        queue: store.clone(),
        certificates: store.clone(),
        domains: store.clone(),
        renewals: store.clone(),
        sweeps: store.clone(),
        chores: store.clone(),
        readiness: store,
        breakers,
        alerts,
        clock,
        randomness: Arc::new(SystemRandomness),
    })
}

/// The records that names can be made to stand for, where the operator has set up all that they lead to.
fn managed_names(settings: &ProofSettings, zone: Arc<dyn ManagedZone>) -> Option<ManagedNames> {
    let apex = settings.managed_zone.clone()?;
    let challenge_host = settings.challenge_host.as_ref()?.to_string();
    Some(ManagedNames { zone, apex, challenge_host })
}
