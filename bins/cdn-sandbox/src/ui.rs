//! Everything that this program says to people: lines, progress, the table at the end.

use std::fmt::Write as _;
use std::future::Future;
use std::io::{self, IsTerminal, Write as _};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a line of progress is drawn anew on a terminal.
const FRAME: Duration = Duration::from_millis(100);

/// How often somebody who reads a log is told that the wait goes on.
const REMINDER: Duration = Duration::from_secs(5);

/// The frames of the wheel.
const WHEEL: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// A line that is drawn anew has to fit into the narrowest terminal, or its beginning stays behind.
const WIDTH: usize = 79;

/// Says one line on standard output.
pub(crate) fn line(text: &str) {
    say(&format!("{text}\n"));
}

/// Says a whole text on standard output, as it is.
pub(crate) fn text(text: &str) {
    say(text);
}

/// Says what went wrong on standard error.
pub(crate) fn complain(error: &anyhow::Error) {
    // There is nobody left to tell that the terminal is gone.
    let _ = writeln!(io::stderr().lock(), "cdn-sandbox: {error:#}");
}

/// What a step has to say while it runs; the last word counts.
#[derive(Clone, Default)]
pub(crate) struct Note(Arc<Mutex<String>>);

impl Note {
    pub(crate) fn say(&self, text: &str) {
        text.clone_into(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn read(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A list of steps, shown as they go.
pub(crate) struct Progress {
    terminal: bool,
    done: Vec<(String, Duration)>,
}

impl Progress {
    /// Draws on a terminal and writes plain lines elsewhere.
    pub(crate) fn new() -> Self {
        Self { terminal: io::stdout().is_terminal(), done: Vec::new() }
    }

    /// Does one step and shows that it goes on, what it says in `note`, and how long it took.
    pub(crate) async fn step<T>(
        &mut self,
        title: &str,
        note: &Note,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let begun = Stopwatch::start();
        let mut work = pin!(work);
        let mut display = Display::new(self.terminal, title);
        let mut frames = tokio::time::interval(FRAME);
        let outcome = loop {
            tokio::select! {
                outcome = &mut work => break outcome,
                _ = frames.tick() => display.draw(&note.read(), begun.elapsed()),
            }
        };
        display.finish(outcome.is_ok(), begun.elapsed());
        if outcome.is_ok() {
            self.done.push((title.to_owned(), begun.elapsed()));
        }
        outcome
    }

    /// The steps with their times, and the sum.
    pub(crate) fn table(&self) -> String {
        let width = self.done.iter().map(|(title, _)| title.chars().count()).max().unwrap_or_default();
        let total: Duration = self.done.iter().map(|(_, took)| took).sum();
        let mut table = String::new();
        for (title, took) in
            self.done.iter().map(|(title, took)| (title.as_str(), took)).chain([("total", &total)])
        {
            // Writing to a string cannot fail.
            let _ = writeln!(table, "  {title:width$}  {:>7}", seconds(*took));
        }
        table
    }
}

/// The line of one step on a terminal; elsewhere lines, and those only when there is something to say.
struct Display<'a> {
    terminal: bool,
    title: &'a str,
    frame: usize,
    introduced: bool,
    last_note: String,
    last_line: Duration,
}

impl<'a> Display<'a> {
    fn new(terminal: bool, title: &'a str) -> Self {
        let last_note = String::new();
        Self { terminal, title, frame: 0, introduced: false, last_note, last_line: Duration::ZERO }
    }

    fn draw(&mut self, note: &str, elapsed: Duration) {
        if self.terminal {
            let wheel = WHEEL.get(self.frame % WHEEL.len()).unwrap_or(&' ');
            self.frame += 1;
            let drawn = format!("{wheel} {} ({}) {note}", self.title, seconds(elapsed));
            say(&format!("\r\x1b[2K{}", drawn.chars().take(WIDTH).collect::<String>()));
        } else if note != self.last_note || elapsed >= self.last_line + REMINDER {
            self.introduce();
            line(&format!("    {:>7}  {note}", seconds(elapsed)));
            note.clone_into(&mut self.last_note);
            self.last_line = elapsed;
        }
    }

    fn introduce(&mut self) {
        if !self.introduced {
            line(&format!("… {}", self.title));
            self.introduced = true;
        }
    }

    fn finish(&self, well: bool, elapsed: Duration) {
        let (mark, before) = (if well { '✓' } else { '✗' }, if self.terminal { "\r\x1b[2K" } else { "" });
        line(&format!("{before}{mark} {} ({})", self.title, seconds(elapsed)));
    }
}

/// Real time, for people who wait.
pub(crate) struct Stopwatch(Instant);

#[expect(clippy::disallowed_methods, reason = "a person sees how long a step took; nothing depends on it")]
impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        Instant::now().duration_since(self.0)
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// A reader that has gone away is no mistake of this program.
fn say(text: &str) {
    let mut output = io::stdout().lock();
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}
