use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName};
use serde_json::{Map, Value};

const IDENTITY: HeaderName = HeaderName::from_static("x-broker-api-originating-identity");

/// No line of an audit trail carries more than this of it, in characters.
const AUDIT_LIMIT: usize = 255;

/// Who caused a request, as the platform says (OSB 2.17, "Originating Identity"). It may be absent (catalog refresh,
/// clean-up after failed requests), and a broker never refuses a request because of it.
#[derive(Clone, Debug, PartialEq)]
pub enum OriginatingIdentity {
    /// The header could be read.
    Known(Originator),
    /// The header is there, but is not a platform and a JSON object in base64.
    Invalid,
}

/// A platform and its words for one of its users.
#[derive(Clone, Debug, PartialEq)]
pub struct Originator {
    /// `cloudfoundry`, `kubernetes`, or another platform's name.
    pub platform: String,
    /// Cloud Foundry: `user_id`. Kubernetes: `username`, `uid`, `groups`, `extra`.
    pub claims: Map<String, Value>,
}

impl OriginatingIdentity {
    /// What the request says; `None` without the header.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(IDENTITY)?;
        Some(value.to_str().ok().and_then(Originator::parse).map_or(Self::Invalid, Self::Known))
    }

    /// A line for logs and audit trails: the platform and the user's id, such as `cloudfoundry 683ea748-…`, or `invalid`.
    /// Printable, at most 255 characters, and nothing else of the header.
    pub fn audit(&self) -> String {
        match self {
            Self::Known(originator) => {
                let line = format!("{} {}", originator.platform, originator.user().unwrap_or("unknown"));
                line.chars().filter(|c| !c.is_control()).take(AUDIT_LIMIT).collect()
            }
            Self::Invalid => "invalid".to_owned(),
        }
    }
}

impl Originator {
    /// The user's id: `user_id` of Cloud Foundry, `uid` or else `username` of Kubernetes.
    pub fn user(&self) -> Option<&str> {
        ["user_id", "uid", "username"].iter().find_map(|claim| self.claims.get(*claim)?.as_str())
    }

    fn parse(value: &str) -> Option<Self> {
        let (platform, encoded) = value.trim().split_once(' ')?;
        let decoded = STANDARD.decode(encoded.trim()).ok()?;
        let Ok(Value::Object(claims)) = serde_json::from_slice(&decoded) else { return None };
        Some(Self { platform: platform.to_owned(), claims })
    }
}
