//! Where a name leads, as visitors find it.

use std::net::IpAddr;

use contract::{Hop, Lead, LeadEnd};
use hickory_resolver::proto::rr::{Name, RecordType};

use super::hosts::addresses;
use super::http::Web;
use super::say;
use super::walk::{End, Heard, Reply, Trail, Walker};

/// Follows `name`, and compares where it leads with `target`.
pub(super) async fn look(walker: &Walker, web: &Web, name: &Name, target: &Name) -> Lead {
    let trail = walker.walk(name, RecordType::A).await;
    let aliases: Vec<String> = trail.route.iter().filter_map(alias).collect();
    let end = if aliases.contains(&say::plain(target)) {
        LeadEnd::Target
    } else {
        end(walker, web, name, target, &trail).await
    };
    Lead { aliases, end: doubted(walker, name, end).await }
}

fn alias(hop: &Hop) -> Option<String> {
    match hop {
        Hop::Cname { to, .. } => Some(to.clone()),
        _ => None,
    }
}

/// Where a way ends that does not come by the name of the target.
async fn end(walker: &Walker, web: &Web, name: &Name, target: &Name, trail: &Trail) -> LeadEnd {
    let heard = match (say::astray(&trail.route, &trail.end), &trail.end) {
        (None, End::Arrived(heard)) => heard,
        (saw, _) => return LeadEnd::Unclear { saw: saw.unwrap_or_default() },
    };
    let found = addresses(walker, heard).await;
    if found.is_empty() {
        return nothing(heard);
    }
    let of_target = match walker.walk(target, RecordType::A).await.end {
        End::Arrived(heard) => addresses(walker, &heard).await,
        _ => Vec::new(),
    };
    if is_shared(&found, &of_target) || web.has_edge(name, &found).await {
        LeadEnd::Target
    } else {
        LeadEnd::Elsewhere { addresses: found }
    }
}

fn nothing(heard: &Heard) -> LeadEnd {
    if heard.words().all(|(_, reply)| *reply == Reply::NoName) { LeadEnd::NoName } else { LeadEnd::NoAddress }
}

fn is_shared(some: &[IpAddr], others: &[IpAddr]) -> bool {
    some.iter().any(|address| others.contains(address))
}

/// Visitors ask resolvers, which must find what the zone's own servers say. They are asked last, and only about what is
/// there, so that none remembers that it was not.
async fn doubted(walker: &Walker, name: &Name, end: LeadEnd) -> LeadEnd {
    if !matches!(end, LeadEnd::Target | LeadEnd::Elsewhere { .. }) {
        return end;
    }
    let vouched = walker.resolvers.vouch(name, RecordType::A).await;
    match say::unvouched("The record is there", name, vouched) {
        Some(saw) => LeadEnd::Unclear { saw },
        None => end,
    }
}
