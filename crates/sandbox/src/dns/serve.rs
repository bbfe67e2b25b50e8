//! The sockets of one server, and the way of a question through it.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::Context;
use hickory_proto::op::{Edns, Header, HeaderCounts, Metadata, OpCode, ResponseCode};
use hickory_proto::rr::rdata::opt::EdnsOption;
use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::net::xfer::Protocol;
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use tokio::net::{TcpListener, UdpSocket};

use super::answer::{Question, Reply};
use super::{NameServer, World};

/// No message is larger than this.
pub(super) const LARGEST_MESSAGE: usize = 65_535;

/// What a sender of EDNS is told that this server takes.
const PAYLOAD: u16 = 1232;

/// How long a connection may be idle.
const IDLE: Duration = Duration::from_secs(30);

/// How many answers a connection may be behind.
const BACKLOG: usize = 64;

/// EDNS option 15 is an extended error, and error 6 means that signatures were wrong (RFC 8914, 2 and 4.7).
const EXTENDED_ERROR: u16 = 15;
const DNSSEC_BOGUS: [u8; 2] = [0, 6];

/// UDP and TCP on one port.
pub(super) struct Sockets {
    pub(super) address: SocketAddr,
    udp: UdpSocket,
    tcp: TcpListener,
}

impl Sockets {
    pub(super) async fn bind(address: SocketAddr) -> anyhow::Result<Self> {
        let tcp = TcpListener::bind(address).await.with_context(|| format!("no TCP port at {address}"))?;
        let address = tcp.local_addr()?;
        let udp = UdpSocket::bind(address).await.with_context(|| format!("no UDP port at {address}"))?;
        Ok(Self { address, udp, tcp })
    }

    /// Serves until the result is dropped.
    pub(super) fn serve(self, name: NameServer, world: Arc<World>) -> Server<Handler> {
        let mut server = Server::new(Handler { name, world });
        server.register_socket(self.udp);
        server.register_listener(self.tcp, IDLE, BACKLOG);
        server
    }
}

pub(super) struct Handler {
    name: NameServer,
    world: Arc<World>,
}

#[async_trait::async_trait]
impl RequestHandler for Handler {
    async fn handle_request<R: ResponseHandler, T: Time>(&self, request: &Request, to: R) -> ResponseInfo {
        let silence = Header { metadata: request.metadata, counts: HeaderCounts::default() };
        let Some(reply) = self.reply(request) else { return silence.into() };
        send(request, &reply, self.name, to).await.unwrap_or_else(|error| {
            tracing::debug!(%error, "an answer could not be sent");
            silence.into()
        })
    }
}

impl Handler {
    fn reply(&self, request: &Request) -> Option<Reply> {
        let refused = |code| Some(Reply { code, ..Reply::default() });
        let query = match (request.metadata.op_code, request.queries.queries()) {
            (OpCode::Query, [query]) => query,
            (OpCode::Query, _) => return refused(ResponseCode::FormErr),
            _ => return refused(ResponseCode::NotImp),
        };
        let question = Question {
            server: self.name,
            name: query.original().name(),
            kind: query.query_type(),
            checking_disabled: request.metadata.checking_disabled,
            over_udp: request.protocol() == Protocol::Udp,
        };
        self.world.reply(&question)
    }
}

async fn send(
    request: &Request,
    reply: &Reply,
    server: NameServer,
    mut to: impl ResponseHandler,
) -> Result<ResponseInfo, hickory_server::net::NetError> {
    let mut metadata = Metadata::response_from_request(&request.metadata);
    metadata.response_code = reply.code;
    metadata.authoritative = reply.authoritative;
    metadata.truncation = reply.truncated;
    metadata.recursion_available = server == NameServer::Resolver;
    let mut edns = Edns::new();
    edns.set_max_payload(PAYLOAD);
    if reply.bogus {
        edns.options_mut().insert(EdnsOption::Unknown(EXTENDED_ERROR, DNSSEC_BOGUS.to_vec()));
    }
    let mut builder = MessageResponseBuilder::from_message_request(request);
    if request.edns.is_some() {
        builder.edns(&edns);
    }
    let none = std::iter::empty();
    to.send_response(builder.build(metadata, &reply.answers, &reply.authorities, none, &reply.additionals))
        .await
}

impl World {
    /// Writes the question down and answers it.
    fn reply(&self, question: &Question<'_>) -> Option<Reply> {
        self.catch_up();
        self.note(question);
        let rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        super::answer::Mind { records: &self.lock(), rules: &rules }.reply(question)
    }
}
