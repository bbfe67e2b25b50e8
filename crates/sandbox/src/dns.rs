//! An authoritative name server whose zones can be changed while it runs.

mod admin;
mod answer;
mod records;
mod serve;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{RData, RecordType};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

pub use admin::DnsAdmin;
pub use records::RecordSet;
use records::{Records, parse_name};

/// How long a look-up of one's own may take.
const LOOKUP_BOUND: Duration = Duration::from_secs(5);

/// The name server: one address, UDP and TCP on the same port. Dropping it stops it.
///
/// It is authoritative for the root, so every name has an answer: names nobody set are `NXDOMAIN` with the
/// root's SOA, names that exist without the type asked for are `NOERROR` without an answer and with the SOA
/// of their zone. Every zone has an NS record `ns1.ZONE` that points back at this server. CNAMEs are
/// followed within the store, `*` labels work as in RFC 4592, names compare without case, and every record
/// has a TTL of 0, so that a change is seen at once.
pub struct Dns {
    records: Arc<Mutex<Records>>,
    address: SocketAddr,
    _serving: JoinSet<()>,
}

impl Dns {
    /// Starts a name server on `address`; port 0 takes a port that is free for UDP and for TCP.
    pub async fn start(address: SocketAddr) -> anyhow::Result<Self> {
        let (udp, tcp) = serve::bind(address).await?;
        let address = tcp.local_addr()?;
        let records = Arc::new(Mutex::new(Records::new(address.ip())?));
        let mut serving = JoinSet::new();
        serving.spawn(serve::over_udp(udp, Arc::clone(&records)));
        serving.spawn(serve::over_tcp(tcp, Arc::clone(&records)));
        Ok(Self { records, address, _serving: serving })
    }

    /// Where it answers, over UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes `apex` a zone with its own SOA and NS records. A second call changes nothing.
    ///
    /// A record set for a name outside of every zone makes a zone of the last two labels by itself.
    pub fn zone(&self, apex: &str) -> anyhow::Result<()> {
        self.lock().add_zone(&parse_name(apex)?)
    }

    /// Replaces the TXT records of a name by one record per value; no values, no records.
    pub fn set_txt(&self, name: &str, values: Vec<String>) -> anyhow::Result<()> {
        self.lock().set_txt(&parse_name(name)?, values)
    }

    /// Adds one TXT record to those a name has; a value that is there already is not repeated.
    pub fn add_txt(&self, name: &str, value: &str) -> anyhow::Result<()> {
        self.lock().add_txt(&parse_name(name)?, value)
    }

    /// Makes a name an alias of `target`; its other records go. A zone's apex cannot be one (RFC 1034, 3.6.2).
    pub fn set_cname(&self, name: &str, target: &str) -> anyhow::Result<()> {
        self.lock().set_cname(&parse_name(name)?, parse_name(target)?)
    }

    /// Replaces the addresses (A and AAAA) of a name.
    pub fn set_a(&self, name: &str, addresses: Vec<IpAddr>) -> anyhow::Result<()> {
        self.lock().set_addresses(&parse_name(name)?, addresses)
    }

    /// Removes every record of a name. Removing what is not there is success.
    pub fn clear(&self, name: &str) -> anyhow::Result<()> {
        self.lock().clear(&parse_name(name)?);
        Ok(())
    }

    /// Everything that was set, by name.
    pub fn records(&self) -> Vec<RecordSet> {
        self.lock().list()
    }

    /// Asks this server over UDP for the IPv4 addresses of a name, as a client would; aliases are followed.
    /// A name that does not exist has none.
    pub async fn look_up(&self, name: &str) -> anyhow::Result<Vec<IpAddr>> {
        let asked = tokio::time::timeout(LOOKUP_BOUND, ask(self.address, name)).await;
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

    fn lock(&self) -> MutexGuard<'_, Records> {
        lock(&self.records)
    }
}

/// A poisoned lock still holds whole records: every change is one assignment.
fn lock(records: &Mutex<Records>) -> MutexGuard<'_, Records> {
    records.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn ask(server: SocketAddr, name: &str) -> anyhow::Result<Message> {
    let mut question = Message::query();
    question.add_query(Query::query(parse_name(name)?, RecordType::A));
    let socket = UdpSocket::bind((server.ip(), 0)).await?;
    socket.connect(server).await?;
    socket.send(&question.to_vec()?).await?;
    let mut buffer = vec![0; serve::LARGEST_DATAGRAM];
    let length = socket.recv(&mut buffer).await?;
    Ok(Message::from_vec(buffer.get(..length).unwrap_or_default())?)
}
