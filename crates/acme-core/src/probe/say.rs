//! The parts of sentences that all probes share. Every sentence is ASCII and short: whatever the world answers is
//! quoted in part, and nothing that is not printable.

use contract::Hop;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::Name;

use super::resolvers::Vouched;
use super::walk::{End, Heard, MOST_CNAMES, Reply};
use super::zones::Lost;

/// How much of a foreign value is quoted.
const QUOTED_LENGTH: usize = 50;
/// How much of a name is shown; real ones are shorter.
const NAME_LENGTH: usize = 100;
/// How many names of a longer chain are shown in front of the last.
const CHAIN_SHOWN: usize = 3;
/// How many servers are called by name.
const SERVERS_SHOWN: usize = 2;

/// A name as people write it: lower case, no dot at its end.
pub(super) fn plain(name: &Name) -> String {
    let text = name.to_lowercase().to_ascii();
    if text == "." { text } else { text.trim_end_matches('.').to_owned() }
}

/// A name in a sentence.
pub(super) fn name(name: &Name) -> String {
    quoted(&plain(name), NAME_LENGTH)
}

/// What somebody else has written, in a sentence.
pub(super) fn value(text: &str) -> String {
    quoted(text, QUOTED_LENGTH)
}

/// At most `length` printable ASCII characters of a text, in back quotes.
pub(super) fn quoted(text: &str, length: usize) -> String {
    let printable = |c: char| if c == ' ' || c.is_ascii_graphic() && c != '`' { c } else { '?' };
    let mut short: String = text.chars().map(printable).take(length).collect();
    if text.chars().count() > length {
        short.push_str("...");
    }
    format!("`{short}`")
}

