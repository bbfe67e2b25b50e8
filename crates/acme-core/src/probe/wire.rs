//! One question to one name server: over UDP from a fresh port, over TCP where the answer is too large for that.
//! Nothing is kept from one question to the next, neither an answer nor a connection.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::tcp::TcpClientStream;
use hickory_resolver::net::udp::UdpClientStream;
use hickory_resolver::net::xfer::{DnsHandle, DnsRequestSender, FirstAnswer};
use hickory_resolver::proto::op::{DnsRequest, DnsRequestOptions, Edns, Message, Query};
use hickory_resolver::proto::rr::{Name, RecordType};
use tokio::sync::Semaphore;

/// Larger answers may be lost on their way in pieces (RFC 9715).
const PAYLOAD: u16 = 1232;
/// How many questions are open at once; each takes a socket, and often a process may have no more than 1024.
const AT_ONCE: usize = 256;

/// A question, and how it is to be treated.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) name: Name,
    pub(super) kind: RecordType,
    /// Asks a resolver to find the answer elsewhere.
    pub(super) recursive: bool,
    /// Asks a resolver not to validate DNSSEC (RFC 4035, section 3.2.2).
    pub(super) unchecked: bool,
}

/// How long a server is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// After this time the question is sent once more, and again.
    pub(super) repeat: Duration,
    /// After this time the server counts as silent.
    pub(super) bound: Duration,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unheard {
    /// The server said nothing that can be understood.
    Silent,
    /// There is no way from this machine to the server's network.
    Unroutable,
}

/// The way to all name servers. It is as wide as the process has sockets to spare.
pub(super) struct Wire(Semaphore);

impl Wire {
    pub(super) fn new() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }

    /// Asks, and gives the answer as it came, whatever its code.
    pub(super) async fn ask(
        &self,
        server: SocketAddr,
        ask: &Ask,
        patience: Patience,
    ) -> Result<Message, Unheard> {
        // The semaphore is never closed.
        let _socket = self.0.acquire().await.map_err(|_| Unheard::Silent)?;
        let exchange = async {
            let answer = over_udp(server, ask, patience).await?;
            if answer.metadata.truncation { over_tcp(server, ask, patience).await } else { Ok(answer) }
        };
        let answer = tokio::time::timeout(patience.bound, exchange).await;
        answer.unwrap_or(Err(NetError::Timeout)).map_err(|error| unheard(&error))
    }
}

async fn over_udp(server: SocketAddr, ask: &Ask, patience: Patience) -> Result<Message, NetError> {
    let mut stream = UdpClientStream::builder(server, TokioRuntimeProvider::default())
        .with_timeout(Some(patience.bound))
        .with_retry_interval_floor(u64::try_from(patience.repeat.as_millis()).unwrap_or(u64::MAX))
        .build();
    Ok(stream.send_message(request(ask)).first_answer().await?.into_message())
}

async fn over_tcp(server: SocketAddr, ask: &Ask, patience: Patience) -> Result<Message, NetError> {
    // The connection is driven by a task that lives as long as this does, and no longer.
    let provider = TokioRuntimeProvider::default();
    let exchange = TcpClientStream::exchange(server, None, patience.bound, None, provider.clone()).await?;
    Ok(exchange.send(request(ask)).first_answer().await?.into_message())
}

fn request(ask: &Ask) -> DnsRequest {
    let mut message = Message::query();
    message.add_query(Query::query(ask.name.clone(), ask.kind));
    message.metadata.recursion_desired = ask.recursive;
    message.metadata.checking_disabled = ask.unchecked;
    let mut edns = Edns::new();
    edns.set_max_payload(PAYLOAD);
    message.set_edns(edns);
    DnsRequest::new(message, DnsRequestOptions::default())
}

fn unheard(error: &NetError) -> Unheard {
    match error {
        NetError::Io(error) => match error.kind() {
            ErrorKind::NetworkUnreachable
            | ErrorKind::HostUnreachable
            | ErrorKind::AddrNotAvailable
            | ErrorKind::PermissionDenied
            | ErrorKind::Unsupported => Unheard::Unroutable,
            _ => Unheard::Silent,
        },
        _ => Unheard::Silent,
    }
}
