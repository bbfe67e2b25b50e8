use std::fmt;

use http::{HeaderMap, HeaderName};

use crate::{ErrorCode, Response};

const VERSION: HeaderName = HeaderName::from_static("x-broker-api-version");

/// No more characters than these of what was sent are repeated.
const LONGEST_SHOWN: usize = 100;

/// The version 2.x of the API that the platform speaks (OSB 2.17, "API Version Header"). Minor versions only ever add,
/// so that every one is accepted; Cloud Controller says 2.15.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion {
    /// What follows `2.`; numbers too large for an `u32` are held at its maximum.
    pub minor: u32,
}

impl ApiVersion {
    /// The version a request names, or the `412` for it. An absent header, an empty one and an unknown version are
    /// answered alike, because that is what the conformance checkers agree on.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Result<Self, Response> {
        let sent = headers.get(VERSION).map(|value| String::from_utf8_lossy(value.as_bytes()));
        match sent.as_deref() {
            None | Some("") => Err(refused("This request has none.")),
            Some(version) => Self::parse(version)
                .ok_or_else(|| refused(&format!("This request says \"{}\".", shown(version)))),
        }
    }

    fn parse(version: &str) -> Option<Self> {
        let minor = version.strip_prefix("2.")?;
        let number = !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit());
        number.then(|| Self { minor: minor.parse().unwrap_or(u32::MAX) })
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "2.{}", self.minor)
    }
}

/// What is repeated of a version that is none.
fn shown(version: &str) -> String {
    match version.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}...", &version[..end]),
        None => version.to_owned(),
    }
}

fn refused(found: &str) -> Response {
    let sentence = format!(
        "This broker requires the header X-Broker-API-Version with a version 2.x, such as 2.17. {found}"
    );
    Response::error(ErrorCode::ApiVersionNotSupported, &sentence)
}
