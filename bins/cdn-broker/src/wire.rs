//! Which adapter stands behind which port. To swap the authority or the CDN, change this file.

mod checks;
mod import;

use std::sync::Arc;
use std::time::Duration;

use acme_core::{AcmeIssuer, Probe, ProofSettings, Rooms};
use anyhow::Context;
use broker::{
    AdminStores, Breakers, CanaryStore, Checks, Chores, CloudController, Counters, ManagedNames, Metrics,
    MetricsPage, Notifier, Offer, Operator, Pace, Pages, People, Ports, Reconciler, RoundSettings, Rules,
    Service, WorkSettings, Worker,
};
use cloudfront_core::Bench;
use contract::{
    Allowance, ChallengeSite, Clock, ManagedZone, Meter, NoMeter, Outbox, PlatformDirectory, Secret,
};
use osb_core::{Api, Catalog};
use store::Store;

pub(crate) use self::import::importer;
use crate::alerts::messengers;
use crate::clock::{SystemClock, SystemRandomness};
use crate::config::{Config, MetricsConfig};

/// For how long a finished deletion is reported as succeeded; afterwards it is gone (R67).
const DELETED_RETENTION: Duration = Duration::from_hours(1);

/// The running parts: who answers, who works, and who sees to what nobody asks for.
pub(crate) struct Wired {
    pub(crate) service: Service,
    pub(crate) worker: Worker,
    pub(crate) chores: Chores,
    pub(crate) checks: Checks,
    /// What all of them share.
    pub(crate) store: Arc<Store>,
    /// What is measured, where that has a port of its own.
    pub(crate) metrics: Option<(MetricsPage, u16)>,
}

/// Opens the database, prepares the clients, and puts everything together. Asks nobody but the database.
pub(crate) async fn wire(config: &Config) -> anyhow::Result<Wired> {
    let pace = pace(config);
    let store = store(config).await?;
    let notifier = notifier(config, store.clone())?;
    let counts = Counters::new();
    let meter: Arc<dyn Meter> = Arc::new(counts.clone());
    let built = build(config, store.clone(), notifier.clone(), meter.clone(), &pace).await?;
    let checks = checks::wire(config, &built, &store)?;
    let ports = built.ports;
    let rules = Rules {
        default_origin: config.service.default_origin.clone(),
        offer: Offer { logging: config.aws.log_bucket.is_some(), letters: config.alerts.mail.is_some() },
        deleted_retention: DELETED_RETENTION,
        pace: pace.clone(),
        plans: config.service.offering.plans.clone(),
        managed_zone: config.proofs.managed_zone.clone(),
    };
    let plans = config.service.offering.plans.clone();
    let work = WorkSettings { pace, key_type: config.service.key_type, plans };
    let worker = Worker::new(ports.clone(), work).with_meter(meter);
    let api = Api::new(catalog(config), config.http.credentials.clone()).context("the catalog")?;
    let chores = Chores::new(ports.clone(), worker.bell()).with_notifier(notifier);
    let chores = match config.service.reconcile_every {
        Some(every) => chores.with_rounds(RoundSettings { every, fix: config.service.reconcile_fix }),
        None => chores,
    };
    let service = Service::new(api, ports, rules, worker.bell());
    let service = match pages(config, &store)? {
        Some(pages) => service.with_pages(pages),
        None => service,
    };
    let allowance: Arc<dyn Allowance> =
        Arc::new(Rooms::new(&config.acme, store.clone(), Arc::new(SystemClock)));
    let (service, metrics) = measured(config, service, &counts, &store, allowance.clone());
    let service = service.with_admin(AdminStores {
        census: store.clone(),
        incidents: store.clone(),
        breakers: store.clone(),
        checks: store.clone(),
        allowance,
    });
    Ok(Wired { service, worker, chores, checks, store, metrics })
}

/// The pages of instances, where the operator has said under which name they are found.
pub(crate) fn pages(config: &Config, store: &Arc<Store>) -> anyhow::Result<Option<Pages>> {
    let Some(url) = config.http.public_url.clone() else { return Ok(None) };
    let pages = Pages::new(store.clone(), store.clone(), url);
    let (Some(client), Some(platform)) = (&config.http.dashboard_client, &config.platform) else {
        return Ok(Some(pages));
    };
    let people = People::new(platform, client.id.clone(), Secret::new(client.secret.as_str()));
    Ok(Some(pages.with_sign_on(Arc::new(people.context("cannot use API_ADDRESS")?))))
}

