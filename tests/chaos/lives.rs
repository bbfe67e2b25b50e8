//! One broker and two instances on the real parts, step by step: the same users as in `crates/broker/tests/it/lives.rs`,
//! with misfortunes that only a real process and a real wire have.

mod draw;
mod life;
mod user;

use std::sync::atomic::Ordering;

use anyhow::anyhow;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use proptest_state_machine::Sequential;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::lives::draw::Asked;
use crate::lives::life::Life;
use crate::tally::{Tally, say};

/// How many shorter lives are tried when one has failed. Each takes its time.
const SHRINKS: u32 = 60;

/// How many steps a life has.
const STEPS: std::ops::Range<usize> = 8..20;

/// Leads so many lives. The error holds the shortest one that fails.
pub(crate) fn play(seed: u64, lives: usize, tally: &Tally) -> anyhow::Result<()> {
    let config = Config {
        cases: u32::try_from(lives)?,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: SHRINKS,
        ..Config::default()
    };
    // What an operator has to set right is tried again once in a minute: not in a short run.
    let is_long = lives > 2;
    let beginning = move || Just(Asked::nobody(is_long)).boxed();
    let strategy = Sequential::new(STEPS.into(), beginning, |_, _| true, draw::step, draw::after);
    let led = TestRunner::new(config).run(&strategy, |(_, steps, mut seen)| {
        let life = async {
            let mut life = Life::begin(tally).await?;
            for step in &steps {
                if let Some(seen) = &mut seen {
                    seen.fetch_add(1, Ordering::SeqCst);
                }
                life.live(step).await?;
            }
            life.end().await
        };
        tally.count("lives", "begun", 1);
        say(&format!("chaos: a life of {} steps", steps.len()));
        block_in_place(|| Handle::current().block_on(life))
            .map_err(|error| TestCaseError::fail(format!("{error:#}")))
    });
    led.map_err(|failure| anyhow!("{failure}"))
}
