//! Who looks at a page, and what they may do there.

use std::time::Duration;

use contract::InstanceId;
use http::HeaderMap;
use http::header::COOKIE;

use super::paths;

/// Sent by the script of a page, and by no form: a page of somebody else's would have to ask first (CORS).
pub(super) const SCRIPT: &str = "x-page";

/// What somebody may do with an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// See it.
    Read,
    /// See it, and let the broker look.
    Manage,
}

impl Access {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Manage => "manage",
        }
    }

    pub(super) fn read(word: &str) -> Option<Self> {
        [Self::Read, Self::Manage].into_iter().find(|access| access.word() == word)
    }
}

/// A browser that was let in.
pub(super) struct Session {
    pub(super) access: Access,
    /// What its forms carry.
    pub(super) form_token: String,
}

impl Session {
    /// For how long a browser is let in without its link.
    pub(super) const BY_LINK: Duration = Duration::from_hours(12);

    /// For how long what the platform has said is relied on: who loses a role is out soon.
    pub(super) const SIGNED_ON: Duration = Duration::from_mins(15);
}

/// For how long signing on may take.
pub(super) const SIGNING_ON: Duration = Duration::from_mins(10);

/// A cookie whose name says that it came over HTTPS (RFC 6265bis, section 4.1.3).
fn name(is_secure: bool) -> &'static str {
    if is_secure { "__Secure-cdn-page" } else { "cdn-page" }
}

/// The session's cookie as sent.
pub(super) fn cookie(headers: &HeaderMap, is_secure: bool) -> Option<&str> {
    sent(headers, name(is_secure))
}

fn sent<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let sent = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    sent.flat_map(|value| value.split(';')).find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    })
}

/// Keeps a session in the browser, for the pages of one instance. A link on another site leads in (`Lax`); nothing else from
/// there does.
pub(super) fn set(session: &str, instance: &InstanceId, is_secure: bool) -> String {
    let (name, path) = (name(is_secure), paths::page(instance));
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{name}={session}; Path={path}; HttpOnly; SameSite=Lax{secure}")
}

/// What binds signing on to one browser.
fn browser_name(is_secure: bool) -> &'static str {
    if is_secure { "__Secure-cdn-browser" } else { "cdn-browser" }
}

/// The browser that is signing on, if it has begun.
pub(super) fn browser(headers: &HeaderMap, is_secure: bool) -> Option<&str> {
    sent(headers, browser_name(is_secure))
        .filter(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Remembers a browser until it comes back.
pub(super) fn set_browser(id: &str, is_secure: bool) -> String {
    let (name, longest) = (browser_name(is_secure), SIGNING_ON.as_secs());
    let secure = if is_secure { "; Secure" } else { "" };
    // The page that sends it away must find it, too: several tabs share it.
    format!("{name}={id}; Path=/; Max-Age={longest}; HttpOnly; SameSite=Lax{secure}")
}

/// The token that a form has sent.
pub(super) fn form_token(body: &[u8]) -> &str {
    let body = std::str::from_utf8(body).unwrap_or_default();
    body.split('&').find_map(|field| field.strip_prefix("token=")).unwrap_or_default()
}

/// Whether the browser says that the request was not made by a page of this broker.
pub(super) fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin")
}
