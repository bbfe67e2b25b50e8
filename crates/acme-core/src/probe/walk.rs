//! The way from a name to its records: at every server of its zone, along CNAMEs from zone to zone.

use std::sync::Arc;
use std::time::Duration;

use contract::Hop;
use futures_util::future::join_all;
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use super::reach::Reach;
use super::resolvers::{Resolvers, Vouched, is_good};
use super::say;
use super::wire::{Ask, Patience, Unheard, Wire};
use super::zones::{Lost, Server, Zone, Zones};

/// A name server has its answer at hand. One that loses the first packet, and the second, counts as silent.
const PATIENCE: Patience = Patience { repeat: Duration::from_millis(700), bound: Duration::from_secs(2) };
/// The resolvers of authorities follow about as many.
pub(super) const MOST_CNAMES: usize = 10;
/// A zone may delegate to a zone that delegates.
const MOST_REFERRALS: usize = 4;

/// Who can be asked.
pub(super) struct Walker {
    pub(super) resolvers: Resolvers,
    wire: Arc<Wire>,
    zones: Zones,
    reach: Reach,
}

/// Where a walk led, and along which CNAMEs.
#[derive(Debug)]
pub(super) struct Trail {
    pub(super) route: Vec<Hop>,
    pub(super) end: End,
}

/// How a walk ended.
#[derive(Debug)]
pub(super) enum End {
    /// At a name that is no alias, or whose servers do not agree whether it is one.
    Arrived(Heard),
    /// At a name that had been visited before.
    Circle,
    /// Nowhere: too many CNAMEs.
    TooFar,
    /// At a name for which there is nobody to ask.
    Lost(Name, Lost),
}

/// What each server of a zone says about a name.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) name: Name,
    /// The zone whose servers were asked; `None` when the resolvers were.
    pub(super) zone: Option<Arc<Zone>>,
    pub(super) replies: Vec<(Name, Reply)>,
}

/// What one server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// Records of the type asked for.
    Records(Vec<RData>),
    /// The name is an alias.
    Alias(Name),
    /// The name exists, without records of this type.
    NoData,
    /// The name does not exist.
    NoName,
    /// Ask the servers of this zone.
    Referral(Name),
    /// It does not serve the zone.
    Lame,
    /// It fails or refuses.
    Fails(ResponseCode),
    /// It does not answer.
    Silent,
}

impl Walker {
    pub(super) fn new(resolvers: Resolvers, wire: Arc<Wire>, port: u16, allow_private: bool) -> Self {
        Self { resolvers, wire, zones: Zones::new(port, allow_private), reach: Reach::default() }
    }

    /// Follows a name to its records.
    pub(super) async fn walk(&self, name: &Name, kind: RecordType) -> Trail {
        let (mut at, mut route, mut visited) = (name.clone(), Vec::new(), vec![name.clone()]);
        while route.len() <= MOST_CNAMES {
            let heard = match self.ask(&at, kind).await {
                Ok(heard) => heard,
                Err(lost) => return Trail { route, end: End::Lost(at, lost) },
            };
            let Some(target) = heard.alias() else {
                return Trail { route, end: End::Arrived(heard) };
            };
            route.push(Hop::Cname { from: say::plain(&at), to: say::plain(target) });
            if visited.contains(target) {
                return Trail { route, end: End::Circle };
            }
            visited.push(target.clone());
            at = target.clone();
        }
        Trail { route, end: End::TooFar }
    }

    /// Asks those who know about this very name.
    pub(super) async fn ask(&self, name: &Name, kind: RecordType) -> Result<Heard, Lost> {
        if self.reach.is_blocked() {
            return self.ask_resolvers(name, kind).await;
        }
        let heard = match self.ask_authority(name, kind).await {
            Err(Lost::Unknown) => return self.ask_resolvers(name, kind).await,
            heard => heard?,
        };
        if heard.replies.is_empty() {
            // All of them are in a network to which there is no way from here, such as IPv6.
            return self.ask_resolvers(name, kind).await;
        }
        if heard.is_silence() && self.reach.is_in_doubt() {
            return self.ask_around(heard, kind).await;
        }
        if !heard.is_silence() {
            self.reach.proven();
        }
        Ok(heard)
    }

    /// One question to one server that is known to answer, or to the resolvers: enough for a hint.
    pub(super) async fn glance(&self, heard: &Heard, name: &Name, kind: RecordType) -> Reply {
        let answering = heard.replies.iter().find(|(_, reply)| reply.is_heard());
        let server = heard.zone.as_ref().zip(answering).and_then(|(zone, (host, _))| {
            zone.servers.iter().chain(&zone.spare).find(|server| server.host == *host)
        });
        match server {
            Some(server) => self.reply(server, name, kind).await.unwrap_or(Reply::Silent),
            None => match self.resolvers.ask(name, kind).await {
                Some(answer) => read(&answer, name, kind),
                None => Reply::Silent,
            },
        }
    }

    async fn ask_authority(&self, name: &Name, kind: RecordType) -> Result<Heard, Lost> {
        let mut zone = self.zones.of(name, &self.resolvers).await?;
        for _ in 0..MOST_REFERRALS {
            let replies = self.replies(&zone, name, kind).await;
            let referral = replies.iter().find_map(|(_, reply)| match reply {
                Reply::Referral(apex) if zone.apex.zone_of(apex) && *apex != zone.apex => Some(apex.clone()),
                _ => None,
            });
            let Some(apex) = referral else {
                let replies = replies.into_iter().map(|(host, reply)| (host, reply.or_lame())).collect();
                return Ok(Heard { name: name.clone(), zone: Some(zone), replies });
            };
            zone = self.zones.delegated(name, apex, &self.resolvers).await?;
        }
        Err(Lost::NoAddress(zone.apex.clone()))
    }

