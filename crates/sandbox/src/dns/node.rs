//! One name with its records.

use std::collections::BTreeMap;
use std::net::IpAddr;

use anyhow::{Context, ensure};
use hickory_proto::rr::rdata::{CNAME, TXT};
use hickory_proto::rr::{Name, RData, RecordType};
use serde::Serialize;

use super::NameServer;
use super::records::{TTL, parse_name, readable};

/// The longest string inside a TXT record (RFC 1035, 3.3); longer values are split and read back joined.
const LONGEST_STRING: usize = 255;

/// One name with everything that was set for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RecordSet {
    /// The name, without the trailing dot.
    pub name: String,
    /// The one server that says this; absent for what all of them say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<NameServer>,
    /// Where the name is an alias of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cname: Option<String>,
    /// The name whose addresses it has (a flattened alias).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flattened: Option<String>,
    /// The values of its TXT records.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub txt: Vec<String>,
    /// Its addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpAddr>,
    /// Its CAA records, as in a zone file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub caa: Vec<String>,
}

/// The records of one type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RrSet {
    pub(crate) ttl: u32,
    pub(crate) data: Vec<RData>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    sets: BTreeMap<RecordType, RrSet>,
    flattened: Option<Name>,
}

impl RrSet {
    pub(crate) fn new(ttl: u32, data: Vec<RData>) -> Self {
        Self { ttl, data }
    }
}

impl Node {
    pub(super) fn is_empty(&self) -> bool {
        self.sets.is_empty() && self.flattened.is_none()
    }

    pub(super) fn get(&self, kind: RecordType) -> Option<&RrSet> {
        self.sets.get(&kind)
    }

    /// Puts a set in the place of the one of its type.
    pub(super) fn put(&mut self, set: RrSet) {
        if let Some(kind) = set.data.first().map(RData::record_type) {
            self.sets.insert(kind, set);
        }
    }

    /// Puts a set in the place of what there is of a type, a flattened alias included.
    pub(super) fn replace_with(&mut self, kind: RecordType, set: RrSet) {
        if kind.is_ip_addr() {
            self.flattened = None;
        }
        self.sets.remove(&kind);
        self.put(set);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn alias(&self) -> Option<(&RrSet, Name)> {
        let set = self.sets.get(&RecordType::CNAME)?;
        match set.data.first()? {
            RData::CNAME(target) => Some((set, target.0.clone())),
            _ => None,
        }
    }

    pub(super) fn flattened(&self) -> Option<&Name> {
        self.flattened.as_ref()
    }

    /// An alias has no other records (RFC 1034, 3.6.2).
    pub(super) fn set_alias(&mut self, target: Name) {
        self.clear();
        self.put(RrSet::new(TTL, vec![RData::CNAME(CNAME(target))]));
    }

    pub(super) fn set_flattened(&mut self, target: Name) {
        self.set_addresses(Vec::new());
        self.flattened = Some(target);
    }

    pub(super) fn set_txt(&mut self, values: Vec<String>) {
        self.replace(RecordType::TXT, values.into_iter().map(|value| txt(&value)).collect());
    }

    pub(super) fn add_txt(&mut self, value: &str) {
        self.edit_txt(|values| {
            if !values.iter().any(|known| known == value) {
                values.push(value.to_owned());
            }
        });
    }

    pub(super) fn remove_txt(&mut self, value: &str) {
        self.edit_txt(|values| values.retain(|known| known != value));
    }

    fn edit_txt(&mut self, edit: impl FnOnce(&mut Vec<String>)) {
        let mut values = self.txt();
        edit(&mut values);
        self.set_txt(values);
    }

    pub(super) fn set_addresses(&mut self, addresses: Vec<IpAddr>) {
        let (ipv4, ipv6) = addresses.into_iter().partition::<Vec<_>, _>(IpAddr::is_ipv4);
        self.flattened = None;
        self.replace(RecordType::A, ipv4.into_iter().map(RData::from).collect());
        self.replace(RecordType::AAAA, ipv6.into_iter().map(RData::from).collect());
    }

    pub(super) fn set_caa(&mut self, records: Vec<RData>) {
        self.replace(RecordType::CAA, records);
    }

    /// Other types may stand beside each other, an alias may not stand beside them.
    fn replace(&mut self, kind: RecordType, data: Vec<RData>) {
        self.sets.remove(&RecordType::CNAME);
        self.sets.remove(&kind);
        self.put(RrSet::new(TTL, data));
    }

    fn txt(&self) -> Vec<String> {
        self.values(RecordType::TXT, |data| match data {
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        })
    }

    fn values<T>(&self, kind: RecordType, value: impl Fn(&RData) -> Option<T>) -> Vec<T> {
        self.get(kind).map_or(&[][..], |set| set.data.as_slice()).iter().filter_map(value).collect()
    }

    pub(super) fn shown_as(&self, name: &Name, at: Option<NameServer>) -> RecordSet {
        let addresses = |kind| self.values(kind, RData::ip_addr);
        RecordSet {
            name: readable(name),
            at,
            cname: self.alias().map(|(_, target)| readable(&target)),
            flattened: self.flattened.as_ref().map(readable),
            txt: self.txt(),
            addresses: [addresses(RecordType::A), addresses(RecordType::AAAA)].concat(),
            caa: self.values(RecordType::CAA, |data| Some(data.to_string())),
        }
    }
}

/// A CAA record as zone files have it, such as `0 issue "letsencrypt.org"`.
pub(super) fn caa(text: &str) -> anyhow::Result<RData> {
    parse(RecordType::CAA, text)
}

/// A record as zone files have it. Names are absolute, with or without the final dot.
pub(crate) fn parse(kind: RecordType, text: &str) -> anyhow::Result<RData> {
    let what = || format!("`{text}` is not the data of a {kind} record");
    if kind == RecordType::CNAME {
        return Ok(RData::CNAME(CNAME(parse_name(text)?)));
    }
    ensure!(!text.trim().is_empty(), what());
    RData::try_from_str(kind, text).with_context(what)
}

fn txt(value: &str) -> RData {
    let mut strings: Vec<&[u8]> = value.as_bytes().chunks(LONGEST_STRING).collect();
    if strings.is_empty() {
        strings.push(&[]);
    }
    RData::TXT(TXT::from_bytes(strings))
}
