use contract::Secret;
use url::{Host, Url};

/// How the platform is reached.
#[derive(Clone, Debug)]
pub struct PlatformSettings {
    /// The URL of Cloud Controller, such as `https://api.example.gov`. Plain `http` only to this very machine: the token and
    /// the secret would go over the wire.
    pub api_address: String,
    /// Our client at the platform's UAA. It needs the authority `cloud_controller.global_auditor` (or
    /// `cloud_controller.admin_read_only`), or it sees no organization's domains.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// One or more PEM certificates to trust for the TLS of both, instead of the system's roots.
    pub root_certificates_pem: Option<String>,
}

/// Why the settings cannot be used. The message is a clause that goes behind the setting's name, and repeats no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlatformSettingsError {
    /// Not the URL of an API.
    #[error("it is the URL of the platform's API alone, without user, such as https://api.example.gov")]
    Address,
    /// Tokens must not be read on the way.
    #[error("plain http is for this very machine only; use https")]
    Plain,
    /// TLS could not be set up.
    #[error("the root certificates cannot be used: {0}")]
    Roots(String),
}

impl PlatformSettings {
    /// Finds what cannot work, without asking anybody. The same check is made when a client is made.
    pub fn check(&self) -> Result<(), PlatformSettingsError> {
        self.api_url().map(drop)
    }

    pub(super) fn api_url(&self) -> Result<Url, PlatformSettingsError> {
        let text = &self.api_address;
        // The earlier brokers took a host name too; all platforms have HTTPS.
        let text = if text.contains("://") { text.clone() } else { format!("https://{text}") };
        let url = Url::parse(&text).map_err(|_| PlatformSettingsError::Address)?;
        let is_bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !is_bare || !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(PlatformSettingsError::Address);
        }
        if is_private_enough(&url) { Ok(url) } else { Err(PlatformSettingsError::Plain) }
    }
}

/// Whether nobody else can read what is sent there.
pub(super) fn is_private_enough(url: &Url) -> bool {
    url.scheme() == "https" || is_this_machine(url)
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<String, PlatformSettingsError> {
        let settings = PlatformSettings {
            api_address: text.to_owned(),
            client_id: "id".to_owned(),
            client_secret: Secret::new("secret"),
            root_certificates_pem: None,
        };
        settings.api_url().map(|url| url.to_string())
    }

    #[test]
    fn an_address_is_a_url_or_a_host() {
        for (text, expected) in [
            ("https://api.example.gov", "https://api.example.gov/"),
            ("https://api.example.gov/", "https://api.example.gov/"),
            ("api.example.gov", "https://api.example.gov/"),
            ("https://api.example.gov:8443", "https://api.example.gov:8443/"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
            ("http://[::1]:8080", "http://[::1]:8080/"),
            ("http://localhost", "http://localhost/"),
        ] {
            assert_eq!(url(text).as_deref(), Ok(expected), "{text}");
        }
        for text in
            ["https://api.example.gov/v2", "ftp://api.example.gov", "https://", "https://u:p@api.gov", ""]
        {
            assert_eq!(url(text), Err(PlatformSettingsError::Address), "{text}");
        }
        assert_eq!(url("http://api.example.gov"), Err(PlatformSettingsError::Plain));
    }
}
