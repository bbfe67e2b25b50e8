//! How every command talks to its user, so that all of them do it alike: what was asked for goes to standard output, everything
//! else to standard error.
//!
//! On a terminal lines are broken between words so that they fit it, and words of state have colours (never with `NO_COLOR`).
//! Into a pipe or a file everything goes as it is, however long a line is: nothing is cut that a program looks for.

mod agreement;
mod colour;
pub(crate) mod exit;
mod fit;
mod progress;
mod screen;
mod table;
mod watch;

use std::borrow::Cow;
use std::io::Write;

pub(crate) use self::agreement::agreed;
pub(crate) use self::colour::{head, tinted};
pub(crate) use self::progress::{Progress, while_waiting};
pub(crate) use self::screen::Screen;
pub(crate) use self::table::{Layout, columns};
pub(crate) use self::watch::{Frame, watch};

/// Prints a result.
pub(crate) fn print(text: &str) {
    print_or_stop(text);
}

/// Prints a part of a long result; `false` when nobody reads any more: whoever closes the pipe (`| head`) has read enough.
pub(crate) fn print_or_stop(text: &str) -> bool {
    writeln!(std::io::stdout(), "{}", fitted(text, Screen::out())).is_ok()
}

/// Prints what went wrong, and what happens.
pub(crate) fn complain(text: &str) {
    let text = format!("cdn-broker: {text}");
    // Nobody is left to tell when even this cannot be printed.
    let _ = writeln!(std::io::stderr(), "{}", fitted(&text, Screen::err()));
}

/// JSON is left as it is: whoever copies it from a terminal wants to use it.
fn fitted(text: &str, screen: Screen) -> Cow<'_, str> {
    match screen.width {
        Some(width) if !text.starts_with(['{', '[']) => Cow::Owned(fit::fit(text, width)),
        _ => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_never_broken() {
        let narrow = Screen { width: Some(10), height: Some(5), colours: false };
        let json = "{\"message\": \"some words that are long\"}";
        assert_eq!(fitted(json, narrow), json);
        assert_eq!(fitted("some words that are long", narrow), "some words\n  that are\n  long");
        assert_eq!(fitted("some words that are long", Screen::PLAIN), "some words that are long");
    }
}
