//! The same for programs: docs/COMMANDS.md.

use broker::{ImportEntry, ImportReport, NameSight, ServedCertificate, Undone};
use contract::{DomainName, InstanceId};
use serde_json::{Value, json};

use super::text;
use crate::instances::words::{self, rfc3339};

pub(super) fn report(report: &ImportReport) -> String {
    let entries: Vec<Value> = report.entries.iter().map(entry).collect();
    let mut counts = serde_json::Map::new();
    for one in &report.entries {
        let word = one.verdict.as_str();
        counts.insert(word.to_owned(), json!(report.count(one.verdict)));
    }
    format!("{:#}", json!({"instances": entries, "counts": counts}))
}

pub(super) fn undone(undone: &Undone) -> String {
    let ids = |ids: &[InstanceId]| ids.iter().map(|id| json!(id.as_str())).collect::<Vec<_>>();
    format!("{:#}", json!({"forgotten": ids(&undone.forgotten), "kept": ids(&undone.kept)}))
}

fn entry(entry: &ImportEntry) -> Value {
    json!({
        "id": entry.instance.as_str(),
        "verdict": entry.verdict.as_str(),
        "why": entry.why,
        "domains": entry.names.iter().map(DomainName::as_str).collect::<Vec<_>>(),
        "distribution": entry.distribution.as_ref().map(contract::DistributionId::as_str),
        "certificate": entry.certificate.as_ref().map(certificate),
        "names": entry.sights.iter().map(sight).collect::<Vec<_>>(),
        "notes": entry.notes,
    })
}

fn certificate(served: &ServedCertificate) -> Value {
    let facts = served.facts.as_ref();
    json!({
        "id": served.id,
        "serial": facts.map(|facts| facts.serial.as_str()),
        "not_after": facts.map(|facts| rfc3339(facts.not_after)),
        "replaced_at": served.replaced_at.map(rfc3339),
    })
}

fn sight(sight: &NameSight) -> Value {
    let outlook = sight.outlook.as_ref();
    let record = outlook.and_then(|outlook| outlook.once.as_ref());
    json!({
        "name": sight.name.as_str(),
        "leads_right": sight.lead.as_ref().map(contract::Lead::is_right),
        "lead": sight.lead.as_ref().map(text::lead),
        "proven_by_itself": outlook.and_then(|outlook| outlook.by_itself).map(words::method),
        "forbidden": outlook.and_then(|outlook| outlook.forbidden.as_deref()),
        "record": record.map(|record| json!({
            "name": record.name, "kind": record.kind, "value": record.value, "ttl": record.ttl,
        })),
    })
}
