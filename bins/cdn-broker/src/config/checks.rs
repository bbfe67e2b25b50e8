use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use acme_core::{AcmeSettings, DurableFirst, Limits};
use broker::WhichChecks;
use contract::DomainName;
use url::Url;

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
#[derive(Debug)]
pub(crate) struct ChecksConfig {
    /// `CHECKS`.
    pub(crate) on: WhichChecks,
    /// `CHECKS_EVERY`.
    pub(crate) every: BTreeMap<String, Duration>,
    /// `CHECK_ACME_URL`, with everything else as for the authority itself.
    pub(crate) acme: Option<AcmeSettings>,
    /// `INCIDENT_TENANTS`.
    pub(crate) several: usize,
    /// `CANARY_ORDERS_PER_WEEK`.
    pub(crate) canary_orders: u32,
    /// `CANARY_ORIGIN`.
    pub(crate) canary_origin: Option<DomainName>,
    /// `CANARY_API_URL`.
    pub(crate) canary_api: Option<Url>,
}

impl ChecksConfig {
    /// Where canaries fetch content.
    pub(crate) fn canary_origin(&self, default: &DomainName) -> DomainName {
        self.canary_origin.clone().unwrap_or_else(|| default.clone())
    }

    /// Where the broker's own API is reached; on this machine unless it is said otherwise.
    pub(crate) fn canary_api(&self, address: SocketAddr, is_secure: bool) -> String {
        let here = match address.ip() {
            ip if ip.is_unspecified() && ip.is_ipv4() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            ip if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        let scheme = if is_secure { "https" } else { "http" };
        let here = format!("{scheme}://{}", SocketAddr::new(here, address.port()));
        self.canary_api.as_ref().map_or(here, Url::to_string)
    }
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
    let canary_orders = reader.parsed("CANARY_ORDERS_PER_WEEK", str::parse::<u32>);
    let canary_origin =
        reader.optional("CANARY_ORIGIN").map(|_| reader.parsed("CANARY_ORIGIN", DomainName::parse));
    let canary_api = reader.optional("CANARY_API_URL").map(|_| reader.parsed("CANARY_API_URL", api_url));
    Some(ChecksConfig {
        on: on?,
        every: every?,
        acme: staging?,
        several: several?,
        canary_orders: canary_orders?,
        canary_origin: all_or_none(canary_origin)?,
        canary_api: all_or_none(canary_api)?,
    })
}

/// What was left out is nothing; what was said wrongly is a mistake.
#[expect(
    clippy::option_option,
    reason = "the outer one says whether a mistake was noted, as everywhere here"
)]
fn all_or_none<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    read.map_or(Some(None), |read| read.map(Some))
}

/// The broker asks itself with its own user and password.
fn api_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| API_FORM)?;
    let is_open = url.username().is_empty() && url.password().is_none();
    let is_known = matches!(url.scheme(), "https" | "http") && url.has_host();
    if is_open && is_known { Ok(url) } else { Err(API_FORM) }
}

const API_FORM: &str = "it is a URL without user, such as https://cdn-broker.apps.example.gov";

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

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::super::tests::complete;
    use super::*;

    const STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";

    fn read(more: &[(&'static str, &'static str)]) -> Result<ChecksConfig, Vec<String>> {
        let mut variables = complete();
        variables.extend(more.iter().copied());
        Config::read(&variables).map(|config| config.checks)
    }

    #[test]
    fn all_checks_run_unless_something_else_is_said() {
        let on = |text| read(&[("CHECKS", text)]).map(|checks| checks.on);
        assert_eq!(read(&[]).map(|checks| checks.on), Ok(WhichChecks::All));
        assert_eq!(on("off"), Ok(WhichChecks::None));
        let named = ["expiry", "live-sites"].map(str::to_owned).to_vec();
        assert_eq!(on("expiry, live-sites"), Ok(WhichChecks::Named(named)));
        let every = read(&[("CHECKS_EVERY", "expiry=6h,live-sites=2m")]).map(|checks| checks.every);
        let expected = [("expiry", 360), ("live-sites", 2)];
        let expected = expected.map(|(name, minutes)| (name.to_owned(), Duration::from_mins(minutes)));
        assert_eq!(every, Ok(BTreeMap::from(expected)));
    }

    #[test]
    fn the_staging_directory_has_limits_of_its_own() {
        let acme = read(&[("CHECK_ACME_URL", STAGING)]).map(|checks| checks.acme);
        let acme = acme.unwrap_or_else(|mistakes| panic!("{mistakes:?}")).expect("settings");
        assert_eq!((acme.directory_url.as_str(), acme.limits), (STAGING, Limits::lets_encrypt_staging()));
        assert_eq!(acme.contact_email.as_deref(), Some("ops@example.gov"));
    }

    #[test]
    fn mistakes_are_told_with_what_would_be_right() {
        for (name, value, told) in [
            ("CHECKS", "expiry,exipry", "there is no check `exipry`; there are acme-directory"),
            ("CHECKS_EVERY", "expiry", "the form is NAME=DURATION"),
            ("CHECKS_EVERY", "expiry=soon", "a duration is a whole number"),
            ("INCIDENT_TENANTS", "1", "at least 2"),
            ("CHECK_ACME_URL", "https://acme-v02.api.letsencrypt.org/directory", "name a staging directory"),
            ("CHECK_ACME_URL", "http://ca.example/", "must be an https URL"),
        ] {
            let mistakes = read(&[(name, value)]).err().unwrap_or_default();
            let found = mistakes.iter().any(|one| one.starts_with(name) && one.contains(told));
            assert!(found, "{name}={value}: {mistakes:?}");
        }
    }
}