/// `a`, `b` and 2 more.
pub(super) fn some(quoted: &[String], shown: usize) -> String {
    let listed = quoted.iter().take(shown).cloned().collect::<Vec<_>>().join(", ");
    match quoted.len().saturating_sub(shown) {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

/// The CNAMEs that were followed, as the beginning of a sentence; nothing when there were none.
pub(super) fn along(route: &[Hop]) -> String {
    match route.iter().filter(|hop| matches!(hop, Hop::Cname { .. })).count() {
        0 => String::new(),
        1 => format!("The CNAME {} was followed: ", chain(route)),
        _ => format!("The CNAMEs {} were followed: ", chain(route)),
    }
}

/// `a` -> `b` -> `c`
pub(super) fn chain(route: &[Hop]) -> String {
    let mut names: Vec<String> = Vec::new();
    for hop in route {
        if let Hop::Cname { from, to } = hop {
            if names.is_empty() {
                names.push(quoted(from, NAME_LENGTH));
            }
            names.push(quoted(to, NAME_LENGTH));
        }
    }
    if names.len() > CHAIN_SHOWN + 1 {
        let hidden = CHAIN_SHOWN - 1..names.len() - 1;
        names.splice(hidden, ["...".to_owned()]);
    }
    names.join(" -> ")
}

/// Why a walk did not arrive where somebody could be heard; `None` when it did.
pub(super) fn astray(route: &[Hop], end: &End) -> Option<String> {
    Some(match end {
        End::Arrived(heard) if heard.is_silence() => format!("{}{}", along(route), unheard(heard)),
        End::Arrived(heard) if heard.is_torn() => format!("{}{}", along(route), torn(heard)),
        End::Arrived(_) => return None,
        End::Circle => format!("The CNAMEs go round in a circle: {}.", chain(route)),
        End::TooFar => format!("More than {MOST_CNAMES} CNAMEs follow each other: {}.", chain(route)),
        End::Lost(at, lost) => format!("{}{}", along(route), self::lost(at, lost)),
    })
}

/// What is wrong when validating resolvers do not stand behind an answer; `None` when they do.
pub(super) fn unvouched(what: &str, at: &Name, vouched: Vouched) -> Option<String> {
    let at = name(at);
    Some(match vouched {
        Vouched::Yes => return None,
        Vouched::Bogus => format!(
            "{what}, but the DNSSEC of {at} is broken: whoever validates it refuses the answer (SERVFAIL). Repair \
             the signatures of its zone, or remove the zone's DS record."
        ),
        Vouched::Fails(code) => format!(
            "{what} at the name servers of {at}, but resolvers fail to find it ({}): are all name servers of the \
             zone in order?",
            mnemonic(code)
        ),
        Vouched::Silent => {
            format!(
                "{what} at the name servers of {at}, but resolvers give no answer: they are still asking around."
            )
        }
    })
}

/// How protocol and people call a response code.
pub(super) fn mnemonic(code: ResponseCode) -> String {
    match code {
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::NotAuth => "NOTAUTH".to_owned(),
        ResponseCode::NXDomain => "NXDOMAIN".to_owned(),
        code => format!("code {}", u16::from(code)),
    }
}

/// `ns1.example` and 2 more
pub(super) fn servers<'a>(hosts: impl Iterator<Item = &'a Name>) -> String {
    let mut names: Vec<String> = hosts.map(name).collect();
    names.dedup();
    some(&names, SERVERS_SHOWN)
}

fn lost(at: &Name, lost: &Lost) -> String {
    match lost {
        Lost::Silence(zone) => format!(
            "DNS gives no answer for {}: the name servers of {}, or the broker's own resolvers, are silent.",
            name(at),
            name(zone)
        ),
        Lost::Failure(zone, Vouched::Bogus) => format!(
            "The DNSSEC of {} is broken: whoever validates it gets no answer (SERVFAIL). Repair the signatures of \
             its zone, or remove the zone's DS record.",
            name(zone)
        ),
        Lost::Failure(zone, _) => format!(
            "DNS fails for {} (SERVFAIL): the name servers of {} do not answer properly.",
            name(at),
            name(zone)
        ),
        Lost::NoAddress(zone) => {
            format!("The name servers of {} have no public address, so nobody can ask them.", name(zone))
        }
        Lost::Unknown => format!("The broker's resolvers know no name servers for {}.", name(at)),
    }
}

/// Nobody who knows has said anything: the most telling reason counts.
fn unheard(heard: &Heard) -> String {
    let at = name(&heard.name);
    let who = heard.zone.as_ref().map_or_else(
        || "the resolvers".to_owned(),
        |zone| format!("the name servers of {}", name(&zone.apex)),
    );
    let code = heard.replies.iter().find_map(|(_, reply)| match reply {
        Reply::Fails(code) => Some(*code),
        _ => None,
    });
    match code {
        Some(ResponseCode::Refused) => {
            format!(
                "DNS refuses to answer for {at}: {who} say REFUSED, as if the zone were not set up there."
            )
        }
        Some(code) => format!("DNS fails for {at}: {who} say {}.", mnemonic(code)),
        None if heard.replies.iter().any(|(_, reply)| *reply == Reply::Lame) => {
            format!("DNS gives no answer for {at}: {who} do not serve the zone that is delegated to them.")
        }
        None => {
            let hosts = servers(heard.replies.iter().map(|(host, _)| host));
            let hosts = if heard.zone.is_some() && !hosts.is_empty() { format!(" ({hosts})") } else { hosts };
            format!("DNS gives no answer for {at}: {who} are silent{hosts}.")
        }
    }
}

fn torn(heard: &Heard) -> String {
    let targets: Vec<String> = heard
        .words()
        .map(|(host, reply)| match reply {
            Reply::Alias(target) => format!("a CNAME to {} at {}", name(target), name(host)),
            Reply::NoName | Reply::NoData => format!("nothing at {}", name(host)),
            _ => format!("other records at {}", name(host)),
        })
        .collect();
    format!(
        "The name servers of {} do not agree about it yet: {}.",
        name(&heard.name),
        some(&distinct(targets), SERVERS_SHOWN)
    )
}

/// One of each kind in front, so that a short list shows the disagreement.
fn distinct(mut texts: Vec<String>) -> Vec<String> {
    let kind = |text: &String| text.split(" at ").next().map(str::to_owned);
    let mut seen = Vec::new();
    texts.sort_by_cached_key(|text| {
        let repeated = seen.contains(&kind(text));
        seen.push(kind(text));
        repeated
    });
    texts
}
