//! How the commands write what they show; the words themselves are those of the broker.

pub(crate) use broker::words::{certificate, kind, method, outcome, parse_state, proof, rfc3339, state};
use contract::{DomainName, Timestamp};

pub(crate) use crate::output::columns;

/// The time of day, to the second.
pub(super) fn clock_time(at: Timestamp) -> String {
    let text = rfc3339(at);
    text.split_once('T').map_or(text.as_str(), |(_, time)| time.trim_end_matches('Z')).to_owned()
}

pub(crate) fn comma_separated(names: &[DomainName]) -> String {
    names.iter().map(DomainName::as_str).collect::<Vec<_>>().join(", ")
}

/// How long ago something was, in the largest unit: `12s`, `7m`, `5h`, `41d`.
pub(crate) fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.since(at).as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A text in lines of at most 80 columns, indented. A word that is longer stands alone.
pub(crate) fn wrapped(text: &str, indent: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut().filter(|line| line.chars().count() + 1 + word.chars().count() <= WIDTH) {
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(format!("{:indent$}{word}", "")),
        }
    }
    lines
}

/// How wide a terminal is at least.
const WIDTH: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_for_people() {
        assert_eq!(clock_time(Timestamp::from_millis(1_795_456_867_999)), "18:01:07");
    }

    #[test]
    fn long_texts_are_wrapped() {
        let text = "a word ".repeat(40);
        let lines = wrapped(&text, 4);
        assert!(
            lines.len() > 3 && lines.iter().all(|line| line.len() <= 80 && line.starts_with("    a")),
            "{lines:#?}"
        );
        assert_eq!(wrapped(&"x".repeat(100), 2), [format!("  {}", "x".repeat(100))]);
        assert_eq!(wrapped("", 2), Vec::<String>::new());
    }

    #[test]
    fn ages_are_short() {
        let now = Timestamp::from_secs(1_795_456_867);
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (3_599, "59m"),
            (3_600, "1h"),
            (172_799, "47h"),
            (172_800, "2d"),
        ] {
            let at = now - std::time::Duration::from_secs(seconds);
            assert_eq!(age(at, now), text);
        }
        assert_eq!(age(now + std::time::Duration::from_secs(9), now), "0s", "clocks differ");
    }
}
