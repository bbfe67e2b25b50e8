//! TXT values as Route 53 writes them: one or more character strings of at most 255 bytes, each between quotation marks,
//! with `\` before a quotation mark or a backslash, and other bytes as `\` and three octal digits.

use std::fmt::Write as _;

/// The most bytes that one character string can have (RFC 1035, section 3.3).
const LONGEST: usize = 255;

/// A text in the form that Route 53 takes.
pub(super) fn quoted(text: &str) -> String {
    let strings = text.as_bytes().chunks(LONGEST).map(string);
    let all: Vec<String> = strings.collect();
    if all.is_empty() { "\"\"".to_owned() } else { all.join(" ") }
}

fn string(bytes: &[u8]) -> String {
    let escaped = bytes.iter().fold(String::new(), |mut escaped, &byte| {
        match byte {
            b'"' | b'\\' => escaped.extend(['\\', char::from(byte)]),
            b' '..=b'~' => escaped.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => drop(write!(escaped, "\\{byte:03o}")),
        }
        escaped
    });
    format!("\"{escaped}\"")
}

/// The text of a value that Route 53 has written: its strings one after the other, without anything between them. A value
/// without quotation marks, which other tools leave behind, is its own text.
pub(super) fn unquoted(value: &str) -> String {
    let mut bytes = value.bytes().peekable();
    let is_quoted = bytes.peek() == Some(&b'"');
    let (mut text, mut inside) = (Vec::new(), !is_quoted);
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if is_quoted => inside = !inside,
            b'\\' => text.extend(escaped(&mut bytes)),
            _ if inside => text.push(byte),
            _ => {}
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// What stands behind a backslash: three octal digits, or any other byte for itself.
fn escaped(bytes: &mut std::iter::Peekable<std::str::Bytes<'_>>) -> Option<u8> {
    let first = bytes.next()?;
    if !matches!(first, b'0'..=b'3') {
        return Some(first);
    }
    let mut code = first - b'0';
    for _ in 0..2 {
        let digit = bytes.next_if(|byte| matches!(byte, b'0'..=b'7'))?;
        code = code * 8 + (digit - b'0');
    }
    Some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_written_like_this() {
        let long = "x".repeat(300);
        let split = format!("\"{}\" \"{}\"", &long[..255], &long[255..]);
        for (text, value) in [
            (
                "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0",
                "\"LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0\"",
            ),
            ("", "\"\""),
            ("a b", "\"a b\""),
            (r#"say "a\b""#, r#""say \"a\\b\"""#),
            ("\u{e4}", r#""\303\244""#),
            (&long, &split),
        ] {
            assert_eq!(quoted(text), value);
            assert_eq!(unquoted(value), text);
        }
    }

    #[test]
    fn what_others_have_written_is_read_too() {
        assert_eq!(unquoted("bare"), "bare");
        assert_eq!(unquoted("\"one\"   \"two\""), "onetwo");
        assert_eq!(unquoted("\"\\052\""), "*");
        assert_eq!(unquoted("\"open"), "open");
    }
}
