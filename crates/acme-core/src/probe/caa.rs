//! Finds the CAA records that concern a name (RFC 8659, section 3) and explains what they say.

use contract::{CaaQuestion, Verdict};
use futures_util::future::join_all;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::rdata::CAA;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use super::caa_rules::{self, Obstacle};
use super::resolvers::Vouched;
use super::say;
use super::walk::{End, Heard, Reply, Trail, Walker};
use super::zones::Lost;

/// How many other authorities are named.
const ISSUERS_SHOWN: usize = 3;

/// Looks at the name and at each name above it until there is a set of CAA records. `name` is without its `*.`.
pub(super) async fn look(walker: &Walker, name: &Name, question: &CaaQuestion) -> Verdict {
    if question.issuers.is_empty() {
        return Verdict::Seen;
    }
    match judge(walker, name, question).await {
        Some(saw) => Verdict::NotYet { saw },
        None => Verdict::Seen,
    }
}

/// What forbids the authority to issue; `None` when nothing does.
async fn judge(walker: &Walker, name: &Name, question: &CaaQuestion) -> Option<String> {
    let mut climbed = Vec::new();
    let mut at = name.clone();
    while !at.is_root() {
        let trail = walk(walker, &at).await;
        if let Some(astray) = say::astray(&trail.route, &trail.end) {
            return Some(unreadable(&at, &astray));
        }
        climbed.push(at.clone());
        let End::Arrived(heard) = &trail.end else { return None };
        if heard.records().next().is_some() {
            let obstacle = obstacle(&at, heard, question);
            return if obstacle.is_some() { obstacle } else { doubted(walker, &climbed).await };
        }
        at = at.base_name();
    }
    doubted(walker, &climbed).await
}

/// Top-level domains are asked for at the resolvers: their servers have better things to do.
async fn walk(walker: &Walker, at: &Name) -> Trail {
    if at.num_labels() > 1 {
        return walker.walk(at, RecordType::CAA).await;
    }
    let end = match walker.ask_resolvers(at, RecordType::CAA).await {
        Ok(heard) => End::Arrived(heard),
        Err(lost) => End::Lost(at.clone(), lost),
    };
    Trail { route: Vec::new(), end }
}

/// Every server must let the authority issue: nobody knows which one it asks.
fn obstacle(at: &Name, heard: &Heard, question: &CaaQuestion) -> Option<String> {
    heard.words().find_map(|(_, reply)| {
        let records = records(reply);
        let obstacle = caa_rules::obstacle(&records, question)?;
        Some(explain(at, &heard.name, &obstacle, question))
    })
}

fn records(reply: &Reply) -> Vec<&CAA> {
    let Reply::Records(records) = reply else { return Vec::new() };
    let records = records.iter().filter_map(|data| match data {
        RData::CAA(record) => Some(record),
        _ => None,
    });
    records.collect()
}

fn explain(at: &Name, target: &Name, obstacle: &Obstacle, question: &CaaQuestion) -> String {
    let alias =
        if target == at { String::new() } else { format!(" (by its CNAME to {})", say::name(target)) };
    let place = format!("CAA at {}{alias}", say::name(at));
    let property = if question.name.is_wildcard() { "issuewild" } else { "issue" };
    let ours = question.issuers.first().map_or("", String::as_str);
    let add = |parameters: &str| format!("add `0 {property} \"{ours}{parameters}\"`");
    match obstacle {
        Obstacle::Critical(tag) => format!(
            "{place} has the critical property {}, which authorities do not know: remove it, or its critical flag.",
            say::value(tag)
        ),
        Obstacle::Nobody(tag) => {
            format!("{place} allows no certificate authority (`{tag} \";\"`): {}.", add(""))
        }
        Obstacle::Others(others) => {
            let others: Vec<String> = others.iter().map(|other| say::value(other)).collect();
            format!("{place} allows only {}: {}.", say::some(&others, ISSUERS_SHOWN), add(""))
        }
        Obstacle::Account => {
            format!("{place} allows `{ours}` only with another account: {}.", add(&hardened(question)))
        }
        Obstacle::Method(methods) => format!(
            "{place} allows `{ours}` only with {}, but this name is to be proven by `{}`: {}.",
            say::value(methods),
            question.method,
            add(&hardened(question))
        ),
    }
}

/// The parameters that let nobody but us issue, by no method but those we have.
fn hardened(question: &CaaQuestion) -> String {
    let account = question.account_url.as_ref().map(|url| format!("; accounturi={url}"));
    let method = if question.name.is_wildcard() || question.method == "dns-01" {
        "dns-01".to_owned()
    } else {
        format!("dns-01,{}", question.method)
    };
    format!("{}; validationmethods={method}", account.unwrap_or_default())
}

/// SERVFAIL is not permission, and neither is silence (RFC 8659, section 3; Baseline Requirements, 3.2.2.8).
fn unreadable(at: &Name, astray: &str) -> String {
    format!("CAA at {} cannot be read, which forbids every authority to issue. {astray}", say::name(at))
}

/// What validating resolvers do not stand behind, among the names that were looked at.
async fn doubted(walker: &Walker, climbed: &[Name]) -> Option<String> {
    let looks = climbed.iter().map(|at| async move {
        let why = match walker.resolvers.vouch(at, RecordType::CAA).await {
            Vouched::Yes => return None,
            Vouched::Silent => End::Lost(at.clone(), Lost::Silence(at.clone())),
            Vouched::Fails(code) if code != ResponseCode::ServFail => {
                return Some(unreadable(at, &format!("The broker's resolvers say {}.", say::mnemonic(code))));
            }
            why => End::Lost(at.clone(), Lost::Failure(at.clone(), why)),
        };
        say::astray(&[], &why).map(|astray| unreadable(at, &astray))
    });
    join_all(looks).await.into_iter().flatten().next()
}
