use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use contract::testing::FakeZone;
use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, NS, SOA, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;

/// What a name server says about one name.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// These TXT values, each of which may be several strings.
    Txt(Vec<Vec<String>>),
    /// The name is an alias.
    Cname(String),
    /// These records, each to the question for its type.
    Records(Vec<RData>),
    /// The name exists, but has no record.
    Nothing,
    /// The server fails.
    ServFail,
    /// The server refuses.
    Refused,
    /// The server says nothing at all.
    Silence,
    /// The values do not fit into UDP.
    OverTcp(Vec<Vec<String>>),
    /// What a validating resolver makes of broken DNSSEC: SERVFAIL, and this to those who do not want it checked.
    Bogus(Box<Answer>),
    /// Another answer each time; the last one stays.
    InTurn(Vec<Answer>),
}

impl Answer {
    pub(crate) fn txt(values: &[&str]) -> Self {
        Self::Txt(values.iter().map(|value| vec![(*value).to_owned()]).collect())
    }

    pub(crate) fn at(addresses: &[&str]) -> Self {
        let parsed = addresses.iter().filter_map(|address| address.parse().ok());
        Self::Records(parsed.map(address_record).collect())
    }
}

/// What one server holds: answers by name, and by name and type, which go first.
#[derive(Default)]
struct Data {
    answers: HashMap<(String, Option<RecordType>), Answer>,
    /// The zone the server is the authority over; a resolver has none.
    apex: Option<String>,
    /// The zone that a broker writes in.
    managed: Option<FakeZone>,
    /// Zones that have been delegated away.
    delegated: Vec<String>,
    /// Where a resolver finds what it does not hold itself: one server of each zone.
    upstream: Vec<Shared>,
    asked: Vec<(String, RecordType)>,
}

type Shared = Arc<Mutex<Data>>;

fn lock(data: &Shared) -> MutexGuard<'_, Data> {
    data.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name server over UDP and TCP. By itself it is a resolver that knows no name servers, and names that nobody set do
/// not exist.
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    data: Shared,
    _serving: JoinSet<()>,
}

impl NameServer {
    pub(crate) async fn start() -> Result<Self> {
        for _ in 0..20 {
            if let Ok(server) = Self::start_at((Ipv4Addr::LOCALHOST, 0).into()).await {
                return Ok(server);
            }
        }
        anyhow::bail!("no port is free for both UDP and TCP")
    }

    async fn start_at(address: SocketAddr) -> Result<Self> {
        let tcp = TcpListener::bind(address).await?;
        let address = tcp.local_addr()?;
        let (udp, data) = (UdpSocket::bind(address).await?, Shared::default());
        let mut serving = JoinSet::new();
        serving.spawn(serve_udp(udp, Arc::clone(&data)));
        serving.spawn(serve_tcp(tcp, Arc::clone(&data)));
        Ok(Self { address, data, _serving: serving })
    }

    pub(crate) fn set(&self, name: &str, answer: Answer) {
        lock(&self.data).answers.insert((name.to_ascii_lowercase(), None), answer);
    }

    /// Makes everything known that a broker has written in its zone, now and later.
    pub(crate) fn publish(&self, zone: &FakeZone) {
        lock(&self.data).managed = Some(zone.clone());
    }

    /// The answer to the question for one type only.
    pub(crate) fn set_for(&self, name: &str, kind: RecordType, answer: Answer) {
        lock(&self.data).answers.insert((name.to_ascii_lowercase(), Some(kind)), answer);
    }

    /// Adds a value beside those that are there: an apex and its wildcard share a label.
    pub(crate) fn add_txt(&self, name: &str, value: &str) {
        let mut data = lock(&self.data);
        let answer = data.answers.entry((name.to_ascii_lowercase(), None)).or_insert(Answer::Txt(Vec::new()));
        if let Answer::Txt(values) = answer {
            values.push(vec![value.to_owned()]);
        }
    }

    /// How often a question was asked.
    pub(crate) fn asked(&self, name: &str, kind: RecordType) -> usize {
        lock(&self.data).asked.iter().filter(|(asked, of)| asked == name && *of == kind).count()
    }
}

/// A resolver, and zones with name servers of their own, all on one port, as in the real world.
pub(crate) struct DnsWorld {
    pub(crate) resolver: NameServer,
    zones: Vec<(String, Vec<NameServer>)>,
}

