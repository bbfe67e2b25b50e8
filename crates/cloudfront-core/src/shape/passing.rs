//! How the default behaviour passes requests on: by the user's choice of headers and cookies, or by policies.

use aws_sdk_cloudfront::error::BuildError;
use aws_sdk_cloudfront::types::{
    CookieNames, CookiePreference, DefaultCacheBehavior, ForwardedValues, Headers, ItemSelection,
};
use contract::{Behaviour, Cookies, Policies, Wish};

use super::{count, non_empty, policies, sorted};

const ONE_DAY: u32 = 86_400;
const ONE_YEAR: i64 = 31_536_000;

/// Brings the behaviour to what was asked for. Policies that the operator has put there stay until the user speaks of
/// policies: they and forwarded values exclude each other.
pub(super) fn change(default: &mut DefaultCacheBehavior, wanted: &Behaviour) -> Result<(), BuildError> {
    match wanted.policies {
        Wish::Is(policies) => by_policies(default, policies),
        Wish::Unsaid if has_policy(default) => {}
        Wish::Unsaid | Wish::Default => by_values(default, wanted)?,
    }
    if wanted.compress.is_said() {
        default.compress = Some(wanted.compress.or(false));
    }
    change_hsts(default, wanted.hsts);
    Ok(())
}

fn by_policies(default: &mut DefaultCacheBehavior, wanted: Policies) {
    default.cache_policy_id = Some(policies::cache(wanted.cache).to_owned());
    default.origin_request_policy_id =
        wanted.origin_request.map(|policy| policies::origin_request(policy).to_owned());
    default.forwarded_values = None;
    (default.min_ttl, default.default_ttl, default.max_ttl) = (None, None, None);
}

fn by_values(default: &mut DefaultCacheBehavior, wanted: &Behaviour) -> Result<(), BuildError> {
    if has_policy(default) {
        (default.cache_policy_id, default.origin_request_policy_id) = (None, None);
    }
    let mut values = forwarded(wanted)?;
    values.query_string_cache_keys =
        default.forwarded_values.take().and_then(|current| current.query_string_cache_keys);
    default.forwarded_values = Some(values);
    change_times(default, wanted.default_ttl);
    Ok(())
}

/// CloudFront wants the default between the least and the most.
fn change_times(default: &mut DefaultCacheBehavior, wanted: Wish<u32>) {
    if default.default_ttl.is_none() || wanted.is_said() {
        let time = i64::from(wanted.or(ONE_DAY));
        default.default_ttl = Some(time);
        default.min_ttl = Some(default.min_ttl.unwrap_or(0).min(time));
        default.max_ttl = Some(default.max_ttl.unwrap_or(ONE_YEAR).max(time));
    }
}

/// What the behaviour passes on, as it would have to be asked for. What nobody can ask for is left unsaid: the operator's
/// own policies, and whatever is as it is by default.
pub(super) fn seen(default: &DefaultCacheBehavior) -> Behaviour {
    let values = default.forwarded_values();
    let names = values.and_then(|values| values.headers()).map_or(&[][..], |headers| headers.items());
    let time = default.default_ttl.and_then(|time| u32::try_from(time).ok());
    Behaviour {
        headers: sorted(names.iter().map(String::as_str)),
        cookies: values.and_then(|values| values.cookies()).map_or(Cookies::All, seen_cookies),
        default_ttl: time.filter(|time| values.is_some() && *time != ONE_DAY).map_or(Wish::Unsaid, Wish::Is),
        policies: seen_policies(default),
        ..Behaviour::default()
    }
}

fn seen_cookies(preference: &CookiePreference) -> Cookies {
    let names = preference.whitelisted_names().map_or(&[][..], |names| names.items());
    match preference.forward() {
        ItemSelection::None => Cookies::None,
        ItemSelection::Whitelist if names.is_empty() => Cookies::None,
        ItemSelection::Whitelist => Cookies::Only(sorted(names.iter().map(String::as_str))),
        _ => Cookies::All,
    }
}

fn seen_policies(default: &DefaultCacheBehavior) -> Wish<Policies> {
    let cache = default.cache_policy_id().and_then(policies::find_cache);
    let request = default.origin_request_policy_id().filter(|id| !id.is_empty());
    let known = request.map(policies::find_origin_request);
    match (cache, known) {
        (Some(cache), None) => Wish::Is(Policies { cache, origin_request: None }),
        (Some(cache), Some(Some(policy))) => Wish::Is(Policies { cache, origin_request: Some(policy) }),
        _ => Wish::Unsaid,
    }
}

/// Takes off only what this parameter put on.
fn change_hsts(default: &mut DefaultCacheBehavior, wanted: Wish<bool>) {
    let is_ours = default.response_headers_policy_id() == Some(policies::SECURITY_HEADERS);
    if wanted.or(false) {
        default.response_headers_policy_id = Some(policies::SECURITY_HEADERS.to_owned());
    } else if wanted.is_said() && is_ours {
        default.response_headers_policy_id = None;
    }
}

fn has_policy(default: &DefaultCacheBehavior) -> bool {
    default.cache_policy_id().is_some_and(|id| !id.is_empty())
}

/// What of a request reaches the origin.
fn forwarded(behaviour: &Behaviour) -> Result<ForwardedValues, BuildError> {
    ForwardedValues::builder()
        .query_string(true)
        .cookies(cookies(&behaviour.cookies)?)
        .headers(headers(behaviour.headers.iter().map(String::as_str))?)
        .build()
}

/// Forwarded values in the one spelling that we write.
pub(super) fn normal(current: &ForwardedValues) -> Result<ForwardedValues, BuildError> {
    let mut forwarded = current.clone();
    let names = current.headers().map_or(&[] as &[String], |headers| headers.items());
    forwarded.headers = Some(headers(names.iter().map(String::as_str))?);
    forwarded.cookies = current.cookies().map(normal_cookies).transpose()?;
    Ok(forwarded)
}

fn normal_cookies(current: &CookiePreference) -> Result<CookiePreference, BuildError> {
    let mut cookies = current.clone();
    cookies.whitelisted_names = match (&current.forward, current.whitelisted_names()) {
        (ItemSelection::Whitelist, Some(names)) => {
            Some(cookie_names(names.items().iter().map(String::as_str))?)
        }
        _ => None,
    };
    Ok(cookies)
}

fn headers<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Headers, BuildError> {
    let names = sorted(names);
    Headers::builder().quantity(count(&names)).set_items(non_empty(names)).build()
}

fn cookie_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<CookieNames, BuildError> {
    let names = sorted(names);
    CookieNames::builder().quantity(count(&names)).set_items(non_empty(names)).build()
}

fn cookies(cookies: &Cookies) -> Result<CookiePreference, BuildError> {
    let preference = CookiePreference::builder();
    match cookies {
        Cookies::All => preference.forward(ItemSelection::All),
        Cookies::None => preference.forward(ItemSelection::None),
        Cookies::Only(names) => preference
            .forward(ItemSelection::Whitelist)
            .whitelisted_names(cookie_names(names.iter().map(String::as_str))?),
    }
    .build()
}
