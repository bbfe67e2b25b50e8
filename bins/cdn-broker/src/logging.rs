use std::fmt::Display;
use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogConfig, LogFormat};

/// The directives of a filter, or which of them is none, and why.
pub(crate) fn filter(text: &str) -> Result<EnvFilter, String> {
    let builder = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into());
    for one in text.split(',').filter(|one| !one.is_empty()) {
        let wrong =
            |why: &dyn Display| format!("`{one}` is no directive such as info or acme_core=debug ({why})");
        if one.trim() != one {
            return Err(wrong(&"it has a space around it"));
        }
        builder.parse(one).map_err(|why| wrong(&why))?;
    }
    builder.parse(text).map_err(|why| why.to_string())
}

/// Sends events to standard error, as configured. What the AWS SDK and hyper say below `INFO` is never let through,
/// whatever the filter says: request bodies, and with them private keys, are in there.
pub(crate) fn start(config: &LogConfig) {
    // What does not parse never comes here.
    let filter = filter(&config.filter).unwrap_or_default();
    let never_bodies = tracing_subscriber::filter::filter_fn(|event| {
        let of_sdk = cloudfront_core::BODY_LOGGING_TARGETS
            .iter()
            .any(|target| event.target().split("::").next() == Some(target));
        !of_sdk || *event.level() <= tracing::Level::INFO
    });
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = match config.format {
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
        LogFormat::Text => layer.with_ansi(std::io::stderr().is_terminal()).boxed(),
    };
    // Fails only when logging has been started before; then it is running already.
    let _ =
        tracing_subscriber::registry().with(layer.with_filter(never_bodies).with_filter(filter)).try_init();
}
