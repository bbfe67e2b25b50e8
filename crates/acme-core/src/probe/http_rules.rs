//! Where an authority lets itself be sent: by 301, 302, 307 or 308, to a host name, over http or https, at port 80 or
//! 443, at most ten times, and never twice to the same place (RFC 8555, section 8.3; Let's Encrypt's rules).

use contract::HttpQuestion;
use hickory_resolver::proto::rr::Name;
use http::StatusCode;
use http::header::LOCATION;
use url::{Host, Url};

use super::fetch::{Answer, Target};
use super::http::MOST_REDIRECTS;
use super::http_say::shown;
use super::say;

/// Let's Encrypt refuses longer ones.
const LONGEST_PATH: usize = 2000;

/// What stands for ports 80 and 443.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    pub(super) http: u16,
    pub(super) https: u16,
}

impl Ports {
    /// Where to connect for a URL's port; `None` when an authority would not.
    fn of(self, url: &Url) -> Option<u16> {
        match url.port_or_known_default()? {
            80 => Some(self.http),
            443 => Some(self.https),
            port if port == self.http || port == self.https => Some(port),
            _ => None,
        }
    }
}

/// Where every look begins.
pub(super) fn first_url(question: &HttpQuestion) -> Result<Url, String> {
    let url = format!("http://{}/.well-known/acme-challenge/{}", question.name.base(), question.token);
    Url::parse(&url)
        .map_err(|_| format!("{} cannot be asked over HTTP.", say::quoted(question.name.as_str(), 100)))
}

/// What to connect to for a URL that has been checked.
pub(super) fn target(url: &Url, ports: Ports) -> Result<Target, String> {
    let unusable = || format!("{} cannot be asked over HTTP.", shown(url));
    let host = url.host_str().ok_or_else(unusable)?;
    let mut name = Name::from_ascii(host).map_err(|_| unusable())?.to_lowercase();
    name.set_fqdn(true);
    Ok(Target {
        name,
        host: host.trim_end_matches('.').to_owned(),
        port: ports.of(url).ok_or_else(unusable)?,
        shown_port: url.port(),
        tls: url.scheme() == "https",
        path: url[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
    })
}

/// Where an answer sends us; `None` when it is no redirect.
pub(super) fn next_url(url: &Url, answer: &Answer) -> Result<Option<Url>, String> {
    if !matches!(answer.status.as_u16(), 301 | 302 | 307 | 308) {
        return if answer.status.is_redirection() && answer.status != StatusCode::NOT_MODIFIED {
            Err(format!(
                "{} answers {}: of all redirects the authority follows only 301, 302, 307 and 308.",
                shown(url),
                answer.status.as_u16()
            ))
        } else {
            Ok(None)
        };
    }
    let location = answer.headers.get(LOCATION).and_then(|location| location.to_str().ok());
    let next = location.and_then(|location| url.join(location.trim()).ok());
    let mut next = next.ok_or_else(|| {
        format!(
            "{} answers {} without a URL to go to in its header Location.",
            shown(url),
            answer.status.as_u16()
        )
    })?;
    next.set_fragment(None);
    if next.as_str().len() > LONGEST_PATH {
        return Err(format!("{} redirects to a URL of more than {LONGEST_PATH} characters.", shown(url)));
    }
    Ok(Some(next))
}

/// Whether an authority would go on. `visited` holds every URL so far, `from` last.
pub(super) fn check_redirect(from: &Url, to: &Url, visited: &[Url], ports: Ports) -> Result<(), String> {
    let refuse = |why: &str| Err(format!("{} redirects to {}: {why}.", shown(from), shown(to)));
    if !matches!(to.scheme(), "http" | "https") {
        return refuse("the authority follows only http and https");
    }
    match to.host() {
        Some(Host::Domain(host)) if host.trim_end_matches('.').contains('.') => {}
        Some(Host::Domain(_)) => {
            return refuse("this is no full domain name, which the authority could find");
        }
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => {
            return refuse("the authority follows redirects to host names only, not to IP addresses");
        }
        None => return refuse("there is no host in it"),
    }
    if ports.of(to).is_none() {
        return refuse("the authority connects only to ports 80 and 443");
    }
    if visited.contains(to) {
        return Err(format!(
            "The redirects go round in a circle: {} leads back to {}.",
            shown(from),
            shown(to)
        ));
    }
    if visited.len() > MOST_REDIRECTS {
        return Err(format!(
            "More than {MOST_REDIRECTS} redirects follow each other; the last one leads to {}.",
            shown(to)
        ));
    }
    Ok(())
}
