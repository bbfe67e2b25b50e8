//! Chaos: what users do, what goes wrong, and processes that die, in an order that a seed draws. `make chaos` goes on for
//! minutes; `make test` runs one small round of each part. The exit code is 1 when something was violated.
//!
//! - `crowd`: three brokers on one PostgreSQL with clocks that disagree, and many instances at once.
//! - `lives`: one broker and two instances, step by step, and a look at everything after each step.

mod crowd;
mod journal;
mod lives;
mod options;
mod tally;

#[expect(dead_code, reason = "the tests' harness; not all of it is needed here")]
#[path = "../tests/it/house.rs"]
mod house;

#[path = "../../crates/broker/tests/it/lives/wishes.rs"]
mod wishes;

use std::process::ExitCode;

use anyhow::Context;
use tokio::time::Instant;

use crate::options::{Options, Part};
use crate::tally::{Tally, say};

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        // A filter that is meant for other tests.
        Ok(None) => return ExitCode::SUCCESS,
        Err(message) => {
            say(&message);
            return ExitCode::from(64);
        }
    };
    let tally = Tally::default();
    let ended = rounds(&options, &tally).await;
    tally.count("violations", "found", usize::from(ended.is_err()));
    say(&tally.table());
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("VIOLATED: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Round after round, each with the next seed, until the time is over; at least one.
async fn rounds(options: &Options, tally: &Tally) -> anyhow::Result<()> {
    let end = Instant::now() + options.time;
    for round in 0.. {
        let seed = options.seed + round;
        for part in Part::ALL.into_iter().filter(|part| options.wants(*part)) {
            say(&format!("chaos: {} with seed {seed}", part.name()));
            tally.count("rounds", part.name(), 1);
            let size = options.size(part);
            let played = match part {
                Part::Crowd => crowd::play(seed, size, tally).await,
                Part::Lives => lives::play(seed, size, tally),
            };
            played.with_context(|| options.how_to_replay(part, seed))?;
        }
        if Instant::now() >= end {
            break;
        }
    }
    tally.note(format!("the first seed was {}; each round took the next", options.seed));
    Ok(())
}
