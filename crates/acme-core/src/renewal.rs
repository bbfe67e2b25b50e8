//! When a certificate should be renewed, as far as the certificate itself can tell.

use std::time::Duration;

use contract::{CertificateFacts, RenewalAdvice, Timestamp};

/// How soon to ask again when the authority says nothing: twice a day (RFC 9773, section 4.3.2 wants no less).
const ASK_AGAIN: Duration = Duration::from_hours(12);
/// Certificates that live shorter than this are renewed at half their life instead of at two thirds.
const SHORT_LIFE: Duration = Duration::from_hours(10 * 24);

/// The advice of last resort: a share of life, never a fixed number of days, because lifetimes shrink. The window is
/// two hundredths of the life, as wide as Let's Encrypt suggests.
pub(crate) fn by_share_of_life(certificate: &CertificateFacts, now: Timestamp) -> RenewalAdvice {
    let life = certificate.not_after.since(certificate.not_before);
    let left = if life < SHORT_LIFE { life / 2 } else { life / 3 };
    let from = certificate.not_after - left;
    RenewalAdvice { from, until: from + life / 50, ask_again: now + ASK_AGAIN, explanation: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(days: u64) -> (u64, u64) {
        let start = Timestamp::from_secs(0);
        let certificate = CertificateFacts {
            serial: "01".into(),
            fingerprint: String::new(),
            not_before: start,
            not_after: start + Duration::from_hours(days * 24),
            names: Vec::new(),
            renewal_id: None,
        };
        let advice = by_share_of_life(&certificate, start);
        (advice.from.since(start).as_secs() / 3600, advice.until.since(advice.from).as_secs() / 60)
    }

    #[test]
    fn the_moment_is_a_share_of_life() {
        assert_eq!(advice(90), (60 * 24, 2592));
        assert_eq!(advice(45), (30 * 24, 1296));
        assert_eq!(advice(6), (3 * 24, 172));
    }
}
