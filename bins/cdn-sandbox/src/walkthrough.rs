//! `cdn-sandbox walkthrough`: the commands of a document, played; and what they say, written into it.

mod alike;
mod cf;
mod controller;
mod document;
mod player;

use anyhow::{Context, bail};
use sandbox::{Proofs, Sandbox};

use self::document::Document;
use self::player::Player;
use crate::arguments::WalkthroughOptions;
use crate::platform::Platform;
use crate::setup::{State, broker_binary, broker_settings, sandbox_settings};
use crate::ui;

/// Plays the document, and prints it or compares it.
pub(crate) async fn run(mut options: WalkthroughOptions) -> anyhow::Result<()> {
    let file = options.document.display().to_string();
    let written =
        std::fs::read_to_string(&options.document).with_context(|| format!("cannot read {file}"))?;
    let document = Document::parse(&written).with_context(|| file.clone())?;
    let played = Box::pin(play(&mut options, document)).await?.to_string();
    if !options.check {
        ui::text(&played);
        return Ok(());
    }
    match alike::difference(&written, &played) {
        None => ui::line(&format!("{file} says what is so.")),
        Some(difference) => bail!(
            "{file} says what is not so. Look whether this is right, and write it with \
             `cdn-sandbox walkthrough {file}`:\n{difference}"
        ),
    }
    Ok(())
}

async fn play(options: &mut WalkthroughOptions, mut document: Document) -> anyhow::Result<Document> {
    let state = State::prepare(&mut options.setup).await?;
    let mut settings = broker_settings(&options.setup, state.path())?;
    settings.proofs = Proofs::ALL;
    // Its authority's values are good for an hour, as long as an update waits: which of them ends first would be chance.
    "50m".clone_into(&mut settings.update_proof_wait);
    let mut world = sandbox_settings(&options.setup, state.path());
    // What was proven is never asked for again: chance would change the texts.
    world.authority.authorization_reuse_percent = 100;
    let sandbox = Sandbox::start(world).await?;
    let mut broker = sandbox.start_broker(&broker_binary(&options.setup)?, &settings).await?;
    let platform = Platform::new(broker.url(), &settings)?;
    let mut player = Player::new(&sandbox, platform);
    for entry in document.entries() {
        let said = player.play(&entry.line).await;
        entry.said = said.with_context(|| format!("`{}` (--state DIR keeps the logs)", entry.line))?;
    }
    drop(player);
    broker.stop().await?;
    sandbox.stop().await?;
    Ok(document)
}
