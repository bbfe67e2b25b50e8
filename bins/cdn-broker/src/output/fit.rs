//! Lines that fit a terminal.

/// How many characters the last column needs for its lines to stand below one another; with fewer they begin further left.
const LAST_COLUMN: usize = 24;

/// How many characters of a text are seen: escape sequences of colours are not.
pub(super) fn visible(text: &str) -> usize {
    plain(text).chars().count()
}

/// The text without its escape sequences, which all end with the letter `m`.
fn plain(text: &str) -> String {
    let mut parts = text.split('\x1b');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').map_or("", |(_, rest)| rest))
}

/// Breaks lines that are longer than `width` between words. What goes on stands below the beginning of the last column, where
/// that has room, and a little to the right of the line's beginning otherwise. A word that is longer than a line stays whole.
pub(super) fn fit(text: &str, width: usize) -> String {
    text.split('\n').map(|line| fitted(line, width)).collect::<Vec<_>>().join("\n")
}

fn fitted(line: &str, width: usize) -> String {
    if visible(line) <= width {
        return line.to_owned();
    }
    let indent = " ".repeat(hanging(&plain(line), width));
    let mut lines = Vec::new();
    let mut current = String::new();
    for word in line.split_inclusive(' ') {
        let is_empty = current.trim().is_empty();
        if !is_empty && visible(&current) + visible(word.trim_end()) > width {
            lines.push(std::mem::take(&mut current).trim_end().to_owned());
            current.push_str(&indent);
        } else if is_empty && !lines.is_empty() && word == " " {
            continue;
        }
        current.push_str(word);
    }
    lines.push(current.trim_end().to_owned());
    lines.join("\n")
}

/// Where the lines after the first one begin.
fn hanging(line: &str, width: usize) -> usize {
    let blanks = |text: &str| text.chars().take_while(|c| *c == ' ').count();
    let begin = blanks(line);
    let characters: Vec<char> = line.chars().collect();
    let is_column = |at: &usize| characters[at - 2..*at] == [' ', ' '] && characters[*at] != ' ';
    let columns = (begin + 2..characters.len()).filter(is_column);
    let last = columns.take_while(|at| at + LAST_COLUMN <= width).last();
    last.unwrap_or(begin + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays() {
        for line in ["", "short", "  a  b  c", "exactly ten"] {
            assert_eq!(fit(line, 11), line);
        }
    }

    #[test]
    fn a_long_line_is_broken_between_words() {
        assert_eq!(fit("  one two three four", 12), "  one two\n    three\n    four");
        let long = "averyveryverylongword";
        assert_eq!(fit(long, 10), long);
        assert_eq!(fit(&format!("a {long} b"), 10), format!("a\n  {long}\n  b"));
    }

    #[test]
    fn the_last_column_stays_a_column() {
        let line = "2026-11-26  failed  the distribution could not be made: the quota is used up";
        let shown = "2026-11-26  failed  the distribution could not\n                    be made: the quota is used\n\
                     \x20                   up";
        assert_eq!(fit(line, 48), shown);
    }

    #[test]
    fn colours_take_no_room() {
        assert_eq!(visible("\x1b[32mready\x1b[0m"), 5);
        let line = "\x1b[31mfailed\x1b[0m now";
        assert_eq!(fit(line, 10), line);
        assert_eq!(fit(line, 9), "\x1b[31mfailed\x1b[0m\n  now");
    }
}