    /// Asks all servers at once. Those to whose network there is no way from here cannot be judged.
    async fn replies(&self, zone: &Zone, name: &Name, kind: RecordType) -> Vec<(Name, Reply)> {
        for servers in [&zone.servers, &zone.spare] {
            let asked = servers.iter().map(|server| async move {
                let reply = self.reply(server, name, kind).await.ok()?;
                Some((server.host.clone(), reply))
            });
            let replies: Vec<_> = join_all(asked).await.into_iter().flatten().collect();
            if !replies.is_empty() {
                return replies;
            }
        }
        Vec::new()
    }

    async fn reply(&self, server: &Server, name: &Name, kind: RecordType) -> Result<Reply, Unheard> {
        let ask = Ask { name: name.clone(), kind, recursive: false, unchecked: false };
        match self.wire.ask(server.address, &ask, PATIENCE).await {
            Ok(answer) => Ok(read(&answer, name, kind)),
            Err(Unheard::Silent) => Ok(Reply::Silent),
            Err(Unheard::Unroutable) => Err(Unheard::Unroutable),
        }
    }

    /// No authoritative server has ever answered: perhaps none can be reached from this network.
    async fn ask_around(&self, silence: Heard, kind: RecordType) -> Result<Heard, Lost> {
        let heard = self.ask_resolvers(&silence.name, kind).await;
        match &heard {
            Ok(heard) if !heard.is_silence() => {
                self.reach.blocked();
                Ok(heard.clone())
            }
            _ => Ok(silence),
        }
    }

    /// Asks the resolvers alone.
    pub(super) async fn ask_resolvers(&self, name: &Name, kind: RecordType) -> Result<Heard, Lost> {
        let Some(answer) = self.resolvers.ask(name, kind).await else {
            return Err(Lost::Silence(name.clone()));
        };
        if answer.metadata.response_code == ResponseCode::ServFail {
            let why = self.resolvers.explain_failure(name, kind).await;
            return Err(Lost::Failure(name.clone(), why));
        }
        let replies = vec![(Name::root(), read(&answer, name, kind).or_lame())];
        Ok(Heard { name: name.clone(), zone: None, replies })
    }

    /// Whether validating resolvers stand behind what the zone's own servers have said.
    pub(super) async fn vouch(&self, heard: &Heard, name: &Name, kind: RecordType) -> Vouched {
        if heard.zone.is_none() { Vouched::Yes } else { self.resolvers.vouch(name, kind).await }
    }
}

impl Heard {
    /// What those who know say. An authority's resolver, too, goes on to the next server when one is silent or fails,
    /// so these alone decide.
    pub(super) fn words(&self) -> impl Iterator<Item = (&Name, &Reply)> {
        self.replies.iter().filter(|(_, reply)| reply.is_heard()).map(|(host, reply)| (host, reply))
    }

    /// Nobody who knows has said anything.
    pub(super) fn is_silence(&self) -> bool {
        self.words().next().is_none()
    }

    /// Whether some call the name an alias and others do not, or of something else.
    pub(super) fn is_torn(&self) -> bool {
        self.words().any(|(_, reply)| matches!(reply, Reply::Alias(_))) && self.alias().is_none()
    }

    /// The records of all servers.
    pub(super) fn records(&self) -> impl Iterator<Item = &RData> {
        let records = self.words().filter_map(|(_, reply)| match reply {
            Reply::Records(records) => Some(records),
            _ => None,
        });
        records.flatten()
    }

    /// What the name stands for, when all agree.
    fn alias(&self) -> Option<&Name> {
        let mut words = self.words().map(|(_, reply)| reply);
        let Some(Reply::Alias(target)) = words.next() else { return None };
        words.all(|reply| matches!(reply, Reply::Alias(other) if other == target)).then_some(target)
    }
}

impl Reply {
    fn is_heard(&self) -> bool {
        matches!(self, Self::Records(_) | Self::Alias(_) | Self::NoData | Self::NoName)
    }

    /// A referral that leads nowhere comes from a server that does not serve the zone.
    fn or_lame(self) -> Self {
        if matches!(self, Self::Referral(_)) { Self::Lame } else { self }
    }
}

fn read(answer: &Message, name: &Name, kind: RecordType) -> Reply {
    let code = answer.metadata.response_code;
    if !is_good(code) {
        return Reply::Fails(code);
    }
    let of_name = || answer.answers.iter().filter(|record| record.name == *name);
    let records: Vec<RData> =
        of_name().filter(|record| record.record_type() == kind).map(|record| record.data.clone()).collect();
    if !records.is_empty() {
        return Reply::Records(records);
    }
    let alias = of_name().find_map(|record| match &record.data {
        RData::CNAME(target) => Some(target.0.clone()),
        _ => None,
    });
    match (alias, code) {
        (Some(target), _) => Reply::Alias(target),
        (None, ResponseCode::NXDomain) => Reply::NoName,
        (None, _) => referral(answer).map_or(Reply::NoData, Reply::Referral),
    }
}

/// RFC 1034, section 4.3.2, step 3b: no answer, but the name servers of another zone.
fn referral(answer: &Message) -> Option<Name> {
    if answer.metadata.authoritative || answer.metadata.recursion_available || !answer.answers.is_empty() {
        return None;
    }
    let authority = |kind| answer.authorities.iter().find(move |record| record.record_type() == kind);
    if authority(RecordType::SOA).is_some() {
        None
    } else {
        authority(RecordType::NS).map(|ns| ns.name.clone())
    }
}