/// What is offered, with the client for signing users on where there is one.
fn catalog(config: &Config) -> Catalog {
    let mut catalog = config.service.offering.catalog.clone();
    for service in catalog.services.iter_mut().take(1) {
        service.dashboard_client.clone_from(&config.http.dashboard_client);
    }
    catalog
}

/// The operator's hand on what the brokers of this configuration do.
pub(crate) async fn operator(config: &Config) -> anyhow::Result<Operator> {
    let (store, pace) = (store(config).await?, pace(config));
    let Built { ports, .. } =
        build(config, store.clone(), notifier(config, store.clone())?, nobody_counts(), &pace).await?;
    Ok(Operator::new(ports, store, pace))
}

/// What the authority's limits leave, and what the broker allows itself.
pub(crate) async fn rooms(config: &Config) -> anyhow::Result<(Rooms, CanaryStore)> {
    let store = store(config).await?;
    Ok((Rooms::new(&config.acme, store.clone(), Arc::new(SystemClock)), CanaryStore::new(store)))
}

/// What compares the store with what AWS shows.
pub(crate) async fn reconciler(config: &Config) -> anyhow::Result<Reconciler> {
    let every = config.service.reconcile_every.unwrap_or(Duration::from_hours(24));
    let store = store(config).await?;
    let Built { ports, .. } =
        build(config, store.clone(), notifier(config, store)?, nobody_counts(), &pace(config)).await?;
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

/// Who tells the operator, and users who want to be told.
fn notifier(config: &Config, store: Arc<Store>) -> anyhow::Result<Notifier> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let messengers = messengers(&config.alerts, &clock).context("cannot use the settings of alerts")?;
    Ok(Notifier::new(store.clone(), store, messengers, clock, Arc::new(SystemRandomness)))
}

/// The checks that an operator runs by hand.
pub(crate) async fn checks(config: &Config) -> anyhow::Result<Checks> {
    let store = store(config).await?;
    let built =
        build(config, store.clone(), notifier(config, store.clone())?, nobody_counts(), &pace(config))
            .await?;
    checks::wire(config, &built, &store)
}

/// The issuer alone, to look at the authority: it can neither present proofs nor write records.
pub(crate) fn bare_issuer(config: &Config, store: &Arc<Store>) -> anyhow::Result<AcmeIssuer> {
    let (settings, probe) = (config.acme.clone(), Arc::new(Probe::new(&config.probe)?));
    AcmeIssuer::new(settings, store.clone(), store.clone(), store.clone(), probe, Arc::new(SystemClock))
        .context("cannot use the certificate authority's settings")
}

/// The ports, and what stands behind some of them that has more to tell.
pub(crate) struct Built {
    pub(crate) ports: Ports,
    pub(crate) issuer: Arc<AcmeIssuer>,
    pub(crate) probe: Arc<Probe>,
    pub(crate) zone: Option<Arc<dyn ManagedZone>>,
    pub(crate) bench: Arc<Bench>,
}

/// The service with what is measured, or that beside it, where it has a port of its own. The same database tells every broker
/// the same; what is counted is each one's own.
fn measured(
    config: &Config,
    service: Service,
    counts: &Counters,
    store: &Arc<Store>,
    allowance: Arc<dyn Allowance>,
) -> (Service, Option<(MetricsPage, u16)>) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let version = env!("CARGO_PKG_VERSION");
    let metrics = Arc::new(Metrics::new(counts, store.clone(), store.clone(), allowance, clock, version));
    let page = MetricsPage::new(metrics, config.metrics.credential.clone());
    match config.metrics {
        MetricsConfig { port: Some(port), .. } => (service, Some((page, port))),
        MetricsConfig { credential: Some(_), .. } => (service.with_metrics(page), None),
        MetricsConfig { credential: None, port: None } => (service, None),
    }
}

