//! What the name server knows: zones, and per name its alias, texts and addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use anyhow::{Context, ensure};
use hickory_proto::rr::rdata::{A, AAAA, NS, SOA, TXT};
use hickory_proto::rr::{Name, RData, RecordType};
use serde::Serialize;

/// The longest string inside a TXT record (RFC 1035, 3.3); longer values are split and read back joined.
const LONGEST_STRING: usize = 255;

/// One name with everything that was set for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordSet {
    /// The name, without the trailing dot.
    pub name: String,
    /// Where the name is an alias of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cname: Option<String>,
    /// The values of its TXT records.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub txt: Vec<String>,
    /// Its addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpAddr>,
}

/// What is to be said about a name and a type.
pub(super) enum Found {
    Alias(Name),
    /// Empty: the name exists, this type does not.
    Data(Vec<RData>),
    NoSuchName,
}

#[derive(Clone, Default)]
struct Node {
    cname: Option<Name>,
    txt: Vec<String>,
    addresses: Vec<IpAddr>,
}

pub(super) struct Records {
    own_address: IpAddr,
    serial: u32,
    zones: BTreeSet<Name>,
    names: BTreeMap<Name, Node>,
}

/// A name as everything here compares it: absolute, in lower case.
pub(super) fn parse_name(text: &str) -> anyhow::Result<Name> {
    let mut name = Name::from_ascii(text).with_context(|| format!("`{text}` is not a DNS name"))?;
    name.set_fqdn(true);
    Ok(name.to_lowercase())
}

impl Records {
    /// Knows the root only; `own_address` is where every zone's name server is.
    pub(super) fn new(own_address: IpAddr) -> anyhow::Result<Self> {
        let mut records = Self { own_address, serial: 1, zones: BTreeSet::new(), names: BTreeMap::new() };
        records.add_zone(&Name::root())?;
        Ok(records)
    }

    pub(super) fn add_zone(&mut self, apex: &Name) -> anyhow::Result<()> {
        if self.zones.insert(apex.clone()) {
            let server = Node { addresses: vec![self.own_address], ..Node::default() };
            self.names.insert(name_server_of(apex)?, server);
        }
        Ok(())
    }

    pub(super) fn set_txt(&mut self, name: &Name, values: Vec<String>) -> anyhow::Result<()> {
        if values.is_empty() {
            self.clear_txt(name);
            return Ok(());
        }
        let node = self.change(name)?;
        (node.cname, node.txt) = (None, values);
        Ok(())
    }

    fn clear_txt(&mut self, name: &Name) {
        self.serial += 1;
        if let Some(node) = self.names.get_mut(name) {
            node.txt.clear();
        }
    }

    pub(super) fn add_txt(&mut self, name: &Name, value: &str) -> anyhow::Result<()> {
        let node = self.change(name)?;
        node.cname = None;
        if !node.txt.iter().any(|known| known == value) {
            node.txt.push(value.to_owned());
        }
        Ok(())
    }

    pub(super) fn set_addresses(&mut self, name: &Name, addresses: Vec<IpAddr>) -> anyhow::Result<()> {
        let node = self.change(name)?;
        (node.cname, node.addresses) = (None, addresses);
        Ok(())
    }

    pub(super) fn set_cname(&mut self, name: &Name, target: Name) -> anyhow::Result<()> {
        self.ensure_zone_for(name)?;
        ensure!(!self.zones.contains(name), "`{name}` is the apex of a zone: it cannot be an alias");
        *self.change(name)? = Node { cname: Some(target), ..Node::default() };
        Ok(())
    }

    pub(super) fn clear(&mut self, name: &Name) {
        self.serial += 1;
        self.names.remove(name);
    }

    pub(super) fn list(&self) -> Vec<RecordSet> {
        let shown = self.names.iter().filter(|(_, node)| !node.is_empty());
        shown.map(|(name, node)| node.shown_as(name)).collect()
    }

