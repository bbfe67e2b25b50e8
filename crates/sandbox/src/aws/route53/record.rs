//! Record sets: their names, their order, their form in XML.

use std::collections::BTreeMap;

use crate::aws::xml::Element;

/// The records of a zone in the order in which the API lists them.
pub(super) type Records = BTreeMap<Key, RecordSet>;

/// The order of record sets: by name with its labels reversed, then by type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    labels: Vec<String>,
    kind: String,
}

/// A record set without a routing policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordSet {
    /// In lower case, without escapes, with the final dot.
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) content: Content,
}

/// Values of one's own, or those of another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Values { ttl: u32, values: Vec<String> },
    Alias { zone: String, target: String, evaluate_health: bool },
}

impl Key {
    pub(super) fn new(name: &str, kind: &str) -> Self {
        let labels = canonical(name).trim_end_matches('.').rsplit('.').map(str::to_owned).collect();
        Self { labels, kind: kind.to_owned() }
    }

    /// Whether both are for the same name.
    pub(super) fn shares_name(&self, other: &Self) -> bool {
        self.labels == other.labels
    }
}

impl RecordSet {
    pub(super) fn new(name: &str, kind: &str, ttl: u32, values: Vec<String>) -> Self {
        let content = Content::Values { ttl, values };
        Self { name: canonical(name), kind: kind.to_owned(), content }
    }

    pub(super) fn key(&self) -> Key {
        Key::new(&self.name, &self.kind)
    }

    /// The values; an alias has none.
    pub(crate) fn values(&self) -> &[String] {
        match &self.content {
            Content::Values { values, .. } => values,
            Content::Alias { .. } => &[],
        }
    }

    /// Whether both hold the same, in whatever order.
    pub(super) fn same_content(&self, other: &Self) -> bool {
        match (&self.content, &other.content) {
            (Content::Values { ttl, values }, Content::Values { ttl: other_ttl, values: other_values }) => {
                let sorted = |values: &[String]| {
                    let mut values = values.to_vec();
                    values.sort();
                    values
                };
                ttl == other_ttl && sorted(values) == sorted(other_values)
            }
            (one, other) => one == other,
        }
    }

    pub(super) fn element(&self) -> Element {
        let set = Element::new("ResourceRecordSet")
            .with(Element::leaf("Name", escaped(&self.name)))
            .with(Element::leaf("Type", &self.kind));
        match &self.content {
            Content::Values { ttl, values } => {
                let record = |value| Element::new("ResourceRecord").with(Element::leaf("Value", value));
                let records = values.iter().map(record).collect();
                set.with(Element::leaf("TTL", ttl)).with(Element::holding("ResourceRecords", records))
            }
            Content::Alias { zone, target, evaluate_health } => {
                let alias = Element::new("AliasTarget")
                    .with(Element::leaf("HostedZoneId", zone))
                    .with(Element::leaf("DNSName", target))
                    .with(Element::leaf("EvaluateTargetHealth", evaluate_health));
                set.with(alias)
            }
        }
    }
}

/// A name as it is compared: lower case, absolute, escape codes such as `\052` undone.
pub(super) fn canonical(name: &str) -> String {
    let mut plain = String::new();
    let mut rest = name;
    while let Some((before, code)) = rest.split_once('\\') {
        plain.push_str(before);
        let digits = code.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match digits {
            Some(byte) => {
                plain.push(char::from(byte));
                rest = code.get(3..).unwrap_or_default();
            }
            None => rest = code,
        }
    }
    plain.push_str(rest);
    format!("{}.", plain.trim_end_matches('.').to_ascii_lowercase())
}

/// A name as answers have it: everything but letters, digits, hyphens and underscores as an octal code.
pub(super) fn escaped(name: &str) -> String {
    let escape = |c: char| match c {
        'a'..='z' | '0'..='9' | '-' | '_' | '.' => c.to_string(),
        other => format!("\\{:03o}", u32::from(other)),
    };
    name.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_dot_and_escapes() {
        assert_eq!(canonical("WWW.Example.gov"), "www.example.gov.");
        assert_eq!(canonical(r"\052.example.gov."), "*.example.gov.");
        assert_eq!(escaped("*._x.example.gov."), r"\052._x.example.gov.");
    }

    #[test]
    fn record_sets_are_ordered_by_reversed_labels_then_type() {
        let key = Key::new;
        let mut keys = [
            key("b.example.gov", "A"),
            key("example.gov", "SOA"),
            key("z.a.example.gov", "A"),
            key("b.example.gov", "AAAA"),
        ];
        keys.sort();
        let expected = [
            key("example.gov", "SOA"),
            key("z.a.example.gov", "A"),
            key("b.example.gov", "A"),
            key("b.example.gov", "AAAA"),
        ];
        assert_eq!(keys, expected);
    }
}
