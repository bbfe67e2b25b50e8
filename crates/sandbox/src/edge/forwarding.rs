//! What of a viewer's request an origin gets to see: headers, cookies, query string.

use http::header::{
    ACCEPT, ACCEPT_CHARSET, ACCEPT_LANGUAGE, AUTHORIZATION, CONNECTION, COOKIE, HOST, REFERER, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use url::form_urlencoded;

use crate::aws::{Element, glob};

/// Headers that concern one connection only (RFC 9110, 7.6.1).
const HOP_BY_HOP: [HeaderName; 7] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];
/// What CloudFront keeps from an origin unless a behaviour with `ForwardedValues` lists it.
const WITHHELD: [HeaderName; 8] =
    [ACCEPT, ACCEPT_CHARSET, ACCEPT_LANGUAGE, AUTHORIZATION, COOKIE, HOST, REFERER, USER_AGENT];

const USE_ORIGIN_CACHE_HEADERS: &str = "83da9c7e-98b4-4e11-a168-04f0df8e2c65";
const USE_ORIGIN_CACHE_HEADERS_AND_QUERY: &str = "4cc15a8a-d715-48a4-82b8-cc0b614638fe";
const ALL_VIEWER: &str = "216adef6-5c7f-47e4-b989-5492eafa07d3";
const ALL_VIEWER_AND_CLOUDFRONT: &str = "33f36d7e-f396-46d9-90e0-52428a34d9dc";
const ALL_VIEWER_EXCEPT_HOST: &str = "b689b0a8-53d0-40ab-baf2-68738e2966ac";
const CORS_S3: &str = "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf";
const CORS_CUSTOM: &str = "59781a5b-3903-41f3-afcb-af62929ccde1";
const HOST_ONLY: &str = "bf0718e1-ba1e-49d1-88b1-f726733018ae";
const USER_AGENT_AND_REFERER: &str = "acba4595-bd28-49b8-b9fe-13317c0390fa";

/// The forwarding rules of one behaviour.
#[derive(Debug)]
pub(super) struct Forwarding {
    headers: Headers,
    cookies: Cookies,
    query: Query,
}

#[derive(Debug, PartialEq, Eq)]
enum Headers {
    All,
    AllButHost,
    /// The listed ones, and of the others what is not usually withheld.
    Usual(Vec<String>),
    /// The listed ones only.
    Only(Vec<String>),
}

#[derive(Debug, PartialEq, Eq)]
enum Cookies {
    None,
    All,
    Named(Vec<String>),
}

#[derive(Debug, PartialEq, Eq)]
enum Query {
    None,
    All,
    Named(Vec<String>),
}

impl Forwarding {
    pub(super) fn read(behaviour: &Element) -> Self {
        match behaviour.child("ForwardedValues") {
            Some(values) => Self::from_values(values),
            None => Self::from_policies(
                behaviour.text_at("CachePolicyId"),
                behaviour.text_at("OriginRequestPolicyId"),
            ),
        }
    }

    fn from_values(values: &Element) -> Self {
        let headers = values.texts_at("Headers");
        let keys = values.texts_at("QueryStringCacheKeys");
        Self {
            headers: if headers.iter().any(|name| name == "*") {
                Headers::All
            } else {
                Headers::Usual(headers)
            },
            cookies: match values.text_at("Cookies/Forward") {
                "all" => Cookies::All,
                "whitelist" => Cookies::Named(values.texts_at("Cookies/WhitelistedNames")),
                _ => Cookies::None,
            },
            // Keys choose what distinguishes cached answers; the whole query is forwarded either way.
            query: match values.text_at("QueryString") {
                "true" => Query::All,
                _ if keys.is_empty() => Query::None,
                _ => Query::Named(keys),
            },
        }
    }

