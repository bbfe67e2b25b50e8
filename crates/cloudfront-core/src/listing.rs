//! What the lists of all services have in common.

use aws_sdk_cloudfront::primitives::DateTime;
use contract::{PageToken, PortError, PortResult, Remedy, Timestamp};

/// Where a list goes on. A page that says that there are more and does not say where is no answer: whoever took it for the
/// last one would think that everything behind it is gone.
pub(crate) fn next(is_truncated: bool, marker: Option<String>, doing: &str) -> PortResult<Option<PageToken>> {
    match marker.filter(|marker| !marker.is_empty()) {
        _ if !is_truncated => Ok(None),
        Some(marker) => Ok(Some(PageToken::new(marker))),
        None => Err(cut(doing)),
    }
}

/// The error for an answer without its parts: a proxy may have cut it.
pub(crate) fn cut(doing: &str) -> PortError {
    PortError::new(doing, Remedy::Retry { after: None }, "the answer is incomplete")
}

/// AWS's time as ours.
pub(crate) fn moment(time: &DateTime) -> Timestamp {
    time.to_millis().map_or_else(|_| Timestamp::from_secs(time.secs()), Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_breaks_off_is_not_at_its_end() {
        let marker = || Some("m".to_owned());
        assert_eq!(next(true, marker(), "list").unwrap(), Some(PageToken::new("m")));
        assert_eq!(next(false, marker(), "list").unwrap(), None);
        assert_eq!(next(false, None, "list").unwrap(), None);
        assert!(next(true, None, "list").is_err());
        assert!(next(true, Some(String::new()), "list").is_err());
    }

    #[test]
    fn times_keep_their_milliseconds() {
        assert_eq!(
            moment(&DateTime::from_millis(1_767_225_600_123)),
            Timestamp::from_millis(1_767_225_600_123)
        );
    }
}
