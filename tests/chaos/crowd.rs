//! Three brokers on one PostgreSQL, whose clocks are half a minute apart. Processes are killed and started, the database
//! crashes, its connections are cut, AWS refuses and keeps silent. Every instance ends as its user wants it, and of
//! everything there was one.

mod held;
mod laws;
mod people;
mod storm;
mod town;

use anyhow::Context;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};

use crate::crowd::people::Person;
use crate::crowd::town::Town;
use crate::tally::{Tally, say};

/// Plays one round with so many instances.
pub(crate) async fn play(seed: u64, size: usize, tally: &Tally) -> anyhow::Result<()> {
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() });
    let fates = drawn(&proptest::collection::vec(people::fate(), size), &mut runner)?;
    let blows = drawn(&proptest::collection::vec(storm::blow(), 40), &mut runner)?;
    let mut people: Vec<Person> =
        fates.into_iter().enumerate().map(|(number, fate)| Person::new(number, fate)).collect();
    let mut town = Town::start(size).await?;
    held::calls_hold_nothing(&town).await.with_context(|| town.last_words())?;
    let lived = live_through(&mut town, &mut people, &blows, tally).await;
    lived.with_context(|| town.last_words())?;
    town.calm_down().await?;
    for person in &people {
        tally.count("instances", person.fate.name(), 1);
    }
    laws::all_is_well(&town, &people).await.with_context(|| town.last_words())
}

async fn live_through(
    town: &mut Town,
    people: &mut [Person],
    blows: &[storm::Planned],
    tally: &Tally,
) -> anyhow::Result<()> {
    let Town { house, urls, brokers, server } = town;
    let town = town::Street { house, urls };
    tokio::select! {
        lived = people::live(&town, people, tally) => lived,
        seen = storm::rage(&town, brokers, server, blows, tally) => seen,
    }?;
    say("chaos: everybody has what they want; the storm is over");
    Ok(())
}

fn drawn<S: Strategy>(strategy: &S, runner: &mut TestRunner) -> anyhow::Result<S::Value> {
    let tree = strategy.new_tree(runner).map_err(|reason| anyhow::anyhow!("cannot draw: {reason}"))?;
    Ok(tree.current())
}
