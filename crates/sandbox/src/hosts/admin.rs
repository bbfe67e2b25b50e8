//! The sites over HTTP, for whoever is not in this process.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::json;

use super::rules::SiteRule;
use super::site::Sites;
use crate::web::{self, Answer, Server};

/// Rules hold pages at most.
const LARGEST_BODY: usize = 1 << 20;

/// The admin interface of the users' present sites, in JSON.
///
/// | request | effect |
/// | --- | --- |
/// | `POST /open {"host","rules"}` | opens the site of a name, to which the name leads then, and sets its rules if there are any given ([`SiteRule`]) |
/// | `GET /hits?host=NAME` | `{"hits":[…]}`: the requests that came to it |
///
/// A change answers `200` with `{"address"}`, a mistake `400` with `{"error"}`. Dropping it stops it.
pub struct SitesAdmin {
    server: Server,
}

impl SitesAdmin {
    /// Starts the interface on `address`; port 0 takes a free one.
    pub async fn start(sites: Arc<Sites>, address: SocketAddr) -> anyhow::Result<Self> {
        let handler = move |request| handle(Arc::clone(&sites), request);
        Ok(Self { server: Server::start(address, None, handler).await? })
    }

    /// The base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Open {
    host: String,
    rules: Option<Vec<SiteRule>>,
}

async fn handle(sites: Arc<Sites>, request: Request<Incoming>) -> Answer {
    let done = match (request.method(), request.uri().path()) {
        (&Method::POST, "/open") => open(&sites, request).await,
        (&Method::GET, "/hits") => hits(&sites, &request).await,
        _ => return web::json(StatusCode::NOT_FOUND, &json!({ "error": "POST /open or GET /hits" })),
    };
    done.unwrap_or_else(|error| web::json(StatusCode::BAD_REQUEST, &json!({ "error": format!("{error:#}") })))
}

async fn open(sites: &Sites, request: Request<Incoming>) -> anyhow::Result<Answer> {
    let body = Limited::new(request.into_body(), LARGEST_BODY).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!(error))?.to_bytes();
    let Open { host, rules } = serde_json::from_slice(&body).context("the body does not say what to open")?;
    let site = sites.open(&host).await?;
    if let Some(rules) = rules {
        site.set_rules(rules)?;
    }
    Ok(web::json(StatusCode::OK, &json!({ "address": site.address() })))
}

async fn hits(sites: &Sites, request: &Request<Incoming>) -> anyhow::Result<Answer> {
    let query = request.uri().query().unwrap_or_default();
    let host = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "host");
    let (_, host) = host.context("`host` is missing")?;
    let site = sites.find(&host).await.with_context(|| format!("no site of {host} was opened"))?;
    Ok(web::json(StatusCode::OK, &json!({ "hits": site.hits() })))
}
