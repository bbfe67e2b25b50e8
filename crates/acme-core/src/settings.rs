use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use contract::Secret;
use http::Uri;

use crate::limits::Limits;

/// Which authority issues, and how it is spoken to.
#[derive(Clone, Debug)]
pub struct AcmeSettings {
    /// The authority's directory (RFC 8555, section 7.1.1). `https`; plain `http` only to this very machine.
    pub directory_url: String,
    /// Where the authority may write to; sent when the account is made (RFC 8555, section 7.3).
    pub contact_email: Option<String>,
    /// One or more PEM certificates to trust for the authority's own TLS, instead of the system's roots.
    pub root_certificates_pem: Option<String>,
    /// Ties the account to one that exists elsewhere at the authority (RFC 8555, section 7.3.4).
    pub external_account: Option<ExternalAccount>,
    /// The certificate profile to ask for, such as `classic`; `None` leaves the choice to the authority.
    pub profile: Option<String>,
    /// Whether an order is placed only after what proves the names for good has been seen.
    pub durable_first: DurableFirst,
    /// What the authority allows in how much time. Made from the directory's host by [`AcmeSettings::new`].
    pub limits: Limits,
    /// How long one HTTP request may take, from connecting to the last byte of the answer.
    pub request_timeout: Duration,
    /// Who we are, `PRODUCT/VERSION`; the libraries below add their own names (RFC 8555, section 6.1).
    pub user_agent: String,
}

/// When an order waits for durable proofs. The authority's own proofs must be met as long as they live: in days there is
/// time to ask a user for a TXT record, in hours there is not. Then that is not offered, and the order is placed as soon
/// as a record or redirect that stays has been seen working for every name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DurableFirst {
    /// With the profiles of which it is known that their proofs die within hours: `shortlived` and `tlsserver`.
    #[default]
    ByProfile,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The profiles of Let's Encrypt under which an authorization is pending for one hour at most (letsencrypt.org/docs/profiles,
/// as of May 2026); under `classic` it is seven days.
const SHORT_OF_TIME: [&str; 2] = ["shortlived", "tlsserver"];

/// The credentials that an authority hands out for external account binding.
#[derive(Clone, Debug)]
pub struct ExternalAccount {
    /// The key identifier.
    pub key_id: String,
    /// The MAC key in base64url, exactly as the authority gave it.
    pub hmac_key: Secret,
}

/// Why settings cannot work. Found when the issuer is made, before anything is asked of anybody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The directory URL does not parse, or names no host.
    #[error("the ACME directory `{0}` is not a URL")]
    NotAUrl(String),
    /// The directory URL has a user or a password in it, which are not repeated.
    #[error("the ACME directory has a user in it, and ACME knows none: its URL begins with https://HOST")]
    User,
    /// The first version of the protocol, which no authority speaks any more.
    #[error(
        "the ACME directory `{0}` is of ACME v1, which was switched off in June 2021; \
         use the v2 directory, for Let's Encrypt https://acme-v02.api.letsencrypt.org/directory"
    )]
    VersionOne(String),
    /// ACME runs over HTTPS only (RFC 8555, section 6.1).
    #[error("the ACME directory `{0}` must be an https URL")]
    NotHttps(String),
    /// The trusted certificates do not parse, or there are none.
    #[error("the root certificates for the ACME directory cannot be used: {0}")]
    Roots(String),
    /// The MAC key is not base64url, or empty.
    #[error("the external account's HMAC key is not base64url")]
    ExternalAccountKey,
    /// The contact or the product name holds characters that cannot be sent.
    #[error("{0} holds characters that cannot be sent")]
    Unsendable(&'static str),
}

