//! The zones over HTTP, for whoever is not in this process.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::json;

use super::{Dns, NameServer};
use crate::web::{self, Answer, Server};

/// A change is a handful of names; more is a mistake.
const LARGEST_BODY: usize = 64 * 1024;

/// The admin interface of the name servers, in JSON.
///
/// | request | effect |
/// | --- | --- |
/// | `POST /set-txt {"host","value"}` | adds one TXT record; what is there stays |
/// | `POST /remove-txt {"host","value"}` | removes one TXT record |
/// | `POST /clear-txt {"host"}` | removes the TXT records of a name |
/// | `POST /set-cname {"host","target"}` | makes a name an alias |
/// | `POST /set-alias {"host","target"}` | gives a name the addresses of another: ALIAS, ANAME, a flattened CNAME |
/// | `POST /set-a {"host","addresses"}` | replaces the addresses of a name |
/// | `POST /set-caa {"host","values"}` | replaces the CAA records, each such as `0 issue "letsencrypt.org"` |
/// | `POST /clear {"host"}` | removes every record of a name |
/// | `POST /agree {"host"}` | all servers say the same about a name again |
/// | `POST /zone {"host"}` | makes a zone |
/// | `POST /name-servers {"host","values"}` | replaces the names in a zone's NS records |
/// | `POST /fault {"name","kind","servers","fault"}` | lets servers misbehave, see [`DnsFault`](super::DnsFault) |
/// | `POST /heal` | ends all faults |
/// | `GET /records` | `{"records":[…]}`: everything that is set |
/// | `GET /asked` | `{"asked":[…]}`: the questions the servers were asked |
///
/// A change of records is shown by all servers, or with `"at"` (`first`, `second`, `resolver`) by one only.
/// It answers `200` with `{}`, a mistake `400` with `{"error"}`. Dropping it stops it.
pub struct DnsAdmin {
    server: Server,
}

impl DnsAdmin {
    /// Starts the interface of `dns` on `address`; port 0 takes a free one.
    pub async fn start(dns: Arc<Dns>, address: SocketAddr) -> anyhow::Result<Self> {
        let server = Server::start(address, None, move |request| handle(Arc::clone(&dns), request)).await?;
        Ok(Self { server })
    }

    /// The base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }
}

/// The union of what the changes need.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    host: String,
    at: Option<NameServer>,
    value: Option<String>,
    values: Option<Vec<String>>,
    target: Option<String>,
    addresses: Option<Vec<IpAddr>>,
}

async fn handle(dns: Arc<Dns>, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    match (head.method, head.uri.path()) {
        (Method::GET, "/records") => web::json(StatusCode::OK, &json!({ "records": dns.records() })),
        (Method::GET, "/asked") => web::json(StatusCode::OK, &json!({ "asked": dns.asked() })),
        (Method::POST, path) => match Limited::new(body, LARGEST_BODY).collect().await {
            Ok(body) => change(&dns, path, &body.to_bytes()),
            Err(error) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
        },
        _ => refuse(StatusCode::NOT_FOUND, "GET /records or /asked, or POST one of the changes"),
    }
}

fn change(dns: &Dns, path: &str, body: &Bytes) -> Answer {
    let done = match path {
        "/heal" => {
            dns.heal();
            Ok(true)
        }
        "/fault" => fail(dns, body),
        _ => apply(dns, path, body),
    };
    match done {
        Ok(true) => web::json(StatusCode::OK, &json!({})),
        Ok(false) => refuse(StatusCode::NOT_FOUND, &format!("there is no change called {path}")),
        Err(error) => refuse(StatusCode::BAD_REQUEST, &format!("{error:#}")),
    }
}

fn fail(dns: &Dns, body: &Bytes) -> anyhow::Result<bool> {
    dns.fail(serde_json::from_slice(body).context("the body is not a fault in JSON")?)?;
    Ok(true)
}

/// Answers whether `path` is one of the changes.
fn apply(dns: &Dns, path: &str, body: &Bytes) -> anyhow::Result<bool> {
    let Change { host, at, value, values, target, addresses } =
        serde_json::from_slice(body).context("the body is not a change in JSON")?;
    let value = value.context("`value` is missing");
    let values = values.context("`values` is missing");
    let target = target.context("`target` is missing");
    let view = at.map_or_else(|| dns.everywhere(), |server| dns.at(server));
    match path {
        "/set-txt" => view.add_txt(&host, &value?)?,
        "/remove-txt" => view.remove_txt(&host, &value?)?,
        "/clear-txt" => view.set_txt(&host, Vec::new())?,
        "/set-cname" => view.set_cname(&host, &target?)?,
        "/set-alias" => view.set_flattened(&host, &target?)?,
        "/set-a" => view.set_a(&host, addresses.context("`addresses` is missing")?)?,
        "/set-caa" => view.set_caa(&host, &texts(&values?))?,
        "/clear" => view.clear(&host)?,
        "/agree" => dns.agree(&host)?,
        "/zone" => dns.zone(&host)?,
        "/name-servers" => dns.set_name_servers(&host, &texts(&values?))?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn texts(values: &[String]) -> Vec<&str> {
    values.iter().map(String::as_str).collect()
}

fn refuse(status: StatusCode, error: &str) -> Answer {
    web::json(status, &json!({ "error": error }))
}
