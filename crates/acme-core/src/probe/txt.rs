//! TXT records: there, elsewhere, almost right, or absent; and why.

use contract::{Hop, Sighting, TxtQuestion};
use futures_util::future::join_all;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use super::say;
use super::walk::{End, Heard, Reply, Walker};

/// How many foreign values are quoted.
const VALUES_SHOWN: usize = 2;

/// Looks for the value at every server of the zone to which the name leads.
pub(super) async fn look(walker: &Walker, name: &Name, question: &TxtQuestion) -> Sighting {
    let trail = walker.walk(name, RecordType::TXT).await;
    let saw = match (say::astray(&trail.route, &trail.end), &trail.end) {
        (None, End::Arrived(heard)) => judge(walker, name, question, &trail.route, heard).await,
        (saw, _) => saw,
    };
    match saw {
        Some(saw) => Sighting::not_yet(saw, trail.route),
        None => Sighting::seen(trail.route),
    }
}

/// What is wrong with what was heard; `None` when nothing is.
async fn judge(
    walker: &Walker,
    name: &Name,
    question: &TxtQuestion,
    route: &[Hop],
    heard: &Heard,
) -> Option<String> {
    let has = |reply: &Reply| values(reply).contains(&question.value);
    let without: Vec<&Name> = heard.words().filter(|(_, reply)| !has(reply)).map(|(host, _)| host).collect();
    let all = heard.words().count();
    match all - without.len() {
        with if with == all => {
            let vouched = walker.vouch(heard, name, RecordType::TXT).await;
            say::unvouched("The TXT record is there", name, vouched)
        }
        0 => Some(format!("{}{}", say::along(route), explain(walker, name, question, route, heard).await)),
        with => Some(format!(
            "{}{with} of {all} name servers of {} have the TXT record; {} not yet.",
            say::along(route),
            say::name(&heard.name),
            say::servers(without.into_iter()),
        )),
    }
}

/// What is there instead, and what the user probably did.
async fn explain(
    walker: &Walker,
    name: &Name,
    question: &TxtQuestion,
    route: &[Hop],
    heard: &Heard,
) -> String {
    let found: Vec<String> = distinct(heard.words().flat_map(|(_, reply)| values(reply)));
    let at = say::name(&heard.name);
    if let Some(slip) = found.iter().find_map(|value| slip(value, &question.value)) {
        return format!("{at} has the right TXT value, but {slip}.");
    }
    if route.is_empty() {
        if let Some(hidden) = hidden_alias(walker, heard, &found).await {
            return hidden;
        }
        if let Some(place) = wrong_place(walker, name, question, heard).await {
            return format!("The TXT value is at {}, but it belongs at {at}.", say::name(&place));
        }
    }
    if found.is_empty() { absent(route, heard) } else { foreign(route, &at, &found, &question.value) }
}

/// The strings of one record belong together (RFC 8555, section 8.4, does not split, but zones do).
fn values(reply: &Reply) -> Vec<String> {
    let Reply::Records(records) = reply else { return Vec::new() };
    let texts = records.iter().filter_map(|data| match data {
        RData::TXT(txt) => Some(txt.txt_data.concat()),
        _ => None,
    });
    texts.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
}

fn distinct(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for value in values {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

/// How a value that is almost right differs.
fn slip(value: &str, needed: &str) -> Option<&'static str> {
    if value.trim() == needed {
        Some("with white space around it: remove it")
    } else if value.trim().trim_matches(['"', '\'', '`']) == needed {
        Some("with quotation marks as part of it: leave them out")
    } else if value.eq_ignore_ascii_case(needed) {
        Some("in other capital and small letters: copy it as it is")
    } else {
        None
    }
}

/// A server may hold a CNAME beside other records, against the rules, and then answers with those.
async fn hidden_alias(walker: &Walker, heard: &Heard, found: &[String]) -> Option<String> {
    if found.is_empty() {
        return None;
    }
    let Reply::Records(records) = walker.glance(heard, &heard.name, RecordType::CNAME).await else {
        return None;
    };
    let target = records.iter().find_map(|data| match data {
        RData::CNAME(target) => Some(&target.0),
        _ => None,
    })?;
    Some(format!(
        "{} has a TXT record that hides its CNAME to {}: remove the TXT record.",
        say::name(&heard.name),
        say::name(target)
    ))
}

/// Where users put the value by mistake: at the domain itself, or, because their provider completes every name, at
/// `_acme-challenge.NAME.ZONE`.
async fn wrong_place(walker: &Walker, name: &Name, question: &TxtQuestion, heard: &Heard) -> Option<Name> {
    let base = name.base_name();
    let mut places = vec![base.clone()];
    places.extend(name.clone().append_name(&base));
    places.extend(heard.zone.as_ref().and_then(|zone| name.clone().append_name(&zone.apex).ok()));
    places.dedup();
    let looks = places.into_iter().map(|place| async move {
        let reply = walker.glance(heard, &place, RecordType::TXT).await;
        values(&reply).contains(&question.value).then_some(place)
    });
    join_all(looks).await.into_iter().flatten().next()
}

fn foreign(route: &[Hop], at: &str, found: &[String], needed: &str) -> String {
    let quoted: Vec<String> = found.iter().map(|value| say::value(value)).collect();
    let quoted = say::some(&quoted, VALUES_SHOWN);
    let delegating = if route.is_empty() { " To delegate with a CNAME, remove the TXT record." } else { "" };
    format!("{at} answers TXT {quoted}, but we need {}.{delegating}", say::value(needed))
}

fn absent(route: &[Hop], heard: &Heard) -> String {
    let at = say::name(&heard.name);
    if heard.words().all(|(_, reply)| *reply == Reply::NoName) {
        let hint = relative_target(route).map_or_else(String::new, |meant| {
            format!(" Was {} meant, with a dot at its end?", say::quoted(&meant, 100))
        });
        format!("{at} does not exist yet (NXDOMAIN).{hint}")
    } else {
        format!("{at} exists, but has no TXT record yet.")
    }
}

/// The target of the last CNAME without the zone that a provider has put behind it, because the final dot was missing.
fn relative_target(route: &[Hop]) -> Option<String> {
    let Some(Hop::Cname { from, to }) = route.last() else { return None };
    let mut zone = from.as_str();
    while let Some((_, parent)) = zone.split_once('.') {
        zone = parent;
        if let Some(meant) = to.strip_suffix(zone).and_then(|meant| meant.strip_suffix('.'))
            && zone.contains('.')
            && meant.matches('.').count() > 1
        {
            return Some(format!("{meant}."));
        }
    }
    None
}
