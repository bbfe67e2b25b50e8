//! Changes of records.

use std::net::IpAddr;

use anyhow::ensure;

use super::NameServer;
use super::node::{Node, caa};
use super::records::parse_name;
use super::world::World;

/// The records as all servers show them, or as one does. What is changed is shown at once.
pub struct View<'a> {
    world: &'a World,
    server: Option<NameServer>,
}

impl<'a> View<'a> {
    pub(super) fn new(world: &'a World, server: Option<NameServer>) -> Self {
        Self { world, server }
    }

    /// Replaces the TXT records of a name by one record per value; no values, no records.
    pub fn set_txt(&self, name: &str, values: Vec<String>) -> anyhow::Result<()> {
        self.change(name, |node| node.set_txt(values))
    }

    /// Adds one TXT record to those a name has; a value that is there already is not repeated.
    pub fn add_txt(&self, name: &str, value: &str) -> anyhow::Result<()> {
        self.change(name, |node| node.add_txt(value))
    }

    /// Removes one TXT record from those a name has. Removing what is not there is success.
    pub fn remove_txt(&self, name: &str, value: &str) -> anyhow::Result<()> {
        self.change(name, |node| node.remove_txt(value))
    }

    /// Replaces the CAA records of a name, each as zone files have it: `0 issue "letsencrypt.org"`, `128 unknown "x"`.
    pub fn set_caa(&self, name: &str, records: &[&str]) -> anyhow::Result<()> {
        let records = records.iter().map(|record| caa(record)).collect::<anyhow::Result<_>>()?;
        self.change(name, |node| node.set_caa(records))
    }

    /// Makes a name an alias of `target`; its other records go. A zone's apex cannot be one (RFC 1034, 3.6.2).
    pub fn set_cname(&self, name: &str, target: &str) -> anyhow::Result<()> {
        let target = parse_name(target)?;
        ensure!(
            !self.world.lock().is_apex(&parse_name(name)?),
            "`{name}` is the apex of a zone: it cannot be an alias"
        );
        self.change(name, |node| node.set_alias(target))
    }

    /// Gives a name the addresses of `target`, whatever they are at the time: an ALIAS, ANAME or flattened CNAME, as
    /// providers offer them for the apex of a zone.
    pub fn set_flattened(&self, name: &str, target: &str) -> anyhow::Result<()> {
        let target = parse_name(target)?;
        self.change(name, |node| node.set_flattened(target))
    }

    /// Replaces the addresses (A and AAAA) of a name.
    pub fn set_a(&self, name: &str, addresses: Vec<IpAddr>) -> anyhow::Result<()> {
        self.change(name, |node| node.set_addresses(addresses))
    }

    /// Removes every record of a name. Removing what is not there is success.
    pub fn clear(&self, name: &str) -> anyhow::Result<()> {
        self.change(name, Node::clear)
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Node)) -> anyhow::Result<()> {
        self.world.catch_up();
        self.world.lock().change(self.server, &parse_name(name)?, change)
    }
}
