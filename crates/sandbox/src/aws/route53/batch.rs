//! A batch of changes: read, checked against the zone, applied as a whole.

use super::change::{Action, ChangeRequest};
use super::record::{Content, Key, RecordSet, Records};
use super::zone::HostedZone;
use super::{invalid_input, value};
use crate::aws::error::Failure;
use crate::aws::message::Request;
use crate::dns::{self, RrSet, Update};

/// The quotas of a batch and of a set (`aws.md`, and the developer guide's page of quotas). An UPSERT counts twice.
const MOST_RECORDS: usize = 1000;
const MOST_CHARACTERS: usize = 32_000;
const MOST_VALUES: usize = 400;
const MOST_SETS: usize = 10_000;

pub(super) struct Batch {
    pub(super) changes: Vec<ChangeRequest>,
    pub(super) comment: String,
}

impl Batch {
    /// Reads the document; what is wrong with its form is `InvalidInput`.
    pub(super) fn read(request: &Request) -> Result<Self, Failure> {
        let document =
            request.xml().map_err(|failure| invalid_input(format!("Invalid XML ; {}", failure.message)))?;
        let batch =
            document.child("ChangeBatch").filter(|_| document.name == "ChangeResourceRecordSetsRequest");
        let batch = batch.ok_or_else(|| invalid_input("Invalid XML ; there is no ChangeBatch"))?;
        let changes = batch.child("Changes").map_or(&[][..], |changes| changes.children.as_slice());
        if changes.is_empty() {
            return Err(invalid_input("Invalid XML ; a batch needs at least one Change"));
        }
        let changes = changes.iter().map(ChangeRequest::read).collect::<Result<_, _>>()?;
        Ok(Self { changes, comment: batch.text_at("Comment").to_owned() })
    }

    /// The zone's records after all changes, each seen in the light of those before it. Every refusal is listed.
    pub(super) fn apply(&self, zone: &HostedZone) -> Result<Records, Failure> {
        self.check_size()?;
        let mut records = zone.records.clone();
        let mut refusals = self.contradictions();
        for change in &self.changes {
            match check(change, zone, &records) {
                Ok(()) => perform(change, &mut records),
                Err(refusal) => refusals.push(refusal),
            }
        }
        if refusals.is_empty() {
            refusals.extend(check_zone(zone, &records));
        }
        if refusals.is_empty() { Ok(records) } else { Err(refused(&refusals)) }
    }

    fn check_size(&self) -> Result<(), Failure> {
        let weight = |change: &ChangeRequest| if change.action == Action::Upsert { 2 } else { 1 };
        let values = |change: &ChangeRequest| change.set.values().len();
        let records: usize = self.changes.iter().map(|change| weight(change) * values(change).max(1)).sum();
        let characters =
            |change: &ChangeRequest| -> usize { change.set.values().iter().map(String::len).sum() };
        let characters: usize = self.changes.iter().map(|change| weight(change) * characters(change)).sum();
        if records > MOST_RECORDS {
            return Err(refused(&[format!("Number of records limit of {MOST_RECORDS} exceeded.")]));
        }
        if characters > MOST_CHARACTERS {
            return Err(refused(&[format!("RDATA character limit of {MOST_CHARACTERS} exceeded.")]));
        }
        if self.changes.iter().any(|change| values(change) > MOST_VALUES) {
            return Err(refused(&[format!("Cannot have more than {MOST_VALUES} records in a RRSet.")]));
        }
        Ok(())
    }

    /// One set may be changed once, or deleted and then created.
    fn contradictions(&self) -> Vec<String> {
        let mut refusals = Vec::new();
        for (index, change) in self.changes.iter().enumerate() {
            let earlier = self.changes.iter().take(index).filter(|other| other.set.key() == change.set.key());
            let replaced =
                |other: &ChangeRequest| (other.action, change.action) == (Action::Delete, Action::Create);
            if earlier.clone().any(|other| !replaced(other)) || earlier.count() > 1 {
                refusals.push(format!(
                    "The request contains an invalid set of changes for a resource record set '{} {}'",
                    change.set.kind, change.set.name
                ));
            }
        }
        refusals
    }

