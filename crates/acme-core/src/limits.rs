use std::time::Duration;

use http::Uri;

/// How often an authority does something for us, as it publishes it. Mirrored, so that nobody runs into a limit: what
/// would is held back, and told until when.
///
/// Each limit is a bucket that refills evenly, as Let's Encrypt's are: `count` at once, then one every `period / count`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How the authority is called at the beginning of a sentence.
    pub authority: String,
    /// New orders, by account.
    pub orders: Option<Quota>,
    /// Certificates that hold a name under the same registered domain.
    pub certificates_per_domain: Option<Quota>,
    /// Certificates for exactly the same names.
    pub certificates_per_set: Option<Quota>,
    /// Failed validations of a name, by account.
    pub failures: Option<Quota>,
    /// Failed validations of a name without a success between them, after which the name is paused.
    pub failures_in_a_row: Option<Quota>,
    /// How much of the orders and of a domain's certificates may go to first certificates, in percent. The rest is kept
    /// for renewals, which cannot wait.
    pub first_percent: u8,
}

/// So many in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many; at least 1.
    pub count: u32,
    /// In how much time an empty bucket is full again.
    pub period: Duration,
}

const HOUR: Duration = Duration::from_hours(1);
const WEEK: Duration = Duration::from_hours(7 * 24);
/// 1,152 failures in a row pause a name, and one is forgiven every day.
const IN_A_ROW: Quota = Quota { count: 1152, period: Duration::from_hours(1152 * 24) };

impl Limits {
    /// No limit is known. What the authority says when it refuses is still obeyed.
    pub fn none() -> Self {
        Self {
            authority: "The certificate authority".to_owned(),
            orders: None,
            certificates_per_domain: None,
            certificates_per_set: None,
            failures: None,
            failures_in_a_row: None,
            first_percent: 80,
        }
    }

    /// Let's Encrypt's own, as published in August 2026 (letsencrypt.org/docs/rate-limits).
    pub fn lets_encrypt() -> Self {
        Self {
            authority: "Let's Encrypt".to_owned(),
            orders: Some(Quota { count: 300, period: 3 * HOUR }),
            certificates_per_domain: Some(Quota { count: 50, period: WEEK }),
            certificates_per_set: Some(Quota { count: 5, period: WEEK }),
            failures: Some(Quota { count: 5, period: HOUR }),
            failures_in_a_row: Some(IN_A_ROW),
            ..Self::none()
        }
    }

    /// Those of Let's Encrypt's staging environment (letsencrypt.org/docs/staging-environment).
    pub fn lets_encrypt_staging() -> Self {
        Self {
            authority: "The staging environment of Let's Encrypt".to_owned(),
            orders: Some(Quota { count: 1500, period: 3 * HOUR }),
            certificates_per_domain: Some(Quota { count: 30_000, period: WEEK }),
            certificates_per_set: Some(Quota { count: 30_000, period: WEEK }),
            failures: Some(Quota { count: 200, period: HOUR }),
            ..Self::none()
        }
    }

    /// The limits of the authority at this directory, if it is a known one; none otherwise.
    pub fn of_directory(url: &str) -> Self {
        let host = url.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_ascii_lowercase));
        match host.as_deref() {
            Some("acme-v02.api.letsencrypt.org") => Self::lets_encrypt(),
            Some("acme-staging-v02.api.letsencrypt.org") => Self::lets_encrypt_staging(),
            _ => Self::none(),
        }
    }
}

impl Quota {
    /// How long one takes to come back.
    pub(crate) fn step(self) -> Duration {
        self.period / self.count.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_tells_whose_limits_they_are() {
        let of = |url| Limits::of_directory(url);
        assert_eq!(of("https://acme-v02.api.letsencrypt.org/directory"), Limits::lets_encrypt());
        assert_eq!(of("https://ACME-v02.api.letsencrypt.org/directory"), Limits::lets_encrypt());
        let staging = "https://acme-staging-v02.api.letsencrypt.org/directory";
        assert_eq!(of(staging), Limits::lets_encrypt_staging());
        for other in ["https://letsencrypt.org.example/directory", "https://127.0.0.1:14000/dir", ""] {
            assert_eq!(of(other), Limits::none(), "{other}");
        }
    }

    #[test]
    fn the_published_refill_times_follow() {
        let limits = Limits::lets_encrypt();
        let minutes = |quota: Option<Quota>| quota.map(|quota| quota.step().as_secs() / 60);
        assert_eq!(limits.orders.map(|quota| quota.step().as_secs()), Some(36));
        assert_eq!(minutes(limits.certificates_per_domain), Some(201));
        assert_eq!(minutes(limits.certificates_per_set), Some(33 * 60 + 36));
        assert_eq!(minutes(limits.failures), Some(12));
        assert_eq!(minutes(limits.failures_in_a_row), Some(24 * 60));
    }
}
