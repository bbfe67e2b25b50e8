//! The objects of docs/COMMANDS.md. Fields are only ever added.

use contract::{
    CertificateRecord, DomainInstructions, DomainName, DomainRecord, DomainState, Instance, LogEntry,
    Operation, Outlook, ProofWay, RenewalPlan, SiteFinding, Timestamp, Track,
};
use serde_json::{Value, json};

use crate::{CertificateStory, Plot, Story, Waiting, words};

/// An instance, and what was asked.
pub fn instance(instance: &Instance) -> Value {
    let request = &instance.request;
    json!({
        "id": instance.id.as_str(),
        "state": words::state(instance.state),
        "incarnation": instance.incarnation,
        "domains": names(&instance.settings.domains),
        "origin": instance.settings.origin.domain.as_str(),
        "organization": request.organization,
        "space": request.space,
        "service_id": request.service_id,
        "plan_id": request.plan_id,
        "parameters": parsed(&request.parameters),
        "asked_by": request.identity.as_deref().map(parsed),
        "asked_at": words::rfc3339(request.received_at),
        "distribution": instance.distribution.as_ref().map(contract::DistributionId::as_str),
        "distribution_domain": instance.distribution_domain,
        "caller_reference": instance.reference.as_str(),
    })
}

/// An operation as it stands.
pub fn operation(operation: &Operation) -> Value {
    json!({
        "id": operation.id.as_str(),
        "kind": words::kind(operation.kind),
        "track": match operation.track { Track::User => "user", Track::Renewal => "renewal" },
        "state": words::outcome(operation.state),
        "step": operation.step,
        "step_since": words::rfc3339(operation.step_since),
        "attempt": operation.attempt,
        "next_at": words::rfc3339(operation.next_at),
        "started_at": words::rfc3339(operation.started_at),
        "sentence": operation.sentence,
        "error": operation.error,
        "waits_for": operation.waits_for,
        "instance": operation.instance.as_str(),
        "waiting": Waiting::of(operation).map(Waiting::word),
    })
}

/// An operation with its history, and who is at work on it.
pub fn plot(plot: &Plot) -> Value {
    let mut told = operation(&plot.operation);
    if let Some(told) = told.as_object_mut() {
        told.insert("leased_until".to_owned(), json!(plot.leased_until.map(words::rfc3339)));
        told.insert("gives_up_at".to_owned(), json!(plot.gives_up_at.map(words::rfc3339)));
        told.insert("errors".to_owned(), plot.errors().iter().map(|entry| line(entry)).collect());
        told.insert("history".to_owned(), plot.history.iter().map(line).collect());
    }
    told
}

/// A line of history.
pub fn line(entry: &LogEntry) -> Value {
    json!({
        "at": words::rfc3339(entry.at),
        "operation": entry.operation.as_str(),
        "step": entry.step,
        "outcome": entry.outcome,
        "sentence": entry.sentence,
        "request_id": entry.request_id,
    })
}

/// All that is known about one instance.
pub fn story(story: &Story) -> Value {
    let mut told = instance(&story.instance);
    let more = json!({
        "outlook": story.outlook,
        "operations": story.operations.iter().map(operation).collect::<Vec<_>>(),
        "certificates": story.certificates.iter().map(certificate).collect::<Vec<_>>(),
        "names": story.domains.iter().map(domain).collect::<Vec<_>>(),
        "proofs": story.proofs.iter().map(proof).collect::<Vec<_>>(),
        "renewal": story.renewal.as_ref().map(renewal),
        "findings": story.findings.iter().map(finding).collect::<Vec<_>>(),
        "errors": story.errors.iter().map(line).collect::<Vec<_>>(),
        "leased_until": story.leased_until.map(words::rfc3339),
        "log": story.log.iter().map(line).collect::<Vec<_>>(),
    });
    if let (Some(told), Value::Object(more)) = (told.as_object_mut(), more) {
        told.extend(more);
    }
    told
}

pub(crate) fn certificate(record: &CertificateRecord) -> Value {
    let facts = record.facts.as_ref();
    json!({
        "generation": record.generation,
        "state": words::certificate(record.state),
        "names": names(&record.names),
        "iam_name": record.vault_name.as_str(),
        "iam_id": record.stored.as_ref().map(contract::StoredCertificate::as_str),
        "issuer": facts.and_then(|facts| facts.issuer.as_deref()),
        "serial": facts.map(|facts| facts.serial.as_str()),
        "fingerprint": facts.map(|facts| facts.fingerprint.as_str()),
        "not_before": facts.map(|facts| words::rfc3339(facts.not_before)),
        "not_after": facts.map(|facts| words::rfc3339(facts.not_after)),
    })
}

