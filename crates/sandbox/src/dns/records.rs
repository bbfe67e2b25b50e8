//! What the name servers know: zones, and per name its records, which one server may see otherwise than the others.

use std::collections::BTreeMap;
use std::net::IpAddr;

use anyhow::{Context, ensure};
use hickory_proto::rr::rdata::{NS, SOA};
use hickory_proto::rr::{Name, RData, RecordType};

use super::NameServer;
use super::node::{Node, RecordSet, RrSet};

/// How long a record may be kept by whoever asked. Nothing is to be cached: a record may change before the next question.
pub(super) const TTL: u32 = 0;

/// Where the authoritative servers are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    pub(super) first: IpAddr,
    pub(super) second: IpAddr,
}

/// What is to be said about a name and a type.
pub(super) enum Found {
    Alias(RrSet, Name),
    /// Without data, the name exists and this type does not.
    Data(RrSet),
    /// The addresses of another name stand here (ALIAS, ANAME, a flattened CNAME).
    Flattened(Name),
    NoSuchName,
}

pub(super) struct Records {
    addresses: Addresses,
    serial: u32,
    /// Every zone with the names of its servers.
    zones: BTreeMap<Name, Vec<Name>>,
    names: BTreeMap<Name, Node>,
    /// What one server says instead; an empty node is a name that this server does not know.
    views: [BTreeMap<Name, Node>; 3],
}

/// A name as everything here compares it: absolute, in lower case.
pub(crate) fn parse_name(text: &str) -> anyhow::Result<Name> {
    let mut name = Name::from_ascii(text).with_context(|| format!("`{text}` is not a DNS name"))?;
    name.set_fqdn(true);
    Ok(name.to_lowercase())
}

/// A name as people write it.
pub(crate) fn readable(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_owned()
}

impl Records {
    /// Knows the root only.
    pub(super) fn new(addresses: Addresses) -> anyhow::Result<Self> {
        let mut records = Self {
            addresses,
            serial: 1,
            zones: BTreeMap::new(),
            names: BTreeMap::new(),
            views: Default::default(),
        };
        let servers = ["a.root-servers.net", "b.root-servers.net"].map(parse_name);
        let servers = servers.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
        records.zones.insert(Name::root(), servers.clone());
        records.place_servers(&servers);
        Ok(records)
    }

    /// Makes `apex` a zone on both servers, `ns1.APEX` and `ns2.APEX`. A zone that exists stays as it is.
    pub(super) fn add_zone(&mut self, apex: &Name) -> anyhow::Result<()> {
        if self.zones.contains_key(apex) {
            return Ok(());
        }
        let servers = [apex.prepend_label("ns1")?, apex.prepend_label("ns2")?];
        self.zones.insert(apex.clone(), servers.to_vec());
        self.place_servers(&servers);
        Ok(())
    }

    /// Replaces the names of a zone's servers; where those are is for their own records to say.
    pub(super) fn set_name_servers(&mut self, apex: &Name, servers: Vec<Name>) {
        self.serial += 1;
        self.zones.insert(apex.clone(), servers);
    }

    /// The first name leads to the first server, the second to the second.
    pub(super) fn place_servers(&mut self, servers: &[Name]) {
        let places = [self.addresses.first, self.addresses.second];
        for (server, place) in servers.iter().zip(places) {
            let set = RrSet::new(TTL, vec![place.into()]);
            self.names.entry(server.clone()).or_default().put(set);
        }
    }

    /// Changes the records of a name, at one server only or everywhere.
    pub(super) fn change(
        &mut self,
        view: Option<NameServer>,
        name: &Name,
        change: impl FnOnce(&mut Node),
    ) -> anyhow::Result<()> {
        self.ensure_zone_for(name)?;
        self.serial += 1;
        let known = self.names.get(name).cloned().unwrap_or_default();
        let node = match view {
            None => self.names.entry(name.clone()).or_default(),
            Some(server) => self.view_mut(server).entry(name.clone()).or_insert(known),
        };
        change(node);
        if self.names.get(name).is_some_and(Node::is_empty) {
            self.names.remove(name);
        }
        Ok(())
    }

    /// All servers say the same about a name again.
    pub(super) fn agree(&mut self, name: &Name) {
        self.serial += 1;
        self.views.iter_mut().for_each(|view| drop(view.remove(name)));
    }

    pub(super) fn is_apex(&self, name: &Name) -> bool {
        self.zones.contains_key(name)
    }

