//! The question before anything that cannot be taken back.

use std::io::{BufRead, IsTerminal, Write};

use super::complain;
use super::exit::{FAILED, USAGE};

/// Asks whether this is to be done, unless `--yes` has said so. `question` says what will be lost, and ends with a question mark.
///
/// Errors: the exit code, after it was said that nothing was done: the person does not want it, or there is nobody to ask
/// (standard input or standard error is no terminal).
pub(crate) fn agreed(question: &str, yes: bool) -> Result<(), u8> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        complain(&format!("{question} There is nobody to ask: --yes says so. Nothing was done."));
        return Err(USAGE);
    }
    if asked(question, &mut std::io::stdin().lock(), &mut std::io::stderr()) {
        return Ok(());
    }
    complain("nothing was done");
    Err(FAILED)
}

/// Anything but a clear yes is a no.
fn asked(question: &str, from: &mut impl BufRead, to: &mut impl Write) -> bool {
    let put = write!(to, "{question} [y/N] ").and_then(|()| to.flush());
    let mut answer = String::new();
    let heard = put.and_then(|()| from.read_line(&mut answer));
    heard.is_ok() && ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for (answer, is_yes) in [
            ("y\n", true),
            ("Yes\n", true),
            ("YES", true),
            ("n\n", false),
            ("\n", false),
            ("", false),
            ("yy\n", false),
        ] {
            let mut put = Vec::new();
            assert_eq!(asked("Delete it?", &mut answer.as_bytes(), &mut put), is_yes, "{answer:?}");
            assert_eq!(put, b"Delete it? [y/N] ");
        }
    }

    #[test]
    fn nobody_is_asked_who_has_said_yes() {
        assert_eq!(agreed("Delete it?", true), Ok(()));
    }
}
