//! Reading the broker's texts as a person would.

/// One record that the text asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TxtRecord {
    /// Where it goes.
    pub(crate) name: String,
    /// What it says.
    pub(crate) value: String,
}

impl TxtRecord {
    /// Whether it is to be set at this name; a trailing dot makes no difference.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.name.trim_end_matches('.') == name
    }
}

/// The TXT records in a text: lines of the form `NAME TTL IN TXT "VALUE"`, as in a zone file.
pub(crate) fn txt_records(text: &str) -> Vec<TxtRecord> {
    text.lines().filter_map(|line| txt_record(line.trim())).collect()
}

fn txt_record(line: &str) -> Option<TxtRecord> {
    let (start, value) = line.split_once(" IN TXT ")?;
    let (name, ttl) = start.split_once(' ')?;
    ttl.parse::<u32>().ok()?;
    let value = value.strip_prefix('"')?.strip_suffix('"')?;
    Some(TxtRecord { name: name.to_owned(), value: value.to_owned() })
}

/// The CDN's own name, which the domains are to point at.
pub(crate) fn cdn_target(text: &str) -> Option<String> {
    let mut words = text.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    words.find(|word| word.ends_with(".cloudfront.net")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Waiting for proof of control of 2 of 2 domains: do one of the following for each of them.\n\
        A. A DNS record, this time and again at each renewal: the TXT record that stands below the domain.\n\
        www.example.gov:\n\
        \x20 _acme-challenge.www.example.gov. 60 IN TXT \"one\"\n\
        \x20 seen on 2026-01-01 00:00 UTC: there is no such record\n\
        docs.example.gov:\n\
        \x20 _acme-challenge.docs.example.gov. 60 IN TXT \"two\"\n\
        Then point www.example.gov and docs.example.gov to d111.cloudfront.net (CNAME or ALIAS).";

    #[test]
    fn every_line_of_a_zone_file_is_a_record() {
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
        assert!(txt_records("  www.example.gov. 60 IN CNAME elsewhere.test.").is_empty());
        assert!(txt_records("Set what IN TXT \"means\".").is_empty());
    }

    #[test]
    fn the_target_is_found_in_a_sentence() {
        assert_eq!(cdn_target(TEXT).unwrap(), "d111.cloudfront.net");
        assert_eq!(cdn_target("Point it to d2.cloudfront.net.").unwrap(), "d2.cloudfront.net");
        assert_eq!(cdn_target("Nothing yet."), None);
    }
}
