use std::net::IpAddr;

use broker::PublicUrl;
use url::{Host, Url};

use super::Reader;

const FORM: &str = "it is `https://HOST`, without user, path, query and fragment, or `none`";
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
