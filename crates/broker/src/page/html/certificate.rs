//! The certificate that is served.

use contract::{CertificateFacts, Timestamp};
use maud::{Markup, html};

use super::super::view::View;
use super::moment;

/// How many names are shown without being asked for.
const SHOWN: usize = 6;

pub(super) fn section(view: &View) -> Markup {
    let Some(facts) = view.live().and_then(|live| live.facts.as_ref()) else { return html! {} };
    html! {
        section aria-labelledby="h-certificate" {
            h2 #h-certificate { "Certificate" }
            div.card {
                dl.facts {
                    (names(facts))
                    @if let Some(issuer) = &facts.issuer { div { dt { "Issued by" } dd { (issuer) } } }
                    div { dt { "Good from" } dd { time { (facts.not_before) } } }
                    div { dt { "Good until" } dd { (moment(facts.not_after)) } }
                    div { dt { "Days left" } dd { strong #days-left { (days(facts.not_after, view.now)) } } }
                    div { dt { "Renewal" } dd { (renewal(view)) } }
                    div { dt { "Serial number" } dd { code { (facts.serial) } } }
                }
            }
        }
    }
}

fn names(facts: &CertificateFacts) -> Markup {
    let (first, more) = facts.names.split_at(facts.names.len().min(SHOWN));
    html! {
        div {
            dt { "Names" }
            dd {
                ul.plain { @for name in first { li { (name) } } }
                @if !more.is_empty() {
                    details #more-names {
                        summary { (more.len()) " more" }
                        ul.plain { @for name in more { li { (name) } } }
                    }
                }
            }
        }
    }
}

fn days(until: Timestamp, now: Timestamp) -> u64 {
    until.since(now).as_secs() / 86_400
}

fn renewal(view: &View) -> Markup {
    let chosen = view.renewal.as_ref().and_then(|plan| plan.chosen);
    html! {
        @if view.renewing().is_some() { "Being renewed now." }
        @else if let Some(chosen) = chosen { "By itself, next on " (moment(chosen.at)) "." }
        @else { "By itself; the moment is chosen soon." }
        " How each domain is proven then stands beside it above."
    }
}
