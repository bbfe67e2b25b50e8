//! Identifiers that look like those of AWS: unique, and the same in every run.

use sha2::{Digest, Sha256};

const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// A source of identifiers: a counter, hashed so that neighbours do not look alike.
#[derive(Debug)]
pub(crate) struct Ids {
    seed: &'static str,
    counter: u64,
}

impl Ids {
    pub(crate) fn new(seed: &'static str) -> Self {
        Self { seed, counter: 0 }
    }

    /// `E` and 13 capitals or digits: distributions, origin access controls and their `ETag`s.
    pub(crate) fn cloudfront(&mut self) -> String {
        self.draw("E", UPPER, 13)
    }

    /// `d` and 13 small letters or digits: the label below `cloudfront.net`.
    pub(crate) fn cloudfront_label(&mut self) -> String {
        self.draw("d", LOWER, 13)
    }

    /// `ASCA` and 17 capitals or digits: a server certificate.
    pub(crate) fn server_certificate(&mut self) -> String {
        self.draw("ASCA", UPPER, 17)
    }

    /// A letter and 20 capitals or digits: hosted zones (`Z`) and changes (`C`).
    pub(crate) fn route53(&mut self, letter: &str) -> String {
        self.draw(letter, UPPER, 20)
    }

    /// A request id in the shape of a UUID.
    pub(crate) fn request(&mut self) -> String {
        let hex = self.draw("", b"0123456789abcdef", 32);
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
        parts.map(|part| hex.get(part).unwrap_or_default().to_owned()).join("-")
    }

    fn draw(&mut self, prefix: &str, alphabet: &[u8], length: usize) -> String {
        self.counter += 1;
        let digest = Sha256::digest(format!("{}:{}", self.seed, self.counter));
        let letter = |byte: &u8| alphabet.get(usize::from(*byte) % alphabet.len()).copied().map(char::from);
        prefix.chars().chain(digest.iter().take(length).filter_map(letter)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn looks_like_aws_and_never_repeats() {
        let mut ids = Ids::new("test");
        let id = ids.cloudfront();
        assert!(id.len() == 14 && id.starts_with('E'));
        assert_eq!(ids.server_certificate().len(), 21);
        assert_eq!(ids.request().len(), 36);
        let many: HashSet<_> = (0..2000).map(|_| ids.cloudfront()).collect();
        assert_eq!(many.len(), 2000);
    }

    #[test]
    fn is_the_same_in_every_run() {
        assert_eq!(Ids::new("a").cloudfront(), Ids::new("a").cloudfront());
    }
}
