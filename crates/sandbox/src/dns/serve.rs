//! The two transports.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use hickory_proto::op::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;

use super::answer::respond;
use super::lock;
use super::records::Records;

/// No datagram is larger than this.
pub(super) const LARGEST_DATAGRAM: usize = 65_535;

/// How many free TCP ports are tried until one is free for UDP as well.
const ATTEMPTS: usize = 16;

/// Both sockets on one port.
pub(super) async fn bind(address: SocketAddr) -> anyhow::Result<(UdpSocket, TcpListener)> {
    let mut attempt = 1;
    loop {
        let tcp = TcpListener::bind(address).await.with_context(|| format!("no TCP port at {address}"))?;
        match UdpSocket::bind(tcp.local_addr()?).await {
            Ok(udp) => return Ok((udp, tcp)),
            Err(_) if address.port() == 0 && attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error).context(format!("no UDP port at {address}")),
        }
    }
}

pub(super) async fn over_udp(socket: UdpSocket, records: Arc<Mutex<Records>>) {
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    loop {
        if let Err(error) = answer_datagram(&socket, &mut buffer, &records).await {
            tracing::debug!(error = format!("{error:#}"), "a datagram went unanswered");
        }
    }
}

async fn answer_datagram(
    socket: &UdpSocket,
    buffer: &mut [u8],
    records: &Mutex<Records>,
) -> anyhow::Result<()> {
    let (length, from) = socket.recv_from(buffer).await?;
    let request = Message::from_vec(buffer.get(..length).unwrap_or_default())?;
    let response = respond(&lock(records), &request);
    let mut bytes = response.to_vec()?;
    if bytes.len() > usize::from(request.max_payload()) {
        bytes = response.truncate().to_vec()?;
    }
    socket.send_to(&bytes, from).await?;
    Ok(())
}

pub(super) async fn over_tcp(listener: TcpListener, records: Arc<Mutex<Records>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, Arc::clone(&records)));
                }
                Err(error) => tracing::warn!(%error, "a connection was not accepted"),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One question after the other until the other side closes.
async fn converse(mut stream: TcpStream, records: Arc<Mutex<Records>>) {
    loop {
        if let Err(error) = answer_message(&mut stream, &records).await {
            tracing::trace!(error = format!("{error:#}"), "a connection ended");
            return;
        }
    }
}

/// Messages over TCP carry their length in front (RFC 1035, 4.2.2).
async fn answer_message(stream: &mut TcpStream, records: &Mutex<Records>) -> anyhow::Result<()> {
    let length = stream.read_u16().await?;
    let mut buffer = vec![0; usize::from(length)];
    stream.read_exact(&mut buffer).await?;
    let response = respond(&lock(records), &Message::from_vec(&buffer)?).to_vec()?;
    stream.write_u16(u16::try_from(response.len())?).await?;
    stream.write_all(&response).await?;
    Ok(())
}
