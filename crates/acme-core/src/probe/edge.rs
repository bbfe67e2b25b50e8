//! Which certificate is presented for a name.

use std::net::SocketAddr;

use contract::{DomainName, Presented};
use hickory_resolver::proto::rr::{Name, RecordType};

use super::hosts::addresses;
use super::http::Web;
use super::say;
use super::walk::{End, Walker};

/// What a name is called of which only the wildcard is served.
const SOME_NAME: &str = "cdn-broker-check";

/// Asks the addresses of `host` for the certificate of `name`.
pub(super) async fn look(walker: &Walker, web: &Web, name: &DomainName, host: &Name) -> Presented {
    let trail = walker.walk(host, RecordType::A).await;
    let heard = match (say::astray(&trail.route, &trail.end), &trail.end) {
        (None, End::Arrived(heard)) => heard,
        (saw, _) => return Presented::Nothing { saw: saw.unwrap_or_default() },
    };
    let sni = match name.as_str().strip_prefix("*.") {
        Some(base) => format!("{SOME_NAME}.{base}"),
        None => name.to_string(),
    };
    let mut saw = format!("{} has no address that can be asked.", say::name(host));
    for address in web.usable(&addresses(walker, heard).await) {
        match web.fetcher.peek(&sni, SocketAddr::new(address, web.ports.https)).await {
            Ok(fingerprint) => return Presented::Certificate { fingerprint },
            Err(error) => saw = format!("{} presents no certificate for {sni}: {error:?}.", say::name(host)),
        }
    }
    Presented::Nothing { saw }
}
