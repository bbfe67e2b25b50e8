//! Each domain: what can be done for it, what was seen, where it leads.

use contract::{DomainInstructions, ProofRecord, ProofState, ProofWay, SiteFinding};
use maud::{Markup, html};

use super::super::paths;
use super::super::session::{Access, Session};
use super::super::view::{Domain, Tone, View, is_open};
use super::{badge, copied, may_look, moment, prose};
use crate::describe;

pub(super) fn section(view: &View, session: &Session) -> Markup {
    html! {
        section aria-labelledby="h-domains" {
            div.section-head {
                h2 #h-domains { "Domains" }
                @if may_look(view, session) { (look(view, session)) }
                @else if session.access == Access::Read { p.also { "You may see this, and not change it." } }
            }
            @for (number, domain) in view.all_domains().iter().enumerate() { (card(view, domain, number)) }
        }
    }
}

fn look(view: &View, session: &Session) -> Markup {
    html! {
        form #look method="post" action=(paths::look(&view.standing.instance.id)) {
            input type="hidden" name="token" value=(session.form_token);
            button #look-now .main type="submit" { "Look now" }
        }
    }
}

fn card(view: &View, domain: &Domain<'_>, number: usize) -> Markup {
    let (tone, state) = domain.badge();
    let heading = format!("domain-{number}");
    html! {
        article.card aria-labelledby=(heading) {
            div.card-head { h3 id=(heading) { (domain.name) } (badge("chip", tone, state)) }
            @if let Some(proof) = domain.proof { (sightings(proof)) }
            @if let Some(proof) = domain.proof.filter(|proof| is_open(proof)) { (ways(view, proof, number)) }
            @for one in &domain.findings { (found(one)) }
            @if domain.is_served { (leads(view, domain, number)) }
        }
    }
}

/// What was seen at the last look, and when the next one is.
fn sightings(proof: &DomainInstructions) -> Markup {
    let is_over = proof.state == ProofState::Proven;
    html! {
        @if is_over { @if let Some(method) = proof.proven_by {
            p.seen { "Control was proven " (describe::proven_by(method)) "." }
        } } @else {
            @if let Some(seen) = &proof.last_look {
                p.seen { span.label { "Seen" } " " (prose(&seen.saw)) " " span.when { (moment(seen.at)) } }
            } @else { p.seen { span.label { "Seen" } " Nobody has looked yet." } }
            @if let Some(next) = proof.next_look.filter(|_| is_open(proof)) {
                p.seen { span.label { "Next look" } " " span.when { (moment(next)) } }
            }
            @if let Some(expires) = proof.expires.filter(|_| proof.direct().is_some() && is_open(proof)) {
                p.seen { span.label { "Good until" } " " span.when { (moment(expires)) } "; a new TXT value follows then." }
            }
        }
    }
}

fn ways(view: &View, proof: &DomainInstructions, number: usize) -> Markup {
    let tenant = &view.standing.instance.request.organization;
    html! {
        @if proof.ways.is_empty() { p { "What to do follows in a moment." } }
        @if proof.ways.len() > 1 { h4 { "Do one of these" } }
        ul.ways {
            @for (place, one) in proof.ways.iter().enumerate() {
                @let (title, text) = describe::way(tenant, proof, one);
                li.way {
                    h5 { (title) }
                    p { (prose(&text)) }
                    (values(one, &format!("{number}-{place}")))
                }
            }
        }
    }
}

/// What is to be copied for a way.
fn values(way: &ProofWay, id: &str) -> Markup {
    match way {
        ProofWay::ManagedName(set) | ProofWay::Delegated(set) | ProofWay::Direct(set) => record(set, id),
        ProofWay::Redirected { from, to } => html! {
            dl.record {
                (copied(&format!("from-{id}"), "Redirect everything below", from))
                (copied(&format!("to-{id}"), "To below", to))
            }
        },
        ProofWay::ThroughCdn => html! {},
    }
}

fn record(record: &ProofRecord, id: &str) -> Markup {
    html! {
        dl.record {
            div { dt { "Type" } dd.plainly { (record.kind) } }
            (copied(&format!("name-{id}"), "Name", &record.name))
            (copied(&format!("value-{id}"), "Value", &record.value))
            div { dt { "TTL" } dd.plainly { (record.ttl) " seconds" } }
        }
    }
}

/// What visits to the site have found wrong.
fn found(one: &SiteFinding) -> Markup {
    html! {
        p.seen {
            span.label { "Found" } " " strong.astray { (prose(&describe::finding(one))) }
            " " span.when { (moment(one.last)) } ", first " span.when { (moment(one.since)) }
        }
    }
}

/// Where a served name leads today, and how it will be proven when its certificate is renewed.
fn leads(view: &View, domain: &Domain<'_>, number: usize) -> Markup {
    let sights = view.sights();
    let Some(sight) = domain.sight else {
        return html! { p.seen { span.label { "Leads to" } " The broker looks where this name leads; that takes a moment." } };
    };
    let is_right = sight.lead.as_ref().is_some_and(contract::Lead::is_right);
    let text = sights.lead(sight);
    html! {
        @match &text {
            Some(text) => {
                p.seen {
                    span.label { "Leads to" } " "
                    @if is_right { (prose(text)) } @else { strong.astray { (prose(text)) } }
                    " " span.when { (moment(sights.at)) }
                }
            },
            None => p.seen { span.label { "Leads to" } " Nothing could be seen in time. Let the broker look again." },
        }
        @if let Some((by_itself, text)) = sights.renewal_of(sight) {
            p.seen { span.label { "Renewal" } " " (prose(&text)) }
            @if let Some(once) = sight.outlook.as_ref().and_then(|outlook| outlook.once.as_ref()).filter(|_| !by_itself) {
                details id=(format!("once-{number}")) {
                    summary { "Let it be proven by itself for good" }
                    p { "Set this record, once and for ever." }
                    (record(once, &format!("once-{number}")))
                }
            }
        }
    }
}

/// How a tone reads where there is no room for a badge.
pub(super) fn word(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Busy => "under way",
        Tone::Waiting => "waiting",
        Tone::Bad => "failed",
        Tone::Over => "over",
    }
}
