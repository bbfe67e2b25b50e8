use std::net::IpAddr;

use broker::PublicUrl;
use osb_core::DashboardClient;
use url::{Host, Url};

use super::Reader;

const FORM: &str = "it is `https://HOST`, without user, path, query and fragment, or `none`";
const ID: &str = "DASHBOARD_CLIENT_ID";
const SECRET: &str = "DASHBOARD_CLIENT_SECRET";
const PLAIN: &str = "links and cookies would travel in the clear: it begins with https://";

/// `PUBLIC_URL`, or where `CHALLENGE_URL` says that this broker is found under its own name.
#[expect(
    clippy::option_option,
    reason = "the outer one says whether a mistake was noted, as everywhere here"
)]
pub(super) fn public_url(reader: &mut Reader<'_>, challenge_url: Option<&Url>) -> Option<Option<PublicUrl>> {
    let known =
        challenge_url.filter(|url| url.scheme() == "https").map(|url| url.origin().ascii_serialization());
    let known = known.unwrap_or_else(|| "none".to_owned());
    reader.parsed_or("PUBLIC_URL", &known, |text| match text {
        "none" => Ok(None),
        _ => origin(text).map(|origin| Some(PublicUrl::new(origin))),
    })
}

/// `DASHBOARD_CLIENT_ID` and `DASHBOARD_CLIENT_SECRET`: whom the platform signs users on for.
#[expect(
    clippy::option_option,
    reason = "the outer one says whether a mistake was noted, as everywhere here"
)]
pub(super) fn dashboard_client(
    reader: &mut Reader<'_>,
    public_url: Option<&PublicUrl>,
    has_platform: bool,
) -> Option<Option<DashboardClient>> {
    let [id, secret] = [ID, SECRET].map(|name| reader.optional(name));
    let (id, secret) = match (id, secret) {
        (None, None) => return Some(None),
        (Some(id), Some(secret)) => (id, secret),
        (None, Some(_)) => {
            return lacking(reader, ID, "is not set, but DASHBOARD_CLIENT_SECRET is; they go together");
        }
        (Some(_), None) => {
            return lacking(reader, SECRET, "is not set, but DASHBOARD_CLIENT_ID is; they go together");
        }
    };
    match public_url.filter(|_| has_platform) {
        Some(url) => Some(Some(DashboardClient { id, secret, redirect_uri: url.sign_on_back() })),
        None => lacking(reader, ID, "signs nobody on without API_ADDRESS and PUBLIC_URL; set them, too"),
    }
}

fn lacking<T>(reader: &mut Reader<'_>, name: &str, what: &str) -> Option<T> {
    reader.mistake(name, what);
    None
}

fn origin(text: &str) -> Result<String, &'static str> {
    let url = Url::parse(text).map_err(|_| FORM)?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let is_open = url.username().is_empty() && url.password().is_none();
    match url.scheme() {
        "https" | "http" if !is_bare || !is_open => Err(FORM),
        "https" => Ok(url.origin().ascii_serialization()),
        "http" if is_this_machine(&url) => Ok(url.origin().ascii_serialization()),
        "http" => Err(PLAIN),
        _ => Err(FORM),
    }
}

/// What never leaves this machine needs no encryption.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
