//! Who else answers on ports 80 and 443 in the world of a broker: the front end that takes any name, the router of the
//! platform, and the sites that users have already.
//!
//! Each has a loopback address of its own and all share one port for HTTP and one for HTTPS, with the edge: the DNS alone
//! decides who is asked, as in life.

mod admin;
mod challenge;
mod forward;
mod router;
mod rules;
mod site;

use std::net::{IpAddr, SocketAddr};

use http::Request;
use http::header::HOST;

pub use admin::SitesAdmin;
pub use challenge::ChallengeHost;
pub use router::Router;
pub use rules::{SiteAnswer, SiteRule};
pub use site::{Hit, Site, Sites};

pub(crate) use forward::forward;

/// Where ACME challenges are asked for (RFC 8555, 8.3).
pub(crate) const CHALLENGE_PATH: &str = "/.well-known/acme-challenge/";

/// The ports that stand for 80 and 443.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Instead of 80.
    pub http: u16,
    /// Instead of 443.
    pub https: u16,
}

impl Ports {
    fn http_at(self, address: IpAddr) -> SocketAddr {
        SocketAddr::new(address, self.http)
    }

    fn https_at(self, address: IpAddr) -> SocketAddr {
        SocketAddr::new(address, self.https)
    }
}

/// The host a request is for, without port and final dot, in lower case; empty if it names none.
fn host_of<B>(request: &Request<B>) -> String {
    let header = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let named = request.uri().authority().map(http::uri::Authority::as_str).or(header).unwrap_or_default();
    let (host, port) = named.rsplit_once(':').unwrap_or((named, ""));
    let host = if port.chars().all(|c| c.is_ascii_digit()) { host } else { named };
    host.trim_end_matches('.').to_ascii_lowercase()
}