impl DnsWorld {
    /// Starts these zones, each with so many name servers. What is delegated within is found by itself.
    pub(crate) async fn start(zones: &[(&str, usize)]) -> Result<Self> {
        for _ in 0..20 {
            if let Ok(world) = Self::try_start(zones).await {
                return Ok(world);
            }
        }
        anyhow::bail!("no port is free on all addresses")
    }

    async fn try_start(zones: &[(&str, usize)]) -> Result<Self> {
        let resolver = NameServer::start().await?;
        let mut world = Self { resolver, zones: Vec::new() };
        let mut next = 2_u8;
        for (apex, count) in zones {
            let mut servers = Vec::new();
            for _ in 0..*count {
                let address = SocketAddr::from(([127, 0, 0, next], world.resolver.address.port()));
                servers.push(NameServer::start_at(address).await?);
                next += 1;
            }
            let below =
                zones.iter().filter(|(other, _)| other != apex && other.ends_with(&format!(".{apex}")));
            let delegated: Vec<String> = below.map(|(other, _)| (*other).to_owned()).collect();
            establish(apex, &servers, &delegated)?;
            lock(&world.resolver.data).upstream.extend(servers.first().map(|first| Arc::clone(&first.data)));
            world.zones.push(((*apex).to_owned(), servers));
        }
        Ok(world)
    }

    /// Sets a name at all servers of its zone.
    pub(crate) fn set(&self, name: &str, answer: &Answer) {
        for server in self.servers(name) {
            server.set(name, answer.clone());
        }
    }

    /// The servers of the zone that holds a name.
    pub(crate) fn servers(&self, name: &str) -> &[NameServer] {
        let holding = self.zones.iter().filter(|(apex, _)| is_within(name, apex));
        holding.max_by_key(|(apex, _)| apex.len()).map_or(&[], |(_, servers)| servers)
    }
}

/// Gives a zone its NS records and their addresses.
fn establish(apex: &str, servers: &[NameServer], delegated: &[String]) -> Result<()> {
    let mut hosts = Vec::new();
    for (number, server) in servers.iter().enumerate() {
        let host = format!("ns{}.{apex}", number + 1);
        hosts.push(RData::NS(NS(Name::from_ascii(&host)?)));
        for other in servers {
            other.set(&host, Answer::Records(vec![address_record(server.address.ip())]));
        }
    }
    for server in servers {
        server.set(apex, Answer::Records(vec![]));
        server.set_for(apex, RecordType::NS, Answer::Records(hosts.clone()));
        let mut data = lock(&server.data);
        data.apex = Some(apex.to_owned());
        data.delegated = delegated.to_vec();
    }
    Ok(())
}

fn address_record(address: IpAddr) -> RData {
    match address {
        IpAddr::V4(address) => RData::A(A(address)),
        IpAddr::V6(address) => RData::AAAA(AAAA(address)),
    }
}

fn is_within(name: &str, apex: &str) -> bool {
    name == apex || name.ends_with(&format!(".{apex}"))
}

