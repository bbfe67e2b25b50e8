//! Whether two texts say the same, apart from what is another each time: ids, times, how long something took, ports, keys.

/// Units that follow a number of which it is chance.
const UNITS: [&str; 9] = ["ms", "s", "min", "h", "d", "days", "minutes", "seconds", "hours"];

/// The first difference, for people; `None` if there is none that counts.
pub(super) fn difference(written: &str, played: &str) -> Option<String> {
    let (written, played): (Vec<&str>, Vec<&str>) = (written.lines().collect(), played.lines().collect());
    let longest = written.len().max(played.len());
    let line = |lines: &[&str], at: usize| lines.get(at).map_or("(the end)", |line| *line).to_owned();
    let differs = |at: &usize| normal(&line(&written, *at)) != normal(&line(&played, *at));
    let at = (0..longest).find(differs)?;
    Some(format!("- {}\n+ {}\n  ({})", line(&written, at), line(&played, at), normal(&line(&played, at))))
}

/// A line with a word in capitals for each thing that is another each time, and single spaces: columns are as wide as those.
fn normal(line: &str) -> String {
    let words: Vec<String> = line.split_whitespace().map(word).collect();
    let is_measured = |at: usize| {
        let unit = words.get(at + 1).map(|next| next.trim_end_matches(['.', ',', ':', ';', ')']));
        let is_number = words[at] == "NN" || words[at].chars().all(|c| c.is_ascii_digit());
        is_number && unit.is_some_and(|unit| UNITS.contains(&unit))
    };
    let said = (0..words.len()).map(|at| if is_measured(at) { "N".to_owned() } else { words[at].clone() });
    let line = said.collect::<Vec<_>>().join(" ");
    // How often something was tried meanwhile is chance too.
    (1..10).fold(line, |line, times| line.replace(&format!("raised: {times}"), "raised: N"))
}

/// A word whose parts, between signs, are what is another each time.
fn word(word: &str) -> String {
    let mut normal = String::new();
    let mut part = String::new();
    for c in word.chars() {
        if c.is_ascii_alphanumeric() || "-_".contains(c) {
            part.push(c);
        } else {
            normal.push_str(&kind(&part, normal.ends_with(':')));
            part.clear();
            normal.push(c);
        }
    }
    normal.push_str(&kind(&part, normal.ends_with(':')));
    normal
}

fn kind(part: &str, after_colon: bool) -> String {
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let hex = |text: &str| text.chars().all(|c| c.is_ascii_hexdigit());
    let parts: Vec<&str> = part.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let duration = ["ms", "s", "m", "h"].iter().any(|unit| part.strip_suffix(unit).is_some_and(digits));
    let said = match lengths.as_slice() {
        // Ids of instances are part of the runbook.
        [8, 4, 4, 4, 12] if parts.iter().all(|part| hex(part)) && parts[2] != "4000" => "GUID",
        [4, 2, 2] if parts.iter().all(|part| digits(part)) => "DATE",
        [4, 2, 5] if part.contains('T') && digits(parts[0]) => "MOMENT",
        _ if digits(part) && part.len() == 2 => "NN",
        _ if digits(part.trim_end_matches('Z')) && after_colon => "NN",
        _ if duration => "DURATION",
        [32] if hex(part) => "OPERATION",
        _ if part.len() == 43 => "TOKEN",
        [26] => "LABEL",
        [14] if part.starts_with('E') => "DISTRIBUTION",
        [14] if part.starts_with('d') => "HOST",
        [21] if part.starts_with("ASCA") => "CERTIFICATE",
        [length] if *length >= 12 && hex(part) => "SERIAL",
        _ => part,
    };
    said.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_another_each_time_does_not_count() {
        for (one, other) in [
            ("cdn-broker: 12:44:48 find-distribution done", "cdn-broker: 09:01:02 find-distribution done"),
            ("recreate 346f003a1ca2c0d806f7e1b5d86e8cd5 is", "recreate 046f003a1ca2c0d806f7e1b5d86e8cdf is"),
            (
                "ready: ER5XRM5PUMCSTB (d7uo0ty7ho6ka9.cloudfront.net)",
                "ready: E00XRM5PUMCSTB (d0uo0ty7ho6ka9.cloudfront.net)",
            ),
            ("2026-11-26T12:44:33Z  done", "2027-01-02T00:04:05Z   done"),
            ("since 2026-11-26 12:44 UTC.", "since 2027-01-02 09:12 UTC."),
            ("acme-directory: ok after 250ms", "acme-directory: ok after 12s"),
            ("http://cdn-broker.example.net:45641/x", "http://cdn-broker.example.net:1234/x"),
            (
                "60 IN TXT iHCvd5QWYjiLHuy9LsLJc45JhMBHua5zeVjnQgEChr8",
                "60 IN TXT ED2mjb4e3ahX0YUY71Ijc1DbbgF4pv-grGuTHhXfiIY",
            ),
        ] {
            assert_eq!(difference(one, other), None, "{}\n{}", normal(one), normal(other));
        }
    }

    #[test]
    fn everything_else_does() {
        for (one, other) in [
            ("find-distribution done", "find-distribution failed"),
            ("4 found. Looked at: instances 2", "3 found. Looked at: instances 2"),
            ("one\ntwo", "one"),
            ("exit code 2", "exit code 0"),
            ("3f1c9a52-0000-4000-8000-000000000011", "3f1c9a52-0000-4000-8000-000000000012"),
        ] {
            assert!(difference(one, other).is_some(), "{one} / {other}");
        }
    }
}
