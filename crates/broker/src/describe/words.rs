//! How things are said.

use std::time::Duration;

use contract::DomainName;

/// `a`, `a and b`, `a, b and c`; a long list is only counted, since it stands elsewhere.
pub(crate) fn list(names: &[DomainName]) -> String {
    match names {
        [] => String::new(),
        [one] => one.to_string(),
        [_, _, _, _, _, _, ..] => format!("all {} domains", names.len()),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(DomainName::as_str).collect();
            format!("{} and {last}", first.join(", "))
        }
    }
}

/// `a`, `a and b`, `a, b and c`; of a long list only how long it is.
pub(crate) fn some(names: &[DomainName]) -> String {
    if names.len() > 5 { format!("{} domains", names.len()) } else { list(names) }
}

/// `90 seconds`, `1 hour`, `6 days`: in the largest unit in which it is a whole number above one, or else the next.
pub(crate) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 if seconds != 3_600 => (seconds.div_ceil(60), "minute"),
        3_600..172_800 => (seconds.div_ceil(3_600), "hour"),
        _ => (seconds.div_ceil(86_400), "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// `1 operation`, `20 operations`.
pub(crate) fn count(number: i32, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// How many bytes lines take.
pub(crate) fn size(lines: &[String]) -> usize {
    lines.iter().map(|line| line.len() + 1).sum()
}

/// What somebody else has written, such as a name in the DNS: at most 100 characters, all of them printable ASCII.
pub(crate) fn foreign(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' }).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_in_a_unit_that_suits_them() {
        for (seconds, words) in [
            (1, "1 second"),
            (90, "90 seconds"),
            (120, "2 minutes"),
            (3_600, "1 hour"),
            (5_400, "90 minutes"),
            (7_200, "2 hours"),
            (144 * 3_600, "6 days"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), words);
        }
    }
}
