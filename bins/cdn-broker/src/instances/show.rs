use broker::{Operator, PLAN_ID, Story, WAF_PLAN_ID, json};
use contract::{
    CertificateRecord, DomainInstructions, DomainName, DomainState, InstanceId, Operation, OperationState,
    OriginalRequest, ProofState, ProofWay, SiteFinding, Timestamp,
};

use serde_json::Value;

use super::{ShowArgs, history, unknown, words};
use crate::cli::print;
use crate::output::{Frame, tinted, watch};
use crate::{FAILED, OK};

pub(super) async fn run(operator: &Operator, arguments: &ShowArgs) -> anyhow::Result<u8> {
    let id = InstanceId::new(&arguments.id);
    if arguments.watch {
        return watched(operator, &id, arguments.json).await;
    }
    let Some(story) = operator.story(&id).await? else { return Ok(unknown(&id)) };
    if arguments.json {
        print(&format!("{:#}", json::story(&story)));
    } else {
        print(&text(&story));
    }
    Ok(OK)
}

/// Looks until nothing runs any more. Whether that was worth waiting for is told by what has ended last while it was watched.
async fn watched(operator: &Operator, id: &InstanceId, as_json: bool) -> anyhow::Result<u8> {
    let mut watching = None;
    watch(async || {
        let Some(story) = operator.story(id).await? else {
            return Ok(Frame { text: String::new(), ended: Some(unknown(id)) });
        };
        let text = if as_json { json::story(&story).to_string() } else { text(&story) };
        let is_running = |one: &&Operation| one.state == OperationState::Running;
        let ended = match story.operations.iter().find(is_running) {
            Some(running) => {
                watching = Some(running.id.clone());
                None
            }
            None => Some(code(story.operations.iter().find(|one| watching.as_ref() == Some(&one.id)))),
        };
        Ok(Frame { text, ended })
    })
    .await
}

fn code(ended: Option<&Operation>) -> u8 {
    match ended.map(|operation| operation.state) {
        Some(OperationState::Failed | OperationState::Cancelled) => FAILED,
        _ => OK,
    }
}

/// The whole story, on one screen.
fn text(story: &Story) -> String {
    let mut lines = words::columns(&head(story));
    section(&mut lines, "where it stands", stands(story));
    section(&mut lines, "last errors", history::errors(&story.errors.iter().collect::<Vec<_>>()));
    section(&mut lines, "domains", domains(story));
    let certificates = story.certificates.iter().rev().map(|one| certificate(one, story.at));
    section(&mut lines, "certificates", certificates.collect());
    section(&mut lines, "found at its sites", story.findings.iter().map(finding).collect());
    section(
        &mut lines,
        "operations",
        words::columns(&story.operations.iter().map(operation).collect::<Vec<_>>()),
    );
    section(&mut lines, "log", history::log(&story.log));
    lines.join("\n")
}

fn finding(one: &SiteFinding) -> String {
    format!("  {} ({}, since {}, seen last {}): {}", one.name, one.kind, one.since, one.last, one.sentence)
}

fn section(lines: &mut Vec<String>, title: &str, content: Vec<String>) {
    if !content.is_empty() {
        lines.extend([String::new(), title.to_owned()]);
        lines.extend(content);
    }
}

/// Where it stands, what it waits for, what happens next and when, and whether somebody is at work at this moment.
fn stands(story: &Story) -> Vec<String> {
    let mut lines: Vec<String> = story.outlook.iter().flat_map(|text| words::wrapped(text, 2)).collect();
    let at_work = |until| format!("  A broker is at work on it, and has it until {}.", words::rfc3339(until));
    lines.extend(story.leased_until.map(at_work));
    lines
}

/// How the platform calls it, as far as it has said so (OSB `context`).
fn called(request: &OriginalRequest) -> Option<String> {
    let context: Value = serde_json::from_str(&request.context).ok()?;
    let text = |field: &str| context.get(field).and_then(Value::as_str);
    let place = match (text("organization_name"), text("space_name")) {
        (Some(organization), Some(space)) => format!(" in {organization}, {space}"),
        _ => String::new(),
    };
    text("instance_name").map(|name| format!("{name}{place}"))
}

