//! Whether two texts say the same, apart from what is another each time: ids, times, tokens, ports.

/// How many lines before the first difference are shown.
const BEFORE: usize = 2;

/// The first difference, for people; `None` if there is none that counts.
pub(super) fn difference(written: &str, played: &str) -> Option<String> {
    let (written, played) = (lines(written), lines(played));
    let longest = written.len().max(played.len());
    let at = (0..longest).find(|&at| written.get(at) != played.get(at))?;
    let before = written[at.saturating_sub(BEFORE)..at.min(written.len())].iter();
    let shown = |lines: &[String]| lines.get(at).cloned().unwrap_or_else(|| "(the end)".to_owned());
    let differs = [format!("- {}", shown(&written)), format!("+ {}", shown(&played))];
    Some(before.map(|line| format!("  {line}")).chain(differs).collect::<Vec<_>>().join("\n"))
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(normal).collect()
}

/// A line with a word in capitals for each thing that is another each time.
fn normal(line: &str) -> String {
    let mut normal = String::new();
    let mut word = String::new();
    for c in line.chars() {
        if c.is_ascii_alphanumeric() || "-_".contains(c) {
            word.push(c);
        } else {
            normal.push_str(kind(&word, normal.ends_with(':')));
            word.clear();
            normal.push(c);
        }
    }
    normal.push_str(kind(&word, normal.ends_with(':')));
    // A time, whatever separates it from its date.
    normal.replace("DATE DIGITS:DIGITS UTC", "TIME")
}

fn kind(word: &str, after_colon: bool) -> &str {
    let number = if after_colon { word.trim_end_matches('Z') } else { word };
    let digits = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    let hex = |part: &str| part.chars().all(|c| c.is_ascii_hexdigit());
    let parts: Vec<&str> = word.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    match lengths.as_slice() {
        [8, 4, 4, 4, 12] if parts.iter().all(|part| hex(part)) => "GUID",
        [4, 2, 2] if parts.iter().all(|part| part.chars().all(|c| c.is_ascii_digit())) => "DATE",
        [4, 2, ..] if word.contains('T') && parts[0].chars().all(|c| c.is_ascii_digit()) => "DATE-T",
        _ if digits && (word.len() == 2 || after_colon) => "DIGITS",
        _ if word.len() == 43 => "TOKEN",
        [26] => "LABEL",
        [14] if word.starts_with('d') => "HOST",
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_another_each_time_does_not_count() {
        for (one, other) in [
            (
                "Job (2f0fd6a5-6b2c-4b59-8d3e-000000000001) failed",
                "Job (aaaad6a5-6b2c-4b59-8d3e-00000000000f) failed",
            ),
            ("seen on 2026-11-26 15:16 UTC: no", "seen on 2027-01-02 00:59 UTC: no"),
            ("started:   2026-11-26T15:16:01Z", "started:   2027-01-02T01:59:58Z"),
            (
                "_acme-challenge.x.gov. 60 IN TXT \"7BQH4LlwHyqOSdusH3aMxttgV6OkkduoKdF3m3scYv4\"",
                "_acme-challenge.x.gov. 60 IN TXT \"LPsIwTo7o8BoG0-vjCyGQGBWSVIPxI-i_X336eUOQZo\"",
            ),
            (
                "http://broker:40343/ttdw2ztha2kwththkqbyezhgbe/* d073xcr98jljwc.cloudfront.net",
                "http://broker:1/aadw2ztha2kwththkqbyezhgbe/* dzzzzzzzzzzzzz.cloudfront.net",
            ),
        ] {
            assert_eq!(difference(one, other), None, "{}\n{}", normal(one), normal(other));
        }
    }

    #[test]
    fn everything_else_does() {
        for (one, other) in [
            ("create in progress", "create succeeded"),
            ("one\ntwo", "one"),
            ("one", "one\n\ntwo"),
            ("point www.example.gov", "point docs.example.gov"),
            ("for 1 of 2 domains", "for 2 of 2 domains"),
            ("HTTP 200", "HTTP 301"),
        ] {
            assert!(difference(one, other).is_some(), "{one} / {other}");
        }
        let shown = difference("a\nb\nc\nd", "a\nb\nc\ne").unwrap();
        assert_eq!(shown, "  b\n  c\n- d\n+ e");
    }
}
