use acme_core::{AcmeSettings, DurableFirst, ProbeSettings, ProofSettings};
use cloudfront_core::ZoneSettings;
use contract::DomainName;
use url::Url;

use super::Reader;

const URL_FORM: &str =
    "it is a URL without user, query and fragment, such as https://broker.example/.well-known/acme-challenge";
const HOST_FORM: &str = "it is a host name alone, such as challenges.example.gov";
const ZONE_FORM: &str = "it is `ZONE-NAME:ROUTE-53-ID`, such as cdn.example.gov:Z0123456789ABCDEFGHIJ";

/// `CHALLENGE_URL`, `CHALLENGE_HOST` and `MANAGED_ZONE`. The zone comes twice: what users see of it, and how it is
/// reached.
pub(super) fn proofs(
    reader: &mut Reader<'_>,
    probe: Option<&ProbeSettings>,
) -> Option<(ProofSettings, Option<ZoneSettings>)> {
    let url = reader.parsed_if_set("CHALLENGE_URL", |text| challenge_url(text, probe));
    let host = reader.parsed_if_set("CHALLENGE_HOST", |text| host_name(text).ok_or(HOST_FORM));
    let zone = reader.parsed_if_set("MANAGED_ZONE", |text| zone(text).ok_or(ZONE_FORM));
    let (challenge_url, challenge_host, zone) = (url?, host?, zone?);
    let (managed_zone, zone) = zone.unzip();
    let settings = ProofSettings { challenge_url, challenge_host, managed_zone };
    match settings.check() {
        Ok(()) => Some((settings, zone)),
        Err(reason) => {
            let lacking = "and CHALLENGE_URL and MANAGED_ZONE have to be set beside it";
            reader.mistake("CHALLENGE_HOST", format!("cannot be used: {reason}, {lacking}"));
            None
        }
    }
}

/// Notes what is missing where orders wait for durable proofs: without any, no first certificate would ever be ordered.
pub(super) fn check_durable(reader: &mut Reader<'_>, acme: &AcmeSettings, proofs: &ProofSettings) {
    if acme.is_durable_first() && proofs.challenge_url.is_none() && proofs.managed_zone.is_none() {
        let profile = acme.profile.as_deref().unwrap_or_default();
        let why = if acme.durable_first == DurableFirst::Always {
            "ACME_DURABLE_FIRST says that users prove their domains by records that stay".to_owned()
        } else {
            format!("users cannot set TXT records in time under the profile `{profile}` (ACME_PROFILE)")
        };
        reader.mistake("MANAGED_ZONE", format!("or CHALLENGE_URL has to be set: {why}"));
    }
}

fn challenge_url(text: &str, probe: Option<&ProbeSettings>) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| URL_FORM)?;
    let alone = ProofSettings { challenge_url: Some(url.clone()), ..ProofSettings::default() };
    alone.check().map_err(|_| URL_FORM)?;
    let laboratory =
        probe.is_some_and(|probe| [Some(probe.http_port), Some(probe.https_port)].contains(&url.port()));
    // Anything but 80 and 443 is the port of a laboratory.
    match url.port_or_known_default() {
        Some(80 | 443) => Ok(url),
        _ if laboratory => Ok(url),
        _ => Err("the certificate authority follows redirects to the ports 80 and 443 only"),
    }
}

fn host_name(text: &str) -> Option<DomainName> {
    DomainName::parse(text).ok().filter(|name| !name.is_wildcard())
}

fn zone(text: &str) -> Option<(DomainName, ZoneSettings)> {
    let (name, id) = text.split_once(':')?;
    let (name, id) = (host_name(name.trim())?, id.trim().trim_start_matches("/hostedzone/"));
    let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
    let settings = ZoneSettings { name: name.to_string(), id: id.to_owned() };
    is_id.then_some((name, settings))
}
