//! One GET to one address, over a connection of its own.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hickory_resolver::proto::rr::Name;
use http::header::{ACCEPT, CONNECTION, HOST, USER_AGENT};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::chain::hex;

/// More than this is never taken in.
pub(super) const MOST_BODY: usize = 64 * 1024;
/// Nor are headers larger than this.
const MOST_HEADERS: usize = 32 * 1024;
/// For a connection, and for TLS on it: leaves time for the second address within the bound of a look.
const PATIENCE: Duration = Duration::from_secs(4);
const AGENT: &str = concat!("acme-core/", env!("CARGO_PKG_VERSION"), " (looks for an ACME HTTP-01 proof)");

/// What to ask for, and whom.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) name: Name,
    /// The name as it goes into `Host` and TLS.
    pub(super) host: String,
    /// Where to connect.
    pub(super) port: u16,
    /// The port that the URL shows, if it does.
    pub(super) shown_port: Option<u16>,
    pub(super) tls: bool,
    /// The path with the query.
    pub(super) path: String,
}

/// An answer, its body cut at [`MOST_BODY`].
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) is_cut: bool,
    /// What the server presented over TLS.
    pub(super) certificate: Option<CertificateDer<'static>>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum FetchError {
    /// Nobody listens there.
    Refused,
    /// There is no way there.
    Unreachable,
    /// The connection was not taken in time.
    Silent,
    /// No TLS came about.
    Tls(String),
    /// What came is no HTTP, or not all of it.
    Broken(String),
}

impl FetchError {
    /// Whether an authority would try another address.
    pub(super) fn is_about_the_connection(&self) -> bool {
        matches!(self, Self::Refused | Self::Unreachable | Self::Silent)
    }
}

pub(super) struct Fetcher {
    tls: TlsConnector,
}

impl Fetcher {
    pub(super) fn new() -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)) })
    }

    /// The SHA-256 of the certificate that is presented for a host at this address, in hexadecimal.
    pub(super) async fn peek(&self, host: &str, address: SocketAddr) -> Result<String, FetchError> {
        let connecting = tokio::time::timeout(PATIENCE, TcpStream::connect(address));
        let stream =
            connecting.await.map_err(|_| FetchError::Silent)?.map_err(|error| unconnected(&error))?;
        let stream = self.shake_hands(host, stream).await?;
        let (_, session) = stream.get_ref();
        let leaf = session.peer_certificates().and_then(<[_]>::first);
        let leaf = leaf.ok_or_else(|| FetchError::Tls("no certificate came".to_owned()))?;
        Ok(hex(&Sha256::digest(leaf)))
    }

    async fn shake_hands(&self, host: &str, stream: TcpStream) -> Result<TlsStream<TcpStream>, FetchError> {
        let name =
            ServerName::try_from(host.to_owned()).map_err(|error| FetchError::Tls(error.to_string()))?;
        let shaking_hands = tokio::time::timeout(PATIENCE, self.tls.connect(name, stream));
        let stream = shaking_hands.await.map_err(|_| FetchError::Tls("no answer in time".to_owned()))?;
        stream.map_err(|error| FetchError::Tls(error.to_string()))
    }

    /// Asks this address. The caller bounds the time of it all.
    pub(super) async fn fetch(&self, target: &Target, address: SocketAddr) -> Result<Answer, FetchError> {
        let connecting = tokio::time::timeout(PATIENCE, TcpStream::connect(address));
        let stream =
            connecting.await.map_err(|_| FetchError::Silent)?.map_err(|error| unconnected(&error))?;
        if !target.tls {
            return exchange(target, TokioIo::new(stream)).await;
        }
        let stream = self.shake_hands(&target.host, stream).await?;
        let presented = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).cloned();
        let certificate = presented.map(CertificateDer::into_owned);
        Ok(Answer { certificate, ..exchange(target, TokioIo::new(stream)).await? })
    }
}

async fn exchange(
    target: &Target,
    stream: impl Read + Write + Unpin + Send + 'static,
) -> Result<Answer, FetchError> {
    let broken = |error: hyper::Error| FetchError::Broken(error.to_string());
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(MOST_HEADERS).handshake(stream).await.map_err(broken)?;
    // Dropped with this look, whatever becomes of it.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let answer = sender.send_request(request(target)?).await.map_err(broken)?;
    let (parts, body) = answer.into_parts();
    let (body, is_cut) = limited(body).await.map_err(broken)?;
    Ok(Answer { status: parts.status, headers: parts.headers, body, is_cut, certificate: None })
}

fn request(target: &Target) -> Result<Request<Empty<Bytes>>, FetchError> {
    let host = match target.shown_port {
        Some(port) => format!("{}:{port}", target.host),
        None => target.host.clone(),
    };
    let request = Request::get(&target.path)
        .header(HOST, host)
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close");
    request.body(Empty::new()).map_err(|error| FetchError::Broken(error.to_string()))
}

async fn limited(mut body: Incoming) -> Result<(Bytes, bool), hyper::Error> {
    let mut taken = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let room = MOST_BODY - taken.len();
        taken.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            return Ok((taken.freeze(), true));
        }
    }
    Ok((taken.freeze(), false))
}

fn unconnected(error: &std::io::Error) -> FetchError {
    match error.kind() {
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => FetchError::Refused,
        ErrorKind::TimedOut => FetchError::Silent,
        _ => FetchError::Unreachable,
    }
}

/// Takes any certificate: an authority does not look at it either, because a site that needs a certificate may have
/// an expired one (RFC 8555, section 8.3, is about what is there, not about who says so).
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
