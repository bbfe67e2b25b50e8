//! What all operator commands have in common: the service's configuration, a runtime, and an exit code.

use anyhow::Context;
use contract::chain;

use crate::cli::complain;
use crate::config::{Config, Environment};
use crate::{FAILED, USAGE};

/// The configuration of the service, or `None` after everything that is wrong with it was said.
pub(crate) fn configuration() -> Option<Config> {
    match Config::read(&Environment) {
        Ok(config) => Some(config),
        Err(mistakes) => {
            complain("the environment is not complete:");
            for mistake in mistakes {
                complain(&format!("  {mistake}"));
            }
            None
        }
    }
}

/// Runs a command to its end and gives its exit code.
pub(crate) fn run(work: impl AsyncFnOnce(&Config) -> anyhow::Result<u8>) -> u8 {
    let Some(config) = configuration() else { return USAGE };
    let code = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
        .and_then(|runtime| runtime.block_on(work(&config)));
    code.unwrap_or_else(|error| {
        complain(&chain(error.as_ref()));
        FAILED
    })
}