impl AcmeSettings {
    /// Settings for a directory, with 30 s per request and everything else left out.
    pub fn new(directory_url: impl Into<String>) -> Self {
        let directory_url = directory_url.into();
        Self {
            limits: Limits::of_directory(&directory_url),
            directory_url,
            contact_email: None,
            root_certificates_pem: None,
            external_account: None,
            profile: None,
            durable_first: DurableFirst::ByProfile,
            request_timeout: Duration::from_secs(30),
            user_agent: concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }

    /// Whether orders wait for durable proofs.
    pub fn is_durable_first(&self) -> bool {
        match self.durable_first {
            DurableFirst::ByProfile => {
                self.profile.as_deref().is_some_and(|profile| SHORT_OF_TIME.contains(&profile))
            }
            DurableFirst::Always => true,
            DurableFirst::Never => false,
        }
    }

    /// Finds what cannot work, without asking anybody. The same check is made when an issuer is made.
    pub fn check(&self) -> Result<(), SettingsError> {
        check_directory(&self.directory_url)?;
        if self.contact_email.as_deref().is_some_and(|email| !is_printable(email)) {
            return Err(SettingsError::Unsendable("the contact address"));
        }
        if !is_printable(&self.user_agent) {
            return Err(SettingsError::Unsendable("the user agent"));
        }
        self.external_account.as_ref().map_or(Ok(()), |account| account.mac_key().map(drop))
    }
}

impl ExternalAccount {
    pub(crate) fn mac_key(&self) -> Result<hmac::Key, SettingsError> {
        let text = self.hmac_key.expose_str().map(str::trim).ok_or(SettingsError::ExternalAccountKey)?;
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .or_else(|_| URL_SAFE.decode(text))
            .map_err(|_| SettingsError::ExternalAccountKey)?;
        if bytes.is_empty() {
            return Err(SettingsError::ExternalAccountKey);
        }
        Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
    }
}

/// The hosts of Let's Encrypt's first protocol version, which operators still have in old manifests.
const VERSION_ONE_HOSTS: [&str; 2] = ["acme-v01.api.letsencrypt.org", "acme-staging.api.letsencrypt.org"];

fn check_directory(url: &str) -> Result<(), SettingsError> {
    let not_a_url = || SettingsError::NotAUrl(url.to_owned());
    let uri: Uri = url.parse().map_err(|_| not_a_url())?;
    let (scheme, host) = (uri.scheme_str().ok_or_else(not_a_url)?, uri.host().ok_or_else(not_a_url)?);
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(SettingsError::User);
    }
    if VERSION_ONE_HOSTS.contains(&host.to_ascii_lowercase().as_str()) {
        return Err(SettingsError::VersionOne(url.to_owned()));
    }
    match scheme {
        "https" => Ok(()),
        "http" if is_this_machine(host) => Ok(()),
        _ => Err(SettingsError::NotHttps(url.to_owned())),
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn is_printable(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(url: &str) -> Result<(), SettingsError> {
        AcmeSettings::new(url).check()
    }

    #[test]
    fn the_profile_tells_whether_durable_proofs_come_first() {
        let with = |durable_first, profile: Option<&str>| {
            let profile = profile.map(ToOwned::to_owned);
            AcmeSettings { profile, durable_first, ..AcmeSettings::new("https://ca.example/") }
                .is_durable_first()
        };
        let by_profile = |profile| with(DurableFirst::ByProfile, profile);
        assert!(by_profile(Some("shortlived")) && by_profile(Some("tlsserver")));
        assert!(!by_profile(Some("classic")) && !by_profile(None));
        assert!(with(DurableFirst::Always, None) && !with(DurableFirst::Never, Some("shortlived")));
    }

    #[test]
    fn a_version_one_directory_is_refused_by_name() {
        for host in VERSION_ONE_HOSTS {
            let url = format!("https://{host}/directory");
            let error = verdict(&url).unwrap_err();
            assert_eq!(error, SettingsError::VersionOne(url));
            assert!(error.to_string().contains("acme-v02.api.letsencrypt.org"), "{error}");
        }
    }

    #[test]
    fn a_directory_has_no_user() {
        for url in ["https://u:hunter2@ca.example/dir", "https://hunter2@localhost/dir"] {
            assert_eq!(verdict(url), Err(SettingsError::User));
        }
    }

    #[test]
    fn only_https_leaves_the_machine() {
        assert_eq!(verdict("https://acme-v02.api.letsencrypt.org/directory"), Ok(()));
        assert_eq!(verdict("http://127.0.0.1:14000/dir"), Ok(()));
        assert_eq!(verdict("http://[::1]:14000/dir"), Ok(()));
        for url in ["http://ca.example/directory", "ftp://ca.example/"] {
            assert_eq!(verdict(url), Err(SettingsError::NotHttps(url.into())));
        }
        for url in ["", "directory", "https://"] {
            assert_eq!(verdict(url), Err(SettingsError::NotAUrl(url.into())));
        }
    }

    #[test]
    fn a_mac_key_is_base64url_with_or_without_padding() {
        let with = |key: &str| ExternalAccount { key_id: "k".into(), hmac_key: Secret::new(key) };
        assert!(with("zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W").mac_key().is_ok());
        assert!(with("_-8=").mac_key().is_ok());
        assert_eq!(with("a+b/").mac_key().unwrap_err(), SettingsError::ExternalAccountKey);
        assert_eq!(with("").mac_key().unwrap_err(), SettingsError::ExternalAccountKey);
    }
}
