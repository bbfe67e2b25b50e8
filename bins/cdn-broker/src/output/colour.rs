//! Colours say no more than the words do: whoever sees none misses nothing.

use std::borrow::Cow;

use super::Screen;

const GREEN: &str = "32";
const RED: &str = "31";
const YELLOW: &str = "33";
const BOLD: &str = "1";

/// Words that say that all is well.
const GOOD: [&str; 7] = ["ready", "succeeded", "ok", "proven", "live", "delivered", "done"];
/// Words that say that somebody has to do something.
const BAD: [&str; 11] = [
    "provision-failed",
    "deprovision-failed",
    "failed",
    "failing",
    "incident",
    "missing",
    "given-up",
    "lapsed",
    "orphan",
    "drift",
    "expired",
];
/// Words that say that something goes on.
const UNDERWAY: [&str; 10] = [
    "provisioning",
    "deprovisioning",
    "running",
    "underway",
    "waiting",
    "open",
    "answered",
    "pending",
    "retry",
    "held-back",
];

/// A word of state as standard output shows it: in its colour, or as it is.
pub(crate) fn tinted(word: &str) -> Cow<'_, str> {
    tinted_on(word, Screen::out())
}

/// The names of columns, bold where that can be.
pub(crate) fn head<const N: usize>(names: [&str; N]) -> [String; N] {
    let screen = Screen::out();
    names.map(|name| painted(name, BOLD, screen).into_owned())
}

fn tinted_on(word: &str, screen: Screen) -> Cow<'_, str> {
    match word {
        _ if GOOD.contains(&word) => painted(word, GREEN, screen),
        _ if BAD.contains(&word) => painted(word, RED, screen),
        _ if UNDERWAY.contains(&word) => painted(word, YELLOW, screen),
        _ => Cow::Borrowed(word),
    }
}

fn painted<'a>(word: &'a str, colour: &str, screen: Screen) -> Cow<'a, str> {
    if screen.colours { Cow::Owned(format!("\x1b[{colour}m{word}\x1b[0m")) } else { Cow::Borrowed(word) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_colours_only_where_there_are_colours() {
        let colourful = Screen { width: Some(80), height: Some(24), colours: true };
        assert_eq!(tinted_on("ready", colourful), "\x1b[32mready\x1b[0m");
        assert_eq!(tinted_on("provision-failed", colourful), "\x1b[31mprovision-failed\x1b[0m");
        assert_eq!(tinted_on("www.example.gov", colourful), "www.example.gov");
        assert_eq!(tinted_on("ready", Screen { colours: false, ..colourful }), "ready");
        assert_eq!(tinted_on("ready", Screen::PLAIN), "ready");
    }

    #[test]
    fn every_state_of_an_instance_and_an_operation_has_a_colour_or_needs_none() {
        let colourful = Screen { width: Some(80), height: Some(24), colours: true };
        for state in broker::words::STATES.map(broker::words::state) {
            assert_eq!(tinted_on(state, colourful) == state, state == "gone", "{state}");
        }
    }
}
