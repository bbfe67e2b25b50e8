use std::fmt::Write;

/// No description is longer than this, in bytes. R108 recommends 4 KiB; a hundred domains with a record each need more,
/// Cloud Controller may store 64 KB at most, and `cf` prints all of it.
const LIMIT: usize = 32_768;
const CUT: &str = "\nThe rest of this text is left out, because it is too long to show here.";

/// `text` as `cf` can print it raw: printable ASCII and newlines, at most 32 KiB, cut after a whole line; `fallback` if
/// nothing remains.
pub(crate) fn plain(text: &str, fallback: &str) -> String {
    let ascii: String = text.chars().fold(String::with_capacity(text.len()), into_ascii);
    let lines: Vec<&str> = ascii.lines().map(str::trim_end).collect();
    let tidy = lines.join("\n").trim_matches('\n').to_owned();
    match tidy.len() {
        0 => fallback.to_owned(),
        1..=LIMIT => tidy,
        _ => shortened(&tidy),
    }
}

/// Typographic characters become what they stand for; whatever else is not ASCII is escaped rather than dropped, so
/// that a value the user sent can be recognised.
fn into_ascii(mut out: String, c: char) -> String {
    match c {
        '\n' | ' '..='~' => out.push(c),
        '\t' | '\u{a0}' => out.push(' '),
        '\u{2018}' | '\u{2019}' => out.push('\''),
        '\u{201c}' | '\u{201d}' => out.push('"'),
        '\u{2013}' | '\u{2014}' => out.push('-'),
        '\u{2026}' => out.push_str("..."),
        '\0'..='\u{1f}' | '\u{7f}' => {}
        other => {
            // Writing to a String cannot fail.
            let _ = write!(out, "{}", other.escape_unicode());
        }
    }
    out
}

/// The whole lines that fit, or a piece of the first one if not even that fits, and a sentence that says so. The text
/// is ASCII, so that any place is a boundary between characters.
fn shortened(ascii: &str) -> String {
    let room = &ascii[..LIMIT - CUT.len()];
    let end = match ascii.as_bytes()[room.len()] {
        b'\n' => room.len(),
        _ => room.rfind('\n').unwrap_or(room.len()),
    };
    format!("{}{CUT}", room[..end].trim_end())
}
