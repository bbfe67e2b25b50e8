//! What an instance was asked to be, read off its distribution.

use std::collections::BTreeMap;

use contract::{
    Behaviour, CachePolicy, Cookies, Delivery, DomainName, Origin, OriginRequestPolicy, Policies, Settings,
    WholeDistribution, Wish,
};
use serde_json::{Map, Value, json};

use crate::parameters::effective;
use crate::{Offer, read_settings};

/// The settings, the parameters by which a user would have asked for them, and what an update would change although nobody
/// has asked for it.
pub(super) fn read(
    names: &[DomainName],
    origin: &Origin,
    whole: &WholeDistribution,
    default_origin: &DomainName,
) -> (Settings, Map<String, Value>, Option<String>) {
    let pages = &whole.error_pages;
    let live = Settings {
        domains: names.to_vec(),
        origin: origin.clone(),
        behaviour: whole.behaviour.clone(),
        delivery: Delivery {
            error_pages: if pages.is_empty() { Wish::Unsaid } else { Wish::Is(pages.clone()) },
            ..Delivery::default()
        },
        notify: None,
    };
    let parameters = parameters(&live, pages, default_origin);
    match read_settings(&parameters, default_origin, Offer { logging: true, letters: true }) {
        Err(mistake) => {
            let note = format!("its user cannot update it before this is put right: {mistake}");
            (live, parameters, Some(note))
        }
        Ok(asked) => match difference(&live, &asked) {
            None => (asked, parameters, None),
            Some(differs) => (live, parameters, Some(format!("its next update changes {differs}"))),
        },
    }
}

fn parameters(
    live: &Settings,
    pages: &BTreeMap<u16, String>,
    default_origin: &DomainName,
) -> Map<String, Value> {
    let domains: Vec<&str> = live.domains.iter().map(DomainName::as_str).collect();
    let is_default = live.origin.domain == *default_origin;
    let mut asked = Map::new();
    let mut say = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            asked.insert(name.to_owned(), value);
        }
    };
    say("domain", Some(json!(domains.join(","))));
    say("origin", (!is_default).then(|| json!(live.origin.domain.as_str())));
    say("path", (!live.origin.path.is_empty()).then(|| json!(live.origin.path)));
    say("insecure_origin", live.origin.insecure.then(|| json!(true)));
    say("error_responses", (!pages.is_empty()).then(|| json!(pages)));
    if let Wish::Is(Policies { cache, origin_request }) = live.behaviour.policies {
        say("cache_policy", Some(json!(CachePolicy::as_str(cache))));
        let request = origin_request.map(|policy| json!(OriginRequestPolicy::as_str(policy)));
        say("origin_request_policy", request);
    } else {
        say("cookies", cookies(&live.behaviour.cookies));
        say("headers", headers(&live.behaviour, is_default));
        say("default_ttl", live.behaviour.default_ttl.value().map(|time| json!(time)));
    }
    asked
}

fn cookies(cookies: &Cookies) -> Option<Value> {
    match cookies {
        Cookies::All => None,
        Cookies::None => Some(json!(false)),
        Cookies::Only(names) => Some(json!(names)),
    }
}

/// `Host` comes with the default origin, so that nobody has asked for it there.
fn headers(behaviour: &Behaviour, is_default: bool) -> Option<Value> {
    let asked = |header: &&String| !(is_default && header.eq_ignore_ascii_case("host"));
    let headers: Vec<&String> = behaviour.headers.iter().filter(asked).collect();
    (!headers.is_empty()).then(|| json!(headers))
}

/// The first thing that would not stay as it is. Headers are the same in whatever case they are written.
fn difference(live: &Settings, asked: &Settings) -> Option<String> {
    let (live, asked) = (effective::parameters(live), effective::parameters(asked));
    let same = |one: &Value, other: &Value| one.to_string().eq_ignore_ascii_case(&other.to_string());
    let is = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    let mut names = live.keys().chain(asked.keys());
    let differs = names.find(|name| match (live.get(*name), asked.get(*name)) {
        (Some(one), Some(other)) => !same(one, other),
        (one, other) => one.is_some() != other.is_some(),
    })?;
    Some(format!("`{differs}` from {} to {}", is(live.get(differs)), is(asked.get(differs))))
}
