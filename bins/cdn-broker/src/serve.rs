use std::net::{IpAddr, SocketAddr};
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use broker::{Listening, MetricsPage, ServerError, ServerLimits, serve, serve_metrics};
use contract::chain;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::command;
use crate::config::{Config, Environment, HttpConfig, SHORT_PASSWORD, retired};
use crate::wire::{Wired, wire};
use crate::{FAILED, OK, USAGE, fit, logging, tls};

/// How long running steps may take to finish after SIGTERM. Cloud Foundry kills after ten seconds.
const GRACE: Duration = Duration::from_secs(8);

/// How many threads of the runtime may block at once: names are resolved, keys are made (the database has threads of its
/// own). Without a bound tokio starts a thread whenever none is idle at that very moment, up to hundreds, and each of them
/// keeps memory.
const BLOCKING_THREADS: usize = 8;

/// More threads than these nobody can use: one of them answers some 8,000 polls a second.
const MOST_WORKERS: usize = 4;

/// Serves until SIGTERM or SIGINT.
pub(crate) fn run() -> u8 {
    let Some(config) = command::configuration() else { return USAGE };
    logging::start(&config.log);
    for note in retired(&Environment) {
        tracing::info!("{note}");
    }
    let served = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(workers())
        .max_blocking_threads(BLOCKING_THREADS)
        .build()
        .context("cannot start the runtime")
        .and_then(|runtime| runtime.block_on(run_until_stopped(&config)));
    match served {
        Ok(()) => OK,
        Err(error) => {
            tracing::error!("{}", chain(error.as_ref()));
            FAILED
        }
    }
}

/// How many threads answer and work on instances: half of the processors, since the database's threads do half of each
/// request. On Cloud Foundry a process sees all processors of its cell, and tokio would begin a thread for each.
/// docs/decisions/0117.
fn workers() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    (processors / 2).clamp(1, MOST_WORKERS)
}

async fn run_until_stopped(config: &Config) -> anyhow::Result<()> {
    announce(config);
    let Wired { service, worker, chores, checks, store, metrics } = wire(config).await?;
    // Nobody's work waits for it.
    let catalog = config.service.offering.catalog.clone();
    tokio::spawn(async move { fit::warn(&store, &catalog).await });
    let (stop, stopped) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let working = tokio::spawn({
        let stopped = stopped.clone();
        async move { tokio::join!(worker.serve(stopped.clone(), GRACE), chores.serve(stopped)) }
    });
    // A task of its own: whatever a check does, nobody's work waits for it.
    let checking = tokio::spawn({
        let stopped = stopped.clone();
        async move { checks.serve(stopped).await }
    });
    let HttpConfig { address, tls, .. } = &config.http;
    if let Some(tls) = tls {
        tls::watch_files(Arc::clone(tls), stopped.clone())?;
    }
    let listening = Listening { address: *address, limits: ServerLimits::default(), tls: tls.clone() };
    let serving = serve(service, listening, stopped.clone());
    let showing = show_metrics(metrics, address.ip(), stopped);
    let serving = async { tokio::try_join!(serving, showing).map(drop) };
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        ended = &mut serving => {
            // Only an address that cannot be had ends the server by itself.
            stop.send_replace(true);
            working.await.context("the worker has crashed")?;
            return Ok(ended?);
        }
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    stop.send_replace(true);
    let (ended, worked, checked) = tokio::join!(serving, working, checking);
    if checked.is_err() {
        tracing::error!("the checks have crashed");
    }
    worked.context("the worker has crashed")?;
    Ok(ended?)
}

/// Shows what is measured on a port of its own, if that is wanted.
async fn show_metrics(
    metrics: Option<(MetricsPage, u16)>,
    address: IpAddr,
    stopped: watch::Receiver<bool>,
) -> Result<(), ServerError> {
    match metrics {
        Some((page, port)) => serve_metrics(page, SocketAddr::new(address, port), stopped).await,
        None => Ok(()),
    }
}

/// Says what an operator would otherwise find out too late.
fn announce(config: &Config) {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), acme.directory = %config.acme.directory_url, "starting");
    if config.store.url.starts_with("sqlite:") {
        tracing::warn!(
            "the database is a file: on a platform whose disks do not last, every restage loses all instances"
        );
    }
    if let Some(platform) = &config.platform {
        tracing::info!(
            platform.api = platform.api_address,
            "a domain must exist in the organization of whoever asks for it"
        );
    } else {
        tracing::warn!(
            "domains are not checked against the platform (API_ADDRESS is not set): whoever proves control of a domain may \
             use it"
        );
    }
    if config.http.has_short_password {
        tracing::warn!(
            "a password of the platform has fewer than {SHORT_PASSWORD} characters: wrong ones lock nobody out, so it has to be \
             one that nobody can guess"
        );
    }
}
