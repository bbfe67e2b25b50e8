//! Which servers are the authority over a name. The resolvers know; what they say is kept for a minute, within bounds.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::time::Instant;

use super::addresses::is_public;
use super::resolvers::{Resolvers, Vouched, is_good};

const KEPT: Duration = Duration::from_mins(1);
/// How many names are known at once; a thousand instances wait for about as many.
const MOST_KNOWN: usize = 4096;
/// A zone has at most 13 name servers, by custom, because their addresses once had to fit into 512 bytes.
const MOST_SERVERS: usize = 13;

/// A zone and those who answer for it.
#[derive(Debug)]
pub(super) struct Zone {
    pub(super) apex: Name,
    /// One address of every kind that a host has first: IPv4, or IPv6 where there is no other.
    pub(super) servers: Vec<Server>,
    /// The IPv6 addresses of hosts that have both, for networks without IPv4.
    pub(super) spare: Vec<Server>,
}

/// One address of one name server.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) host: Name,
    pub(super) address: SocketAddr,
}

/// Why the authority over a name cannot be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// Nobody answers a question about this name.
    Silence(Name),
    /// The resolvers fail for this name, for this reason.
    Failure(Name, Vouched),
    /// The servers of this zone have no address that may be asked.
    NoAddress(Name),
    /// The resolvers do not know any name servers at all: they answer only for addresses, for example.
    Unknown,
}

pub(super) struct Zones {
    port: u16,
    allow_private: bool,
    known: Mutex<HashMap<Name, (Instant, Arc<Zone>)>>,
}

impl Zones {
    pub(super) fn new(port: u16, allow_private: bool) -> Self {
        Self { port, allow_private, known: Mutex::default() }
    }

    /// The zone that should hold a name. It may turn out to have delegated the name: then `delegated` knows more.
    ///
    /// The search begins above the name, so that no resolver learns, and remembers for an hour, that a name which the
    /// user is about to make does not exist.
    pub(super) async fn of(&self, name: &Name, resolvers: &Resolvers) -> Result<Arc<Zone>, Lost> {
        let start = if name.num_labels() > 2 { name.base_name() } else { name.clone() };
        if let Some(zone) = self.recall(name).or_else(|| self.recall(&start)) {
            return Ok(zone);
        }
        let zone = self.find(start.clone(), resolvers).await?;
        self.remember(start, &zone);
        Ok(zone)
    }

    /// The zone `apex`, to which `name` has been delegated.
    pub(super) async fn delegated(
        &self,
        name: &Name,
        apex: Name,
        resolvers: &Resolvers,
    ) -> Result<Arc<Zone>, Lost> {
        let zone = self.find(apex, resolvers).await?;
        self.remember(name.clone(), &zone);
        Ok(zone)
    }

    async fn find(&self, start: Name, resolvers: &Resolvers) -> Result<Arc<Zone>, Lost> {
        let mut at = start;
        loop {
            if let Some(zone) = self.recall(&at) {
                return Ok(zone);
            }
            let answer = resolvers.ask(&at, RecordType::NS).await.ok_or_else(|| Lost::Silence(at.clone()))?;
            match answer.metadata.response_code {
                code if is_good(code) => {}
                ResponseCode::ServFail => {
                    let why = resolvers.explain_failure(&at, RecordType::NS).await;
                    return Err(Lost::Failure(at, why));
                }
                _ => return Err(Lost::Unknown),
            }
            let hosts = hosts(&answer, &at);
            if !hosts.is_empty() {
                return self.zone(at, hosts, resolvers).await;
            }
            at = above(&answer, &at).ok_or(Lost::Unknown)?;
        }
    }

    async fn zone(&self, apex: Name, hosts: Vec<Name>, resolvers: &Resolvers) -> Result<Arc<Zone>, Lost> {
        let hosts = hosts.into_iter().take(MOST_SERVERS);
        let found = join_all(hosts.map(|host| self.addresses(host, resolvers))).await;
        let (mut servers, mut spare) = (Vec::new(), Vec::new());
        for (v4, v6) in found {
            if v4.is_empty() {
                servers.extend(v6);
            } else {
                servers.extend(v4);
                spare.extend(v6);
            }
        }
        if servers.is_empty() {
            return Err(Lost::NoAddress(apex));
        }
        let zone = Arc::new(Zone { apex: apex.clone(), servers, spare });
        self.remember(apex, &zone);
        Ok(zone)
    }

    async fn addresses(&self, host: Name, resolvers: &Resolvers) -> (Vec<Server>, Vec<Server>) {
        let of = |kind| {
            let host = host.clone();
            async move {
                let answer = resolvers.ask(&host, kind).await;
                let addresses = answer.iter().flat_map(addresses).filter(|one| self.may_ask(*one));
                let server =
                    |address| Server { host: host.clone(), address: SocketAddr::new(address, self.port) };
                addresses.map(server).collect()
            }
        };
        tokio::join!(of(RecordType::A), of(RecordType::AAAA))
    }

    fn may_ask(&self, address: IpAddr) -> bool {
        self.allow_private || is_public(address)
    }

    fn recall(&self, name: &Name) -> Option<Arc<Zone>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(name).filter(|(until, _)| *until > Instant::now()).map(|(_, zone)| Arc::clone(zone))
    }

    fn remember(&self, name: Name, zone: &Arc<Zone>) {
        let now = Instant::now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            known.retain(|_, (until, _)| *until > now);
        }
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(name, (now + KEPT, Arc::clone(zone)));
    }
}

/// The addresses in an answer.
pub(super) fn addresses(answer: &Message) -> impl Iterator<Item = IpAddr> {
    answer.answers.iter().filter_map(|record| address(&record.data))
}

/// The address in a record, if it holds one.
pub(super) fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    }
}

fn hosts(answer: &Message, apex: &Name) -> Vec<Name> {
    let of_apex = answer.answers.iter().filter(|record| record.name == *apex);
    let hosts = of_apex.filter_map(|record| match &record.data {
        RData::NS(host) => Some(host.0.clone()),
        _ => None,
    });
    hosts.collect()
}

/// Where to go on when `at` is no zone: to the zone that the answer names (RFC 2308, section 3), or one label up.
fn above(answer: &Message, at: &Name) -> Option<Name> {
    if at.is_root() {
        return None;
    }
    // Behind an alias the answer is about another name.
    let zone = if answer.answers.is_empty() { soa_owner(answer) } else { None };
    Some(zone.filter(|apex| apex != at && apex.zone_of(at)).unwrap_or_else(|| at.base_name()))
}

fn soa_owner(answer: &Message) -> Option<Name> {
    let soa = answer.authorities.iter().find(|record| record.record_type() == RecordType::SOA);
    soa.map(|record| record.name.clone())
}
