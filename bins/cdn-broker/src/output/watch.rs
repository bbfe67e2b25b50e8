//! Looking again and again: a terminal is drawn anew, a pipe reads the lines that have changed.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use anyhow::Context;
use contract::chain;

use super::exit::OK;
use super::{Screen, complain, fitted, print_or_stop};

/// How often is looked.
const EVERY: Duration = Duration::from_secs(1);

/// What one look has found.
pub(crate) struct Frame {
    /// All there is to show.
    pub(crate) text: String,
    /// The exit code, when there is nothing left to wait for.
    pub(crate) ended: Option<u8>,
}

/// Looks every second until a look says that it has ended, nobody reads any more, or Ctrl-C; the latter two are exit code 0.
/// When the database is away after the first look, that is said once, and it is tried again.
pub(crate) async fn watch(mut look: impl AsyncFnMut() -> anyhow::Result<Frame>) -> anyhow::Result<u8> {
    let watching = async {
        let mut shown = Shown::default();
        let mut tick = tokio::time::interval(EVERY);
        loop {
            tick.tick().await;
            match look().await {
                Ok(frame) => {
                    let reads = shown.show(&frame.text, Screen::out());
                    if let Some(code) = frame.ended.or((!reads).then_some(OK)) {
                        return Ok(code);
                    }
                }
                Err(error) if shown.before.is_none() => return Err(error),
                Err(error) => shown.trouble(&error),
            }
        }
    };
    tokio::select! {
        ended = watching => ended,
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot listen for SIGINT").map(|()| OK),
    }
}

#[derive(Default)]
struct Shown {
    before: Option<String>,
    in_trouble: bool,
}

impl Shown {
    /// Shows what is new; `false` when nobody reads any more.
    fn show(&mut self, text: &str, screen: Screen) -> bool {
        self.in_trouble = false;
        if self.before.as_deref() == Some(text) {
            return true;
        }
        let reads = if let Some(height) = screen.height {
            draw(&drawn(&fitted(text, screen), height, self.before.is_none()))
        } else {
            let new = changed(self.before.as_deref().unwrap_or_default(), text);
            new.is_empty() || print_or_stop(&new)
        };
        self.before = Some(text.to_owned());
        reads
    }

    fn trouble(&mut self, error: &anyhow::Error) {
        if !self.in_trouble {
            complain(&format!("trying again: {}", chain(error.as_ref())));
        }
        self.in_trouble = true;
    }
}

fn draw(picture: &str) -> bool {
    let mut out = std::io::stdout();
    out.write_all(picture.as_bytes()).and_then(|()| out.flush()).is_ok()
}

/// The screen drawn anew, each line over the one that was there, so that nothing flickers. What does not fit is counted.
fn drawn(text: &str, height: usize, is_first: bool) -> String {
    let room = height.saturating_sub(1).max(2);
    let lines: Vec<&str> = text.lines().collect();
    let mut picture = String::from(if is_first { "\x1b[2J\x1b[H" } else { "\x1b[H" });
    let fits = if lines.len() > room { room - 1 } else { lines.len() };
    for line in &lines[..fits] {
        picture.push_str(line);
        picture.push_str("\x1b[K\n");
    }
    if fits < lines.len() {
        // Writing to a string cannot fail.
        let _ = writeln!(picture, "... and {} lines more\x1b[K", lines.len() - fits);
    }
    picture + "\x1b[J"
}

/// The lines that were not there before.
fn changed(before: &str, now: &str) -> String {
    let known: HashSet<&str> = before.lines().collect();
    now.lines().filter(|line| !known.contains(line)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_reads_what_has_changed() {
        assert_eq!(changed("", "a\nb"), "a\nb");
        assert_eq!(changed("a\nb\nc", "a\nB\nc\nd"), "B\nd");
        assert_eq!(changed("a\nb", "b"), "");
    }

    #[test]
    fn a_terminal_is_drawn_over() {
        assert_eq!(drawn("a\nb", 10, true), "\x1b[2J\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J");
        assert_eq!(drawn("a\nb", 10, false), "\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J");
    }

    #[test]
    fn what_does_not_fit_the_terminal_is_counted() {
        let picture = drawn("a\nb\nc\nd\ne", 4, false);
        assert_eq!(picture, "\x1b[Ha\x1b[K\nb\x1b[K\n... and 3 lines more\x1b[K\n\x1b[J");
    }
}
