//! CloudFront's edge: serves viewers over HTTP and TLS what the distributions of a local AWS say.
//!
//! A distribution is chosen by the Host header alone; a change is seen when it is deployed, not before. Nothing is cached.

mod behaviour;
mod bucket;
mod forwarding;
mod origin;
mod page;
mod routing;
mod tls;
mod viewer;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use rustls::ClientConfig;

use crate::aws::{Aws, Listener, Shared};
use crate::pki::client_config;
use tls::DefaultCertificate;

/// Where an edge listens and how it reaches origins.
#[derive(Clone, Debug)]
pub struct EdgeSettings {
    /// The address of both ports.
    pub address: IpAddr,
    /// The port for HTTP; 0 takes a free one.
    pub http_port: u16,
    /// The port for HTTPS; 0 takes a free one.
    pub https_port: u16,
    /// Where origins really are.
    pub origins: OriginMap,
    /// PEM texts of the authorities that an origin's certificate may come from.
    pub origin_roots_pem: Vec<String>,
}

/// Host names of origins and the socket addresses behind them. An origin that is not here does not resolve: 502.
#[derive(Clone, Debug, Default)]
pub struct OriginMap(HashMap<String, Addresses>);

#[derive(Clone, Copy, Debug)]
struct Addresses {
    http: SocketAddr,
    https: SocketAddr,
}

impl OriginMap {
    /// Maps a host name; an earlier mapping of the name is replaced.
    pub fn map(&mut self, host: &str, http: SocketAddr, https: SocketAddr) {
        self.0.insert(host.to_ascii_lowercase(), Addresses { http, https });
    }
}

/// A running edge. It ends when it is stopped or dropped.
#[derive(Debug)]
pub struct Edge {
    inner: Arc<Inner>,
    http: Listener,
    https: Listener,
}

/// What every connection shares.
#[derive(Debug)]
struct Inner {
    cloud: Arc<Shared>,
    origins: RwLock<OriginMap>,
    default_certificate: DefaultCertificate,
    origin_tls: Arc<ClientConfig>,
    /// Where a redirect to HTTPS leads; known once the port is open.
    https_port: OnceLock<u16>,
}

impl Edge {
    /// Opens both ports and serves the distributions of `aws`.
    ///
    /// # Errors
    /// If a port cannot be opened or a root is no certificate.
    pub async fn start(aws: &Aws, settings: EdgeSettings) -> anyhow::Result<Self> {
        let mut origin_tls = client_config(&settings.origin_roots_pem.concat())?;
        origin_tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let inner = Arc::new(Inner {
            cloud: aws.shared(),
            origins: RwLock::new(settings.origins),
            default_certificate: DefaultCertificate::new()?,
            origin_tls: Arc::new(origin_tls),
            https_port: OnceLock::new(),
        });
        let serving = Arc::clone(&inner);
        let address = SocketAddr::new(settings.address, settings.https_port);
        let https = Listener::open(address, move |stream| tls::serve(Arc::clone(&serving), stream)).await?;
        inner.https_port.get_or_init(|| https.address().port());
        let serving = Arc::clone(&inner);
        let address = SocketAddr::new(settings.address, settings.http_port);
        let http =
            Listener::open(address, move |stream| viewer::serve_plain(Arc::clone(&serving), stream)).await?;
        Ok(Self { inner, http, https })
    }

    /// Where viewers reach it over HTTP.
    pub fn http(&self) -> SocketAddr {
        self.http.address()
    }

    /// Where viewers reach it over HTTPS.
    pub fn https(&self) -> SocketAddr {
        self.https.address()
    }

    /// The authority behind the certificate for `*.cloudfront.net`, which viewers get when no distribution has one
    /// for the name they ask for.
    pub fn default_root_pem(&self) -> &str {
        self.inner.default_certificate.root_pem()
    }

    /// Says where an origin really is; an earlier mapping of the name is replaced.
    pub fn map_origin(&self, host: &str, http: SocketAddr, https: SocketAddr) {
        self.inner.origins.write().unwrap_or_else(PoisonError::into_inner).map(host, http, https);
    }

    /// Closes both ports and every connection.
    pub async fn stop(&self) {
        self.http.close().await;
        self.https.close().await;
    }
}

impl Inner {
    fn origin(&self, host: &str) -> Option<Addresses> {
        let origins = self.origins.read().unwrap_or_else(PoisonError::into_inner);
        origins.0.get(&host.to_ascii_lowercase()).copied()
    }
}
