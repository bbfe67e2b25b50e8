use contract::DomainName;
use url::Url;

/// What the operator has set up for proofs that users set up once. Each is optional; a way is offered only when
/// everything that it needs is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProofSettings {
    /// Below this URL, at `LABEL/TOKEN` and `HOST/TOKEN`, HTTP-01 answers are given: a site can redirect its challenge
    /// path there. Usually `https://HOST/.well-known/acme-challenge`.
    pub challenge_url: Option<Url>,
    /// A host that takes requests for any name on port 80 and redirects them to `challenge_url/NAME/TOKEN`.
    pub challenge_host: Option<DomainName>,
    /// The apex of the DNS zone in which records are kept that users point at.
    pub managed_zone: Option<DomainName>,
}

/// Why settings for proofs cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofSettingsError {
    /// The challenge URL is none of the web's, or more than a place.
    #[error("the challenge URL must be an http or https URL without user, query and fragment")]
    ChallengeUrl,
    /// Neither hosts nor zones are wildcards.
    #[error("the challenge host and the managed zone cannot begin with `*.`")]
    Wildcard,
    /// The challenge host redirects to the challenge URL, and users reach it through records of the managed zone.
    #[error("the challenge host is of no use without the challenge URL and the managed zone")]
    HostAlone,
}

impl ProofSettings {
    /// Finds what cannot work, without asking anybody.
    pub fn check(&self) -> Result<(), ProofSettingsError> {
        if self.challenge_url.as_ref().is_some_and(|url| !is_a_place(url)) {
            return Err(ProofSettingsError::ChallengeUrl);
        }
        let mut names = self.challenge_host.iter().chain(&self.managed_zone);
        if names.any(DomainName::is_wildcard) {
            return Err(ProofSettingsError::Wildcard);
        }
        let lacks = self.challenge_url.is_none() || self.managed_zone.is_none();
        if self.challenge_host.is_some() && lacks { Err(ProofSettingsError::HostAlone) } else { Ok(()) }
    }
}

fn is_a_place(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_url(url: &str) -> Result<(), ProofSettingsError> {
        ProofSettings { challenge_url: Some(url.parse().unwrap()), ..ProofSettings::default() }.check()
    }

    fn name(text: &str) -> Option<DomainName> {
        DomainName::parse(text).ok()
    }

    #[test]
    fn a_challenge_url_is_a_place_on_the_web() {
        for good in [
            "https://broker.example/.well-known/acme-challenge",
            "http://b.example:8080/x/",
            "https://b.example",
        ] {
            assert_eq!(with_url(good), Ok(()), "{good}");
        }
        for bad in [
            "ftp://b.example/",
            "https://u@b.example/",
            "https://b.example/?a",
            "https://b.example/#a",
            "data:x",
        ] {
            assert_eq!(with_url(bad), Err(ProofSettingsError::ChallengeUrl), "{bad}");
        }
    }

    #[test]
    fn a_challenge_host_needs_what_lies_before_and_behind_it() {
        let alone = ProofSettings { challenge_host: name("front.example"), ..ProofSettings::default() };
        assert_eq!(alone.check(), Err(ProofSettingsError::HostAlone));
        let with_zone = ProofSettings { managed_zone: name("cdn.example"), ..alone };
        assert_eq!(with_zone.check(), Err(ProofSettingsError::HostAlone));
        let url = "https://broker.example/".parse().ok();
        assert_eq!(ProofSettings { challenge_url: url, ..with_zone }.check(), Ok(()));
    }

    #[test]
    fn a_zone_is_no_wildcard() {
        let settings = ProofSettings { managed_zone: name("*.cdn.example"), ..ProofSettings::default() };
        assert_eq!(settings.check(), Err(ProofSettingsError::Wildcard));
    }
}
