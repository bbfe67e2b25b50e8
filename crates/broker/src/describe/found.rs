//! What the visits to a site have found (docs/CHECKS.md, `live-sites`), for its user.

use contract::{DomainName, SiteFinding};

use super::Sights;

/// What of it is for the user: what is sure, is about names that are served, and is not seen better by a look that was made
/// just now.
pub(crate) fn for_user(
    findings: Vec<SiteFinding>,
    served: &[DomainName],
    sights: &Sights<'_>,
) -> Vec<SiteFinding> {
    let is_news = |one: &SiteFinding| {
        let sight = sights.seen.iter().find(|sight| sight.name == one.name);
        let outlook = sight.and_then(|sight| sight.outlook.as_ref());
        match one.kind.as_str() {
            "dns" => sight.is_none_or(|sight| sight.lead.is_none()),
            "caa" => outlook.is_none(),
            "delegation" => outlook.is_none_or(|outlook| outlook.by_itself.is_none()),
            _ => true,
        }
    };
    findings.into_iter().filter(|one| one.told && served.contains(&one.name) && is_news(one)).collect()
}

/// What was found, and what to do about it.
pub(crate) fn finding(one: &SiteFinding) -> String {
    match one.kind.as_str() {
        // The distribution and what stands before it are not the user's.
        "certificate" | "challenge-path" => {
            format!("{} The operators of this service have been told.", one.sentence)
        }
        _ => one.sentence.clone(),
    }
}

/// All of it, as far as there is room, each with when it was seen; how much more there is.
pub(super) fn lines(findings: &[SiteFinding], room: usize) -> Vec<String> {
    let mut left = room;
    let mut lines = Vec::new();
    for one in findings {
        let line = format!("Found on {}: {}", one.last, finding(one));
        match left.checked_sub(line.len() + 1) {
            Some(rest) => left = rest,
            None => break,
        }
        lines.push(line);
    }
    match findings.len() - lines.len() {
        0 => {}
        more => {
            // The last one makes room for the sentence, which is shorter.
            let more = if lines.pop().is_some() { more + 1 } else { more };
            lines.push(format!(
                "{more} more findings of this kind; the operators of this service can name them."
            ));
        }
    }
    lines
}
