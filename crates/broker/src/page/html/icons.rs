//! Small pictures beside words; none says anything that the words do not.

use maud::{Markup, html};

use super::super::view::Tone;

/// Drawn in a square of 16.
fn icon(class: &str, path: &str) -> Markup {
    html! {
        svg.icon.(class) viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false" {
            path d=(path) {}
        }
    }
}

pub(super) fn tone(tone: Tone) -> Markup {
    match tone {
        Tone::Good => icon(
            "",
            "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1m3.6 5.2-4.3 4.9a.8.8 0 0 1-1.2 0L4.3 9.2l1.1-1.1 1.3 1.3 3.8-4.3z",
        ),
        Tone::Busy => icon("", "M8 1a7 7 0 1 0 7 7h-1.6A5.4 5.4 0 1 1 8 2.6z"),
        Tone::Waiting => icon("", "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1m.8 3.2v3.5l2.5 1.5-.8 1.3-3.2-2V4.2z"),
        Tone::Bad => icon("", "M8 1 .6 14.2h14.8zm.8 8.9H7.2V5.9h1.6zm0 2.4H7.2v-1.6h1.6z"),
        Tone::Over => icon("", "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1M4.4 7.2h7.2v1.6H4.4z"),
    }
}

pub(super) fn copy() -> Markup {
    icon(
        "",
        "M5 1h7.5c.8 0 1.5.7 1.5 1.5V11h-1.6V2.6H5zM3.5 4h6c.8 0 1.5.7 1.5 1.5v8c0 .8-.7 1.5-1.5 1.5h-6C2.7 15 2 14.3 2 13.5v-8C2 4.7 2.7 4 3.5 4m.1 1.6v7.8h5.8V5.6z",
    )
}

pub(super) fn brand() -> Markup {
    icon(
        "mark",
        "M8 0a8 8 0 1 0 0 16A8 8 0 0 0 8 0m5.8 5h-2.3a10 10 0 0 0-1.1-2.6A6.5 6.5 0 0 1 13.8 5M8 1.7c.6.8 1.2 1.9 1.6 3.3H6.4c.4-1.4 1-2.5 1.6-3.3M1.7 9.5a6.5 6.5 0 0 1 0-3h2.7a16 16 0 0 0 0 3zm.5 1.5h2.3c.3 1 .6 1.9 1.1 2.6A6.5 6.5 0 0 1 2.2 11m2.3-6H2.2a6.5 6.5 0 0 1 3.4-2.6C5.1 3.1 4.8 4 4.5 5M8 14.3c-.6-.8-1.2-1.9-1.6-3.3h3.2c-.4 1.4-1 2.5-1.6 3.3m1.9-4.8H6.1a14 14 0 0 1 0-3h3.8a14 14 0 0 1 0 3m.5 4.1c.5-.7.8-1.6 1.1-2.6h2.3a6.5 6.5 0 0 1-3.4 2.6m1.2-4.1a16 16 0 0 0 0-3h2.7a6.5 6.5 0 0 1 0 3z",
    )
}

/// The mark of a step.
pub(super) fn done() -> Markup {
    icon("", "M13.5 4.3 6.6 12 2.5 8.2l1.1-1.2 2.9 2.7 5.8-6.5z")
}
