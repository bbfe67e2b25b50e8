use std::borrow::Cow;

/// A value as it may be shown: without user and password, where it is a URL or the beginning of one. Both may hold any
/// character, whether or not it would have to be encoded, so that everything up to the last `@` counts as theirs.
pub(crate) fn without_user(value: &str) -> Cow<'_, str> {
    let Some((before, host)) = value.rsplit_once('@') else { return value.into() };
    match before.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://***@{host}").into(),
        // An address of mail has no colon.
        None if before.contains(':') => format!("***@{host}").into(),
        None => value.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_of_urls_are_not_shown() {
        for (value, shown) in [
            ("https://u:hunter2@api.example/dir", "https://***@api.example/dir"),
            ("https://hunter2@api.example", "https://***@api.example"),
            ("https://u:hun/t@er2@api.example", "https://***@api.example"),
            ("u:hunter2@api.example", "***@api.example"),
            ("https://api.example/dir", "https://api.example/dir"),
            ("ops@example.gov", "ops@example.gov"),
            ("Ops <ops@example.gov>", "Ops <ops@example.gov>"),
        ] {
            assert_eq!(without_user(value), shown);
        }
    }
}