async fn serve_udp(socket: UdpSocket, data: Shared) {
    let mut buffer = [0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        if let Ok(Some(answer)) = reply(&buffer[..length], &data, false) {
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

async fn serve_tcp(listener: TcpListener, data: Shared) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(converse(stream, Arc::clone(&data)));
    }
}

async fn converse(mut stream: TcpStream, data: Shared) -> Result<()> {
    while let Ok(length) = stream.read_u16().await {
        let mut question = vec![0; usize::from(length)];
        stream.read_exact(&mut question).await?;
        if let Some(answer) = reply(&question, &data, true)? {
            stream.write_u16(u16::try_from(answer.len())?).await?;
            stream.write_all(&answer).await?;
        }
    }
    Ok(())
}

fn reply(question: &[u8], data: &Shared, tcp: bool) -> Result<Option<Vec<u8>>> {
    let question = Message::from_vec(question)?;
    let query = question.queries.first().context("a question")?.clone();
    let mut message = Message::new(question.metadata.id, MessageType::Response, question.metadata.op_code);
    message.metadata.recursion_desired = question.metadata.recursion_desired;
    message.add_query(query.clone());
    let (name, kind) = (query.name().to_ascii().to_ascii_lowercase(), query.query_type());
    let mut data = lock(data);
    data.asked.push((name.clone(), kind));
    message.metadata.recursion_available = data.apex.is_none();
    if let Some(zone) = data.delegated.iter().find(|zone| is_within(&name, zone)) {
        let host = RData::NS(NS(Name::from_ascii(format!("ns1.{zone}"))?));
        message.add_authority(Record::from_rdata(Name::from_ascii(zone)?, 60, host));
        return Ok(Some(message.to_vec()?));
    }
    message.metadata.authoritative = data.apex.is_some();
    if data.apex.as_ref().is_some_and(|apex| !is_within(&name, apex)) {
        message.metadata.response_code = ResponseCode::Refused;
        return Ok(Some(message.to_vec()?));
    }
    let unchecked = question.metadata.checking_disabled;
    Ok(if fill(&mut message, &mut data, name, kind, unchecked, tcp)? {
        Some(message.to_vec()?)
    } else {
        None
    })
}

/// Answers, along aliases where the server knows more. `false` is silence.
fn fill(
    message: &mut Message,
    data: &mut Data,
    mut name: String,
    kind: RecordType,
    unchecked: bool,
    tcp: bool,
) -> Result<bool> {
    for _ in 0..12 {
        let (mut answer, apex) = find(data, &name, kind);
        if let Some(Answer::Bogus(behind)) = answer {
            answer = Some(if unchecked { *behind } else { Answer::ServFail });
        }
        let owner = Name::from_ascii(&name)?;
        match answer {
            None => message.metadata.response_code = ResponseCode::NXDomain,
            Some(Answer::Silence) => return Ok(false),
            Some(Answer::ServFail) => message.metadata.response_code = ResponseCode::ServFail,
            Some(Answer::Refused) => message.metadata.response_code = ResponseCode::Refused,
            Some(Answer::OverTcp(_)) if !tcp => message.metadata.truncation = true,
            Some(Answer::Cname(target)) => {
                let alias = RData::CNAME(CNAME(Name::from_ascii(&target)?));
                message.add_answer(Record::from_rdata(owner, 60, alias));
                if kind != RecordType::CNAME {
                    name = target.to_ascii_lowercase();
                    continue;
                }
            }
            Some(answer) => {
                let records = records(answer).into_iter().filter(|data| data.record_type() == kind);
                message.add_answers(records.map(|data| Record::from_rdata(owner.clone(), 60, data)));
            }
        }
        if let (true, Some(apex)) = (message.answers.is_empty(), apex) {
            message.add_authority(Record::from_rdata(Name::from_ascii(&apex)?, 60, soa(&apex)?));
        }
        break;
    }
    Ok(true)
}

fn records(answer: Answer) -> Vec<RData> {
    match answer {
        Answer::Txt(values) | Answer::OverTcp(values) => {
            values.into_iter().map(|strings| RData::TXT(TXT::new(strings))).collect()
        }
        Answer::Records(records) => records,
        _ => Vec::new(),
    }
}

fn soa(apex: &str) -> Result<RData> {
    let name = Name::from_ascii(apex)?;
    Ok(RData::SOA(SOA::new(name.clone(), name, 1, 3600, 600, 86400, 60)))
}

/// What is known here about a name, and the zone it is in.
fn find(data: &mut Data, name: &str, kind: RecordType) -> (Option<Answer>, Option<String>) {
    if let Some(zone) = data.managed.as_ref().filter(|zone| is_within(name, zone.apex())) {
        return (written(zone, name), data.apex.clone());
    }
    for key in [(name.to_owned(), Some(kind)), (name.to_owned(), None)] {
        if let Some(answer) = data.answers.get_mut(&key) {
            return (Some(turn(answer)), data.apex.clone());
        }
    }
    let upstream = data.upstream.iter().map(Arc::clone).collect::<Vec<_>>();
    let closest = upstream.iter().filter_map(|zone| {
        let apex = lock(zone).apex.clone()?;
        is_within(name, &apex).then_some((apex.len(), zone))
    });
    if let Some((_, zone)) = closest.max_by_key(|(length, _)| *length) {
        return find(&mut lock(zone), name, kind);
    }
    let below = format!(".{name}");
    let exists = data.answers.keys().any(|(other, _)| other.ends_with(&below));
    (exists.then_some(Answer::Nothing), data.apex.clone())
}

/// What a broker has written.
fn written(zone: &FakeZone, name: &str) -> Option<Answer> {
    let values: Vec<_> = zone.values(name).into_iter().map(|value| vec![value]).collect();
    let alias = zone.target(name).map(|target| Answer::Cname(format!("{target}.")));
    alias.or((!values.is_empty()).then_some(Answer::Txt(values)))
}

fn turn(answer: &mut Answer) -> Answer {
    match answer {
        Answer::InTurn(answers) if answers.len() > 1 => answers.remove(0),
        Answer::InTurn(answers) => answers.first().cloned().unwrap_or(Answer::Nothing),
        answer => answer.clone(),
    }
}
