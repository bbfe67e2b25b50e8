//! From a question to an answer: aliases, absence told apart, faults.

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::NameServer;
use super::faults::{DnsFaultKind, Rule};
use super::node::RrSet;
use super::records::{Found, Records, TTL};

/// Longer chains of aliases are cut; so are circles.
const LONGEST_CHAIN: usize = 16;

/// What one server is asked.
pub(super) struct Question<'a> {
    pub(super) server: NameServer,
    pub(super) name: &'a Name,
    pub(super) kind: RecordType,
    /// Whether the one who asks validates by itself (RFC 4035, 3.2.2).
    pub(super) checking_disabled: bool,
    pub(super) over_udp: bool,
}

/// What a server says.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub(super) code: ResponseCode,
    pub(super) authoritative: bool,
    pub(super) truncated: bool,
    /// Whether to say that signatures were wrong (RFC 8914, 4.7).
    pub(super) bogus: bool,
    pub(super) answers: Vec<Record>,
    pub(super) authorities: Vec<Record>,
    pub(super) additionals: Vec<Record>,
}

/// The server's knowledge and its faults.
pub(super) struct Mind<'a> {
    pub(super) records: &'a Records,
    pub(super) rules: &'a [Rule],
}

impl Mind<'_> {
    /// The reply to a question, or silence.
    pub(super) fn reply(&self, question: &Question<'_>) -> Option<Reply> {
        match self.fault(question, question.name) {
            Some(DnsFaultKind::Silent) => None,
            Some(DnsFaultKind::Truncated) if question.over_udp => {
                Some(Reply { truncated: true, ..begin(question) })
            }
            None | Some(DnsFaultKind::Truncated) => Some(self.honest(question)),
            Some(DnsFaultKind::Bogus) if question.checking_disabled => Some(self.honest(question)),
            Some(fault) => Some(self.misbehave(question, fault)),
        }
    }

    fn honest(&self, question: &Question<'_>) -> Reply {
        let mut reply = begin(question);
        reply.code = self.fill(question, &mut reply).unwrap_or_else(|error| {
            tracing::warn!(error = format!("{error:#}"), "a question could not be answered");
            ResponseCode::ServFail
        });
        reply
    }

    fn misbehave(&self, question: &Question<'_>, fault: DnsFaultKind) -> Reply {
        let mut reply = begin(question);
        match fault {
            DnsFaultKind::Refused => reply.code = ResponseCode::Refused,
            DnsFaultKind::NxDomain => {
                reply.code = ResponseCode::NXDomain;
                self.add_authority(question.name, &mut reply);
            }
            DnsFaultKind::NoData => self.add_authority(question.name, &mut reply),
            DnsFaultKind::Lame => {
                reply.authoritative = false;
                let root = Name::root();
                if let Ok(Found::Data(servers)) = self.records.find(question.server, &root, RecordType::NS) {
                    reply.authorities = named(&root, servers);
                }
            }
            _ => {
                reply.code = ResponseCode::ServFail;
                reply.bogus = fault == DnsFaultKind::Bogus;
            }
        }
        reply
    }

    fn fault(&self, question: &Question<'_>, name: &Name) -> Option<DnsFaultKind> {
        let name = name.to_lowercase();
        self.rules.iter().rev().find_map(|rule| rule.meets(question.server, &name, question.kind))
    }

    fn fill(&self, question: &Question<'_>, reply: &mut Reply) -> anyhow::Result<ResponseCode> {
        let mut name = question.name.clone();
        for hop in 0..LONGEST_CHAIN {
            if let Some(code) = self.stumbles(question, hop, &name, reply) {
                return Ok(code);
            }
            match self.records.find(question.server, &name.to_lowercase(), question.kind)? {
                Found::Alias(set, target) => {
                    reply.answers.extend(named(&name, set));
                    if question.kind == RecordType::CNAME {
                        return Ok(ResponseCode::NoError);
                    }
                    name = target;
                }
                Found::Flattened(target) => {
                    let addresses = self.addresses(question, &target);
                    reply.answers.extend(named(&name, addresses));
                    return Ok(ResponseCode::NoError);
                }
                Found::Data(set) => {
                    self.present(question, &name, set, reply);
                    return Ok(ResponseCode::NoError);
                }
                Found::NoSuchName => {
                    self.add_authority(&name, reply);
                    return Ok(ResponseCode::NXDomain);
                }
            }
        }
        Ok(give_up(question, reply))
    }

    /// What becomes of a chain of aliases when a name further down is in trouble: a resolver passes the failure on, an
    /// authoritative server leaves the rest to others.
    fn stumbles(
        &self,
        question: &Question<'_>,
        hop: usize,
        name: &Name,
        reply: &mut Reply,
    ) -> Option<ResponseCode> {
        let fault = self.fault(question, name).filter(|_| hop > 0)?;
        match (question.server, fault) {
            (_, DnsFaultKind::Truncated) => None,
            (_, DnsFaultKind::Bogus) if question.checking_disabled => None,
            (_, DnsFaultKind::NxDomain) => Some(ResponseCode::NXDomain),
            (_, DnsFaultKind::NoData) => Some(ResponseCode::NoError),
            (NameServer::Resolver, _) => {
                reply.answers.clear();
                reply.bogus = fault == DnsFaultKind::Bogus;
                Some(ResponseCode::ServFail)
            }
            _ => Some(ResponseCode::NoError),
        }
    }

    /// The data, or the proof that there is none; a list of name servers comes with their addresses.
    fn present(&self, question: &Question<'_>, name: &Name, set: RrSet, reply: &mut Reply) {
        if set.data.is_empty() {
            self.add_authority(name, reply);
        }
        for data in &set.data {
            let RData::NS(server) = data else { continue };
            if let Ok(Found::Data(glue)) = self.records.find(question.server, &server.0, RecordType::A) {
                reply.additionals.extend(named(&server.0, glue));
            }
        }
        reply.answers.extend(named(name, set));
    }

    /// The addresses that a flattened alias leads to, whoever it is served by.
    fn addresses(&self, question: &Question<'_>, target: &Name) -> RrSet {
        let question = Question { server: NameServer::Resolver, name: target, ..*question };
        let reply = self.honest(&question);
        let data = reply.answers.into_iter().map(|record| record.data);
        RrSet::new(TTL, data.filter(|data| data.record_type() == question.kind).collect())
    }

    /// Absence is only believed, and only cached, with the zone's SOA (RFC 2308).
    fn add_authority(&self, name: &Name, reply: &mut Reply) {
        match self.records.authority(&name.to_lowercase()) {
            Ok((apex, soa)) => reply.authorities.push(Record::from_rdata(apex, TTL, soa)),
            Err(error) => tracing::warn!(error = format!("{error:#}"), "a zone has no SOA"),
        }
    }
}

fn begin(question: &Question<'_>) -> Reply {
    Reply { authoritative: question.server != NameServer::Resolver, ..Reply::default() }
}

fn named(name: &Name, set: RrSet) -> Vec<Record> {
    let ttl = set.ttl;
    set.data.into_iter().map(|data| Record::from_rdata(name.clone(), ttl, data)).collect()
}

/// A resolver says nothing about a chain that does not end; whoever serves it shows what it has.
fn give_up(question: &Question<'_>, reply: &mut Reply) -> ResponseCode {
    if question.server != NameServer::Resolver {
        return ResponseCode::NoError;
    }
    reply.answers.clear();
    ResponseCode::ServFail
}
