//! From a question to a response: aliases, absence told apart, EDNS.

use hickory_proto::op::{Edns, Message, Metadata, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::CNAME;
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::records::{Found, Records};

/// Nothing is to be cached: a record may change before the next question.
const TTL: u32 = 0;

/// Longer chains of aliases are cut; so are circles.
const LONGEST_CHAIN: usize = 16;

/// What a sender of EDNS is told that this server takes.
const PAYLOAD: u16 = 1232;

/// The response to any message; never fails, because a name server has a code for everything.
pub(super) fn respond(records: &Records, request: &Message) -> Message {
    let mut response = Message::response(request.metadata.id, request.metadata.op_code);
    response.metadata = Metadata::response_from_request(&request.metadata);
    response.add_queries(request.queries.iter().cloned());
    if request.edns.is_some() {
        let mut edns = Edns::new();
        edns.set_max_payload(PAYLOAD);
        response.set_edns(edns);
    }
    response.metadata.response_code = match (request.metadata.op_code, request.queries.as_slice()) {
        (OpCode::Query, [query]) => fill(records, query, &mut response).unwrap_or_else(|error| {
            tracing::warn!(error = format!("{error:#}"), "a question could not be answered");
            ResponseCode::ServFail
        }),
        (OpCode::Query, _) => ResponseCode::FormErr,
        _ => ResponseCode::NotImp,
    };
    response
}

fn fill(records: &Records, query: &Query, response: &mut Message) -> anyhow::Result<ResponseCode> {
    response.metadata.authoritative = true;
    let kind = query.query_type();
    let mut name = query.name().clone();
    for _ in 0..LONGEST_CHAIN {
        match records.find(&name.to_lowercase(), kind)? {
            Found::Alias(target) => {
                response.add_answer(Record::from_rdata(name, TTL, RData::CNAME(CNAME(target.clone()))));
                if kind == RecordType::CNAME {
                    return Ok(ResponseCode::NoError);
                }
                name = target;
            }
            Found::Data(data) => {
                if data.is_empty() {
                    add_authority(records, &name, response)?;
                }
                response
                    .add_answers(data.into_iter().map(|data| Record::from_rdata(name.clone(), TTL, data)));
                return Ok(ResponseCode::NoError);
            }
            Found::NoSuchName => {
                add_authority(records, &name, response)?;
                return Ok(ResponseCode::NXDomain);
            }
        }
    }
    Ok(ResponseCode::NoError)
}

/// Absence is only believed, and only cached, with the zone's SOA (RFC 2308).
fn add_authority(records: &Records, name: &Name, response: &mut Message) -> anyhow::Result<()> {
    let (apex, soa) = records.authority(&name.to_lowercase())?;
    response.add_authority(Record::from_rdata(apex, TTL, soa));
    Ok(())
}
