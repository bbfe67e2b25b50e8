use std::time::{Duration, SystemTime};

use contract::Timestamp;
use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

/// How long the other side asks to wait (RFC 9110, section 10.2.3), in either of its two forms. A date is measured
/// against the answer's own `Date` where there is one, so that our clock and theirs need not agree.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = date(value)?;
    Some(until.since(sent(headers).unwrap_or(now)))
}

/// When an answer was sent, by the clock of its sender (RFC 9110, section 6.6.1).
pub(crate) fn sent(headers: &HeaderMap) -> Option<Timestamp> {
    headers.get(DATE).and_then(|sent| date(sent.to_str().ok()?.trim()))
}

fn date(text: &str) -> Option<Timestamp> {
    let since_epoch = httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_secs(i64::try_from(since_epoch.as_secs()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(headers: &[(http::HeaderName, &'static str)], now: i64) -> Option<u64> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), http::HeaderValue::from_static(value)))
            .collect();
        retry_after(&headers, Timestamp::from_secs(now)).map(|wait| wait.as_secs())
    }

    #[test]
    fn both_forms_are_understood() {
        assert_eq!(asked(&[(RETRY_AFTER, "120")], 0), Some(120));
        assert_eq!(asked(&[(RETRY_AFTER, "Fri, 31 Dec 1999 23:59:59 GMT")], 946_684_739), Some(60));
        assert_eq!(asked(&[(RETRY_AFTER, "soon")], 0), None);
        assert_eq!(asked(&[(RETRY_AFTER, "-1")], 0), None);
        assert_eq!(asked(&[], 0), None);
    }

    #[test]
    fn a_date_is_measured_by_the_clock_of_its_sender() {
        let headers =
            [(RETRY_AFTER, "Fri, 31 Dec 1999 23:59:59 GMT"), (DATE, "Fri, 31 Dec 1999 23:58:59 GMT")];
        assert_eq!(asked(&headers, 0), Some(60));
    }

    #[test]
    fn a_date_that_has_passed_asks_for_nothing() {
        assert_eq!(asked(&[(RETRY_AFTER, "Fri, 31 Dec 1999 23:59:59 GMT")], 2_000_000_000), Some(0));
    }
}
