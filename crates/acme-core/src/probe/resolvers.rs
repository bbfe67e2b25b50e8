use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use contract::{PortError, PortResult, Remedy};
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::system_conf::read_system_conf;

use super::wire::{Ask, Patience, Wire};

/// A resolver may have to ask around before it can answer.
const PATIENCE: Patience =
    Patience { repeat: Duration::from_millis(900), bound: Duration::from_millis(2500) };
/// More than these are never asked one after the other: the look would be over first.
const AT_MOST: usize = 3;
const DNS_PORT: u16 = 53;

/// The resolvers that the operator has named, or the system's. They are asked in their order.
pub(super) struct Resolvers {
    wire: Arc<Wire>,
    servers: Vec<SocketAddr>,
}

/// Whether those who validate DNSSEC accept what a name's own servers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vouched {
    /// They do, or the zone is not signed.
    Yes,
    /// They answer only when asked not to validate.
    Bogus,
    /// They fail for another reason.
    Fails(ResponseCode),
    /// They do not answer.
    Silent,
}

impl Resolvers {
    pub(super) fn new(servers: &[SocketAddr], wire: Arc<Wire>) -> PortResult<Self> {
        let servers = if servers.is_empty() { of_the_system()? } else { servers.to_vec() };
        Ok(Self { wire, servers })
    }

    /// The first good answer, or the last bad one; `None` when none of them answers.
    pub(super) async fn ask(&self, name: &Name, kind: RecordType) -> Option<Message> {
        self.first_good(name, kind, false).await
    }

    /// Asks for what may have been heard already, to learn whether it holds.
    pub(super) async fn vouch(&self, name: &Name, kind: RecordType) -> Vouched {
        match self.ask(name, kind).await.map(|answer| answer.metadata.response_code) {
            None => Vouched::Silent,
            Some(ResponseCode::ServFail) => self.explain_failure(name, kind).await,
            Some(code) if is_good(code) => Vouched::Yes,
            Some(code) => Vouched::Fails(code),
        }
    }

    /// Tells broken DNSSEC from other reasons for SERVFAIL.
    pub(super) async fn explain_failure(&self, name: &Name, kind: RecordType) -> Vouched {
        match self.first_good(name, kind, true).await {
            Some(answer) if is_good(answer.metadata.response_code) => Vouched::Bogus,
            _ => Vouched::Fails(ResponseCode::ServFail),
        }
    }

    async fn first_good(&self, name: &Name, kind: RecordType, unchecked: bool) -> Option<Message> {
        let ask = Ask { name: name.clone(), kind, recursive: true, unchecked };
        let mut bad = None;
        for server in self.servers.iter().take(AT_MOST) {
            match self.wire.ask(*server, &ask, PATIENCE).await {
                Ok(answer) if is_good(answer.metadata.response_code) => return Some(answer),
                Ok(answer) => bad = Some(answer),
                Err(_) => {}
            }
        }
        bad
    }
}

/// Whether an answer with this code says something about the name.
pub(super) fn is_good(code: ResponseCode) -> bool {
    matches!(code, ResponseCode::NoError | ResponseCode::NXDomain)
}

fn of_the_system() -> PortResult<Vec<SocketAddr>> {
    let bad = |error: Box<dyn std::error::Error + Send + Sync>| {
        PortError::new("read the resolver configuration", Remedy::AwaitOperator, error)
    };
    let (config, _) = read_system_conf().map_err(|error| bad(error.into()))?;
    let mut servers: Vec<SocketAddr> = Vec::new();
    for server in config.name_servers() {
        let port = server.connections.first().map_or(DNS_PORT, |connection| connection.port);
        let address = SocketAddr::new(server.ip, port);
        if !servers.contains(&address) {
            servers.push(address);
        }
    }
    if servers.is_empty() { Err(bad("it names no resolver".into())) } else { Ok(servers) }
}
