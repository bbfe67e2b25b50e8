//! What was done for an instance, in plain words.

use contract::{Operation, OperationKind, OperationState};
use maud::{Markup, html};

use super::super::view::{Tone, View};
use super::{domains, icons, moment, prose, tone_class};

pub(super) fn section(view: &View) -> Markup {
    html! {
        section aria-labelledby="h-history" {
            h2 #h-history { "History" }
            div.card {
                ol.history { @for operation in &view.operations { (line(operation)) } }
            }
        }
    }
}

fn line(operation: &Operation) -> Markup {
    let (tone, text) = told(operation);
    html! {
        li {
            span.mark.(tone_class(tone)) { (icons::tone(tone)) span.unseen { (domains::word(tone)) } }
            span.what {
                (text)
                @if let Some(sentence) = operation.sentence.as_ref().filter(|_| tone == Tone::Bad) { " " (prose(sentence)) }
            }
            span.state { span.when { (moment(operation.started_at)) } }
        }
    }
}

fn told(operation: &Operation) -> (Tone, &'static str) {
    use OperationKind::{Deprovision, Provision, Recreate, Renew, Update};
    match (operation.kind, operation.state) {
        (Provision, OperationState::Running) => (Tone::Busy, "The service instance is being created."),
        (Provision, OperationState::Succeeded) => (Tone::Good, "The service instance was created."),
        (Provision, OperationState::Failed) => (Tone::Bad, "The service instance could not be created."),
        (Update, OperationState::Running) => (Tone::Busy, "The service instance is being changed."),
        (Update, OperationState::Succeeded) => (Tone::Good, "The service instance was changed."),
        (Update, OperationState::Failed) => (Tone::Bad, "The service instance could not be changed."),
        (Renew, OperationState::Running) => (Tone::Busy, "The certificate is being renewed."),
        (Renew, OperationState::Succeeded) => (Tone::Good, "The certificate was renewed."),
        (Renew, OperationState::Failed) => {
            (Tone::Bad, "The certificate could not be renewed; it is tried again.")
        }
        (Recreate, OperationState::Running) => (Tone::Busy, "The operators rebuild the service instance."),
        (Recreate, OperationState::Succeeded) => {
            (Tone::Good, "The operators have rebuilt the service instance.")
        }
        (Recreate, OperationState::Failed) => (Tone::Bad, "The service instance could not be rebuilt."),
        (Deprovision, OperationState::Running) => (Tone::Busy, "The service instance is being deleted."),
        (Deprovision, OperationState::Succeeded) => (Tone::Over, "The service instance was deleted."),
        (Deprovision, OperationState::Failed) => {
            (Tone::Bad, "The service instance could not be deleted completely.")
        }
        (Provision, OperationState::Cancelled) => (Tone::Over, "The creation was ended by what came after."),
        (Update, OperationState::Cancelled) => (Tone::Over, "The change was ended by what came after."),
        (Renew, OperationState::Cancelled) => (Tone::Over, "The renewal gave way to what came after."),
        (Recreate, OperationState::Cancelled) => (Tone::Over, "The rebuilding was ended by what came after."),
        (Deprovision, OperationState::Cancelled) => {
            (Tone::Over, "The deletion was ended by what came after.")
        }
    }
}
