//! TLS: the certificate of the distribution that has the name the viewer asks for, otherwise CloudFront's own.

use std::sync::Arc;

use rustls::server::Acceptor;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;

use super::Inner;
use super::routing;
use super::viewer::{self, Secure, Viewer};
use crate::aws::{Rule, World, provider};
use crate::pki::Ca;

const BOTH: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
const NEWEST: &[&SupportedProtocolVersion] = &[&TLS13];

/// The certificate for `*.cloudfront.net`, made anew for each edge.
#[derive(Debug)]
pub(super) struct DefaultCertificate {
    root_pem: String,
    certified: Arc<CertifiedKey>,
}

impl DefaultCertificate {
    pub(super) fn new() -> anyhow::Result<Self> {
        let ca = Ca::new("Sandbox CloudFront root")?;
        let made = ca.server_certificate(&["*.cloudfront.net", "cloudfront.net"])?;
        let chain = CertificateDer::pem_slice_iter(made.chain_pem.as_bytes()).collect::<Result<_, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(made.key_pem.as_bytes())?;
        let key = provider().key_provider.load_private_key(key)?;
        let certified = Arc::new(CertifiedKey::new(chain, key));
        Ok(Self { root_pem: ca.pem().to_owned(), certified })
    }

    pub(super) fn root_pem(&self) -> &str {
        &self.root_pem
    }
}

/// Serves one connection to its end.
pub(super) async fn serve(inner: Arc<Inner>, stream: TcpStream) {
    let peer = stream.peer_addr().ok();
    match handshake(&inner, stream).await {
        Ok((stream, secure)) => {
            viewer::serve(inner, stream, Viewer { peer, secure: Some(secure) }).await;
        }
        Err(error) => tracing::debug!(%error, "a TLS handshake with a viewer failed"),
    }
}

type Stream = tokio_rustls::server::TlsStream<TcpStream>;

async fn handshake(inner: &Inner, stream: TcpStream) -> anyhow::Result<(Stream, Secure)> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let asked = start.client_hello().server_name().map(str::to_ascii_lowercase);
    let own = asked.as_deref().and_then(|name| own_certificate(&inner.cloud.world(), name));
    let secure = Secure { asked, own_certificate: own.is_some() };
    let (certified, versions) =
        own.unwrap_or_else(|| (Arc::clone(&inner.default_certificate.certified), BOTH));
    let stream = start.into_stream(Arc::new(config(&certified, versions)?)).await?;
    Ok((stream, secure))
}

fn config(
    certified: &CertifiedKey,
    versions: &[&'static SupportedProtocolVersion],
) -> anyhow::Result<ServerConfig> {
    let resolver = SingleCertAndKey::from(certified.clone());
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// The certificate of the distribution that viewers see under this name, and the versions its policy allows.
fn own_certificate(
    world: &World,
    name: &str,
) -> Option<(Arc<CertifiedKey>, &'static [&'static SupportedProtocolVersion])> {
    if world.has(Rule::OwnCertificateOnly) {
        return None;
    }
    let site = routing::by_alias(world, name)?;
    let block = site.config.child("ViewerCertificate")?;
    let certificate = world.iam.by_id(block.text_at("IAMCertificateId"))?;
    let newest_only = block.text_at("MinimumProtocolVersion").starts_with("TLSv1.3");
    Some((Arc::clone(&certificate.certified), if newest_only { NEWEST } else { BOTH }))
}
