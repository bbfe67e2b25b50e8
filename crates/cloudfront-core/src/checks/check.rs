//! The walks as checks that are run from time to time.

use std::time::Duration;

use async_trait::async_trait;
use contract::{Check, CheckFailure, CheckOutcome, CheckSchedule, PortError, Side, StepTimes};

use super::plan::Contract;
use super::walker::{Broken, ContractCheck, Progress};

/// A part of a walk is a few calls.
const LIMIT: Duration = Duration::from_mins(2);

#[async_trait]
impl Check for ContractCheck {
    fn name(&self) -> &'static str {
        self.contract().name()
    }

    fn stands_for(&self) -> &'static str {
        match self.contract() {
            Contract::CloudFront => {
                "CloudFront's rules for distributions, names, certificates and deletion are as they were"
            }
            Contract::Iam => {
                "IAM's rules for certificates, and their way to CloudFront and back, are as they were"
            }
            Contract::S3 => "S3 keeps answers to challenges, and CloudFront serves them, as they did",
        }
    }

    fn schedule(&self) -> CheckSchedule {
        let every = match self.contract() {
            Contract::CloudFront => Duration::from_hours(1),
            Contract::Iam => Duration::from_hours(6),
            Contract::S3 => Duration::from_mins(15),
        };
        CheckSchedule::new(every, LIMIT)
    }

    async fn run(&self, steps: &StepTimes) -> CheckOutcome {
        match self.go_on().await {
            Ok(Progress::Going { again, waits_for }) => {
                let waits_for = format!("it waits until this is true: {}", waits_for.rule);
                CheckOutcome::Underway { again, waits_for }
            }
            Ok(Progress::Found(broken)) => CheckOutcome::Failing(failure(&broken, 0)),
            Ok(Progress::Ended(verdict)) => {
                for (name, took) in &verdict.measured {
                    steps.note(name, *took);
                }
                match verdict.broken.split_first() {
                    Some((first, others)) => CheckOutcome::Failing(failure(first, others.len())),
                    None => CheckOutcome::Ok,
                }
            }
            Err(error) => CheckOutcome::Failing(untold(&error)),
        }
    }
}

fn failure(broken: &Broken, others: usize) -> CheckFailure {
    let assumption = broken.assumption;
    let others = match others {
        0 => String::new(),
        others => format!(" {others} more rule(s) do not hold either: see the log."),
    };
    let sentence =
        format!("AWS has changed a rule. It was: {} Now: {}.{others}", assumption.rule, broken.saw);
    CheckFailure::new(Side::Aws, assumption.name, sentence, assumption.relied_on)
}

/// Nothing could be seen of the rules.
fn untold(error: &PortError) -> CheckFailure {
    let (side, class) = error.class().unwrap_or((Side::Us, "unknown"));
    let relies = "whatever the broker does at AWS; its rules could not be looked at";
    CheckFailure::new(side, class, error.to_string(), relies)
}
