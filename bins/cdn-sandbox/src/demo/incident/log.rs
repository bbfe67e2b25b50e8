//! What the broker tells its operator: here by the log, which is one of the ways.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;

/// The broker's log, one JSON object a line.
pub(super) struct Log(PathBuf);

impl Log {
    pub(super) fn of(state: &Path) -> Self {
        Self(state.join("broker.log"))
    }

    /// How much of it there is now.
    pub(super) fn mark(&self) -> anyhow::Result<usize> {
        Ok(self.read()?.len())
    }

    /// The first message about a subject since then that begins so; what follows that beginning.
    pub(super) fn message_since(
        &self,
        mark: usize,
        subject: &str,
        beginning: &str,
    ) -> anyhow::Result<Option<String>> {
        let text = self.read()?;
        let lines = text.get(mark..).unwrap_or_default().lines();
        Ok(lines
            .filter_map(|line| serde_json::from_str(line).ok())
            .find_map(|line| about(&line, subject, beginning)))
    }

    /// Whether a check has succeeded, ever.
    pub(super) fn has_succeeded(&self, check: &str) -> bool {
        let text = self.read().unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines
            .into_iter()
            .any(|line| line["check.name"] == check && line["message"] == "a check has succeeded")
    }

    fn read(&self) -> anyhow::Result<String> {
        std::fs::read_to_string(&self.0).with_context(|| format!("cannot read {}", self.0.display()))
    }
}

fn about(line: &Value, subject: &str, beginning: &str) -> Option<String> {
    let message = line["message"].as_str().filter(|_| line["alert.subject"] == subject)?;
    message.strip_prefix(beginning).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_is_found_by_its_subject_and_its_beginning() {
        let line = json!({"message": "ALERT: it is so", "alert.subject": "check s3-contract"});
        assert_eq!(about(&line, "check s3-contract", "ALERT: ").as_deref(), Some("it is so"));
        assert_eq!(about(&line, "check s3-contract", "RESOLVED: "), None);
        assert_eq!(about(&line, "check iam-contract", "ALERT: "), None);
    }
}