    /// What there is at `name`, with wildcards expanded (RFC 4592).
    pub(super) fn find(&self, name: &Name, kind: RecordType) -> anyhow::Result<Found> {
        if self.exists(name) {
            return self.at(name, kind);
        }
        let mut closest = name.base_name();
        while !self.exists(&closest) {
            closest = closest.base_name();
        }
        let wildcard = closest.prepend_label("*")?;
        if self.names.contains_key(&wildcard) { self.at(&wildcard, kind) } else { Ok(Found::NoSuchName) }
    }

    /// The zone a name is in, and that zone's SOA record.
    pub(super) fn authority(&self, name: &Name) -> anyhow::Result<(Name, RData)> {
        let apex = self.zone_of(name);
        let soa = RData::SOA(self.soa(&apex)?);
        Ok((apex, soa))
    }

    fn at(&self, name: &Name, kind: RecordType) -> anyhow::Result<Found> {
        let nothing = Node::default();
        let node = self.names.get(name).unwrap_or(&nothing);
        if let Some(target) = &node.cname {
            return Ok(Found::Alias(target.clone()));
        }
        let apex = self.zones.contains(name);
        Ok(Found::Data(match kind {
            RecordType::SOA if apex => vec![RData::SOA(self.soa(name)?)],
            RecordType::NS if apex => vec![RData::NS(NS(name_server_of(name)?))],
            RecordType::TXT => node.txt.iter().map(|value| txt(value)).collect(),
            RecordType::A | RecordType::AAAA => node.addresses_of(kind),
            _ => Vec::new(),
        }))
    }

    /// A name exists when something is set for it or for a name below it (RFC 8020).
    fn exists(&self, name: &Name) -> bool {
        let set = self.names.iter().any(|(known, node)| !node.is_empty() && name.zone_of(known));
        set || self.zones.iter().any(|apex| name.zone_of(apex))
    }

    fn zone_of(&self, name: &Name) -> Name {
        let holding = self.zones.iter().filter(|apex| apex.zone_of(name));
        holding.max_by_key(|apex| apex.iter().count()).cloned().unwrap_or_else(Name::root)
    }

    fn soa(&self, apex: &Name) -> anyhow::Result<SOA> {
        let contact = apex.prepend_label("hostmaster")?;
        Ok(SOA::new(name_server_of(apex)?, contact, self.serial, 3600, 600, 86_400, 0))
    }

    fn change(&mut self, name: &Name) -> anyhow::Result<&mut Node> {
        self.ensure_zone_for(name)?;
        self.serial += 1;
        Ok(self.names.entry(name.clone()).or_default())
    }

    fn ensure_zone_for(&mut self, name: &Name) -> anyhow::Result<()> {
        if self.zone_of(name).is_root() { self.add_zone(&name.trim_to(2)) } else { Ok(()) }
    }
}

impl Node {
    fn is_empty(&self) -> bool {
        self.cname.is_none() && self.txt.is_empty() && self.addresses.is_empty()
    }

    fn addresses_of(&self, kind: RecordType) -> Vec<RData> {
        let wanted = self.addresses.iter().filter(|address| address.is_ipv4() == (kind == RecordType::A));
        let data = wanted.map(|address| match address {
            IpAddr::V4(address) => RData::A(A(*address)),
            IpAddr::V6(address) => RData::AAAA(AAAA(*address)),
        });
        data.collect()
    }

    fn shown_as(&self, name: &Name) -> RecordSet {
        RecordSet {
            name: readable(name),
            cname: self.cname.as_ref().map(readable),
            txt: self.txt.clone(),
            addresses: self.addresses.clone(),
        }
    }
}

fn name_server_of(apex: &Name) -> anyhow::Result<Name> {
    Ok(apex.prepend_label("ns1")?)
}

fn txt(value: &str) -> RData {
    let mut strings: Vec<&[u8]> = value.as_bytes().chunks(LONGEST_STRING).collect();
    if strings.is_empty() {
        strings.push(&[]);
    }
    RData::TXT(TXT::from_bytes(strings))
}

fn readable(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_owned()
}
