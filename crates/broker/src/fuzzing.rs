use contract::DomainName;
use serde_json::Value;

use crate::{Limits, Offer, read_settings};

/// For fuzzers and property tests: the parameters of an instance, as any bytes. They are read, or refused with one sentence of
/// a readable length. What was read is within every limit, or refused by it with such a sentence.
///
/// # Panics
/// When that does not hold.
pub fn fuzz_parameters(data: &[u8]) {
    let Ok(Value::Object(parameters)) = serde_json::from_slice(data) else { return };
    let Ok(default) = DomainName::parse("apps.example.org") else { return };
    let read = read_settings(&parameters, &default, Offer { logging: true, letters: true });
    let narrow = Limits { domains: 1, wildcards: false, ..Limits::default() };
    let judged = read.and_then(|settings| narrow.check("small", &settings, &parameters));
    if let Err(mistake) = judged {
        let sentence = mistake.to_string();
        assert!(sentence.ends_with('.') && sentence.chars().count() < 1000, "{sentence}");
    }
}
