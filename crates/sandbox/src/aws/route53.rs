//! Route 53's hosted zones (REST XML, API version 2013-04-01). What is changed here is in the sandbox's DNS when the change
//! is `INSYNC`, not before.

mod batch;
mod change;
mod list;
mod record;
mod value;
mod zone;

use std::collections::VecDeque;

use super::clock::{Millis, millis, rfc3339};
use super::error::Failure;
use super::journal::JournalEntry;
use super::message::{Answer, Request};
use super::world::World;
use super::xml::Element;
use crate::dns::Update;

pub(crate) use record::RecordSet;
pub(crate) use zone::HostedZone;

/// The XML namespace of requests and answers.
pub(crate) const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

const VERSION: &str = "/2013-04-01/";

/// The calls this emulator answers, named as in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    ChangeResourceRecordSets,
    ListResourceRecordSets,
    GetHostedZone,
    ListHostedZones,
    ListHostedZonesByName,
    GetChange,
}

/// Everything Route 53 knows.
#[derive(Debug, Default)]
pub(crate) struct Route53 {
    pub(crate) zones: Vec<HostedZone>,
    changes: Vec<Change>,
    /// What the name servers do not say yet, with the moment from which they will.
    spreading: VecDeque<(Millis, Update)>,
}

/// One accepted batch.
#[derive(Debug)]
struct Change {
    id: String,
    account: String,
    submitted: Millis,
    in_sync_at: Millis,
    comment: String,
}

impl Route53 {
    /// What the name servers have to say from now on.
    pub(crate) fn due(&mut self, now: Millis) -> Vec<Update> {
        let count = self.spreading.iter().take_while(|(at, _)| *at <= now).count();
        self.spreading.drain(..count).map(|(_, update)| update).collect()
    }

    /// A zone by its id, for its owner only: another account is told that there is none.
    fn zone(&self, id: &str, account: &str) -> Result<&HostedZone, Failure> {
        let mut own = self.zones.iter().filter(|zone| zone.account == account);
        own.find(|zone| zone.id == id).ok_or_else(|| no_such_zone(id))
    }

    fn zone_mut(&mut self, id: &str, account: &str) -> Result<&mut HostedZone, Failure> {
        let mut own = self.zones.iter_mut().filter(|zone| zone.account == account);
        own.find(|zone| zone.id == id).ok_or_else(|| no_such_zone(id))
    }
}

fn no_such_zone(id: &str) -> Failure {
    Failure::new(404, "NoSuchHostedZone", format!("No hosted zone found with ID: {id}"))
}

fn invalid_input(message: impl Into<String>) -> Failure {
    Failure::bad("InvalidInput", message)
}

/// Which call a request is, and the id it is about.
pub(crate) fn identify(request: &Request) -> Result<(Operation, String), Failure> {
    use Operation::{
        ChangeResourceRecordSets, GetChange, GetHostedZone, ListHostedZones, ListHostedZonesByName,
        ListResourceRecordSets,
    };
    let path = request.path().strip_prefix(VERSION).unwrap_or_default().trim_end_matches('/');
    let segments: Vec<&str> = path.split('/').collect();
    let (operation, id) = match (request.method.as_str(), segments.as_slice()) {
        ("POST", ["hostedzone", id, "rrset"]) => (ChangeResourceRecordSets, *id),
        ("GET", ["hostedzone", id, "rrset"]) => (ListResourceRecordSets, *id),
        ("GET", ["hostedzone", id]) => (GetHostedZone, *id),
        ("GET", ["hostedzone"]) => (ListHostedZones, ""),
        ("GET", ["hostedzonesbyname"]) => (ListHostedZonesByName, ""),
        ("GET", ["change", id]) => (GetChange, *id),
        _ => return Err(Failure::new(404, "UnknownOperationException", "The operation is not known.")),
    };
    Ok((operation, id.to_owned()))
}

/// Does the call.
pub(crate) fn perform(
    operation: Operation,
    world: &mut World,
    request: &Request,
    entry: &mut JournalEntry,
) -> Result<Answer, Failure> {
    let (id, account) = (entry.resource.clone(), entry.account.clone());
    match operation {
        Operation::ChangeResourceRecordSets => change_records(world, &id, &account, request, entry),
        Operation::ListResourceRecordSets => list::record_sets(world.route53.zone(&id, &account)?, request),
        Operation::GetHostedZone => Ok(world.route53.zone(&id, &account)?.answer()),
        Operation::ListHostedZones => list::zones(&world.route53.zones, &account, request),
        Operation::ListHostedZonesByName => list::zones_by_name(&world.route53.zones, &account, request),
        Operation::GetChange => get_change(world, &id, &account),
    }
}

fn answer(root: &Element) -> Answer {
    Answer::xml(200, root.document(NAMESPACE))
}

/// `ChangeResourceRecordSets`: all or nothing.
fn change_records(
    world: &mut World,
    id: &str,
    account: &str,
    request: &Request,
    entry: &mut JournalEntry,
) -> Result<Answer, Failure> {
    let zone = world.route53.zone(id, account)?;
    let batch = batch::Batch::read(request)?;
    entry.changes = batch.changes.iter().map(ToString::to_string).collect();
    let records = batch.apply(zone)?;
    let now = world.clock.now();
    let in_sync_at = now.saturating_add(millis(world.settings.route53_sync));
    let updates = batch.updates(&records);
    world.route53.spreading.extend(updates.into_iter().map(|update| (in_sync_at, update)));
    world.route53.zone_mut(id, account)?.records = records;
    let change = Change {
        id: world.ids.route53("C"),
        account: account.to_owned(),
        submitted: now,
        in_sync_at,
        comment: batch.comment,
    };
    let response = Element::new("ChangeResourceRecordSetsResponse").with(change.info(now));
    world.route53.changes.push(change);
    Ok(answer(&response))
}

fn get_change(world: &World, id: &str, account: &str) -> Result<Answer, Failure> {
    let mut own = world.route53.changes.iter().filter(|change| change.account == account);
    let change = own
        .find(|change| change.id == id)
        .ok_or_else(|| Failure::new(404, "NoSuchChange", format!("Could not find resource with ID: {id}")))?;
    Ok(answer(&Element::new("GetChangeResponse").with(change.info(world.clock.now()))))
}

impl Change {
    fn info(&self, now: Millis) -> Element {
        let status = if now < self.in_sync_at { "PENDING" } else { "INSYNC" };
        let info = Element::new("ChangeInfo")
            .with(Element::leaf("Id", format!("/change/{}", self.id)))
            .with(Element::leaf("Status", status))
            .with(Element::leaf("SubmittedAt", rfc3339(self.submitted)));
        if self.comment.is_empty() { info } else { info.with(Element::leaf("Comment", &self.comment)) }
    }
}
