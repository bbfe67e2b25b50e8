//! What came instead of the answer, in a sentence.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use contract::HttpQuestion;
use hickory_resolver::proto::rr::Name;
use http::header::CONTENT_TYPE;
use url::Url;

use super::fetch::{Answer, FetchError, MOST_BODY, Target};
use super::say;

/// How much of a URL is shown: enough for a label and the beginning of a token.
const URL_LENGTH: usize = 120;

/// A URL in a sentence.
pub(super) fn shown(url: &Url) -> String {
    say::quoted(url.as_str(), URL_LENGTH)
}

pub(super) fn no_name(name: &Name) -> String {
    format!("{} does not exist yet (NXDOMAIN).", say::name(name))
}

pub(super) fn no_address(name: &Name) -> String {
    format!("{} exists, but has no address (neither A nor AAAA) yet.", say::name(name))
}

pub(super) fn private(name: &Name, address: IpAddr) -> String {
    format!(
        "{} has the address {address}, which is not on the public Internet: the authority cannot go there.",
        say::name(name)
    )
}

pub(super) fn too_slow(url: Option<&Url>, bound: Duration) -> String {
    match url {
        Some(url) => {
            format!(
                "{} gave no complete answer: after {} seconds the look was over.",
                shown(url),
                bound.as_secs()
            )
        }
        None => format!("DNS gave no answer within {} seconds.", bound.as_secs()),
    }
}

/// Why there is no answer at all.
pub(super) fn failure(target: &Target, address: SocketAddr, error: &FetchError) -> String {
    let host = say::name(&target.name);
    let port = if target.tls { "443" } else { "80" };
    let address = address.ip();
    match error {
        FetchError::Refused => format!("{host} ({address}) refuses connections to port {port}."),
        FetchError::Unreachable => format!("{host} ({address}) cannot be reached."),
        FetchError::Silent => {
            format!("{host} ({address}) does not take connections to port {port}: no answer in time.")
        }
        FetchError::Tls(why) => format!(
            "{host} ({address}) does not speak TLS 1.2 or 1.3 at port {port}, although a redirect leads there by \
             https: {}.",
            say::value(why)
        ),
        FetchError::Broken(why) => {
            format!("{host} ({address}) does not answer in HTTP at port {port}: {}.", say::value(why))
        }
    }
}

/// What is wrong with an answer that is no redirect; `None` when nothing is.
pub(super) fn explain(
    question: &HttpQuestion,
    url: &Url,
    answer: &Answer,
    redirected: bool,
    from_edge: bool,
) -> Option<String> {
    let (at, status) = (shown(url), answer.status.as_u16());
    if status == 200 {
        return wrong_body(question, &at, answer);
    }
    if from_edge && !redirected {
        return Some(format!(
            "{} already points at the CDN, which does not know the name yet and answers {status}: that is how the \
             instructions of 2019 had it, but now the name may only be pointed there when the certificate is in place.",
            say::quoted(question.name.base(), 100)
        ));
    }
    let why = match status {
        401 | 407 => "it wants a password, which the authority does not have",
        403 => "it forbids everybody to see this path",
        404 | 410 if redirected => "the redirect leads to a place that does not know this token",
        404 | 410 => "no rule for this path is in effect there yet",
        429 => "it turns away because of too many requests",
        500..=599 => "the server fails",
        _ => "the authority takes only 200",
    };
    Some(format!("{at} answers {status}: {why}."))
}

fn wrong_body(question: &HttpQuestion, at: &str, answer: &Answer) -> Option<String> {
    let text = String::from_utf8_lossy(&answer.body);
    let body = text.trim_end();
    if body == question.answer {
        return None;
    }
    let is_html = answer
        .headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
    Some(if answer.is_cut {
        format!("{at} answers 200 with more than {} KiB, which is not the token's answer.", MOST_BODY / 1024)
    } else if is_html || body.trim_start().starts_with('<') {
        format!(
            "{at} answers 200 with a web page (HTML) instead of the token's answer: the page for everything else \
             comes before the rule for this path."
        )
    } else if body.is_empty() {
        format!("{at} answers 200 with nothing in it, instead of the token's answer.")
    } else if body.strip_prefix(&question.token).is_some_and(|rest| rest.starts_with('.')) {
        format!(
            "{at} answers for this token with the key of another ACME account: another client is at work there."
        )
    } else if is_key_authorization(body) {
        format!("{at} answers with another token's answer: another ACME client is at work there.")
    } else {
        format!("{at} answers 200 with {} instead of the token's answer.", say::value(body))
    })
}

/// RFC 8555, section 8.1: a token, a dot, and a key's thumbprint of 43 characters.
fn is_key_authorization(body: &str) -> bool {
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    body.split_once('.')
        .is_some_and(|(token, print)| plain(token) && token.len() > 20 && plain(print) && print.len() == 43)
}
