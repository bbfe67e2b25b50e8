use broker::{Operator, PLAN_ID, Story, WAF_PLAN_ID, json};
use contract::{
    CertificateRecord, DomainInstructions, DomainName, DomainState, InstanceId, Operation, OperationState,
    ProofState, ProofWay, SiteFinding,
};

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
    section(&mut lines, "domains", domains(story));
    section(&mut lines, "certificates", story.certificates.iter().rev().map(certificate).collect());
    section(&mut lines, "where it stands", indented(&story.outlook));
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

fn indented(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| format!("  {text}")).collect()
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

fn certificate(record: &CertificateRecord) -> String {
    let state = words::certificate(record.state);
    let id = record.stored.as_ref().map_or("not in IAM", |stored| stored.as_str());
    let facts = record.facts.as_ref().map_or_else(
        || "not issued".to_owned(),
        |facts| format!("serial {}, good from {} until {}", facts.serial, facts.not_before, facts.not_after),
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