/// A certificate of some instance, as the store knows it.
pub fn certificate_of(record: &CertificateRecord, proofs: &[DomainInstructions], now: Timestamp) -> Value {
    let mut told = certificate(record);
    let end = record.facts.as_ref().map(|facts| facts.not_after);
    let days = end.map(|end| (end.as_secs() - now.as_secs()).div_euclid(86_400));
    let proven = proofs
        .iter()
        .map(|one| json!({"name": one.name.as_str(), "proven_by": one.proven_by.map(words::method)}));
    if let Some(told) = told.as_object_mut() {
        told.insert("instance".to_owned(), json!(record.instance.as_str()));
        told.insert("incarnation".to_owned(), json!(record.incarnation));
        told.insert("days_left".to_owned(), json!(days));
        told.insert("proofs".to_owned(), proven.collect());
    }
    told
}

/// All that is known about one certificate.
pub fn certificate_story(story: &CertificateStory, now: Timestamp) -> Value {
    let mut told = certificate_of(&story.record, &story.proofs, now);
    let kept = story.kept.as_ref().ok().and_then(Option::as_ref);
    let distribution = story.distribution.as_ref().ok().and_then(Option::as_ref);
    let outlook = story.outlook.as_ref().ok().map(|all| all.iter().map(next_proof).collect::<Vec<_>>());
    let troubles =
        [story.kept.as_ref().err(), story.distribution.as_ref().err(), story.outlook.as_ref().err()];
    let more = json!({
        "arn": kept.and_then(|kept| kept.arn.as_deref()),
        "in_iam": story.kept.as_ref().ok().map(Option::is_some),
        "in_iam_since": kept.map(|kept| words::rfc3339(kept.since)),
        "distribution": distribution.map(|found| found.id.as_str()),
        "attached": story.is_attached(),
        "renewal": story.renewal.as_ref().map(renewal),
        "next_proofs": outlook,
        "unseen": troubles.into_iter().flatten().collect::<Vec<_>>(),
    });
    if let (Some(told), Value::Object(more)) = (told.as_object_mut(), more) {
        told.extend(more);
    }
    told
}

fn next_proof(one: &Outlook) -> Value {
    json!({
        "name": one.name.as_str(),
        "by_itself": one.by_itself.map(words::method),
        "forbidden": one.forbidden,
    })
}

pub(crate) fn domain(record: &DomainRecord) -> Value {
    let state = match record.state {
        DomainState::Proven => "proven",
        DomainState::Lapsed => "lapsed",
    };
    json!({"name": record.name.as_str(), "state": state, "since": words::rfc3339(record.since)})
}

pub(crate) fn proof(one: &DomainInstructions) -> Value {
    let look = one.last_look.as_ref();
    json!({
        "name": one.name.as_str(),
        "state": words::proof(one.state),
        "proven_by": one.proven_by.map(words::method),
        "ways": one.ways.iter().map(way).collect::<Vec<_>>(),
        "last_look": look.map(|look| words::rfc3339(look.at)),
        "saw": look.map(|look| look.saw.as_str()),
        "next_look": one.next_look.map(words::rfc3339),
        "expires": one.expires.map(words::rfc3339),
    })
}

fn way(way: &ProofWay) -> Value {
    serde_json::to_value(way).unwrap_or(Value::Null)
}

pub(crate) fn renewal(plan: &RenewalPlan) -> Value {
    let moment = |pick: fn(contract::ChosenMoment) -> Timestamp| plan.chosen.map(pick).map(words::rfc3339);
    json!({
        "at": moment(|chosen| chosen.at),
        "window_from": moment(|chosen| chosen.from),
        "window_until": moment(|chosen| chosen.until),
        "check_at": words::rfc3339(plan.check_at),
        "begun": plan.begun,
        "warned": plan.warned,
    })
}

pub(crate) fn finding(one: &SiteFinding) -> Value {
    json!({
        "name": one.name.as_str(),
        "kind": one.kind,
        "sentence": one.sentence,
        "since": words::rfc3339(one.since),
        "last_seen": words::rfc3339(one.last),
        "looks": one.looks,
        "incident": one.told,
    })
}

fn names(names: &[DomainName]) -> Vec<&str> {
    names.iter().map(DomainName::as_str).collect()
}

/// What is kept as JSON as it is, anything else as text.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}
