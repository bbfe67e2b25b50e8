//! What is asked for on the command line.

use std::time::Duration;

/// The seed of the ordinary run. A number like any other.
const SEED: u64 = 5;

/// What a round is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Many instances and several brokers.
    Crowd,
    /// Two instances and one broker, step by step.
    Lives,
}

impl Part {
    pub(crate) const ALL: [Self; 2] = [Self::Crowd, Self::Lives];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crowd => "crowd",
            Self::Lives => "lives",
        }
    }
}

/// How long, which, and how large.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) time: Duration,
    pub(crate) seed: u64,
    part: Option<Part>,
    is_full: bool,
}

impl Options {
    /// Reads `--minutes N`, `--seed N`, `--part crowd|lives` and `--full`. `None` when the test runner names tests that are
    /// to run: this is none of them. Other options are the test runner's.
    ///
    /// Errors: a sentence, when a value makes no sense.
    pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self { time: Duration::ZERO, seed: SEED, part: None, is_full: false };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--minutes" => options.time = Duration::from_mins(number(&argument, arguments.next())?),
                "--seed" => options.seed = number(&argument, arguments.next())?,
                "--part" => options.part = part(&arguments.next().unwrap_or_default())?,
                "--full" => options.is_full = true,
                "--list" => return Ok(None),
                other if !other.starts_with('-') => return Ok(None),
                _ => {}
            }
        }
        Ok(Some(options))
    }

    pub(crate) fn wants(&self, part: Part) -> bool {
        self.part.is_none_or(|wanted| wanted == part)
    }

    /// How many instances a crowd is, or how many lives are led.
    pub(crate) fn size(&self, part: Part) -> usize {
        match (part, self.is_full) {
            (Part::Crowd, false) => 20,
            (Part::Crowd, true) => 200,
            (Part::Lives, false) => 2,
            (Part::Lives, true) => 15,
        }
    }

    /// The command that plays one round again.
    pub(crate) fn how_to_replay(&self, part: Part, seed: u64) -> String {
        let full = u8::from(self.is_full);
        format!("again: make chaos MINUTES=0 SEED={seed} PART={} FULL={full}", part.name())
    }
}

fn number(name: &str, value: Option<String>) -> Result<u64, String> {
    let value = value.unwrap_or_default();
    value.parse().map_err(|_| format!("{name} wants a number, not `{value}`"))
}

fn part(name: &str) -> Result<Option<Part>, String> {
    if name.is_empty() {
        return Ok(None);
    }
    let found = Part::ALL.into_iter().find(|part| part.name() == name);
    found.map(Some).ok_or_else(|| format!("--part wants `crowd` or `lives`, not `{name}`"))
}
