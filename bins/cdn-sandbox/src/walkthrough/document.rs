//! A document in Markdown whose `console` blocks hold commands and what they say.

use std::fmt;

use anyhow::ensure;

/// How a block begins that is played.
const FENCE: &str = "```console";

/// How every block ends.
const END: &str = "```";

/// The document, cut at its commands.
#[derive(Debug)]
pub(super) struct Document(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    /// Lines that stay as they are.
    Prose(String),
    /// One block.
    Console(Vec<Entry>),
}

/// One line that is played: a command after `$ `, or what somebody does after `# `.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The line with its mark.
    pub(super) line: String,
    /// What is said to it, without a line end at the end.
    pub(super) said: String,
}

impl Document {
    /// Cuts a text. What its commands say is dropped: it is what will be found out.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let mut pieces = Vec::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            pieces.push(Piece::Prose(line.to_owned()));
            if line == FENCE {
                let block: Vec<&str> = lines.by_ref().take_while(|line| *line != END).collect();
                let begins_well = block.first().is_some_and(|line| is_played(line));
                ensure!(begins_well, "a block begins with `{:?}`, not with a command", block.first());
                pieces.push(Piece::Console(
                    block.into_iter().filter(|line| is_played(line)).map(entry).collect(),
                ));
                pieces.push(Piece::Prose(END.to_owned()));
            }
        }
        Ok(Self(pieces))
    }

    /// All that is played, in its order.
    pub(super) fn entries(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.0.iter_mut().flat_map(|piece| match piece {
            Piece::Prose(_) => <&mut [Entry]>::default().iter_mut(),
            Piece::Console(entries) => entries.iter_mut(),
        })
    }
}

fn is_played(line: &str) -> bool {
    line.starts_with("$ ") || line.starts_with("# ")
}

fn entry(line: &str) -> Entry {
    Entry { line: line.to_owned(), said: String::new() }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Prose(line) => writeln!(f, "{line}"),
            Piece::Console(entries) => {
                let shown = entries.iter().map(Entry::shown).collect::<Vec<_>>();
                writeln!(f, "{}", shown.join("\n\n"))
            }
        })
    }
}

impl Entry {
    /// As it stands in the document. Blanks at the end of a line, which `cf` prints behind empty values, are left out.
    fn shown(&self) -> String {
        let lines = self.said.lines().map(str::trim_end);
        let all = std::iter::once(self.line.as_str()).chain(lines).collect::<Vec<_>>();
        all.join("\n").trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "# Title\n\n```console\n$ cf one\nold\n\n# Somebody acts.\nold\n```\nProse\n```text\n$ cf not\n```\n";

    #[test]
    fn what_commands_say_is_put_in_the_place_of_what_stood_there() {
        let mut document = Document::parse(TEXT).unwrap();
        let lines: Vec<_> = document.entries().map(|entry| entry.line.clone()).collect();
        assert_eq!(lines, ["$ cf one", "# Somebody acts."]);
        for entry in document.entries() {
            entry.said = "new  \n\nlast\n".to_owned();
        }
        let new = "new\n\nlast";
        assert_eq!(document.to_string(), TEXT.replace("old\n\n", &format!("{new}\n\n")).replace("old", new));
    }

    #[test]
    fn a_block_begins_with_a_command() {
        assert!(Document::parse("```console\nhello\n```\n").is_err());
    }
}
