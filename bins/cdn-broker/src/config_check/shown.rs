//! The variables, as they may be shown.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use url::Url;

use crate::config::table::{GROUPS, Unset, Variable};
use crate::config::{Source, Understood, without_user};
use crate::instances::words::columns;

/// One variable.
pub(super) struct Row {
    group: &'static str,
    name: &'static str,
    /// The value that holds, masked; empty for none.
    value: String,
    source: String,
}

impl Row {
    pub(super) fn json(&self) -> Value {
        let value = (!self.value.is_empty()).then_some(&self.value);
        json!({ "group": self.group, "name": self.name, "value": value, "source": self.source })
    }
}

/// Every variable of the table that was asked for.
pub(super) fn rows(understood: &BTreeMap<&'static str, Understood>) -> Vec<Row> {
    let rows = GROUPS.iter().flat_map(|group| {
        group.variables.iter().filter_map(|variable| {
            let found = understood.get(variable.name)?;
            Some(Row {
                group: group.title,
                name: variable.name,
                value: value(variable, found),
                source: source(variable, found),
            })
        })
    });
    rows.collect()
}

fn value(variable: &Variable, found: &Understood) -> String {
    match (&found.value, variable.default) {
        (Some(value), _) if variable.secret => masked(value),
        (Some(value), _) => without_user(value).into_owned(),
        (None, Unset::Value(default)) => default.to_owned(),
        (None, Unset::Words(words)) => format!("({})", words.replace('`', "")),
        (None, Unset::Required | Unset::Nothing) => String::new(),
    }
}

fn source(variable: &Variable, found: &Understood) -> String {
    match (&found.source, variable.default) {
        (Source::Environment(name), _) => format!("variable {name}"),
        (Source::Service(service), _) => service.clone(),
        (Source::Earlier(names), _) => format!("variable {names}"),
        (Source::Unset, Unset::Required | Unset::Nothing) => "not set".to_owned(),
        (Source::Unset, Unset::Value(_) | Unset::Words(_)) => "default".to_owned(),
    }
}

/// Of the URL of a database everything but the password is worth reading; of any other secret nothing.
fn masked(secret: &str) -> String {
    const MASK: &str = "***";
    let Some(mut url) =
        Url::parse(secret).ok().filter(|url| secret.contains("://") && !url.cannot_be_a_base())
    else {
        return MASK.to_owned();
    };
    match url.scheme() {
        "sqlite" => secret.to_owned(),
        "postgres" | "postgresql" => {
            url.set_query(None);
            let hidden = url.password().is_none() || url.set_password(Some(MASK)).is_ok();
            if hidden { url.to_string() } else { MASK.to_owned() }
        }
        _ => MASK.to_owned(),
    }
}

/// A heading and a table for each group.
pub(super) fn text(rows: &[Row]) -> String {
    let lines: Vec<[String; 3]> =
        rows.iter().map(|row| [format!("  {}", row.name), row.value.clone(), row.source.clone()]).collect();
    let lines = columns(&lines);
    let mut text = Vec::new();
    for (number, (row, line)) in rows.iter().zip(lines).enumerate() {
        if number == 0 || rows[number - 1].group != row.group {
            text.push(row.group.to_owned());
        }
        text.push(line);
    }
    text.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_databases_still_told_apart() {
        for (secret, shown) in [
            ("hunter2", "***"),
            ("user:hunter2,other:hunter2", "***"),
            ("k1:AAAA", "***"),
            ("sqlite://broker.db", "sqlite://broker.db"),
            (
                "postgres://u:hunter2@db.example:5432/cdn?password=hunter2",
                "postgres://u:***@db.example:5432/cdn",
            ),
            ("postgresql://db.example/cdn", "postgresql://db.example/cdn"),
            ("postgres://u:hunter2@[broken/cdn", "***"),
            ("https://u:hunter2@x.example/", "***"),
        ] {
            assert_eq!(masked(secret), shown);
        }
    }
}