    /// What distinguishes cached answers is always forwarded; the other policy adds to it.
    fn from_policies(cache: &str, request: &str) -> Self {
        let by_origin = [USE_ORIGIN_CACHE_HEADERS, USE_ORIGIN_CACHE_HEADERS_AND_QUERY].contains(&cache);
        let keys: &[&str] = if by_origin {
            &["host", "origin", "x-http-method-override", "x-http-method", "x-method-override"]
        } else {
            &[]
        };
        let headers = match request {
            ALL_VIEWER_EXCEPT_HOST if !by_origin => Headers::AllButHost,
            ALL_VIEWER | ALL_VIEWER_AND_CLOUDFRONT | ALL_VIEWER_EXCEPT_HOST => Headers::All,
            _ => Headers::Only(keys.iter().chain(asked(request)).map(|&name| name.to_owned()).collect()),
        };
        let everything = matches!(headers, Headers::All | Headers::AllButHost);
        let query = everything || cache == USE_ORIGIN_CACHE_HEADERS_AND_QUERY;
        Self {
            headers,
            cookies: if everything || by_origin { Cookies::All } else { Cookies::None },
            query: if query { Query::All } else { Query::None },
        }
    }

    /// Whether the origin sees the Host the viewer named.
    pub(super) fn forwards_host(&self) -> bool {
        match &self.headers {
            Headers::All => true,
            Headers::AllButHost => false,
            Headers::Usual(names) | Headers::Only(names) => lists(names, &HOST),
        }
    }

    /// The headers for the origin, without Host.
    pub(super) fn headers(&self, viewer: &HeaderMap, reads: bool) -> HeaderMap {
        let mut forwarded = HeaderMap::new();
        for (name, value) in viewer {
            let body = name.as_str().starts_with("content-");
            if !HOP_BY_HOP.contains(name)
                && name != HOST
                && name != COOKIE
                && (body || self.passes(name, reads))
            {
                forwarded.append(name, value.clone());
            }
        }
        if let Some(cookies) = self.cookies(viewer) {
            forwarded.insert(COOKIE, cookies);
        }
        forwarded.entry(USER_AGENT).or_insert(HeaderValue::from_static("Amazon CloudFront"));
        forwarded
    }

    fn passes(&self, name: &HeaderName, reads: bool) -> bool {
        match &self.headers {
            Headers::All | Headers::AllButHost => true,
            Headers::Only(names) => lists(names, name),
            Headers::Usual(names) => {
                // The credentials of a request that changes something are always forwarded.
                let withheld = WITHHELD.contains(name) && (reads || name != AUTHORIZATION);
                !withheld || lists(names, name)
            }
        }
    }

    fn cookies(&self, viewer: &HeaderMap) -> Option<HeaderValue> {
        let sent = viewer.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let sent = sent.flat_map(|value| value.split(';')).map(str::trim).filter(|cookie| !cookie.is_empty());
        let kept: Vec<&str> = sent.filter(|cookie| self.keeps_cookie(cookie)).collect();
        (!kept.is_empty()).then(|| HeaderValue::from_str(&kept.join("; ")).ok()).flatten()
    }

    fn keeps_cookie(&self, cookie: &str) -> bool {
        let name = cookie.split('=').next().unwrap_or_default();
        match &self.cookies {
            Cookies::None => false,
            Cookies::All => true,
            Cookies::Named(patterns) => patterns.iter().any(|pattern| glob(pattern, name)),
        }
    }

    /// The query string for the origin, if there is any.
    pub(super) fn query(&self, sent: Option<&str>) -> Option<String> {
        let sent = sent?;
        match &self.query {
            Query::None => None,
            Query::All => Some(sent.to_owned()),
            Query::Named(names) => {
                let pairs = form_urlencoded::parse(sent.as_bytes());
                let kept = pairs.filter(|(name, _)| names.iter().any(|wanted| wanted == name));
                let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
                Some(query).filter(|query| !query.is_empty())
            }
        }
    }
}

/// The headers that an origin request policy lists.
fn asked(policy: &str) -> &'static [&'static str] {
    match policy {
        CORS_S3 => &["origin", "access-control-request-headers", "access-control-request-method"],
        CORS_CUSTOM => &["origin"],
        HOST_ONLY => &["host"],
        USER_AGENT_AND_REFERER => &["user-agent", "referer"],
        _ => &[],
    }
}

