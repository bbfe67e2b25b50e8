//! The API's certificate, taken up when it is replaced.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use broker::Tls;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// How often the files are read. Whoever does not want to wait sends SIGHUP.
const EVERY: Duration = Duration::from_secs(10);

/// Looks at the files from time to time and at SIGHUP, until `stop` turns true.
///
/// Errors: there can be no handler for SIGHUP.
pub(crate) fn watch_files(tls: Arc<Tls>, stop: watch::Receiver<bool>) -> anyhow::Result<()> {
    let hangup = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
    tokio::spawn(look_again(tls, hangup, stop));
    Ok(())
}

async fn look_again(tls: Arc<Tls>, mut hangup: Signal, mut stop: watch::Receiver<bool>) {
    let mut interval = tokio::time::interval(EVERY);
    let mut told = String::new();
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            _ = hangup.recv() => {}
            _ = interval.tick() => {}
        }
        let read = Arc::clone(&tls);
        let Ok(outcome) = tokio::task::spawn_blocking(move || read.refresh()).await else { continue };
        match outcome {
            Ok(true) => tracing::info!("the certificate of the API was replaced"),
            // While files are being replaced they may not fit together for a moment.
            Err(error) if error.to_string() != told => {
                told = error.to_string();
                tracing::warn!("the certificate of the API stays as it is: {told}");
            }
            Ok(false) | Err(_) => {}
        }
    }
}
