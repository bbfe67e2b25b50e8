//! A visitor of a site, as a browser would come: by DNS, then by TLS, then by HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use crate::{Sandbox, pki};

/// Browsers are more patient, people are not.
const BOUND: Duration = Duration::from_secs(30);

/// What a visitor saw.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Where the name led.
    pub address: SocketAddr,
    /// The certificate that the visitor accepted.
    pub certificate: ShownCertificate,
    /// The status of the answer.
    pub status: StatusCode,
    /// The page.
    pub body: Bytes,
}

/// The certificate of a site in the words of a browser's padlock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownCertificate {
    /// The DNS names it is for.
    pub names: Vec<String>,
    /// The distinguished name of who signed it.
    pub issuer: String,
    /// Until when it is valid, as in e-mail headers.
    pub not_after: String,
    /// The serial number, in hexadecimal digits.
    pub serial: String,
    /// The SHA-256 digest of the public key, in hexadecimal digits: two certificates with the same one share a key.
    pub key: String,
}

impl Sandbox {
    /// Visits `https://HOST/PATH` as the world would: looks the host up in the sandbox's DNS, connects to the edge's
    /// port there, accepts a certificate for that host under the ACME authority's roots only, and asks for the page.
    pub async fn visit(&self, host: &str, path: &str) -> anyhow::Result<Visit> {
        let visiting = async {
            let addresses = self.dns().look_up(host).await?;
            let address = addresses.first().context("the name has no address")?;
            let address = SocketAddr::from((*address, self.edge().https().port()));
            let stream = connect(address, host, &self.authority().roots_pem().concat()).await?;
            let certificate = shown(&stream)?;
            let (status, body) = ask(stream, host, path).await?;
            anyhow::Ok(Visit { address, certificate, status, body })
        };
        let visited = tokio::time::timeout(BOUND, visiting).await;
        visited
            .unwrap_or_else(|elapsed| Err(elapsed.into()))
            .with_context(|| format!("visiting https://{host}{path}"))
    }
}

async fn connect(address: SocketAddr, host: &str, roots_pem: &str) -> anyhow::Result<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
    tcp.set_nodelay(true)?;
    let connector = TlsConnector::from(Arc::new(pki::client_config(roots_pem)?));
    let name = ServerName::try_from(host.to_owned())?;
    connector.connect(name, tcp).await.with_context(|| format!("the TLS handshake with {address}"))
}

fn shown(stream: &TlsStream<TcpStream>) -> anyhow::Result<ShownCertificate> {
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let (_, certificate) = X509Certificate::from_der(chain.first().context("no certificate was shown")?)?;
    let alternatives = certificate.subject_alternative_name()?;
    ensure!(alternatives.is_some(), "the certificate names nobody");
    let names =
        alternatives.iter().flat_map(|names| &names.value.general_names).filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        });
    Ok(ShownCertificate {
        names: names.collect(),
        issuer: certificate.issuer().to_string(),
        not_after: certificate.validity().not_after.to_string(),
        serial: certificate.raw_serial_as_string(),
        key: hex(&Sha256::digest(certificate.public_key().raw)),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

async fn ask(stream: TlsStream<TcpStream>, host: &str, path: &str) -> anyhow::Result<(StatusCode, Bytes)> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // The set ends the connection with this function.
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let request = Request::get(path).header(header::HOST, host).body(Empty::<Bytes>::new())?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    Ok((status, answer.into_body().collect().await?.to_bytes()))
}
