//! What the authority's limits leave, on the operator's overview.

use contract::{KnownLimit, RoomOf};
use maud::{Markup, html};

use super::super::view::Tone;
use super::badge;
use crate::describe;

/// How much of a digest is shown.
const DIGEST: usize = 10;

pub(super) fn section(limits: &[KnownLimit]) -> Markup {
    html! {
        section aria-labelledby="h-ledger" {
            h2 #h-ledger { "Room under the authority's limits" }
            @if limits.is_empty() {
                div.card { p.also { "No limits of this authority are known. Where it has some, " code { "ACME_LIMITS" } " names them." } }
            }
            @for limit in limits { (card(limit)) }
        }
    }
}

fn card(limit: &KnownLimit) -> Markup {
    html! {
        article.card data-limit=(limit.limit) {
            div.card-head {
                h3 { (title(limit.limit)) }
                p.also { "at most " (limit.most) " in " (describe::span(limit.period)) }
            }
            @if limit.kept > 0.0 {
                p.also { "The last " (whole(limit.kept)) " are kept for renewals: first certificates wait when no more are left." }
            }
            @if limit.rooms.is_empty() { p { (badge("chip", Tone::Good, "free")) " Nothing of it is used up." } } @else {
                ul.plain { @for room in &limit.rooms { li { (line(limit, room)) } } }
            }
        }
    }
}

fn line(limit: &KnownLimit, room: &RoomOf) -> Markup {
    let (tone, word) = match room.left {
        left if left < 1.0 => (Tone::Bad, "used up"),
        left if left < limit.kept + 1.0 => (Tone::Waiting, "renewals only"),
        _ => (Tone::Good, "free"),
    };
    html! {
        (badge("chip", tone, word)) " " strong { (whole(room.left)) " of " (limit.most) " left" }
        @match (&room.whose, limit.limit) {
            (None, _) => {},
            (Some(digest), "certificates-per-set") => { " for a set of names, digest " code { (digest.chars().take(DIGEST).collect::<String>()) } },
            (Some(whose), _) => { " for " code { (whose) } },
        }
    }
}

/// Only whole ones can be taken. What is a hair below a whole one was a whole one before it was divided.
fn whole(count: f64) -> String {
    format!("{:.0}", (count + 1e-6).floor())
}

fn title(limit: &str) -> &str {
    match limit {
        "orders" => "New orders of this account",
        "certificates-per-domain" => "Certificates for a registered domain",
        "certificates-per-set" => "Certificates for exactly the same names",
        "failures" => "Failed validations of a name",
        "failures-in-a-row" => "Failed validations of a name, without a success between them",
        other => other,
    }
}
