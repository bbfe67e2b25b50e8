//! Reading the broker's texts as a person would.

/// One record that the text asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TxtRecord {
    /// Where it goes.
    pub(super) name: String,
    /// What it says.
    pub(super) value: String,
}

impl TxtRecord {
    /// Whether it is to be set at this name; a trailing dot makes no difference.
    pub(super) fn is_named(&self, name: &str) -> bool {
        self.name.trim_end_matches('.') == name
    }
}

/// The TXT records in a text: blocks of `name:`, `type: TXT`, `value:`.
pub(super) fn txt_records(text: &str) -> Vec<TxtRecord> {
    let mut records = Vec::new();
    let (mut name, mut is_txt) = (None, false);
    for line in text.lines().map(str::trim) {
        if let Some(found) = line.strip_prefix("name:") {
            (name, is_txt) = (Some(found.trim()), false);
        } else if let Some(found) = line.strip_prefix("type:") {
            is_txt = found.trim() == "TXT";
        } else if let (Some(value), Some(name), true) = (line.strip_prefix("value:"), name, is_txt) {
            records.push(TxtRecord { name: name.to_owned(), value: value.trim().to_owned() });
        }
    }
    records
}

/// The CDN's own name, which the domains are to point at.
pub(super) fn cdn_target(text: &str) -> Option<String> {
    let mut words = text.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    words.find(|word| word.ends_with(".cloudfront.net")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Waiting for proof of control of 2 of 2 domains: set the DNS records below.\n\
        www.example.gov\n\
        \x20 name:  _acme-challenge.www.example.gov.\n  type:  TXT\n  value: one\n  ttl:   60\n\
        docs.example.gov\n\
        \x20 name:  _acme-challenge.docs.example.gov.\n  type:  TXT\n  value: two\n  ttl:   60\n\
        Then point www.example.gov and docs.example.gov to d111.cloudfront.net (CNAME or ALIAS).";

    #[test]
    fn every_block_is_a_record() {
        let records = txt_records(TEXT);
        let read: Vec<_> =
            records.iter().map(|record| (record.name.as_str(), record.value.as_str())).collect();
        assert_eq!(
            read,
            [("_acme-challenge.www.example.gov.", "one"), ("_acme-challenge.docs.example.gov.", "two")]
        );
        assert!(records[0].is_named("_acme-challenge.www.example.gov"));
    }

    #[test]
    fn records_of_other_types_are_passed_over() {
        assert!(
            txt_records("  name:  www.example.gov.\n  type:  CNAME\n  value: elsewhere.test.").is_empty()
        );
    }

    #[test]
    fn the_target_is_found_in_a_sentence() {
        assert_eq!(cdn_target(TEXT).unwrap(), "d111.cloudfront.net");
        assert_eq!(cdn_target("Point it to d2.cloudfront.net.").unwrap(), "d2.cloudfront.net");
        assert_eq!(cdn_target("Nothing yet."), None);
    }
}
