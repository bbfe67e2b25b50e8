//! A client that asks one server one question.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use sandbox::dns::{Dns, NameServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

/// Longer than any answer takes; a server that says nothing is waited for as long as this.
const BOUND: Duration = Duration::from_secs(10);

pub(crate) async fn start() -> anyhow::Result<Dns> {
    Dns::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
}

pub(crate) fn question(name: &str, kind: RecordType) -> anyhow::Result<Message> {
    let mut message = Message::query();
    message.add_query(Query::query(Name::from_ascii(name)?, kind));
    message.metadata.recursion_desired = true;
    Ok(message)
}

/// Asks the resolver.
pub(crate) async fn over_udp(dns: &Dns, name: &str, kind: RecordType) -> anyhow::Result<Message> {
    send(dns.address(), &question(name, kind)?).await
}

/// Asks any of the servers.
pub(crate) async fn at(
    dns: &Dns,
    server: NameServer,
    name: &str,
    kind: RecordType,
) -> anyhow::Result<Message> {
    send(dns.server(server), &question(name, kind)?).await
}

pub(crate) fn with_edns(mut question: Message) -> Message {
    question.set_edns(Edns::new());
    question
}

pub(crate) async fn send(to: SocketAddr, question: &Message) -> anyhow::Result<Message> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    socket.send_to(&question.to_vec()?, to).await?;
    let mut buffer = vec![0; 65_535];
    let (length, from) = tokio::time::timeout(BOUND, socket.recv_from(&mut buffer)).await??;
    anyhow::ensure!(from == to, "the answer came from {from}");
    Ok(Message::from_vec(&buffer[..length])?)
}

pub(crate) async fn over_tcp(to: SocketAddr, name: &str, kind: RecordType) -> anyhow::Result<Message> {
    let mut stream = TcpStream::connect(to).await?;
    let question = question(name, kind)?.to_vec()?;
    stream.write_u16(u16::try_from(question.len())?).await?;
    stream.write_all(&question).await?;
    let mut buffer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut buffer).await?;
    Ok(Message::from_vec(&buffer)?)
}

/// Each record as type and data, in order.
pub(crate) fn answers(message: &Message) -> Vec<String> {
    message.answers.iter().map(|record| format!("{} {}", record.record_type(), record.data)).collect()
}

pub(crate) fn code(message: &Message) -> ResponseCode {
    message.metadata.response_code
}

pub(crate) fn soa_of(message: &Message) -> Vec<String> {
    let soa = message.authorities.iter().filter(|record| matches!(record.data, RData::SOA(_)));
    soa.map(|record| record.name.to_ascii()).collect()
}