    /// What the name servers will say about the sets that were touched.
    pub(super) fn updates(&self, records: &Records) -> Vec<Update> {
        self.changes.iter().filter_map(|change| update(change, records)).collect()
    }
}

/// The one code for all of these; the sentences come in brackets.
fn refused(refusals: &[String]) -> Failure {
    Failure::bad("InvalidChangeBatch", format!("[{}]", refusals.join(", ")))
}

fn check(change: &ChangeRequest, zone: &HostedZone, records: &Records) -> Result<(), String> {
    let set = &change.set;
    let (name, kind) = (&set.name, &set.kind);
    if *name != zone.name && !name.ends_with(&format!(".{}", zone.name)) {
        return Err(format!("RRSet with DNS name {name} is not permitted in zone {}", zone.name));
    }
    value::check(set)?;
    let present = records.get(&set.key());
    let what = format!("resource record set [name='{name}', type='{kind}']");
    match (change.action, present) {
        (Action::Delete, None) => Err(format!("Tried to delete {what} but it was not found")),
        (Action::Delete, Some(present)) if !present.same_content(set) => {
            Err(format!("Tried to delete {what} but the values provided do not match the current values"))
        }
        (Action::Delete, Some(_)) => Ok(()),
        (Action::Create, Some(_)) => Err(format!("Tried to create {what} but it already exists")),
        (Action::Create | Action::Upsert, _) => stands_alone(set, zone, records),
    }
}

/// An alias (CNAME) and other records exclude each other, and an apex always has others.
fn stands_alone(set: &RecordSet, zone: &HostedZone, records: &Records) -> Result<(), String> {
    let (name, zone_name) = (&set.name, &zone.name);
    if set.kind == "CNAME" && name == zone_name {
        return Err(format!(
            "RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone_name}"
        ));
    }
    let key = set.key();
    let from = records.range(Key::new(name, "")..).take_while(|(other, _)| other.shares_name(&key));
    let others: Vec<&str> =
        from.map(|(_, other)| other.kind.as_str()).filter(|kind| *kind != set.kind).collect();
    if set.kind == "CNAME" && !others.is_empty() {
        return Err(format!(
            "RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other records with the \
             same DNS name in zone {zone_name}"
        ));
    }
    if others.contains(&"CNAME") {
        return Err(format!(
            "RRSet of type {} with DNS name {name} is not permitted because a conflicting RRSet of type CNAME with the \
             same DNS name already exists in zone {zone_name}",
            set.kind
        ));
    }
    Ok(())
}

fn check_zone(zone: &HostedZone, records: &Records) -> Vec<String> {
    let mut refusals = Vec::new();
    if !records.contains_key(&Key::new(&zone.name, "SOA")) {
        refusals.push("A HostedZone must contain exactly one SOA record.".to_owned());
    }
    if !records.contains_key(&Key::new(&zone.name, "NS")) {
        refusals.push("A HostedZone must contain at least one NS record for the zone itself.".to_owned());
    }
    if records.len() > MOST_SETS {
        refusals.push(format!("Exceeded limit MAX_RRSETS_BY_ZONE for zone: {}", zone.id));
    }
    refusals
}

fn perform(change: &ChangeRequest, records: &mut Records) {
    match change.action {
        Action::Delete => drop(records.remove(&change.set.key())),
        Action::Create | Action::Upsert => {
            records.insert(change.set.key(), change.set.clone());
        }
    }
}

/// Values were checked when they came in; what is not understood as a record anyway is left out of the DNS.
fn update(change: &ChangeRequest, records: &Records) -> Option<Update> {
    let name = dns::parse_name(&change.set.name).ok()?;
    let kind = dns::record_type(&change.set.kind).ok()?;
    let content = match records.get(&change.set.key()).map(|set| &set.content) {
        Some(Content::Alias { target, .. }) => dns::Content::Alias(dns::parse_name(target).ok()?),
        Some(Content::Values { ttl, values }) => {
            let data = values.iter().filter_map(|value| dns::parse(kind, value).ok()).collect();
            dns::Content::Set(RrSet::new(*ttl, data))
        }
        None => dns::Content::Set(RrSet::default()),
    };
    Some(Update { name, kind, content })
}
