//! When a certificate should be renewed: the authority's own suggestion, within what the certificate's life allows.

use std::time::Duration;

use contract::{CertificateFacts, RenewalAdvice, Timestamp};

use crate::ari::{Answer, Suggestion};

/// Certificates that live shorter than this are renewed at half their life instead of at two thirds.
const SHORT_LIFE: Duration = Duration::from_hours(10 * 24);

/// The authority's suggestion, or a share of life where there is none. Never later than the share of life: an
/// authority that suggests the last day is not followed, because a renewal must have time to fail and be mended.
pub(crate) fn advice(certificate: &CertificateFacts, answer: Answer) -> RenewalAdvice {
    let own = by_share_of_life(certificate);
    let window = answer.suggestion.as_ref().map_or(own, |suggested| earlier(own, suggested));
    let explanation = answer.suggestion.and_then(|suggestion| suggestion.explanation);
    RenewalAdvice { from: window.0, until: window.1, ask_again: answer.until, explanation }
}

fn earlier(own: (Timestamp, Timestamp), suggested: &Suggestion) -> (Timestamp, Timestamp) {
    if suggested.start > own.0 { own } else { (suggested.start, suggested.end.min(own.1)) }
}

/// One third of life left, one half of a short one; never a fixed number of days, because lifetimes shrink. The window
/// is two hundredths of the life, as wide as Let's Encrypt suggests.
fn by_share_of_life(certificate: &CertificateFacts) -> (Timestamp, Timestamp) {
    let life = certificate.not_after.since(certificate.not_before);
    let left = if life < SHORT_LIFE { life / 2 } else { life / 3 };
    let from = certificate.not_after - left;
    (from, from + life / 50)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn certificate(days: u32) -> CertificateFacts {
        CertificateFacts {
            serial: "01".into(),
            fingerprint: String::new(),
            not_before: Timestamp::from_secs(0),
            not_after: Timestamp::from_secs(0) + 24 * days * HOUR,
            names: Vec::new(),
            issuer: None,
            renewal_id: None,
        }
    }

    fn window(days: u32, suggested: Option<(u32, u32)>) -> (u64, u64) {
        let zero = Timestamp::from_secs(0);
        let suggestion = suggested.map(|(start, end)| Suggestion {
            start: zero + start * HOUR,
            end: zero + end * HOUR,
            explanation: None,
        });
        let advice = advice(&certificate(days), Answer { suggestion, until: zero });
        (advice.from.since(zero).as_secs() / 3600, advice.until.since(zero).as_secs() / 3600)
    }

    #[test]
    fn without_a_suggestion_the_moment_is_a_share_of_life() {
        assert_eq!(window(90, None), (60 * 24, 60 * 24 + 43));
        assert_eq!(window(45, None), (30 * 24, 30 * 24 + 21));
        assert_eq!(window(6, None), (3 * 24, 3 * 24 + 2));
    }

    #[test]
    fn a_suggestion_is_followed_and_so_is_one_that_has_passed() {
        assert_eq!(window(90, Some((1400, 1450))), (1400, 1450));
        assert_eq!(window(90, Some((10, 20))), (10, 20), "certificates are to be revoked");
    }

    #[test]
    fn nobody_suggests_a_time_too_late_to_mend_a_failure() {
        assert_eq!(window(90, Some((1500, 2000))), (1440, 1483));
        assert_eq!(window(90, Some((1400, 2150))), (1400, 1483));
        assert_eq!(window(6, Some((130, 140))), (72, 74));
    }
}
