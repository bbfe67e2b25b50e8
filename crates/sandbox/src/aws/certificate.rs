//! What AWS looks at in a certificate: dates, names, key, who signed it, and whether a trusted authority stands behind.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use rustls::RootCertStore;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::OID_EC_P256;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;

use super::clock::{Millis, unix_time};

/// The facts of one certificate.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) not_before: Millis,
    pub(crate) not_after: Millis,
    /// The DNS names of the subject alternative name extension, in lower case.
    pub(crate) names: Vec<String>,
    /// CloudFront takes RSA keys of at most 4096 bits and ECDSA keys on P-256.
    pub(crate) key_suits_cloudfront: bool,
}

impl Facts {
    pub(crate) fn read(der: &CertificateDer<'_>) -> anyhow::Result<Self> {
        let certificate = parse(der)?;
        let validity = certificate.validity();
        Ok(Self {
            not_before: validity.not_before.timestamp().saturating_mul(1000),
            not_after: validity.not_after.timestamp().saturating_mul(1000),
            names: dns_names(&certificate),
            key_suits_cloudfront: key_suits_cloudfront(&certificate),
        })
    }

    pub(crate) fn valid_at(&self, now: Millis) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    /// Whether the certificate is good for `alias`: the same name, or a wildcard one level above it. A wildcard alias
    /// needs the same wildcard.
    pub(crate) fn covers(&self, alias: &str) -> bool {
        let alias = alias.to_ascii_lowercase();
        self.names.iter().any(|name| *name == alias || matches_wildcard(name, &alias))
    }
}

/// Whether `pattern` is a wildcard one level above `name`.
pub(crate) fn matches_wildcard(pattern: &str, name: &str) -> bool {
    let parent = name.split_once('.').filter(|(label, _)| *label != "*").map(|(_, parent)| parent);
    pattern.strip_prefix("*.").is_some_and(|covered| Some(covered) == parent)
}

/// The certificates of a PEM text, in order; at least one.
pub(crate) fn read_pem(pem: &str) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>()?;
    ensure!(!certificates.is_empty(), "there is no certificate in this text");
    for certificate in &certificates {
        parse(certificate)?;
    }
    Ok(certificates)
}

/// The private key of a PEM text, with the chain it is for. It signs; its bytes cannot be read back.
pub(crate) fn read_key(pem: &str, chain: Vec<CertificateDer<'static>>) -> anyhow::Result<CertifiedKey> {
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes())?;
    Ok(CertifiedKey::new(chain, provider().key_provider.load_private_key(key)?))
}

/// Whether each certificate names the next as its issuer and the signatures lead from the first to the last.
pub(crate) fn linked(chain: &[CertificateDer<'static>], now: Millis) -> anyhow::Result<()> {
    for (subject, issuer) in chain.iter().zip(chain.iter().skip(1)) {
        let named = parse(subject)?.issuer() == parse(issuer)?.subject();
        ensure!(named, "a certificate of the chain was not issued by the next one");
    }
    match chain {
        [_, .., last] => trusted(chain, std::slice::from_ref(last), now),
        _ => Ok(()),
    }
}

/// Whether one of `roots` stands behind the chain.
pub(crate) fn trusted(
    chain: &[CertificateDer<'static>],
    roots: &[CertificateDer<'static>],
    now: Millis,
) -> anyhow::Result<()> {
    let (leaf, intermediates) = chain.split_first().context("the chain is empty")?;
    let mut anchors = RootCertStore::empty();
    for root in roots {
        anchors.add(root.clone())?;
    }
    let algorithms = provider().signature_verification_algorithms.all;
    let leaf = ParsedCertificate::try_from(leaf)?;
    verify_server_cert_signed_by_trust_anchor(&leaf, &anchors, intermediates, unix_time(now), algorithms)?;
    Ok(())
}

/// The cryptography of this crate, named explicitly so that nothing depends on a process-wide default.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> anyhow::Result<X509Certificate<'a>> {
    Ok(X509Certificate::from_der(der)?.1)
}

fn dns_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.map(|extension| extension.value.general_names.as_slice()).unwrap_or_default();
    let dns = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    };
    names.iter().filter_map(dns).collect()
}

fn key_suits_cloudfront(certificate: &X509Certificate<'_>) -> bool {
    let key = certificate.public_key();
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => rsa.key_size() <= 4096,
        Ok(PublicKey::EC(_)) => {
            let curve = key.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
            curve == Some(OID_EC_P256)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(names: &[&str]) -> Facts {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Facts { not_before: 0, not_after: 10, names, key_suits_cloudfront: true }
    }

    #[test]
    fn a_wildcard_covers_one_level() {
        let wildcard = facts(&["*.example.org"]);
        assert!(wildcard.covers("www.example.org"));
        assert!(wildcard.covers("*.example.org"));
        assert!(!wildcard.covers("example.org"));
        assert!(!wildcard.covers("a.b.example.org"));
        assert!(!wildcard.covers("www.example.org."));
        assert!(!facts(&["www.example.org"]).covers("*.example.org"));
        assert!(!facts(&["*.example.org"]).covers("*.www.example.org"));
    }

    #[test]
    fn a_name_covers_itself_in_any_case() {
        assert!(facts(&["www.example.org"]).covers("WWW.example.org"));
        assert!(!facts(&["www.example.org"]).covers("example.org"));
    }

    #[test]
    fn both_ends_of_the_validity_count() {
        assert!(facts(&[]).valid_at(0) && facts(&[]).valid_at(10));
        assert!(!facts(&[]).valid_at(-1) && !facts(&[]).valid_at(11));
    }
}