    pub(super) fn list(&self) -> Vec<RecordSet> {
        let everywhere = self.names.iter().map(|(name, node)| node.shown_as(name, None));
        let views = NameServer::ALL.into_iter().flat_map(|server| {
            self.view(server).iter().map(move |(name, node)| node.shown_as(name, Some(server)))
        });
        everywhere.chain(views).collect()
    }

    /// What one server has at `name`, with wildcards expanded (RFC 4592).
    pub(super) fn find(&self, server: NameServer, name: &Name, kind: RecordType) -> anyhow::Result<Found> {
        if self.exists(server, name) {
            return Ok(self.at(server, name, kind));
        }
        let mut closest = name.base_name();
        while !self.exists(server, &closest) {
            closest = closest.base_name();
        }
        let wildcard = closest.prepend_label("*")?;
        let known = self.node(server, &wildcard).is_some();
        Ok(if known { self.at(server, &wildcard, kind) } else { Found::NoSuchName })
    }

    /// The zone a name is in, and that zone's SOA record.
    pub(super) fn authority(&self, name: &Name) -> anyhow::Result<(Name, RData)> {
        let apex = self.zone_of(name);
        let soa = self.soa(&apex)?;
        Ok((apex, soa))
    }

    fn at(&self, server: NameServer, name: &Name, kind: RecordType) -> Found {
        let node = self.node(server, name);
        if let Some((set, target)) = node.and_then(Node::alias) {
            return Found::Alias(set.clone(), target);
        }
        if let Some(target) = node.and_then(Node::flattened).filter(|_| kind.is_ip_addr()) {
            return Found::Flattened(target.clone());
        }
        let own = match (self.zones.get(name), kind) {
            (Some(_), RecordType::SOA) => self.soa(name).ok().map(|soa| RrSet::new(TTL, vec![soa])),
            (Some(servers), RecordType::NS) => {
                let servers = servers.iter().map(|server| RData::NS(NS(server.clone())));
                Some(RrSet::new(TTL, servers.collect()))
            }
            _ => None,
        };
        let set = own.or_else(|| node.and_then(|node| node.get(kind)).cloned());
        Found::Data(set.unwrap_or_default())
    }

    /// The records of exactly this name, if there are any.
    fn node(&self, server: NameServer, name: &Name) -> Option<&Node> {
        let node = self.view(server).get(name).or_else(|| self.names.get(name));
        node.filter(|node| !node.is_empty())
    }

    /// A name exists when something is set for it or for a name below it (RFC 8020). The order of names puts those
    /// below it right after it.
    fn exists(&self, server: NameServer, name: &Name) -> bool {
        let below = |known: &&Name| name.zone_of(known);
        let mut known = self.names.range(name..).map(|(known, _)| known).take_while(below);
        let mut viewed = self.view(server).range(name..).map(|(known, _)| known).take_while(below);
        let zones = self.zones.range(name..).next().is_some_and(|(apex, _)| name.zone_of(apex));
        zones
            || known.any(|known| self.node(server, known).is_some())
            || viewed.any(|known| self.node(server, known).is_some())
    }

    fn zone_of(&self, name: &Name) -> Name {
        let mut apex = name.clone();
        while !self.is_apex(&apex) {
            apex = apex.base_name();
        }
        apex
    }

    fn soa(&self, apex: &Name) -> anyhow::Result<RData> {
        let primary = self.zones.get(apex).and_then(|servers| servers.first()).unwrap_or(apex).clone();
        let contact = apex.prepend_label("hostmaster")?;
        Ok(RData::SOA(SOA::new(primary, contact, self.serial, 3600, 600, 86_400, 0)))
    }

    fn view(&self, server: NameServer) -> &BTreeMap<Name, Node> {
        let [resolver, first, second] = &self.views;
        match server {
            NameServer::Resolver => resolver,
            NameServer::First => first,
            NameServer::Second => second,
        }
    }

    fn view_mut(&mut self, server: NameServer) -> &mut BTreeMap<Name, Node> {
        let [resolver, first, second] = &mut self.views;
        match server {
            NameServer::Resolver => resolver,
            NameServer::First => first,
            NameServer::Second => second,
        }
    }

    /// A record outside of every zone makes a zone of the last two labels by itself.
    pub(super) fn ensure_zone_for(&mut self, name: &Name) -> anyhow::Result<()> {
        ensure!(!name.is_root(), "the root has no records of its own");
        if self.zone_of(name).is_root() { self.add_zone(&name.trim_to(2)) } else { Ok(()) }
    }
}
