//! The sites that users have before they come to the CDN.

use std::collections::BTreeMap;
use std::future::pending;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use http::{Request, StatusCode};
use hyper::body::Incoming;
use serde::Serialize;

use super::rules::SiteRule;
use super::{Ports, host_of};
use crate::dns::Dns;
use crate::loopback::Loopback;
use crate::pki::self_signed;
use crate::web::{Answer, Server, html};

/// One request that came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The host that was asked for, without port.
    pub host: String,
    /// Path and query.
    pub path: String,
    /// What was answered; 0 for nothing.
    pub status: u16,
}

/// A site at an address of its own, with a certificate that it has signed itself. It answers every path with a page, and
/// 404 below the path of ACME challenges, until [`Site::set_rules`] says otherwise. Dropping it closes it.
pub struct Site {
    http: Server,
    https: Server,
    state: Arc<State>,
}

struct State {
    rules: Mutex<Vec<SiteRule>>,
    hits: Mutex<Vec<Hit>>,
}

impl Site {
    async fn start(address: IpAddr, ports: Ports, host: &str) -> anyhow::Result<Self> {
        let rules = Mutex::new(vec![SiteRule::no_challenges()]);
        let state = Arc::new(State { rules, hits: Mutex::default() });
        let handler = |scheme: &'static str| {
            let state = Arc::clone(&state);
            move |request| {
                let state = Arc::clone(&state);
                async move { state.answer(scheme, &request).await }
            }
        };
        let tls = self_signed(&[host])?.server_config()?;
        Ok(Self {
            http: Server::start(ports.http_at(address), None, handler("http")).await?,
            https: Server::start(ports.https_at(address), Some(tls), handler("https")).await?,
            state,
        })
    }

    /// Its address.
    pub fn address(&self) -> IpAddr {
        self.http.address().ip()
    }

    /// Where it listens for HTTP.
    pub fn http(&self) -> SocketAddr {
        self.http.address()
    }

    /// Where it listens for HTTPS.
    pub fn https(&self) -> SocketAddr {
        self.https.address()
    }

    /// Replaces the rules; where none fits, the site answers 200 with a page. Without any rule it answers so for ACME
    /// challenges too, as sites do that show their front page for everything.
    ///
    /// # Errors
    /// If a rule cannot be followed: its status does not redirect, its path does not begin with a slash.
    pub fn set_rules(&self, rules: Vec<SiteRule>) -> anyhow::Result<()> {
        rules.iter().try_for_each(SiteRule::check)?;
        *self.state.rules.lock().unwrap_or_else(PoisonError::into_inner) = rules;
        Ok(())
    }

    /// The requests that came, oldest first.
    pub fn hits(&self) -> Vec<Hit> {
        self.state.hits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl State {
    async fn answer(&self, scheme: &'static str, request: &Request<Incoming>) -> Answer {
        let host = host_of(request);
        let path = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let answer = self.choose(&host, path);
        let status = answer.as_ref().map_or(0, |answer| answer.status().as_u16());
        let hit = Hit { scheme, host, path: path.to_owned(), status };
        self.hits.lock().unwrap_or_else(PoisonError::into_inner).push(hit);
        match answer {
            Some(answer) => answer,
            None => pending().await,
        }
    }

    fn choose(&self, host: &str, path: &str) -> Option<Answer> {
        let rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let mut fitting = rules.iter().filter_map(|rule| Some((rule, path.strip_prefix(&rule.path)?)));
        match fitting.next() {
            Some((rule, rest)) => rule.answer.give(rest),
            None => Some(html(StatusCode::OK, format!("<h1>The present site of {host}</h1>"))),
        }
    }
}

/// The sites that were opened, by host name.
pub struct Sites {
    block: Arc<Loopback>,
    ports: Ports,
    dns: Arc<Dns>,
    open: tokio::sync::Mutex<BTreeMap<String, Arc<Site>>>,
}

impl Sites {
    pub(crate) fn new(block: Arc<Loopback>, ports: Ports, dns: Arc<Dns>) -> Self {
        Self { block, ports, dns, open: tokio::sync::Mutex::default() }
    }

    /// The present site of `host`, which is opened if there is none. Then the name leads to it; where it leads afterwards
    /// is for its owner to say in the DNS.
    pub async fn open(&self, host: &str) -> anyhow::Result<Arc<Site>> {
        let mut open = self.open.lock().await;
        if let Some(site) = open.get(host) {
            return Ok(Arc::clone(site));
        }
        let site = Arc::new(Site::start(self.block.fresh()?, self.ports, host).await?);
        self.dns.set_a(host, vec![site.address()])?;
        open.insert(host.to_owned(), Arc::clone(&site));
        Ok(site)
    }

    /// The site of `host`, if it was opened.
    pub(super) async fn find(&self, host: &str) -> Option<Arc<Site>> {
        self.open.lock().await.get(host).cloned()
    }
}
