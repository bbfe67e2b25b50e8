//! Lists, in pages.

use super::record::{Key, canonical, escaped};
use super::zone::HostedZone;
use super::{answer, invalid_input};
use crate::aws::error::Failure;
use crate::aws::message::{Answer, Request};
use crate::aws::xml::Element;

const LARGEST_RECORD_PAGE: usize = 300;
const LARGEST_ZONE_PAGE: usize = 100;

/// `ListResourceRecordSets`: from a name, or from a name and a type, in the order of reversed labels.
pub(super) fn record_sets(zone: &HostedZone, request: &Request) -> Result<Answer, Failure> {
    let (name, kind) = (request.query("name"), request.query("type"));
    if kind.is_some() && name.is_none() {
        return Err(invalid_input("The input is not valid: a type needs a name"));
    }
    if request.query("identifier").is_some() && kind.is_none() {
        return Err(invalid_input("The input is not valid: an identifier needs a name and a type"));
    }
    let size = page_size(request, LARGEST_RECORD_PAGE)?;
    let start = Key::new(name.as_deref().unwrap_or(&zone.name), kind.as_deref().unwrap_or_default());
    let mut rest = zone.records.range(start..).map(|(_, set)| set);
    let page = rest.by_ref().take(size).map(super::RecordSet::element).collect();
    let next = rest.next();
    let response = Element::new("ListResourceRecordSetsResponse")
        .with(Element::holding("ResourceRecordSets", page))
        .with(Element::leaf("IsTruncated", next.is_some()))
        .with(Element::leaf("MaxItems", size));
    Ok(answer(&match next {
        Some(next) => response
            .with(Element::leaf("NextRecordName", escaped(&next.name)))
            .with(Element::leaf("NextRecordType", &next.kind)),
        None => response,
    }))
}

/// `ListHostedZonesByName`: in the order of reversed labels, from a name on.
pub(super) fn zones_by_name(
    zones: &[HostedZone],
    account: &str,
    request: &Request,
) -> Result<Answer, Failure> {
    let (name, id) = (request.query("dnsname"), request.query("hostedzoneid"));
    if id.is_some() && name.is_none() {
        return Err(invalid_input("The input is not valid: a hostedzoneid needs a dnsname"));
    }
    let size = page_size(request, LARGEST_ZONE_PAGE)?;
    let place = |zone: &HostedZone| (Key::new(&zone.name, ""), zone.id.clone());
    let start = name.as_deref().map(|name| (Key::new(name, ""), id.clone().unwrap_or_default()));
    let mut own: Vec<&HostedZone> = zones.iter().filter(|zone| zone.account == account).collect();
    own.sort_by_key(|zone| place(zone));
    let mut rest = own.into_iter().filter(|zone| start.as_ref().is_none_or(|start| place(zone) >= *start));
    let page = rest.by_ref().take(size).map(HostedZone::summary).collect();
    let next = rest.next();
    let mut response =
        Element::new("ListHostedZonesByNameResponse").with(Element::holding("HostedZones", page));
    if let Some(name) = name {
        response = response.with(Element::leaf("DNSName", canonical(&name)));
    }
    if let Some(id) = id {
        response = response.with(Element::leaf("HostedZoneId", id));
    }
    if let Some(next) = next {
        response = response
            .with(Element::leaf("NextDNSName", &next.name))
            .with(Element::leaf("NextHostedZoneId", &next.id));
    }
    let response = response.with(Element::leaf("IsTruncated", next.is_some()));
    Ok(answer(&response.with(Element::leaf("MaxItems", size))))
}

/// `ListHostedZones`: in the order of ids.
pub(super) fn zones(zones: &[HostedZone], account: &str, request: &Request) -> Result<Answer, Failure> {
    let marker = request.query("marker").unwrap_or_default();
    let size = page_size(request, LARGEST_ZONE_PAGE)?;
    let mut own: Vec<&HostedZone> = zones.iter().filter(|zone| zone.account == account).collect();
    own.sort_by(|one, other| one.id.cmp(&other.id));
    let mut rest = own.into_iter().filter(|zone| zone.id >= marker);
    let page = rest.by_ref().take(size).map(HostedZone::summary).collect();
    let next = rest.next();
    let response = Element::new("ListHostedZonesResponse")
        .with(Element::holding("HostedZones", page))
        .with(Element::leaf("IsTruncated", next.is_some()));
    let response = match next {
        Some(next) => response.with(Element::leaf("NextMarker", &next.id)),
        None => response,
    };
    Ok(answer(&response.with(Element::leaf("MaxItems", size))))
}

fn page_size(request: &Request, largest: usize) -> Result<usize, Failure> {
    let size = request.query("maxitems").map_or(Ok(largest), |size| size.parse());
    let size = size.ok().filter(|size| *size > 0);
    size.map(|size| size.min(largest)).ok_or_else(|| invalid_input("The input is not valid: maxitems"))
}
