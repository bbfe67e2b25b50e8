//! The emulator's clock: real time plus an offset that an administrator can move forward.
//!
//! Times are milliseconds since the Unix epoch.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls_pki_types::UnixTime;

/// Milliseconds since the Unix epoch.
pub(crate) type Millis = i64;

const DAY: i64 = 86_400_000;
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Real time, shifted.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset: Millis,
}

impl Clock {
    /// The present moment of this cloud.
    #[expect(
        clippy::disallowed_methods,
        reason = "the emulated cloud lives in real time; this is its one clock"
    )]
    pub(crate) fn now(&self) -> Millis {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        millis(real).saturating_add(self.offset)
    }

    /// Moves every later reading forward.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.offset = self.offset.saturating_add(millis(by));
    }
}

/// A duration in this module's unit.
pub(crate) fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

/// The same moment, as certificate verification wants it.
pub(crate) fn unix_time(at: Millis) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_millis(u64::try_from(at).unwrap_or_default()))
}

/// RFC 3339 in UTC with milliseconds, as the XML services of AWS write times.
pub(crate) fn rfc3339(at: Millis) -> String {
    let (year, month, day) = civil(at.div_euclid(DAY));
    let (hour, minute, second) = time_of_day(at);
    let fraction = at.rem_euclid(1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z")
}

/// The date format of HTTP headers (RFC 9110, 5.6.7).
pub(crate) fn http_date(at: Millis) -> String {
    let days = at.div_euclid(DAY);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = time_of_day(at);
    let weekday = name(&WEEKDAYS, days.rem_euclid(7));
    let month = name(&MONTHS, month - 1);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

fn name(names: &[&'static str], index: i64) -> &'static str {
    usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or_default()
}

fn time_of_day(at: Millis) -> (i64, i64, i64) {
    let second = at.rem_euclid(DAY) / 1000;
    (second / 3600, second / 60 % 60, second % 60)
}

/// Year, month and day of a number of days since 1970-01-01 in the Gregorian calendar, counted in eras of 400 years
/// that begin in March so that the leap day comes last.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_dates_of_leap_years_and_of_ordinary_ones() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(rfc3339(1_767_225_599_999), "2025-12-31T23:59:59.999Z");
        assert_eq!(http_date(784_111_777_000), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn moves_forward_when_told() {
        let mut clock = Clock::default();
        let before = clock.now();
        clock.advance(Duration::from_hours(1));
        assert!(clock.now() >= before + 3_600_000);
    }
}
