//! `end-to-end` as a check that is run from time to time.

use std::time::Duration;

use async_trait::async_trait;
use contract::{Alert, Check, CheckFailure, CheckOutcome, CheckSchedule, PortError, Side, StepTimes};

use super::end_to_end::{EndToEnd, Progress};

/// A part of a run is a few requests.
const LIMIT: Duration = Duration::from_mins(2);
/// The incident of a service that gets slower. It is a warning: nothing has failed.
const SLOW: &str = "check end-to-end is slower than usual";
const RELIES: &str = "every service instance is created, changed, served and deleted in the same way";

#[async_trait]
impl Check for EndToEnd {
    fn name(&self) -> &'static str {
        "end-to-end"
    }

    fn stands_for(&self) -> &'static str {
        "an instance of this service goes from the request over its proof to HTTPS at the edge, and away again"
    }

    fn schedule(&self) -> CheckSchedule {
        CheckSchedule::new(Duration::from_hours(1), LIMIT)
    }

    async fn run(&self, steps: &StepTimes) -> CheckOutcome {
        match self.go_on().await {
            Ok(Progress::Going { again, waits_for }) => CheckOutcome::Underway { again, waits_for },
            Ok(Progress::Unavailable(why)) => CheckOutcome::Skipped { why },
            Ok(Progress::Failed { side, stage, saw }) => {
                let sentence = format!("the canary does not get on at `{stage}`: {saw}");
                CheckOutcome::Failing(CheckFailure::new(side, stage, sentence, RELIES))
            }
            Ok(Progress::Ended { times, slow }) => {
                for (stage, took) in times {
                    steps.note(stage, took);
                }
                self.tell_of(slow).await;
                CheckOutcome::Ok
            }
            Err(error) => CheckOutcome::Failing(failure(&error)),
        }
    }
}

impl EndToEnd {
    /// Slowing down shows before failing does.
    async fn tell_of(&self, slow: Option<String>) {
        let alerts = &self.ports.alerts;
        match slow {
            Some(slow) => {
                let message = format!(
                    "{slow}. Nothing has failed yet: `cdn-broker checks history end-to-end` shows the times."
                );
                alerts.raise(Alert::new(SLOW, message)).await;
            }
            None => alerts.resolve(Alert::new(SLOW, "the last run took as long as usual.")).await,
        }
    }
}

fn failure(error: &PortError) -> CheckFailure {
    let (side, class) = error.class().unwrap_or((Side::Us, "unknown"));
    CheckFailure::new(side, class, error.to_string(), RELIES)
}
