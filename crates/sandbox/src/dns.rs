//! The domain name system of the sandbox: a resolver, two authoritative servers, and zones that change while they run.

mod admin;
mod answer;
mod faults;
mod node;
mod records;
mod serve;
mod view;
mod world;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use anyhow::Context;
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{RData, RecordType};
use hickory_server::Server;
use serde::{Deserialize, Serialize};
use tokio::net::UdpSocket;

use crate::loopback::Loopback;
pub use admin::DnsAdmin;
pub use faults::{DnsFault, DnsFaultKind};
pub use node::RecordSet;
pub use view::View;
pub use world::Asked;

use faults::Rule;
use records::{Addresses, Records};
use serve::{Handler, Sockets};
use world::World;

pub(crate) use faults::record_type;
pub(crate) use node::{RrSet, parse};
pub(crate) use records::parse_name;
pub(crate) use world::{Content, Feed, Update};

/// How long a look-up of one's own may take.
const LOOKUP_BOUND: Duration = Duration::from_secs(5);

/// How many free ports are tried until one is free at every address.
const ATTEMPTS: usize = 32;

/// The servers that share what [`Dns`] knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameServer {
    /// Answers for the whole world, as the resolver of a provider does.
    Resolver,
    /// The first authoritative server of every zone.
    First,
    /// The second authoritative server of every zone.
    Second,
}

impl NameServer {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Resolver, Self::First, Self::Second];
}

/// A resolver and two authoritative servers, each at an address of its own and all on one port, UDP and TCP. Dropping it
/// stops them.
///
/// The servers are authoritative for the root, so every name has an answer: names nobody set are `NXDOMAIN` with the
/// root's SOA, names that exist without the type asked for are `NOERROR` without an answer and with the SOA of their
/// zone. Every zone has two name servers, `ns1.ZONE` and `ns2.ZONE`, with addresses, so that a client can walk from the
/// resolver to all authoritative servers of a name. CNAMEs are followed, `*` labels work as in RFC 4592, names compare
/// without case, and what is set here has a TTL of 0, so that a change is seen at once.
///
/// Everything is said by all servers, until [`Dns::at`] lets one say something else or [`Dns::fail`] lets some misbehave.
pub struct Dns {
    world: Arc<World>,
    addresses: [SocketAddr; 3],
    _serving: Vec<Server<Handler>>,
    /// Kept for as long as its addresses are used.
    #[expect(dead_code, reason = "dropping it gives the addresses back")]
    block: Option<Loopback>,
}

impl Dns {
    /// Starts a resolver on `address` and two authoritative servers at loopback addresses of their own, all on the same
    /// port; port 0 takes one that is free at all of them, for UDP and for TCP.
    pub async fn start(address: SocketAddr) -> anyhow::Result<Self> {
        let block = Loopback::claim()?;
        let dns = Self::start_in(&block, address).await?;
        Ok(Self { block: Some(block), ..dns })
    }

    /// The same with authoritative servers in a block that somebody else keeps.
    pub(crate) async fn start_in(block: &Loopback, address: SocketAddr) -> anyhow::Result<Self> {
        let hosts = [address.ip(), block.fresh()?, block.fresh()?];
        let sockets = bind(hosts, address.port()).await?;
        let addresses = sockets.each_ref().map(|sockets| sockets.address);
        let [_, first, second] = hosts;
        let world = Arc::new(World::new(Records::new(Addresses { first, second })?));
        let serving = NameServer::ALL.into_iter().zip(sockets);
        let serving = serving.map(|(name, sockets)| sockets.serve(name, Arc::clone(&world))).collect();
        Ok(Self { world, addresses, _serving: serving, block: None })
    }

