use broker::{Operator, Waiting, json};
use contract::{Clock, InstanceId, Operation, OperationFilter, OperationState, Timestamp};

use super::ListArgs;
use crate::cli::{complain, print};
use crate::clock::SystemClock;
use crate::instances::words;
use crate::{OK, USAGE};

/// How many operations are read at once: the first are printed while the others are still in the database.
const PAGE: u32 = 500;

/// Keeps one page in memory.
pub(super) async fn run(operator: &Operator, arguments: &ListArgs) -> anyhow::Result<u8> {
    if arguments.waits_for.is_some() && arguments.state.is_some_and(|state| state != OperationState::Running)
    {
        complain("--waits-for means operations that run: leave --state out");
        return Ok(USAGE);
    }
    if !arguments.json {
        print(&row(arguments.wide, HEAD));
    }
    let filter = OperationFilter {
        instance: arguments.instance.as_ref().map(InstanceId::new),
        state: arguments.state,
        kind: arguments.kind,
    };
    let (mut before, mut left) = (None, arguments.most.unwrap_or(u32::MAX));
    while left > 0 {
        let most = left.min(PAGE);
        let page = operator.operations(&filter, arguments.waits_for, before, most).await?;
        let Some(last) = page.last() else { break };
        before = Some(last.id.clone());
        left -= u32::try_from(page.len()).unwrap_or(left);
        let now = SystemClock.now();
        print(&page.iter().map(|one| arguments.line(one, now)).collect::<Vec<_>>().join("\n"));
    }
    Ok(OK)
}

const HEAD: [&str; 9] = ["AGE", "INSTANCE", "KIND", "STATE", "WAITS", "STEP", "TRIES", "NEXT", "ID"];

impl ListArgs {
    fn line(&self, one: &Operation, now: Timestamp) -> String {
        if self.json {
            return json::operation(one).to_string();
        }
        let next = match one.state {
            OperationState::Running => words::rfc3339(one.next_at),
            _ => "-".to_owned(),
        };
        row(
            self.wide,
            [
                &words::age(one.started_at, now),
                one.instance.as_str(),
                words::kind(one.kind),
                words::outcome(one.state),
                Waiting::of(one).map_or("-", Waiting::word),
                &one.step,
                &one.attempt.to_string(),
                &next,
                one.id.as_str(),
            ],
        )
    }
}

/// Fixed widths, because nobody has seen the lines to come. Without what is for wide terminals it fits into 80 columns.
fn row(wide: bool, cells: [&str; 9]) -> String {
    let [age, instance, kind, state, waits, step, tries, next, id] = cells;
    let narrow = format!("{age:4}  {instance:36}  {kind:11}  {state:9}  {waits:8}");
    let all = if wide { format!("{narrow}  {step:22}  {tries:>5}  {next:20}  {id}") } else { narrow };
    all.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_row_fits_a_terminal() {
        let longest = [
            "100d",
            &"x".repeat(36),
            "deprovision",
            "cancelled",
            "operator",
            "remove-old-certificate",
            "9",
            "",
            "",
        ];
        assert!(row(false, longest).chars().count() <= 80);
        assert!(row(true, longest).contains("remove-old-certificate"));
    }
}
