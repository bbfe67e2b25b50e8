//! A cloud, an edge before it and an origin behind it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::{CertificateDer, ServerName};
use sandbox::edge::{Edge, EdgeSettings, OriginMap};
use sandbox::origin::Origin;
use sandbox::pki::{Ca, client_config};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::aws::fixture::{Answer, Cloud, config, send, with_aliases, with_certificate};

/// The origin that `fixture::config` names.
pub(crate) const ORIGIN: &str = "app.example.gov";

pub(crate) struct Scene {
    pub(crate) cloud: Cloud,
    pub(crate) edge: Edge,
    _origin: Origin,
}

/// What a viewer saw over TLS.
pub(crate) struct Seen {
    pub(crate) answer: Answer,
    pub(crate) certificate: CertificateDer<'static>,
}

impl Scene {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let cloud = Cloud::start().await?;
        let ca = Ca::new("Origin CA")?;
        let origin = Origin::start(&ca, &[ORIGIN]).await?;
        let mut origins = OriginMap::default();
        origins.map(ORIGIN, origin.http(), origin.https());
        let settings = EdgeSettings {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            http_port: 0,
            https_port: 0,
            origins,
            origin_roots_pem: vec![ca.pem().to_owned()],
        };
        let edge = Edge::start(&cloud.aws, settings).await?;
        Ok(Self { cloud, edge, _origin: origin })
    }

    /// A deployed distribution with these names and a certificate for them.
    pub(crate) async fn site(&self, reference: &str, names: &[&str]) -> anyhow::Result<String> {
        let certificate = self.cloud.certificate(reference, names).await?;
        let wanted = with_aliases(&with_certificate(&config(reference), &certificate), names);
        self.deployed(&wanted).await
    }

    /// A deployed distribution; the answer is its name below cloudfront.net.
    pub(crate) async fn deployed(&self, wanted: &str) -> anyhow::Result<String> {
        let made = self.cloud.made(wanted).await?;
        self.cloud.wait();
        Ok(made.domain)
    }

    /// Asks over plain HTTP.
    pub(crate) async fn plain(&self, method: &str, host: &str, path: &str) -> anyhow::Result<Answer> {
        let request = Request::builder().method(method).uri(path).header("host", host);
        send(self.edge.http(), request.body(Full::default())?).await
    }

    /// Asks over TLS for one name and trusts the cloud's authority and CloudFront's own.
    pub(crate) async fn secure(&self, name: &str, path: &str) -> anyhow::Result<Seen> {
        self.fronted(name, name, path).await
    }

    /// Asks TLS for one name and HTTP for another.
    pub(crate) async fn fronted(&self, sni: &str, host: &str, path: &str) -> anyhow::Result<Seen> {
        let request = Request::builder().uri(path).header("host", host).body(Full::default())?;
        self.with(self.trusting()?, sni, request).await
    }

    pub(crate) fn trusting(&self) -> anyhow::Result<ClientConfig> {
        client_config(&format!("{}{}", self.cloud.authority.root_pem, self.edge.default_root_pem()))
    }

    pub(crate) async fn with(
        &self,
        config: ClientConfig,
        sni: &str,
        request: Request<Full<Bytes>>,
    ) -> anyhow::Result<Seen> {
        let stream = TcpStream::connect(self.edge.https()).await?;
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector.connect(ServerName::try_from(sni.to_owned())?, stream).await?;
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).cloned();
        let certificate = certificate.context("a server shows a certificate")?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = String::from_utf8(body.collect().await?.to_bytes().to_vec())?;
        let answer = Answer { status: head.status, headers: head.headers, body };
        Ok(Seen { answer, certificate })
    }

    /// The change is asked for and not yet deployed.
    pub(crate) async fn change(&self, domain: &str, wanted: &str) -> anyhow::Result<()> {
        let state = self.cloud.aws.state();
        let found = state.distributions.iter().find(|distribution| distribution.domain == domain);
        let id = &found.context("the distribution exists")?.id;
        let etag = crate::aws::fixture::etag(&self.cloud, id).await?;
        let answer = self.cloud.update(id, &etag, wanted).await?;
        anyhow::ensure!(answer.status == 200, "{}", answer.body);
        Ok(())
    }

    pub(crate) fn later(&self) {
        self.cloud.aws.advance(Duration::from_mins(5));
    }
}

/// An address at which nobody listens.
pub(crate) async fn nobody() -> anyhow::Result<SocketAddr> {
    Ok(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()?)
}
