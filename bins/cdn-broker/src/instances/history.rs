use broker::{Operator, json};
use contract::{InstanceId, LogEntry, Operation};
use serde_json::{Value, json};

use super::{HistoryArgs, unknown, words};
use crate::OK;
use crate::cli::print;
use crate::output::tinted;

pub(super) async fn run(operator: &Operator, arguments: &HistoryArgs) -> anyhow::Result<u8> {
    let id = InstanceId::new(&arguments.id);
    let Some(told) = operator.history(&id, arguments.operations).await? else { return Ok(unknown(&id)) };
    if arguments.json {
        let operations: Vec<Value> =
            told.iter().map(|(operation, lines)| as_json(operation, lines)).collect();
        print(&format!("{:#}", json!({"id": id.as_str(), "operations": operations})));
        return Ok(OK);
    }
    let texts: Vec<String> = told.iter().map(|(operation, lines)| text(operation, lines)).collect();
    print(&texts.join("\n\n"));
    Ok(OK)
}

fn as_json(operation: &Operation, lines: &[LogEntry]) -> Value {
    let mut told = json::operation(operation);
    if let Some(told) = told.as_object_mut() {
        told.insert("history".to_owned(), lines.iter().map(json::line).collect());
    }
    told
}

fn text(operation: &Operation, lines: &[LogEntry]) -> String {
    let head = format!(
        "{} {} of {}, {} at {}",
        words::kind(operation.kind),
        operation.id,
        operation.started_at,
        tinted(words::outcome(operation.state)),
        operation.step
    );
    let is_told = |error: &&String| lines.last().is_some_and(|line| line.sentence == **error);
    let error = operation.error.iter().filter(|error| !is_told(error)).map(|error| format!("  {error}"));
    std::iter::once(head).chain(log(lines)).chain(error).collect::<Vec<_>>().join("\n")
}

/// Each error with the request id of whoever has refused, its words below.
pub(crate) fn errors(lines: &[&LogEntry]) -> Vec<String> {
    let of = |line: &&LogEntry| {
        let request = line.request_id.as_deref().unwrap_or("none");
        let head = format!("  {} {}, upstream request {request}", words::rfc3339(line.at), line.step);
        std::iter::once(head).chain(words::wrapped(&line.sentence, 4)).collect::<Vec<_>>()
    };
    lines.iter().flat_map(of).collect()
}

/// One line of history below the other.
pub(crate) fn log(lines: &[LogEntry]) -> Vec<String> {
    let rows: Vec<[String; 4]> = lines
        .iter()
        .map(|line| {
            let outcome = tinted(&line.outcome).into_owned();
            // What is done is said by the words before.
            let sentence = if line.outcome == "done" { String::new() } else { line.sentence.clone() };
            [format!("  {}", words::rfc3339(line.at)), line.step.clone(), outcome, sentence]
        })
        .collect();
    words::columns(&rows)
}
