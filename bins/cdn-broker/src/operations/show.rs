use broker::{Operator, Plot, Waiting, json};
use contract::{OperationState, Track};

use super::ShowArgs;
use crate::cli::{complain, print};
use crate::instances::{history, words};
use crate::{FAILED, OK};

pub(super) async fn run(operator: &Operator, arguments: &ShowArgs) -> anyhow::Result<u8> {
    let plots = operator.plots(&arguments.id).await?;
    if plots.is_empty() {
        complain(&format!("there is no operation {0}, and none on an instance {0}", arguments.id));
        return Ok(FAILED);
    }
    let is_one = matches!(&plots[..], [one] if one.operation.id.as_str() == arguments.id);
    let texts: Vec<String> = match (arguments.json, is_one) {
        (true, true) => plots.iter().map(|plot| format!("{:#}", json::plot(plot))).collect(),
        (true, false) => plots.iter().map(|plot| json::plot(plot).to_string()).collect(),
        (false, _) => plots.iter().map(text).collect(),
    };
    print(&texts.join(if arguments.json { "\n" } else { "\n\n" }));
    Ok(OK)
}

fn text(plot: &Plot) -> String {
    let mut lines = words::columns(&head(plot));
    let errors = plot.errors();
    if !errors.is_empty() {
        lines.extend([String::new(), "last errors".to_owned()]);
        lines.extend(history::errors(&errors));
    }
    lines.extend([String::new(), "history".to_owned()]);
    lines.extend(history::log(&plot.history));
    lines.join("\n")
}

fn head(plot: &Plot) -> Vec<[String; 2]> {
    let operation = &plot.operation;
    let track = match operation.track {
        Track::User => "the user's",
        Track::Renewal => "the broker's own",
    };
    let mut rows = vec![
        ("operation", operation.id.to_string()),
        ("instance", operation.instance.to_string()),
        (
            "kind",
            format!("{}, on {track} track, since {}", words::kind(operation.kind), operation.started_at),
        ),
        ("state", words::outcome(operation.state).to_owned()),
        ("step", format!("{}, since {}", operation.step, operation.step_since)),
        ("tries", format!("{} failed in a row", operation.attempt)),
    ];
    if operation.state == OperationState::Running {
        rows.push(("waits for", waits(plot)));
        rows.push(("lease", lease(plot)));
        rows.push(("next run", words::rfc3339(operation.next_at)));
        rows.extend(plot.gives_up_at.map(|at| ("given up on", words::rfc3339(at))));
    }
    rows.extend(operation.sentence.as_ref().map(|sentence| ("its user reads", sentence.replace('\n', " "))));
    rows.extend(operation.error.as_ref().map(|error| ("error", error.clone())));
    rows.into_iter().map(|(name, value)| [name.to_owned(), value]).collect()
}

fn waits(plot: &Plot) -> String {
    let word = Waiting::of(&plot.operation).map_or("nobody", Waiting::word);
    match &plot.operation.waits_for {
        Some(scope) => format!("{word}: all that needs `{scope}` waits, and goes on by itself"),
        None => word.to_owned(),
    }
}

fn lease(plot: &Plot) -> String {
    match plot.leased_until {
        Some(until) => {
            format!("a broker is at work on the instance, and has it until {}", words::rfc3339(until))
        }
        None => "nobody is at work on the instance at this moment".to_owned(),
    }
}
