//! The steps of what runs, or ran last.

use contract::{LogEntry, Operation, OperationKind, OperationState, Timestamp};
use maud::{Markup, html};

use super::super::view::View;
use super::{icons, moment};
use crate::describe;
use crate::service::shown;
use crate::workflow::Step;

/// How far a step is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Done,
    Now,
    Failed,
    ToCome,
}

pub(super) fn section(view: &View) -> Markup {
    let Some(operation) = shown(&view.operations) else { return html! {} };
    let plan = Step::plan(operation);
    let here = plan.iter().position(|step| step.name() == operation.step).unwrap_or(0);
    html! {
        section aria-labelledby="h-progress" {
            h2 #h-progress { "Progress: " (title(operation.kind)) }
            div.card {
                p.seen { span.label { "Begun" } " " span.when { (moment(operation.started_at)) } }
                ol.steps {
                    @for (place, step) in plan.iter().enumerate() {
                        (line(*step, stage(operation, place, here), operation, &view.log))
                    }
                }
            }
        }
    }
}

fn title(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Provision => "creating the service instance",
        OperationKind::Update => "changing the service instance",
        OperationKind::Renew => "renewing the certificate",
        OperationKind::Recreate => "rebuilding the service instance",
        OperationKind::Deprovision => "deleting the service instance",
    }
}

fn stage(operation: &Operation, place: usize, here: usize) -> Stage {
    match operation.state {
        OperationState::Succeeded => Stage::Done,
        _ if place < here => Stage::Done,
        _ if place > here => Stage::ToCome,
        OperationState::Running => Stage::Now,
        OperationState::Failed | OperationState::Cancelled => Stage::Failed,
    }
}

fn line(step: Step, stage: Stage, operation: &Operation, log: &[LogEntry]) -> Markup {
    let (class, word) = match stage {
        Stage::Done => ("done", "Done"),
        Stage::Now => ("now", "Under way"),
        Stage::Failed if operation.state == OperationState::Cancelled => ("failed", "Ended here"),
        Stage::Failed => ("failed", "Failed here"),
        Stage::ToCome => ("to-come", "To come"),
    };
    let at: Option<Timestamp> = match stage {
        Stage::Done => {
            log.iter().rfind(|one| one.step == step.name() && one.outcome == "done").map(|one| one.at)
        }
        Stage::Now => Some(operation.step_since),
        Stage::Failed => Some(operation.next_at),
        Stage::ToCome => None,
    };
    html! {
        li.(class) aria-current=[(stage == Stage::Now).then_some("step")] {
            span.mark { @if stage == Stage::Done { (icons::done()) } }
            span.what { (describe::step_title(step)) }
            span.state { (word) @if stage == Stage::Now { " since" } @if let Some(at) = at { " " span.when { (moment(at)) } } }
        }
    }
}