    /// Where the resolver answers, over UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        self.server(NameServer::Resolver)
    }

    /// Where a server answers, over UDP and TCP.
    pub fn server(&self, server: NameServer) -> SocketAddr {
        let [resolver, first, second] = self.addresses;
        match server {
            NameServer::Resolver => resolver,
            NameServer::First => first,
            NameServer::Second => second,
        }
    }

    /// Makes `apex` a zone with its own SOA and NS records. A second call changes nothing.
    ///
    /// A record set for a name outside of every zone makes a zone of the last two labels by itself.
    pub fn zone(&self, apex: &str) -> anyhow::Result<()> {
        self.world.lock().add_zone(&parse_name(apex)?)
    }

    /// Replaces the names in the NS records of a zone, which is made if there is none. Names that lead to no name server
    /// of this sandbox make a broken delegation.
    pub fn set_name_servers(&self, apex: &str, servers: &[&str]) -> anyhow::Result<()> {
        let servers = servers.iter().map(|server| parse_name(server)).collect::<anyhow::Result<_>>()?;
        self.world.lock().set_name_servers(&parse_name(apex)?, servers);
        Ok(())
    }

    /// What all servers say, for changes.
    pub fn everywhere(&self) -> View<'_> {
        View::new(&self.world, None)
    }

    /// What one server says, for changes that only this one shows. The first change of a name there begins with what all
    /// say; [`Dns::agree`] ends the difference.
    pub fn at(&self, server: NameServer) -> View<'_> {
        View::new(&self.world, Some(server))
    }

    /// All servers say the same about a name again.
    pub fn agree(&self, name: &str) -> anyhow::Result<()> {
        self.world.lock().agree(&parse_name(name)?);
        Ok(())
    }

    /// Lets servers misbehave from now on. Where several faults meet a question, the last one counts.
    pub fn fail(&self, fault: DnsFault) -> anyhow::Result<()> {
        let rule = Rule::parse(fault)?;
        self.world.rules.lock().unwrap_or_else(PoisonError::into_inner).push(rule);
        Ok(())
    }

    /// Ends all faults.
    pub fn heal(&self) {
        self.world.rules.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Replaces the TXT records of a name by one record per value; no values, no records.
    pub fn set_txt(&self, name: &str, values: Vec<String>) -> anyhow::Result<()> {
        self.everywhere().set_txt(name, values)
    }

    /// Adds one TXT record to those a name has; a value that is there already is not repeated.
    pub fn add_txt(&self, name: &str, value: &str) -> anyhow::Result<()> {
        self.everywhere().add_txt(name, value)
    }

    /// Makes a name an alias of `target`; its other records go. A zone's apex cannot be one (RFC 1034, 3.6.2).
    pub fn set_cname(&self, name: &str, target: &str) -> anyhow::Result<()> {
        self.everywhere().set_cname(name, target)
    }

    /// Replaces the addresses (A and AAAA) of a name.
    pub fn set_a(&self, name: &str, addresses: Vec<IpAddr>) -> anyhow::Result<()> {
        self.everywhere().set_a(name, addresses)
    }

    /// Removes every record of a name. Removing what is not there is success.
    pub fn clear(&self, name: &str) -> anyhow::Result<()> {
        self.everywhere().clear(name)
    }

    /// Everything that is set, by name; then what single servers say otherwise.
    pub fn records(&self) -> Vec<RecordSet> {
        self.world.catch_up();
        self.world.lock().list()
    }

    /// The questions that the servers were asked, oldest first; of very many, the latest.
    pub fn asked(&self) -> Vec<Asked> {
        self.world.asked()
    }

    /// Asks the resolver over UDP for the IPv4 addresses of a name, as a client would; aliases are followed.
    /// A name that does not exist has none.
    pub async fn look_up(&self, name: &str) -> anyhow::Result<Vec<IpAddr>> {
        let asked = tokio::time::timeout(LOOKUP_BOUND, ask(self.address(), name)).await;
        let answer = asked.context("the name server did not answer")??;
        let code = answer.metadata.response_code;
        anyhow::ensure!(
            matches!(code, ResponseCode::NoError | ResponseCode::NXDomain),
            "the name server answered {code} for {name}"
        );
        let addresses = answer.answers.iter().filter_map(|record| match record.data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            _ => None,
        });
        Ok(addresses.collect())
    }

    /// The names that the aliases of a name lead to, one after the other, as the resolver knows them now. Nothing is asked of
    /// any feed: it may be a feed that asks.
    pub(crate) fn aliases_of(&self, name: &str) -> Vec<String> {
        parse_name(name).map(|name| self.world.aliases_of(&name)).unwrap_or_default()
    }

    /// Takes over what `feed` has to say before each answer.
    pub(crate) fn follow(&self, feed: Weak<dyn Feed>) {
        self.world.follow(feed);
    }

    /// Lets two names of name servers lead to the two authoritative servers.
    pub(crate) fn place_name_servers(&self, servers: &[String]) -> anyhow::Result<()> {
        let servers = servers.iter().map(|server| parse_name(server)).collect::<anyhow::Result<Vec<_>>>()?;
        let mut records = self.world.lock();
        for server in &servers {
            records.ensure_zone_for(server)?;
        }
        records.place_servers(&servers);
        Ok(())
    }
}

impl std::fmt::Debug for Dns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dns").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

/// Sockets at every address, on one port.
async fn bind(hosts: [IpAddr; 3], port: u16) -> anyhow::Result<[Sockets; 3]> {
    let mut attempt = 1;
    loop {
        match bind_once(hosts, port).await {
            Err(error) if port != 0 || attempt == ATTEMPTS => return Err(error),
            Err(_) => attempt += 1,
            bound => return bound,
        }
    }
}

async fn bind_once([resolver, first, second]: [IpAddr; 3], port: u16) -> anyhow::Result<[Sockets; 3]> {
    let resolver = Sockets::bind(SocketAddr::new(resolver, port)).await?;
    let port = resolver.address.port();
    let first = Sockets::bind(SocketAddr::new(first, port)).await?;
    let second = Sockets::bind(SocketAddr::new(second, port)).await?;
    Ok([resolver, first, second])
}

/// Whether a name server says anything at all, be it that it fails.
pub(crate) async fn is_answered(server: SocketAddr) -> bool {
    tokio::time::timeout(LOOKUP_BOUND, ask(server, "anything.example")).await.is_ok_and(|asked| asked.is_ok())
}

async fn ask(server: SocketAddr, name: &str) -> anyhow::Result<Message> {
    let mut question = Message::query();
    question.add_query(Query::query(parse_name(name)?, RecordType::A));
    let socket = UdpSocket::bind((server.ip(), 0)).await?;
    socket.connect(server).await?;
    socket.send(&question.to_vec()?).await?;
    let mut buffer = vec![0; serve::LARGEST_MESSAGE];
    let length = socket.recv(&mut buffer).await?;
    Ok(Message::from_vec(buffer.get(..length).unwrap_or_default())?)
}