/// Commands are over before anybody could read what they have counted.
fn nobody_counts() -> Arc<dyn Meter> {
    Arc::new(NoMeter)
}

async fn build(
    config: &Config,
    store: Arc<Store>,
    notifier: Notifier,
    meter: Arc<dyn Meter>,
    pace: &Pace,
) -> anyhow::Result<Built> {
    build_on(config, &config.aws, store, notifier, meter, pace).await
}

async fn build_on(
    config: &Config,
    aws: &cloudfront_core::AwsSettings,
    store: Arc<Store>,
    notifier: Notifier,
    meter: Arc<dyn Meter>,
    pace: &Pace,
) -> anyhow::Result<Built> {
    let clock = Arc::new(SystemClock);
    let probe = Arc::new(Probe::new(&config.probe)?);
    let aws = cloudfront_core::connect_counted(aws, meter.clone()).await;
    let alerts = Arc::new(notifier);
    // What leads upstream is guarded, also where the issuer uses it.
    let breakers =
        Breakers::new(store.clone(), store.clone(), alerts.clone(), clock.clone(), pace.step_timeout);
    let bench = Arc::new(aws.bench);
    let site = breakers.site(Arc::new(aws.site));
    let zone = aws.zone.map(|zone| breakers.zone(Arc::new(zone)));
    let issuer = issuer(config, &store, probe.clone(), site.clone(), zone.clone())?;
    let issuer = Arc::new(issuer.with_meter(meter));
    let managed = zone.clone().and_then(|zone| managed_names(&config.proofs, zone));
    let ports = Ports {
        issuer: breakers.issuer(issuer.clone()),
        names: probe.clone(),
        cdn: breakers.cdn(Arc::new(aws.cdn)),
        vault: breakers.vault(Arc::new(aws.vault)),
        site,
        managed,
        platform: platform(config)?,
        answers: store.clone(),
        instances: store.clone(),
        operations: store.clone(),
        queue: store.clone(),
        certificates: store.clone(),
        domains: store.clone(),
        renewals: store.clone(),
        sweeps: store.clone(),
        chores: store.clone(),
        troubles: store.clone(),
        letters: letters(config, &store),
        readiness: store,
        breakers,
        alerts,
        clock,
        randomness: Arc::new(SystemRandomness),
    };
    Ok(Built { ports, issuer, probe, zone, bench })
}

/// Where letters to users are put, where they can be mailed.
fn letters(config: &Config, store: &Arc<Store>) -> Option<Arc<dyn Outbox>> {
    let outbox: Arc<dyn Outbox> = store.clone();
    config.alerts.mail.is_some().then_some(outbox)
}

/// Who issues, with everything that proves names here.
fn issuer(
    config: &Config,
    store: &Arc<Store>,
    probe: Arc<Probe>,
    site: Arc<dyn ChallengeSite>,
    zone: Option<Arc<dyn ManagedZone>>,
) -> anyhow::Result<AcmeIssuer> {
    let (settings, clock) = (config.acme.clone(), Arc::new(SystemClock));
    let issuer = AcmeIssuer::new(settings, store.clone(), store.clone(), store.clone(), probe, clock)
        .context("cannot use the certificate authority's settings")?
        .with_proofs(config.proofs.clone())
        .context("cannot use the settings for proofs")?
        .with_site(site);
    Ok(match zone {
        Some(zone) => issuer.with_zone(zone),
        None => issuer,
    })
}

/// The platform's directory, where the operator has said where it is.
fn platform(config: &Config) -> anyhow::Result<Option<Arc<dyn PlatformDirectory>>> {
    let Some(settings) = &config.platform else { return Ok(None) };
    let platform = CloudController::new(settings, Arc::new(SystemClock)).context("cannot use API_ADDRESS")?;
    Ok(Some(Arc::new(platform)))
}

/// The records that names can be made to stand for, where the operator has set up all that they lead to.
fn managed_names(settings: &ProofSettings, zone: Arc<dyn ManagedZone>) -> Option<ManagedNames> {
    let apex = settings.managed_zone.clone()?;
    let challenge_host = settings.challenge_host.as_ref()?.to_string();
    Some(ManagedNames { zone, apex, challenge_host })
}
