use std::collections::BTreeMap;
use std::time::Duration;

use acme_core::{AcmeSettings, DurableFirst, Limits};
use broker::WhichChecks;

use super::Reader;
use super::reader::parse_duration;

/// All checks that there are.
const NAMES: [&str; 9] = [
    "acme-directory",
    "acme-issue",
    "cloudfront-contract",
    "end-to-end",
    "expiry",
    "iam-contract",
    "live-sites",
    "s3-contract",
    "several-tenants",
];

/// What is tried out from time to time.
pub(crate) struct ChecksConfig {
    /// `CHECKS`.
    pub(crate) on: WhichChecks,
    /// `CHECKS_EVERY`.
    pub(crate) every: BTreeMap<String, Duration>,
    /// `CHECK_ACME_URL`, with everything else as for the authority itself.
    pub(crate) acme: Option<AcmeSettings>,
    /// `INCIDENT_TENANTS`.
    pub(crate) several: usize,
}

pub(super) fn checks(reader: &mut Reader<'_>, acme: Option<&AcmeSettings>) -> Option<ChecksConfig> {
    let on = reader.parsed("CHECKS", |text| match text {
        "on" => Ok(WhichChecks::All),
        "off" => Ok(WhichChecks::None),
        names => names.split(',').map(name).collect::<Result<_, _>>().map(WhichChecks::Named),
    });
    let every = every(reader);
    let several = reader.parsed("INCIDENT_TENANTS", |text| {
        text.parse().ok().filter(|several| *several >= 2).ok_or("it is a number, at least 2")
    });
    let staging = staging(reader, acme);
    Some(ChecksConfig { on: on?, every: every?, acme: staging?, several: several? })
}

fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    let known = NAMES.contains(&text).then(|| text.to_owned());
    known.ok_or_else(|| format!("there is no check `{text}`; there are {}", NAMES.join(", ")))
}

fn every(reader: &mut Reader<'_>) -> Option<BTreeMap<String, Duration>> {
    let text = reader.optional("CHECKS_EVERY").unwrap_or_default();
    let mut every = BTreeMap::new();
    for one in text.split(',').filter(|one| !one.trim().is_empty()) {
        let pair = one.split_once('=').ok_or_else(|| "the form is NAME=DURATION, with commas".to_owned());
        let pair = pair.and_then(|(check, duration)| {
            Ok((name(check)?, parse_duration(duration.trim()).map_err(str::to_owned)?))
        });
        match pair {
            Ok((check, duration)) => drop(every.insert(check, duration)),
            Err(reason) => {
                reader.mistake("CHECKS_EVERY", format!("has `{one}`: {reason}"));
                return None;
            }
        }
    }
    Some(every)
}

/// The settings of the authority, at its staging directory.
#[expect(
    clippy::option_option,
    reason = "the outer one says whether a mistake was noted, as everywhere here"
)]
fn staging(reader: &mut Reader<'_>, acme: Option<&AcmeSettings>) -> Option<Option<AcmeSettings>> {
    let (Some(url), Some(acme)) = (reader.optional("CHECK_ACME_URL"), acme) else { return Some(None) };
    if url == acme.directory_url {
        reader.mistake(
            "CHECK_ACME_URL",
            "is the directory of ACME_URL; name a staging directory, whose limits are wide",
        );
        return None;
    }
    let settings = AcmeSettings {
        limits: Limits::of_directory(&url),
        durable_first: DurableFirst::Never,
        directory_url: url,
        ..acme.clone()
    };
    if let Err(reason) = settings.check() {
        reader.mistake("CHECK_ACME_URL", format!("cannot be used: {reason}"));
        return None;
    }
    Some(Some(settings))
}
