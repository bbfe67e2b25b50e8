//! Pages as browsers get them. Everything is escaped where it is put in; nothing here is ever taken as markup.

mod admin;
mod certificate;
mod domains;
mod history;
mod icons;
mod ledger;
mod notices;
mod progress;

use maud::{DOCTYPE, Markup, html};

pub(super) use self::admin::{HORIZONS, board, listing};
pub(super) use self::notices::{not_allowed, refused, unavailable};
use super::paths::{self, Note};
use super::session::{Access, Session};
use super::view::{Tone, View};
use super::{assets, machine_time, replies};
use contract::Timestamp;

/// A page as a whole.
pub(super) fn whole(view: &View, part: &Markup, note: Option<Note>) -> Markup {
    let id = &view.standing.instance.id;
    let (_, state) = view.badge();
    let names = title(view);
    shell(
        &format!("{state} - {names}"),
        &html! {
            @if let Some(note) = note { p.note role="status" { (note_text(note)) } }
            div #live data-part=(paths::part(id)) data-tag=(replies::tag(part)) data-again=(view.again().as_secs()) {
                (part)
            }
            p #news .unseen role="status" aria-live="polite" {}
            p #trouble .note hidden role="status" {
                "This page cannot reach the broker at the moment. It goes on trying; what is shown may be old."
            }
            footer.foot {
                p { "Service instance " code { (id) } }
                p {
                    a href=(paths::status(id)) { "The same for programs (JSON)" }
                    " · this page keeps itself up to date"
                    noscript { " only with JavaScript: reload it to see what is new" }
                }
            }
        },
    )
}

/// What every page has.
fn shell(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) }
                link rel="stylesheet" href=(assets::style());
                script src=(assets::script()) defer {}
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header.top { div.wrap { p.brand { (icons::brand()) span { "CDN service" } } } }
                main #main .wrap tabindex="-1" { (content) }
            }
        }
    }
}

fn note_text(note: Note) -> &'static str {
    match note {
        Note::Looked => "The broker has looked just now: what it saw stands below.",
        Note::Soon => "The broker has looked a moment ago. Let it look again in a few seconds.",
    }
}

/// What changes of a page.
pub(super) fn part(view: &View, session: &Session) -> Markup {
    html! {
        (head(view))
        (domains::section(view, session))
        (progress::section(view))
        (certificate::section(view))
        (history::section(view))
        (in_full(view))
    }
}

fn head(view: &View) -> Markup {
    let (tone, state) = view.badge();
    let target = view.standing.instance.distribution_domain.as_deref();
    html! {
        section.hero.(tone_class(tone)) aria-labelledby="h-top" {
            (badge("badge", tone, state))
            h1 #h-top { (title(view)) }
            p #headline .lead { (prose(&view.told.headline)) }
            @for note in &view.told.notes { p.also { (prose(note)) } }
            @if let Some(target) = target {
                dl.record.bare { (copied("target", "CDN host name", target)) }
            }
        }
    }
}

/// The first domain, and how many more there are.
fn title(view: &View) -> String {
    match view.standing.instance.settings.domains.as_slice() {
        [] => "No domain".to_owned(),
        [one] => one.to_string(),
        [one, other] => format!("{one} and {other}"),
        [one, more @ ..] => format!("{one} and {} more domains", more.len()),
    }
}

/// What `cf service` shows, as it shows it.
fn in_full(view: &View) -> Markup {
    html! {
        details #in-full .card {
            summary { "The same as text, as " code { "cf service" } " shows it" }
            pre #full-text tabindex="0" { (view.text) }
            (copy_button("full-text", "Copy the text"))
        }
    }
}

/// Whether this visitor may let the broker look.
fn may_look(view: &View, session: &Session) -> bool {
    session.access == Access::Manage && view.can_look()
}

fn tone_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Busy => "busy",
        Tone::Waiting => "waiting",
        Tone::Bad => "bad",
        Tone::Over => "over",
    }
}

/// A state in colour, form and words.
fn badge(class: &str, tone: Tone, text: &str) -> Markup {
    html! { p.(class).(tone_class(tone)) { (icons::tone(tone)) span { (text) } } }
}

/// A moment as a person reads it; the script adds how long ago it was, or how long it is until then.
fn moment(at: Timestamp) -> Markup {
    let machine = machine_time(at);
    html! { time datetime=(machine) { (at) } span.apart data-apart=(machine) {} }
}

/// A value that is to be copied as it is.
fn copied(id: &str, label: &str, value: &str) -> Markup {
    html! {
        div {
            dt { (label) }
            dd { code id=(id) { (value) } (copy_button(id, &format!("Copy: {label}"))) }
        }
    }
}

/// Hidden until the script is there to do it.
fn copy_button(id: &str, label: &str) -> Markup {
    html! {
        button.copy id=(format!("copy-{id}")) type="button" hidden data-copy=(id) aria-label=(label) {
            (icons::copy()) span { "Copy" }
        }
    }
}

/// A sentence in which backticks stand around what is typed.
fn prose(text: &str) -> Markup {
    html! {
        @for (position, piece) in text.split('`').enumerate() {
            @if position % 2 == 1 { code { (piece) } } @else { (piece) }
        }
    }
}
