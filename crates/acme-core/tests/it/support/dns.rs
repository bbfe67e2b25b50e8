use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::rdata::{CNAME, TXT};
use hickory_proto::rr::{Name, RData, Record};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;

/// What the name server says about one name.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// These TXT values, each of which may be several strings.
    Txt(Vec<Vec<String>>),
    /// The name is an alias.
    Cname(String),
    /// The name exists, but has no TXT record.
    Nothing,
    /// The server fails.
    ServFail,
    /// The server says nothing at all.
    Silence,
    /// The values do not fit into UDP.
    OverTcp(Vec<Vec<String>>),
}

type Zone = Arc<Mutex<HashMap<String, Answer>>>;

/// A name server for TXT records over UDP and TCP. Unknown names do not exist.
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    zone: Zone,
    _serving: JoinSet<()>,
}

impl NameServer {
    pub(crate) async fn start() -> Result<Self> {
        let (udp, tcp) = sockets().await?;
        let (address, zone) = (udp.local_addr()?, Zone::default());
        let mut serving = JoinSet::new();
        serving.spawn(serve_udp(udp, Arc::clone(&zone)));
        serving.spawn(serve_tcp(tcp, Arc::clone(&zone)));
        Ok(Self { address, zone, _serving: serving })
    }

    pub(crate) fn set(&self, name: &str, answer: Answer) {
        if let Ok(mut zone) = self.zone.lock() {
            zone.insert(name.to_ascii_lowercase(), answer);
        }
    }

    /// Adds a value beside those that are there: an apex and its wildcard share a label.
    pub(crate) fn add_txt(&self, name: &str, value: &str) {
        if let Ok(mut zone) = self.zone.lock() {
            let answer = zone.entry(name.to_ascii_lowercase()).or_insert(Answer::Txt(Vec::new()));
            if let Answer::Txt(values) = answer {
                values.push(vec![value.to_owned()]);
            }
        }
    }
}

/// One port that is free for both protocols.
async fn sockets() -> Result<(UdpSocket, TcpListener)> {
    for _ in 0..20 {
        let tcp = TcpListener::bind("127.0.0.1:0").await?;
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr()?).await {
            return Ok((udp, tcp));
        }
    }
    anyhow::bail!("no port is free for both UDP and TCP")
}

async fn serve_udp(socket: UdpSocket, zone: Zone) {
    let mut buffer = [0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        if let Ok(Some(answer)) = reply(&buffer[..length], &zone, false) {
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

async fn serve_tcp(listener: TcpListener, zone: Zone) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(converse(stream, Arc::clone(&zone)));
    }
}

async fn converse(mut stream: TcpStream, zone: Zone) -> Result<()> {
    while let Ok(length) = stream.read_u16().await {
        let mut question = vec![0; usize::from(length)];
        stream.read_exact(&mut question).await?;
        if let Some(answer) = reply(&question, &zone, true)? {
            stream.write_u16(u16::try_from(answer.len())?).await?;
            stream.write_all(&answer).await?;
        }
    }
    Ok(())
}

fn reply(question: &[u8], zone: &Zone, tcp: bool) -> Result<Option<Vec<u8>>> {
    let question = Message::from_vec(question)?;
    let query = question.queries.first().context("a question")?.clone();
    let mut message = Message::new(question.metadata.id, MessageType::Response, question.metadata.op_code);
    message.metadata.recursion_desired = question.metadata.recursion_desired;
    message.metadata.recursion_available = true;
    message.add_query(query.clone());
    let name = query.name().to_ascii().to_ascii_lowercase();
    let answer = zone.lock().ok().and_then(|zone| zone.get(&name).cloned());
    let texts = |values: Vec<Vec<String>>| {
        let of = |strings| Record::from_rdata(query.name().clone(), 60, RData::TXT(TXT::new(strings)));
        values.into_iter().map(of).collect::<Vec<_>>()
    };
    match answer {
        None => message.metadata.response_code = ResponseCode::NXDomain,
        Some(Answer::Silence) => return Ok(None),
        Some(Answer::ServFail) => message.metadata.response_code = ResponseCode::ServFail,
        Some(Answer::Nothing) => {}
        Some(Answer::OverTcp(_)) if !tcp => message.metadata.truncation = true,
        Some(Answer::Txt(values) | Answer::OverTcp(values)) => {
            message.add_answers(texts(values));
        }
        Some(Answer::Cname(target)) => {
            let target = RData::CNAME(CNAME(Name::from_ascii(target)?));
            message.add_answer(Record::from_rdata(query.name().clone(), 60, target));
        }
    }
    Ok(Some(message.to_vec()?))
}
