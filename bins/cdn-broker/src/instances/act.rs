//! Begins an operation, and says what becomes of it.

use std::time::Duration;

use anyhow::Context;
use broker::{Asked, Operator, json};
use contract::{Instance, InstanceId, Operation, OperationId, OperationState, PortResult};
use serde_json::{Value, json};

use super::{ActArgs, CancelArgs, words};
use crate::cli::{complain, print};
use crate::output::agreed;
use crate::{FAILED, OK};

/// How often it is looked how the operation stands.
const LOOK: Duration = Duration::from_millis(500);
/// After so many looks at an operation that nobody has touched, there may be no broker.
const UNTOUCHED: u32 = 60;

pub(super) async fn run(
    operator: &Operator,
    arguments: &ActArgs,
    ask: impl AsyncFnOnce(&Operator, &InstanceId) -> PortResult<Asked>,
) -> anyhow::Result<u8> {
    let id = InstanceId::new(&arguments.id);
    match ask(operator, &id).await? {
        Asked::Refused(why) => Ok(refused(&why, arguments.json)),
        Asked::Begun(operation) => begun(operator, &operation, "begun", arguments).await,
        Asked::Underway(operation) => begun(operator, &operation, "underway", arguments).await,
    }
}

/// Steps are short: a broker that is at work on the instance is waited for.
pub(super) async fn cancel(operator: &Operator, arguments: &CancelArgs) -> anyhow::Result<u8> {
    let id = InstanceId::new(&arguments.id);
    if let Err(code) = agreed(&format!("End what its user has asked for on {id}?"), arguments.yes) {
        return Ok(code);
    }
    let mut looks = 0;
    let ended = loop {
        match operator.cancel(&id).await? {
            Asked::Refused(why) => return Ok(refused(&why, arguments.json)),
            Asked::Begun(ended) => break ended,
            Asked::Underway(_) if looks < UNTOUCHED => looks += 1,
            Asked::Underway(running) => {
                let why = format!("a broker is at work on it, at {}; try again", running.step);
                return Ok(refused(&why, arguments.json));
            }
        }
        nap().await;
    };
    let message = format!("{} {} of {id} is ended", words::kind(ended.kind), ended.id);
    print(&if arguments.json { report("cancelled", &message, &ended) } else { message });
    Ok(OK)
}

pub(super) fn refused(why: &str, as_json: bool) -> u8 {
    if as_json {
        print(&format!("{:#}", json!({"outcome": "refused", "message": why, "operation": null})));
    } else {
        complain(why);
    }
    FAILED
}

async fn begun(
    operator: &Operator,
    operation: &Operation,
    outcome: &str,
    arguments: &ActArgs,
) -> anyhow::Result<u8> {
    let kind = words::kind(operation.kind);
    let message = format!("{kind} {} of {} is {outcome}", operation.id, operation.instance);
    if arguments.no_wait {
        let told = if arguments.json { report(outcome, &message, operation) } else { message };
        print(&told);
        return Ok(OK);
    }
    complain(&message);
    let watched = tokio::select! {
        ended = watch(operator, &operation.id) => ended?,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.context("cannot listen for SIGINT")?;
            complain("not waiting any more; the work goes on");
            return Ok(FAILED);
        }
    };
    end(operator, &watched, arguments).await
}

async fn end(operator: &Operator, ended: &Operation, arguments: &ActArgs) -> anyhow::Result<u8> {
    let (outcome, code) = match ended.state {
        OperationState::Succeeded => ("succeeded", OK),
        OperationState::Failed => ("failed", FAILED),
        OperationState::Cancelled | OperationState::Running => ("cancelled", FAILED),
    };
    let story = operator.story(&ended.instance).await?;
    let message = match ended.state {
        OperationState::Succeeded => story.map_or_else(String::new, |story| serves(&story.instance)),
        OperationState::Failed => ended.error.clone().unwrap_or_default(),
        OperationState::Cancelled | OperationState::Running => "another operation took over".to_owned(),
    };
    if arguments.json {
        print(&report(outcome, &message, ended));
    } else if code == OK {
        print(&message);
    } else {
        complain(&format!("{outcome}: {message}"));
    }
    Ok(code)
}

fn serves(instance: &Instance) -> String {
    let names = words::comma_separated(&instance.settings.domains);
    let id = instance.distribution.as_ref().map_or("no distribution", |id| id.as_str());
    let domain = instance.distribution_domain.as_deref().unwrap_or_default();
    format!("{} is {}: {id} ({domain}) for {names}", instance.id, words::state(instance.state))
}

fn report(outcome: &str, message: &str, operation: &Operation) -> String {
    let operation: Value = json::operation(operation);
    format!("{:#}", json!({"outcome": outcome, "message": message, "operation": operation}))
}

/// Says what happens, line by line, until the operation has ended.
async fn watch(operator: &Operator, id: &OperationId) -> anyhow::Result<Operation> {
    let mut said = 0;
    let mut untouched = 0;
    let mut sentence = None;
    loop {
        let (operation, lines) = operator.operation(id).await?.context("the operation is gone")?;
        for line in lines.iter().skip(said) {
            let more = if line.outcome == "done" { "" } else { &line.sentence };
            let time = words::clock_time(line.at);
            complain(format!("{time} {} {} {more}", line.step, line.outcome).trim_end());
        }
        if operation.sentence != sentence {
            sentence.clone_from(&operation.sentence);
            if let Some(sentence) = &sentence {
                complain(&format!("its user reads: {sentence}"));
            }
        }
        untouched = if lines.len() > said { 0 } else { untouched + 1 };
        said = lines.len();
        if operation.state != OperationState::Running {
            return Ok(operation);
        }
        if untouched == UNTOUCHED {
            complain(&format!("still at {}; `cdn-broker instances show` tells why", operation.step));
        }
        nap().await;
    }
}

/// Sleeping is how the next look or try is waited for.
#[expect(clippy::disallowed_methods, reason = "the timer of commands that wait")]
pub(super) async fn nap() {
    tokio::time::sleep(LOOK).await;
}
