//! The platform that the broker is registered with: Cloud Controller's v3 API and its UAA, as far as a broker asks them.
//! Written from the documentation of both; the paths are in `api.rs` and `uaa.rs`.

mod api;
mod change;
mod error;
mod faults;
mod list;
mod people;
mod state;
mod uaa;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use http::Request;
use hyper::body::Incoming;
use serde::Serialize;

pub use self::faults::PlatformFault;
use self::state::State;
use crate::pki::ServerCertificate;
use crate::web::{Answer, Server};

/// The client that a broker is given: it reads everything and changes nothing.
pub const BROKER_CLIENT: (&str, &str) = ("cdn-broker", "sandbox-client+secret/%");

/// A client that may change everything.
pub const ADMIN_CLIENT: (&str, &str) = ("admin", "admin");

/// One request that came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlatformRequest {
    /// `api` or `uaa`.
    pub server: &'static str,
    /// The method, a blank, path and query.
    pub what: String,
    /// The status that was answered.
    pub status: u16,
}

/// A running Cloud Controller with its UAA. Dropping it closes both.
///
/// It begins with the clients [`BROKER_CLIENT`] and [`ADMIN_CLIENT`] and nothing else.
pub struct Platform {
    shared: Arc<Shared>,
    tls: Option<Arc<rustls::ServerConfig>>,
    servers: Mutex<Option<[Server; 2]>>,
    addresses: [SocketAddr; 2],
}

/// What both servers know.
pub(crate) struct Shared {
    state: Mutex<State>,
    links: Mutex<Links>,
}

/// Where the servers are, as they say themselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links {
    pub(crate) api: String,
    pub(crate) uaa: String,
}

impl Shared {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    pub(crate) fn links(&self) -> Links {
        locked(&self.links).clone()
    }
}

impl Platform {
    /// Starts both on free ports of 127.0.0.1; with a certificate they speak HTTPS.
    pub async fn start(certificate: Option<&ServerCertificate>) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::new(State::new()), links: Mutex::default() });
        let tls = certificate.map(ServerCertificate::server_config).transpose()?;
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let servers = listen(&shared, tls.as_ref(), [free, free]).await?;
        let addresses = [servers[0].address(), servers[1].address()];
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = |address| format!("{scheme}://{address}");
        *locked(&shared.links) = Links { api: url(addresses[0]), uaa: url(addresses[1]) };
        Ok(Self { shared, tls, servers: Mutex::new(Some(servers)), addresses })
    }

    /// `API_ADDRESS`: the URL of the API, without a slash at the end.
    pub fn api_url(&self) -> String {
        self.shared.links().api
    }

    /// The URL of the UAA, without a slash at the end.
    pub fn uaa_url(&self) -> String {
        self.shared.links().uaa
    }

    /// Closes both ports; whoever connects is refused.
    pub fn close(&self) {
        locked(&self.servers).take();
    }

    /// Opens the same ports again. What was there is there.
    pub async fn open(&self) -> anyhow::Result<()> {
        self.close();
        let servers = listen(&self.shared, self.tls.as_ref(), self.addresses).await;
        *locked(&self.servers) = Some(servers.context("the platform's ports are not free any more")?);
        Ok(())
    }

    /// Lets both misbehave from now on, or not any more.
    pub fn set_fault(&self, fault: Option<PlatformFault>) {
        self.shared.state().fault = fault;
    }

    /// Signs a user on to UAA in every browser, or nobody any more.
    pub fn sign_in(&self, user: Option<&str>) {
        self.shared.state().people.signed_in = user.map(str::to_owned);
    }

    /// Lets a user see a service instance (`read`) and change it (`manage`).
    pub fn permit(&self, user: &str, instance: &str, manage: bool, read: bool) {
        let key = (user.to_owned(), instance.to_owned());
        self.shared.state().people.permissions.insert(key, (manage, read));
    }

    /// Makes the clients that a catalog wants for its dashboards, as Cloud Controller does when a broker is registered.
    pub fn take_catalog(&self, catalog: &serde_json::Value) {
        let services = catalog["services"].as_array().into_iter().flatten();
        for client in services.map(|service| &service["dashboard_client"]) {
            let text = |name: &str| client[name].as_str().map(str::to_owned);
            if let (Some(id), Some(secret), Some(back)) = (text("id"), text("secret"), text("redirect_uri")) {
                self.shared.state().people.dashboards.insert(id, (secret, back));
            }
        }
    }

    /// Makes an organization, or gives it another name.
    pub fn set_organization(&self, guid: &str, name: &str) {
        self.shared.state().set_organization(guid, name);
    }

    /// Makes a space of an organization, or gives it another name.
    pub fn set_space(&self, guid: &str, name: &str, organization: &str) {
        self.shared.state().set_space(guid, name, organization);
    }

    /// Makes a domain that every organization may use: one of the platform's shared domains.
    pub fn share_domain(&self, name: &str) {
        self.shared.state().set_domain(name, None, &[], false);
    }

    /// Makes a domain of an organization, shared with others.
    pub fn own_domain(&self, name: &str, organization: &str, shared_with: &[&str]) {
        self.shared.state().set_domain(name, Some(organization), shared_with, false);
    }

    /// Makes a domain for traffic between containers, which no user of the Internet can reach.
    pub fn internal_domain(&self, name: &str) {
        self.shared.state().set_domain(name, None, &[], true);
    }

    /// Removes a domain.
    pub fn remove_domain(&self, name: &str) {
        self.shared.state().domains.retain(|domain| domain.name != name);
    }

    /// Gives a client a secret and what it may do, such as `cloud_controller.global_auditor`.
    pub fn set_client(&self, id: &str, secret: &str, authorities: &[&str]) {
        self.shared.state().set_client(id, secret, authorities);
    }

    /// For how many seconds the tokens live that are given out from now on.
    pub fn set_token_life(&self, seconds: u64) {
        self.shared.state().token_life = seconds;
    }

    /// Forgets every token: whoever comes with one is told that it is invalid.
    pub fn forget_tokens(&self) {
        self.shared.state().tokens.clear();
    }

    /// How many things a page of a list holds at most, whatever is asked for; what Cloud Controller's operator can set too.
    pub fn set_largest_page(&self, items: usize) {
        self.shared.state().largest_page = items;
    }

    /// Every request that came, in its order.
    pub fn requests(&self) -> Vec<PlatformRequest> {
        self.shared.state().requests.clone()
    }
}

async fn listen(
    shared: &Arc<Shared>,
    tls: Option<&Arc<rustls::ServerConfig>>,
    [api, uaa]: [SocketAddr; 2],
) -> anyhow::Result<[Server; 2]> {
    let for_api = {
        let shared = Arc::clone(shared);
        move |request: Request<Incoming>| faults::guarded(Arc::clone(&shared), "api", request, api::answer)
    };
    let for_uaa = {
        let shared = Arc::clone(shared);
        move |request: Request<Incoming>| faults::guarded(Arc::clone(&shared), "uaa", request, uaa::answer)
    };
    Ok([Server::start(api, tls.cloned(), for_api).await?, Server::start(uaa, tls.cloned(), for_uaa).await?])
}

/// A request whose body has been read.
pub(crate) type Whole = Request<bytes::Bytes>;

/// What a server does with a request.
pub(crate) type Handler = fn(&Shared, &Whole) -> Answer;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
