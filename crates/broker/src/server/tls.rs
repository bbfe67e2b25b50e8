use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error as RustlsError, InconsistentKeys, ServerConfig};
use tokio_rustls::server::TlsStream;

/// TLS of the API, with a certificate and a key from two PEM files that may be replaced while it runs.
pub struct Tls {
    files: Files,
    served: Arc<Served>,
    acceptor: TlsAcceptor,
}

/// Certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("the file `{}` cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The first file has no certificate in it, or something that is none.
    #[error("the file `{}` has no certificate in PEM form", .0.display())]
    NoCertificate(PathBuf),
    /// The second file has no private key in it.
    #[error("the file `{}` has no private key in PEM form (PKCS #8, PKCS #1 or SEC 1, not encrypted)", .0.display())]
    NoKey(PathBuf),
    /// The key is that of another certificate.
    #[error("the key in `{}` does not belong to the first certificate in `{}`", key.display(), certificate.display())]
    Mismatch {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// TLS cannot be done with them.
    #[error("the certificate in `{}` and its key cannot be used: {source}", certificate.display())]
    Unusable {
        /// The file of the certificate.
        certificate: PathBuf,
        /// What TLS says.
        source: RustlsError,
    },
}

#[derive(Clone, Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// What handshakes are made with.
#[derive(Debug)]
struct Served(RwLock<Pair>);

#[derive(Clone, Debug)]
struct Pair {
    /// Of both files, so that a change is seen and the key is kept once only.
    digest: [u8; 32],
    key: Arc<CertifiedKey>,
}

impl Tls {
    /// Reads a chain of certificates, the server's own first, and its private key.
    ///
    /// # Errors
    /// What is wrong with them, by file. Nothing of a key is repeated.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let files = Files { certificate: certificate.to_owned(), key: key.to_owned() };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let served = Arc::new(Served(RwLock::new(files.read(&provider)?)));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|source| TlsError::Unusable { certificate: certificate.to_owned(), source })?;
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Served>::clone(&served);
        let mut config = config.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { files, served, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    /// Reads the files again and serves what is in them from the next handshake on; `false` when they have not changed. What
    /// cannot be used changes nothing. It blocks for as long as reading two small files takes.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        let fresh = self.files.read(&Arc::new(aws_lc_rs::default_provider()))?;
        let mut served = self.served.0.write().unwrap_or_else(PoisonError::into_inner);
        let is_news = served.digest != fresh.digest;
        *served = fresh;
        Ok(is_news)
    }

    /// Whether this is the certificate that it presents.
    pub(crate) fn presents(&self, certificate: &CertificateDer<'_>) -> bool {
        let served = self.served.0.read().unwrap_or_else(PoisonError::into_inner);
        served.key.end_entity_cert().is_ok_and(|own| own == certificate)
    }

    /// The server's part of a handshake.
    pub(super) async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).key))
    }
}

impl Files {
    fn read(&self, provider: &Arc<CryptoProvider>) -> Result<Pair, TlsError> {
        let (certificate, key) = (content(&self.certificate)?, content(&self.key)?);
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&certificate).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| TlsError::NoCertificate(self.certificate.clone()))?;
        let private = PrivateKeyDer::from_pem_slice(&key).map_err(|_| TlsError::NoKey(self.key.clone()))?;
        let digest = Sha256::new().chain_update(&certificate).chain_update([0]).chain_update(&key).finalize();
        let pair = CertifiedKey::from_der(chain, private, provider).map_err(|error| self.refusal(error))?;
        Ok(Pair { digest: digest.into(), key: Arc::new(pair) })
    }

    fn refusal(&self, source: RustlsError) -> TlsError {
        let Self { certificate, key } = self.clone();
        match source {
            RustlsError::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                TlsError::Mismatch { certificate, key }
            }
            source => TlsError::Unusable { certificate, source },
        }
    }
}

fn content(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })
}
