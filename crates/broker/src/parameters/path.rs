//! What is wrong with a path on an origin.

/// Why a text cannot be an absolute path without a query; `None` when it can.
pub(super) fn fault(path: &str) -> Option<&'static str> {
    let allowed = |b: u8| b.is_ascii_graphic() && !b"?#*\"<>\\^`{|}".contains(&b);
    if !path.starts_with('/') {
        Some("does not begin with `/`")
    } else if path.len() > 255 {
        Some("is longer than 255 characters")
    } else if !path.bytes().all(allowed) {
        Some("contains a character that cannot stand in a path")
    } else {
        None
    }
}
