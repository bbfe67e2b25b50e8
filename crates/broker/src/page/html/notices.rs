//! What somebody reads who cannot be shown a page.

use bytes::Bytes;
use http::header::{ALLOW, RETRY_AFTER};
use http::{Method, Response, StatusCode};
use maud::{Markup, html};

use super::super::replies;
use super::shell;

/// One answer for all who may not see what they ask for, whether there is such a thing or not.
pub(in crate::page) fn refused() -> Response<Bytes> {
    let text = html! {
        p { "Maybe the link is not complete, it was replaced by another one, or too much time has passed since it was opened." }
        h2 { "What you can do" }
        ol.todo {
            li { "Open the link again that " code { "cf service NAME" } " shows as " em { "dashboard" } "." }
            li {
                "If that leads here too, run " code { "cf update-service NAME -c '{}'" }
                ": it changes nothing and fetches the link that is good now."
            }
            li { "If the platform signs you on here, be sure to do so as somebody with a role in the space of the service instance." }
            li { "If that does not help either, ask the operators of this service for a link." }
        }
    };
    notice(StatusCode::FORBIDDEN, "This page cannot be shown", &text)
}

pub(in crate::page) fn unavailable() -> Response<Bytes> {
    let text = html! { p { "The broker cannot reach its database at the moment. Nothing is lost: reload this page in a minute." } };
    let mut response = notice(StatusCode::SERVICE_UNAVAILABLE, "Not available at the moment", &text);
    replies::put(&mut response, RETRY_AFTER, "30");
    response
}

pub(in crate::page) fn not_allowed(wanted: &Method) -> Response<Bytes> {
    let text = html! { p { "This is no page to be opened. Go back, and reload the page before." } };
    let mut response = notice(StatusCode::METHOD_NOT_ALLOWED, "Nothing to be seen here", &text);
    let allowed = if *wanted == Method::POST { "POST" } else { "GET, HEAD" };
    replies::put(&mut response, ALLOW, allowed);
    response
}

fn notice(status: StatusCode, title: &str, text: &Markup) -> Response<Bytes> {
    let page =
        shell(title, &html! { section.hero.over aria-labelledby="h-top" { h1 #h-top { (title) } (text) } });
    replies::page(status, &page)
}
