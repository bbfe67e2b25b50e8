//! The report as a person reads it: what needs somebody first, then what is adopted.

use std::fmt::Write as _;

use broker::{ImportEntry, ImportReport, NameSight, ServedCertificate, Undone, Verdict};
use contract::{Lead, LeadEnd, Outlook};

use crate::instances::words;

const ORDER: [Verdict; 9] = [
    Verdict::Inconsistent,
    Verdict::Missing,
    Verdict::InFlight,
    Verdict::Unread,
    Verdict::Adopt,
    Verdict::Adopted,
    Verdict::AlreadyAdopted,
    Verdict::OtherKind,
    Verdict::Gone,
];

pub(super) fn report(report: &ImportReport) -> String {
    let mut text = String::new();
    for verdict in ORDER.into_iter().filter(|verdict| *verdict != Verdict::Gone) {
        for one in report.entries.iter().filter(|one| one.verdict == verdict) {
            entry(&mut text, one);
        }
    }
    let counts = ORDER.into_iter().map(|verdict| (verdict.as_str(), report.count(verdict)));
    let counts: Vec<String> =
        counts.filter(|(_, count)| *count > 0).map(|(word, count)| format!("{word} {count}")).collect();
    let counts = if counts.is_empty() { "nothing is there".to_owned() } else { counts.join(", ") };
    format!("{text}Instances {}: {counts}.", report.entries.len())
}

pub(super) fn undone(undone: &Undone) -> String {
    let mut text = String::new();
    for kept in &undone.kept {
        let _ = writeln!(text, "kept      {kept}: something was begun on it since");
    }
    format!("{text}Forgotten {}, kept {}.", undone.forgotten.len(), undone.kept.len())
}

// Writing to a string cannot fail, here and below.
fn entry(text: &mut String, entry: &ImportEntry) {
    let distribution = entry.distribution.as_ref().map_or("no distribution", |id| id.as_str());
    let names = words::comma_separated(&entry.names);
    let _ = writeln!(text, "{:16}{}  {distribution}  {names}", entry.verdict.as_str(), entry.instance);
    let mut more: Vec<String> = entry.why.iter().cloned().collect();
    more.extend(entry.certificate.as_ref().map(certificate));
    more.extend(entry.sights.iter().map(sight));
    more.extend(entry.notes.iter().map(|note| format!("note: {note}")));
    for line in more {
        let _ = writeln!(text, "                {line}");
    }
}

fn certificate(served: &ServedCertificate) -> String {
    let until = served.facts.as_ref().map_or_else(
        || "its end cannot be read".to_owned(),
        |facts| format!("good until {}", facts.not_after),
    );
    let replaced = served.replaced_at.map_or_else(String::new, |at| format!(", replaced about {at}"));
    format!("certificate {}: {until}{replaced}", served.id)
}

fn sight(sight: &NameSight) -> String {
    let lead = sight.lead.as_ref().map_or_else(|| "could not be looked at".to_owned(), lead);
    let proof = sight.outlook.as_ref().map_or_else(String::new, |outlook| format!("; {}", proof(outlook)));
    format!("{} {lead}{proof}", sight.name)
}

pub(super) fn lead(lead: &Lead) -> String {
    match &lead.end {
        LeadEnd::Target => "leads to its distribution".to_owned(),
        LeadEnd::Elsewhere { .. } => "leads elsewhere".to_owned(),
        LeadEnd::NoName => "does not exist".to_owned(),
        LeadEnd::NoAddress => "has no address".to_owned(),
        LeadEnd::Unclear { saw } => format!("is unclear: {saw}"),
    }
}

fn proof(outlook: &Outlook) -> String {
    let once = outlook.once.as_ref().map_or_else(String::new, |record| {
        format!(", or for ever by {} {} IN {} {}", record.name, record.ttl, record.kind, record.value)
    });
    match (&outlook.forbidden, outlook.by_itself) {
        (Some(why), _) => format!("the authority may not issue: {why}"),
        (None, Some(method)) => format!("proven by itself: {}", words::method(method)),
        (None, None) => format!("its user has to prove it each time{once}"),
    }
}
