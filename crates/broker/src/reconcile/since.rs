//! Since when findings are known. Not everything says how old it is, and a distribution that was just switched off because
//! nobody needs it looks as if it were new.

use std::collections::BTreeMap;

use contract::Timestamp;

use super::{Finding, Report};

/// Findings by their keys, each with the moment since when it is known; also what could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known(BTreeMap<String, Timestamp>);

impl Known {
    /// What an earlier run has written; nothing when it is not understood, so that every day begins anew.
    pub(super) fn read(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    pub(super) fn write(&self) -> String {
        // Texts and numbers can always be written.
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// Since when a finding is known whose thing is at least as old as `changed_at` says.
    pub(super) fn since(
        &self,
        finding: &Finding,
        changed_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Timestamp {
        let known = self.0.get(&finding.key()).copied();
        known.into_iter().chain(changed_at).min().unwrap_or(now).min(now)
    }

    /// What is known after a run. What was known before stays when not everything could be read.
    pub(super) fn after(&self, report: &Report) -> Self {
        let found = report.entries.iter().map(|entry| (entry.finding.key(), entry.since));
        let unread =
            report.unread.iter().map(|unread| (format!("unread {}", unread.list), Timestamp::default()));
        let before = if report.unread.is_empty() { BTreeMap::new() } else { self.0.clone() };
        let mut known: BTreeMap<_, _> =
            before.into_iter().filter(|(key, _)| !key.starts_with("unread ")).collect();
        known.extend(found.chain(unread));
        Self(known)
    }

    /// Whether this finding, or this failure to read, is known.
    pub(super) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }
}

#[cfg(test)]
mod tests {
    use contract::{DistributionId, InstanceId};

    use super::*;
    use crate::reconcile::{Counts, Entry, Thing, Unread};

    fn orphan(id: &str) -> Finding {
        let thing = Thing::Distribution(DistributionId::new(id));
        Finding::Orphan { instance: InstanceId::new("i"), thing }
    }

    fn report(entries: Vec<Entry>, unread: Vec<Unread>) -> Report {
        Report { entries, unknown: Vec::new(), unread, looked_at: Counts::default() }
    }

    #[test]
    fn the_earliest_moment_counts() {
        let [early, late, now] = [1, 5, 9].map(Timestamp::from_secs);
        let nothing = Known::default();
        assert_eq!(nothing.since(&orphan("E1"), None, now), now);
        assert_eq!(nothing.since(&orphan("E1"), Some(late), now), late);
        let entry = Entry { finding: orphan("E1"), since: early, done: None };
        let known = Known::read(&nothing.after(&report(vec![entry], Vec::new())).write());
        assert_eq!(known.since(&orphan("E1"), Some(late), now), early);
        assert_eq!(known.since(&orphan("E2"), None, now), now);
        assert_eq!(Known::read("garbled").since(&orphan("E1"), None, now), now);
    }

    #[test]
    fn what_was_not_read_is_not_forgotten() {
        let entry = Entry { finding: orphan("E1"), since: Timestamp::from_secs(1), done: None };
        let first = Known::default().after(&report(vec![entry], Vec::new()));
        let unread = Unread { list: "distributions", why: "AccessDenied".to_owned() };
        let second = first.after(&report(Vec::new(), vec![unread]));
        assert!(second.has("orphan distribution E1") && second.has("unread distributions"));
        let third = second.after(&report(Vec::new(), Vec::new()));
        assert_eq!(third, Known::default());
    }
}
