//! `cdn-sandbox demo`: the service as a user and their platform live through it.

mod incident;
mod leftovers;
mod main_job;
mod owner;
mod proofs;
mod stage;
mod table;

use tokio::signal::ctrl_c;

use crate::arguments::DemoOptions;
use crate::setup::State;

/// Plays it. Any deviation is an error that says what was not as it should be.
pub(crate) async fn run(mut options: DemoOptions) -> anyhow::Result<()> {
    tokio::select! {
        played = play(&mut options) => played,
        _ = ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    }
}

async fn play(options: &mut DemoOptions) -> anyhow::Result<()> {
    let state = State::prepare(&mut options.setup).await?;
    if options.incident {
        Box::pin(incident::play(&options.setup, state.path())).await
    } else if options.all_proofs {
        Box::pin(proofs::play(&options.setup, state.path())).await
    } else {
        Box::pin(main_job::play(&options.setup, state.path())).await
    }
}