fn head(story: &Story) -> Vec<[String; 2]> {
    let (instance, request) = (&story.instance, &story.instance.request);
    let by = request.identity.as_deref().unwrap_or("somebody the platform did not name");
    let id = instance.distribution.as_ref().map_or("none yet", |id| id.as_str());
    let domain = instance.distribution_domain.as_deref().unwrap_or_default();
    let origin = &instance.settings.origin;
    let scheme = if origin.insecure { "http" } else { "https" };
    let plan = match request.plan_id.as_str() {
        PLAN_ID => "cdn-route",
        WAF_PLAN_ID => "cdn-route-waf",
        other => other,
    };
    [
        ("instance", format!("{} (incarnation {})", instance.id, instance.incarnation)),
        ("name", called(request).unwrap_or_else(|| "the platform has not said".to_owned())),
        ("state", tinted(words::state(instance.state)).into_owned()),
        ("asked", format!("{} by {by}", request.received_at)),
        ("organization", format!("{}, space {}", request.organization, request.space)),
        ("plan", plan.to_owned()),
        ("parameters", request.parameters.clone()),
        ("origin", format!("{scheme}://{}{}", origin.domain, origin.path)),
        ("distribution", format!("{id} {domain} (reference {})", instance.reference)),
    ]
    .into_iter()
    .map(|(name, value)| [name.to_owned(), value])
    .collect()
}

/// Each domain, how it was proven, and what its user can do as long as it is not.
fn domains(story: &Story) -> Vec<String> {
    let proof_of = |name: &DomainName| story.proofs.iter().find(|one| one.name == *name);
    let names = &story.instance.settings.domains;
    let heads: Vec<[String; 3]> = names
        .iter()
        .map(|name| {
            let how = proof_of(name).map_or_else(String::new, how);
            [format!("  {name}"), owned(story, name), how]
        })
        .collect();
    let ways = |name: &DomainName| proof_of(name).into_iter().flat_map(|one| &one.ways).map(instruction);
    let heads = words::columns(&heads).into_iter().zip(names);
    heads.flat_map(|(head, name)| std::iter::once(head).chain(ways(name))).collect()
}

fn owned(story: &Story, name: &DomainName) -> String {
    match story.domains.iter().find(|one| one.name == *name) {
        Some(one) if one.state == DomainState::Proven => format!("its own since {}", one.since),
        Some(one) => format!("lapsed on {}", one.since),
        None => "not proven by this instance".to_owned(),
    }
}

fn how(proof: &DomainInstructions) -> String {
    match (proof.state, proof.proven_by) {
        (_, Some(method)) => format!("proven: {}", words::method(method)),
        (ProofState::Proven, None) => "proven before".to_owned(),
        (state, None) => {
            let looked = proof.last_look.as_ref();
            let saw = looked.map_or_else(String::new, |look| format!(", seen on {}: {}", look.at, look.saw));
            format!("{}{saw}", words::proof(state))
        }
    }
}

fn instruction(way: &ProofWay) -> String {
    let way = match way {
        ProofWay::ManagedName(record) | ProofWay::Delegated(record) | ProofWay::Direct(record) => {
            format!("{} {} IN {} {}", record.name, record.ttl, record.kind, record.value)
        }
        ProofWay::Redirected { from, to } => format!("redirect {from}* to {to}*"),
        ProofWay::ThroughCdn => "lead the name to the distribution".to_owned(),
    };
    format!("      {way}")
}

fn certificate(record: &CertificateRecord, now: Timestamp) -> String {
    let state = words::certificate(record.state);
    let id = record.stored.as_ref().map_or("not in IAM", |stored| stored.as_str());
    let facts = record.facts.as_ref().map_or_else(
        || "not issued".to_owned(),
        |facts| {
            let issuer = facts.issuer.as_deref().unwrap_or("an authority without a name");
            let left = crate::certificates::left(facts.not_after, now);
            let dates = format!("good from {} until {} ({left} left)", facts.not_before, facts.not_after);
            format!("issued by {issuer}, serial {}\n    {dates}", facts.serial)
        },
    );
    let names = words::comma_separated(&record.names);
    format!("  {} ({state}, {id})\n    {facts}\n    for {names}", record.vault_name)
}

fn operation(operation: &Operation) -> [String; 5] {
    [
        format!("  {}", operation.started_at),
        words::kind(operation.kind).to_owned(),
        tinted(words::outcome(operation.state)).into_owned(),
        operation.step.clone(),
        operation.id.to_string(),
    ]
}
