use std::fmt::Display;
use std::time::Duration;

use super::Variables;

/// Reads variables and remembers every mistake. A method answers `None` when it has noted one.
pub(crate) struct Reader<'a> {
    variables: &'a dyn Variables,
    mistakes: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(variables: &'a dyn Variables) -> Self {
        Self { variables, mistakes: Vec::new() }
    }

    pub(crate) fn into_mistakes(self) -> Vec<String> {
        self.mistakes
    }

    /// The value of `CDN_NAME` or `NAME`, without white space around it; an empty one counts as not set.
    pub(crate) fn optional(&self, name: &str) -> Option<String> {
        [format!("CDN_{name}"), name.to_owned()]
            .iter()
            .filter_map(|name| self.variables.get(name))
            .map(|value| value.trim().to_owned())
            .find(|value| !value.is_empty())
    }

    /// The same, noted as missing when it is.
    pub(crate) fn required(&mut self, name: &str, meaning: &str) -> Option<String> {
        let value = self.optional(name);
        if value.is_none() {
            self.mistake(name, format!("is not set; it is {meaning}"));
        }
        value
    }

    /// A value made from the variable, or from `default`.
    pub(crate) fn parsed<T, E: Display>(
        &mut self,
        name: &str,
        default: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.optional(name).unwrap_or_else(|| default.to_owned());
        match parse(&text) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.mistake(name, format!("is `{text}`: {reason}"));
                None
            }
        }
    }

    /// A duration that is not zero, such as `500ms`, `45s`, `90m`, `1h` or `6d`.
    pub(crate) fn duration(&mut self, name: &str, default: &str) -> Option<Duration> {
        self.parsed(name, default, parse_duration)
    }

    /// The same, or `never`.
    #[expect(
        clippy::option_option,
        reason = "the outer one says whether a mistake was noted, as everywhere here"
    )]
    pub(crate) fn duration_or_never(&mut self, name: &str, default: &str) -> Option<Option<Duration>> {
        self.parsed(name, default, |text| match text {
            "never" => Ok(None),
            _ => parse_duration(text).map(Some),
        })
    }

    /// Notes a mistake. `what` must not repeat a secret.
    pub(crate) fn mistake(&mut self, name: &str, what: impl Display) {
        self.mistakes.push(format!("{name} {what}"));
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.variables.is_terminal()
    }
}

fn parse_duration(text: &str) -> Result<Duration, &'static str> {
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
