use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use super::Variables;
use super::bindings::{self, Bindings};
use super::earlier::earlier;
use super::hidden::without_user;
use super::table::{self, Unset, Variable};

/// Reads variables of the table and remembers every mistake. A method answers `None` when it has noted one.
pub(crate) struct Reader<'a> {
    variables: &'a dyn Variables,
    bindings: Bindings,
    mistakes: Vec<String>,
    asked: BTreeMap<&'static str, Understood>,
}

/// What a variable was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Understood {
    /// Not the default.
    pub(crate) value: Option<String>,
    pub(crate) source: Source,
}

/// Where a value comes from, in the order of precedence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A variable of the environment, by its whole name.
    Environment(String),
    /// A bound service, in words.
    Service(String),
    /// What an earlier broker calls by other names: which.
    Earlier(String),
    /// Nowhere: the default holds, if there is one.
    Unset,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(variables: &'a dyn Variables) -> Self {
        let (mistakes, asked) = (Vec::new(), BTreeMap::new());
        let mut reader = Self { variables, bindings: Bindings::default(), mistakes, asked };
        reader.bindings = bindings::read(&mut reader);
        reader
    }

    pub(crate) fn into_mistakes(self) -> Vec<String> {
        self.mistakes
    }

    /// What was asked for, and what was found.
    pub(crate) fn asked(&self) -> &BTreeMap<&'static str, Understood> {
        &self.asked
    }

    /// Where a value that was asked for has come from.
    #[cfg(test)]
    pub(crate) fn source(&self, name: &str) -> Option<&Source> {
        self.asked.get(name).map(|found| &found.source)
    }

    /// The value of `CDN_NAME` or `NAME`, or else what a bound service says, or what an earlier broker calls by another name,
    /// without white space around it; an empty one counts as not set.
    pub(crate) fn optional(&mut self, name: &str) -> Option<String> {
        let row = self.row(name)?;
        if let Some(known) = self.asked.get(row.name) {
            return known.value.clone();
        }
        let found = match self.in_environment(row.name) {
            Some(found) => Some(found),
            None => self.in_services(row.name).or_else(|| self.in_earlier_names(row.name)),
        };
        let (value, source) = found.map_or((None, Source::Unset), |(value, source)| (Some(value), source));
        self.asked.insert(row.name, Understood { value: value.clone(), source });
        value
    }

    fn in_environment(&self, name: &str) -> Option<(String, Source)> {
        [format!("CDN_{name}"), name.to_owned()].into_iter().find_map(|name| {
            let value = self.variables.get(&name)?.trim().to_owned();
            (!value.is_empty()).then_some((value, Source::Environment(name)))
        })
    }

    fn in_services(&mut self, name: &str) -> Option<(String, Source)> {
        let mut given = self.bindings.variable(name);
        if name == "DATABASE_URL" && matches!(given, Ok(None)) {
            let service = self.optional("DATABASE_SERVICE");
            given = self.bindings.database(service.as_deref());
        }
        match given {
            Ok(found) => {
                let found = found.filter(|(value, _)| !value.trim().is_empty());
                found.map(|(value, service)| (value.trim().to_owned(), Source::Service(service)))
            }
            Err(reason) => {
                self.mistake(name, reason);
                None
            }
        }
    }

    fn in_earlier_names(&self, name: &str) -> Option<(String, Source)> {
        earlier(self.variables, name).map(|(value, from)| (value, Source::Earlier(from)))
    }

    /// The same, noted as missing when it is.
    pub(crate) fn required(&mut self, name: &str) -> Option<String> {
        let value = self.optional(name);
        // Whoever was told why it cannot be had needs not be told that it is missing.
        let is_told = self.mistakes.iter().any(|mistake| mistake.starts_with(&format!("{name} ")));
        if value.is_none()
            && !is_told
            && let Some(row) = table::find(name)
        {
            self.mistake(name, format!("is not set; it is {}", row.text));
        }
        value
    }

    /// A value made from the variable, or from the table's default, which is empty if there is none.
    pub(crate) fn parsed<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let default = match self.row(name)?.default {
            Unset::Value(value) => value,
            Unset::Required | Unset::Nothing | Unset::Words(_) => "",
        };
        self.parsed_or(name, default, parse)
    }

    /// A value made from the variable, or from `default`, where that depends.
    pub(crate) fn parsed_or<T, E: Display>(
        &mut self,
        name: &str,
        default: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.optional(name).unwrap_or_else(|| default.to_owned());
        match parse(&text) {
            Ok(value) => Some(value),
            Err(reason) => {
                let is_secret = self.row(name)?.secret;
                let shown = if is_secret { "cannot be used".to_owned() } else { format!("is `{text}`") };
                self.mistake(name, format!("{shown}: {reason}"));
                None
            }
        }
    }

    /// A value that may be left out.
    #[expect(
        clippy::option_option,
        reason = "the outer one says whether a mistake was noted, as everywhere here"
    )]
    pub(crate) fn parsed_if_set<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        self.parsed_or(name, "", |text| if text.is_empty() { Ok(None) } else { parse(text).map(Some) })
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        self.parsed(name, |text| match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("it is either true or false"),
        })
    }

    /// A duration that is not zero, such as `500ms`, `45s`, `90m`, `1h` or `6d`.
    pub(crate) fn duration(&mut self, name: &str) -> Option<Duration> {
        self.parsed(name, parse_duration)
    }

    /// The same, or `never`.
    #[expect(
        clippy::option_option,
        reason = "the outer one says whether a mistake was noted, as everywhere here"
    )]
    pub(crate) fn duration_or_never(&mut self, name: &str) -> Option<Option<Duration>> {
        self.parsed(name, |text| match text {
            "never" => Ok(None),
            _ => parse_duration(text).map(Some),
        })
    }

    /// The row of a name. One that has none cannot be read: that is a mistake of this program, and noted as such.
    fn row(&mut self, name: &str) -> Option<&'static Variable> {
        let row = table::find(name);
        if row.is_none() {
            self.mistake(name, "is not in the table of variables (config/table.rs)");
        }
        row
    }

    /// Notes a mistake. `what` must not repeat a secret. The value itself may be in it: it is shown as it may be.
    pub(crate) fn mistake(&mut self, name: &str, what: impl Display) {
        let value = self.asked.get(name).and_then(|found| found.value.as_deref());
        let what = what.to_string();
        let what = value.map_or_else(|| what.clone(), |value| what.replace(value, &without_user(value)));
        self.mistakes.push(format!("{name} {what}"));
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.variables.is_terminal()
    }
}

pub(super) fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    const FORM: &str = "a duration is a whole number with its unit, such as 500ms, 45s, 90m, 1h or 6d";
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or(FORM)?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| FORM)?;
    let unit = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(FORM),
    };
    match number.checked_mul(unit) {
        Some(0) => Err("it must be longer than nothing"),
        Some(milliseconds) => Ok(Duration::from_millis(milliseconds)),
        None => Err("it is too long"),
    }
}
