//! A private authority for the TLS of the sandbox's own servers, and the TLS settings made from PEM.
//!
//! It has nothing to do with the certificates that the broker obtains: those come from the ACME authority.

use std::sync::Arc;

use anyhow::Context;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate authority that lives in memory.
pub struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Ca {
    /// Makes a new authority with a fresh key and the given common name.
    pub fn new(common_name: &str) -> anyhow::Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    /// The authority's own certificate in PEM: what a client has to trust.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Signs a certificate with a fresh key for these host names and IP addresses.
    pub fn server_certificate(&self, names: &[&str]) -> anyhow::Result<ServerCertificate> {
        let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        if let Some(first) = names.first() {
            params.distinguished_name.push(DnType::CommonName, *first);
        }
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let chain_pem = params.signed_by(&key, &self.issuer)?.pem();
        Ok(ServerCertificate { chain_pem, key_pem: key.serialize_pem() })
    }
}

/// A certificate that stands for itself. Nobody trusts it; an ACME authority that is redirected to it does not mind.
pub(crate) fn self_signed(names: &[&str]) -> anyhow::Result<ServerCertificate> {
    let made = rcgen::generate_simple_self_signed(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    Ok(ServerCertificate { chain_pem: made.cert.pem(), key_pem: made.signing_key.serialize_pem() })
}

/// A certificate and its key, both in PEM, as a server is configured with them.
pub struct ServerCertificate {
    /// The certificate, and any intermediates after it.
    pub chain_pem: String,
    /// The private key in PKCS#8.
    pub key_pem: String,
}

impl ServerCertificate {
    /// TLS settings of a server that shows this certificate to everybody and speaks HTTP/2 and HTTP/1.1.
    pub fn server_config(&self) -> anyhow::Result<Arc<ServerConfig>> {
        let chain = certificates(&self.chain_pem)?;
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes())?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// TLS settings of a client that trusts exactly the certificates in `roots_pem`.
pub fn client_config(roots_pem: &str) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for root in certificates(roots_pem)? {
        roots.add(root)?;
    }
    Ok(ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn certificates(pem: &str) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    certificates.context("a certificate in PEM was expected")
}

/// The provider is named, never the process-wide default: another crate may have installed another.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