/// Leaves out the headers that concern one connection only.
pub(super) fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let kept = headers.iter().filter(|(name, _)| !HOP_BY_HOP.contains(name));
    let mut passed = HeaderMap::new();
    for (name, value) in kept {
        passed.append(name, value.clone());
    }
    passed
}

fn lists(names: &[String], name: &HeaderName) -> bool {
    names.iter().any(|listed| listed.eq_ignore_ascii_case(name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(inner: &str) -> Forwarding {
        let text = format!("<B><ForwardedValues>{inner}</ForwardedValues></B>");
        Forwarding::read(&Element::parse(&text).unwrap())
    }

    fn viewer() -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "www.example.org"),
            ("authorization", "Basic x"),
            ("cookie", "a=1; session_id=2"),
            ("connection", "keep-alive"),
            ("x-custom", "yes"),
            ("user-agent", "browser"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn forwarded_values_withhold_what_they_do_not_list() {
        let none = values("<QueryString>false</QueryString><Cookies><Forward>none</Forward></Cookies>");
        let seen = none.headers(&viewer(), true);
        assert_eq!(seen["user-agent"], "Amazon CloudFront");
        assert!(seen.contains_key("x-custom") && !seen.contains_key("authorization"));
        assert!(
            !seen.contains_key("cookie") && !seen.contains_key("host") && !seen.contains_key("connection")
        );
        assert!(!none.forwards_host());
        assert_eq!(none.query(Some("a=1")), None);
        assert!(none.headers(&viewer(), false).contains_key("authorization"));
    }

    #[test]
    fn forwarded_values_pass_what_they_list() {
        let host = values(
            "<QueryString>true</QueryString><Headers><Items><Name>Host</Name><Name>Authorization</Name></Items>
             </Headers><Cookies><Forward>whitelist</Forward><WhitelistedNames><Items><Name>session_*</Name></Items>
             </WhitelistedNames></Cookies>",
        );
        assert!(host.forwards_host());
        assert_eq!(host.query(Some("a=1&b=%20")).as_deref(), Some("a=1&b=%20"));
        let seen = host.headers(&viewer(), true);
        assert_eq!(seen["cookie"], "session_id=2");
        assert_eq!(seen["authorization"], "Basic x");
        let all = values("<QueryString>true</QueryString><Headers><Items><Name>*</Name></Items></Headers>");
        assert!(all.forwards_host());
        assert_eq!(all.headers(&viewer(), true)["user-agent"], "browser");
    }

    #[test]
    fn host_is_forwarded_by_whichever_policy_names_it() {
        let disabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
        for (cache, request, forwards) in [
            (disabled, ALL_VIEWER, true),
            (disabled, HOST_ONLY, true),
            (disabled, ALL_VIEWER_EXCEPT_HOST, false),
            (disabled, CORS_CUSTOM, false),
            (disabled, "", false),
            (USE_ORIGIN_CACHE_HEADERS, "", true),
            (USE_ORIGIN_CACHE_HEADERS_AND_QUERY, CORS_S3, true),
        ] {
            assert_eq!(
                Forwarding::from_policies(cache, request).forwards_host(),
                forwards,
                "{cache} {request}"
            );
        }
        let none = Forwarding::from_policies(disabled, "");
        assert!(!none.headers(&viewer(), true).contains_key("x-custom"));
        assert_eq!(none.query(Some("a=1")), None);
        let by_origin = Forwarding::from_policies(USE_ORIGIN_CACHE_HEADERS, "");
        assert_eq!(by_origin.headers(&viewer(), true)["cookie"], "a=1; session_id=2");
        assert_eq!(by_origin.query(Some("a=1")), None);
        let and_query = Forwarding::from_policies(USE_ORIGIN_CACHE_HEADERS_AND_QUERY, "");
        assert_eq!(and_query.query(Some("a=1")).as_deref(), Some("a=1"));
    }
}
