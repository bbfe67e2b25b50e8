use std::io::IsTerminal;
use std::os::fd::AsFd;

/// What a terminal is taken for that does not know its size.
const USUAL: (usize, usize) = (80, 24);

/// What a stream of output leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Screen {
    /// How many characters fit a line; `None` when it is no terminal.
    pub(crate) width: Option<usize>,
    /// How many lines it has; `None` when it is no terminal.
    pub(crate) height: Option<usize>,
    /// Whether words may have colours.
    pub(crate) colours: bool,
}

impl Screen {
    /// A pipe or a file.
    pub(crate) const PLAIN: Self = Self { width: None, height: None, colours: false };

    /// Where standard output goes.
    pub(crate) fn out() -> Self {
        Self::of(&std::io::stdout())
    }

    /// Where standard error goes.
    pub(crate) fn err() -> Self {
        Self::of(&std::io::stderr())
    }

    fn of(stream: &(impl IsTerminal + AsFd)) -> Self {
        if !stream.is_terminal() {
            return Self::PLAIN;
        }
        let size = rustix::termios::tcgetwinsize(stream).ok();
        let size = size.map(|size| (usize::from(size.ws_col), usize::from(size.ws_row)));
        let (width, height) = size.filter(|(width, height)| *width > 0 && *height > 0).unwrap_or(USUAL);
        Self { width: Some(width), height: Some(height), colours: wants_colours() }
    }
}

/// <https://no-color.org>: whatever its value is, unless it is empty. A terminal that is called dumb knows no colours either.
#[expect(clippy::disallowed_methods, reason = "it says nothing about the broker, but about the terminal")]
fn wants_colours() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
