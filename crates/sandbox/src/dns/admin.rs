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

use super::Dns;
use crate::web::{self, Answer, Server};

/// A change is a handful of names; more is a mistake.
const LARGEST_BODY: usize = 64 * 1024;

/// The admin interface of a name server, in JSON.
///
/// | request | effect |
/// | --- | --- |
/// | `POST /set-txt {"host","value"}` | adds one TXT record; what is there stays |
/// | `POST /clear-txt {"host"}` | removes the TXT records of a name |
/// | `POST /set-cname {"host","target"}` | makes a name an alias |
/// | `POST /set-a {"host","addresses"}` | replaces the addresses of a name |
/// | `POST /clear {"host"}` | removes every record of a name |
/// | `GET /records` | `{"records":[…]}`: everything that is set |
///
/// A change answers `200` with `{}`, a mistake `400` with `{"error"}`. Dropping it stops it.
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
    value: Option<String>,
    target: Option<String>,
    addresses: Option<Vec<IpAddr>>,
}

async fn handle(dns: Arc<Dns>, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    match (head.method, head.uri.path()) {
        (Method::GET, "/records") => web::json(StatusCode::OK, &json!({ "records": dns.records() })),
        (Method::POST, path) => match Limited::new(body, LARGEST_BODY).collect().await {
            Ok(body) => change(&dns, path, &body.to_bytes()),
            Err(error) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
        },
        _ => refuse(StatusCode::NOT_FOUND, "GET /records, or POST one of the changes"),
    }
}

fn change(dns: &Dns, path: &str, body: &Bytes) -> Answer {
    match apply(dns, path, body) {
        Ok(true) => web::json(StatusCode::OK, &json!({})),
        Ok(false) => refuse(StatusCode::NOT_FOUND, &format!("there is no change called {path}")),
        Err(error) => refuse(StatusCode::BAD_REQUEST, &format!("{error:#}")),
    }
}

/// Answers whether `path` is one of the changes.
fn apply(dns: &Dns, path: &str, body: &Bytes) -> anyhow::Result<bool> {
    let Change { host, value, target, addresses } =
        serde_json::from_slice(body).context("the body is not a change in JSON")?;
    match path {
        "/set-txt" => dns.add_txt(&host, &value.context("`value` is missing")?)?,
        "/clear-txt" => dns.set_txt(&host, Vec::new())?,
        "/set-cname" => dns.set_cname(&host, &target.context("`target` is missing")?)?,
        "/set-a" => dns.set_a(&host, addresses.context("`addresses` is missing")?)?,
        "/clear" => dns.clear(&host)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn refuse(status: StatusCode, error: &str) -> Answer {
    web::json(status, &json!({ "error": error }))
}
