use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::{
    CertificateFacts, CertificateReader, DomainName, PortError, PortResult, Remedy, Secret, Timestamp,
};
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;

use crate::keys::public_key;

/// How far the authority's clock may be ahead of ours.
const CLOCK_LEEWAY: Duration = Duration::from_hours(1);

/// A certificate chain as the authority sent it, leaf first, without the root.
#[derive(Debug)]
pub(crate) struct Chain(Vec<Vec<u8>>);

/// Why a chain cannot be used. None of these happens with an authority that works.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChainError {
    #[error("the certificate chain cannot be read: {0}")]
    Unreadable(String),
    #[error("the certificate is for another key than ours")]
    ForeignKey,
    #[error("the certificate is for {found} instead of {wanted}")]
    WrongNames { wanted: String, found: String },
    #[error("the certificate is valid from {not_before} to {not_after} only, and it is {now} here")]
    NotNow { not_before: Timestamp, not_after: Timestamp, now: Timestamp },
    #[error("the certificate chain is out of order after certificate {0}")]
    OutOfOrder(usize),
}

/// Reads certificates, whoever has obtained them.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChainReader;

impl CertificateReader for ChainReader {
    fn facts(&self, chain_pem: &str) -> PortResult<CertificateFacts> {
        let facts = Chain::parse(chain_pem).and_then(|chain| chain.facts());
        facts.map_err(|error| PortError::new("read a certificate", Remedy::GiveUp, error))
    }

    fn is_key_of(&self, private_key_pem: &Secret, chain_pem: &str) -> bool {
        let (key, chain) = (public_key(private_key_pem), Chain::parse(chain_pem));
        let leaf = chain.as_ref().ok().and_then(|chain| parsed(&chain.0[0]).ok());
        leaf.zip(key.ok()).is_some_and(|(leaf, key)| leaf.public_key().raw == key)
    }
}

impl Chain {
    /// Reads a PEM chain (RFC 8555, section 7.4.2) and drops a root at its end: who trusts it has it.
    pub(crate) fn parse(pem: &str) -> Result<Self, ChainError> {
        let blocks = pem::parse_many(pem).map_err(unreadable)?;
        let mut certificates: Vec<Vec<u8>> = blocks
            .into_iter()
            .filter(|block| block.tag() == "CERTIFICATE")
            .map(pem::Pem::into_contents)
            .collect();
        if certificates.is_empty() {
            return Err(ChainError::Unreadable("there is no certificate in it".into()));
        }
        if let [_, .., last] = certificates.as_slice()
            && is_self_issued(&parsed(last)?)
        {
            certificates.pop();
        }
        Ok(Self(certificates))
    }

    /// Checks that this is what was asked for: our key, exactly our names, valid now, each certificate issued by
    /// the next.
    pub(crate) fn verify(
        &self,
        public_key: &[u8],
        names: &[DomainName],
        now: Timestamp,
    ) -> Result<(), ChainError> {
        let leaf = parsed(&self.0[0])?;
        if leaf.public_key().raw != public_key {
            return Err(ChainError::ForeignKey);
        }
        check_names(names, &dns_names(&leaf)?)?;
        check_dates(&leaf, now)?;
        self.check_order()
    }

    /// What the leaf says.
    pub(crate) fn facts(&self) -> Result<CertificateFacts, ChainError> {
        facts(&self.0[0])
    }

    /// The leaf, PEM.
    pub(crate) fn leaf_pem(&self) -> String {
        encoded(&self.0[..1])
    }

    /// What stands above the leaf, PEM; may be empty.
    pub(crate) fn intermediates_pem(&self) -> String {
        encoded(&self.0[1..])
    }

    /// All of it, PEM.
    pub(crate) fn pem(&self) -> String {
        encoded(&self.0)
    }

    fn check_order(&self) -> Result<(), ChainError> {
        for (position, pair) in self.0.windows(2).enumerate() {
            if parsed(&pair[0])?.issuer().as_raw() != parsed(&pair[1])?.subject().as_raw() {
                return Err(ChainError::OutOfOrder(position + 1));
            }
        }
        Ok(())
    }
}

/// What a certificate says, in DER.
pub(crate) fn facts(der: &[u8]) -> Result<CertificateFacts, ChainError> {
    let leaf = parsed(der)?;
    Ok(CertificateFacts {
        serial: hex(significant(leaf.raw_serial())),
        fingerprint: hex(&Sha256::digest(der)),
        not_before: Timestamp::from_secs(leaf.validity().not_before.timestamp()),
        not_after: Timestamp::from_secs(leaf.validity().not_after.timestamp()),
        names: dns_names(&leaf)?,
        issuer: issuer(&leaf),
        renewal_id: renewal_id(&leaf),
    })
}

fn check_names(wanted: &[DomainName], found: &[DomainName]) -> Result<(), ChainError> {
    let (wanted, found): (BTreeSet<_>, BTreeSet<_>) = (wanted.iter().collect(), found.iter().collect());
    if wanted == found {
        return Ok(());
    }
    let listed = |names: BTreeSet<&DomainName>| {
        names.into_iter().map(DomainName::as_str).collect::<Vec<_>>().join(", ")
    };
    Err(ChainError::WrongNames { wanted: listed(wanted), found: listed(found) })
}

fn check_dates(leaf: &X509Certificate<'_>, now: Timestamp) -> Result<(), ChainError> {
    let not_before = Timestamp::from_secs(leaf.validity().not_before.timestamp());
    let not_after = Timestamp::from_secs(leaf.validity().not_after.timestamp());
    if not_before > now + CLOCK_LEEWAY || not_after <= now {
        return Err(ChainError::NotNow { not_before, not_after, now });
    }
    Ok(())
}

fn parsed(der: &[u8]) -> Result<X509Certificate<'_>, ChainError> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok(_) => Err(ChainError::Unreadable("something follows a certificate".into())),
        Err(error) => Err(unreadable(error)),
    }
}

/// Who has issued a certificate, for people: the organization and the name of its key, as far as they are said.
fn issuer(leaf: &X509Certificate<'_>) -> Option<String> {
    let organization = leaf.issuer().iter_organization().find_map(|one| one.as_str().ok());
    let name = leaf.issuer().iter_common_name().find_map(|one| one.as_str().ok());
    match (organization, name) {
        (Some(organization), Some(name)) => Some(format!("{organization} ({name})")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

/// RFC 9773, section 4.1: the key identifier of the issuer and the serial number, as DER has it, both in base64url.
fn renewal_id(leaf: &X509Certificate<'_>) -> Option<String> {
    let issuer = leaf.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(issuer) => issuer.key_identifier.as_ref(),
        _ => None,
    })?;
    Some(format!("{}.{}", URL_SAFE_NO_PAD.encode(issuer.0), URL_SAFE_NO_PAD.encode(leaf.raw_serial())))
}

fn dns_names(leaf: &X509Certificate<'_>) -> Result<Vec<DomainName>, ChainError> {
    let Some(extension) = leaf.subject_alternative_name().map_err(unreadable)? else {
        return Ok(Vec::new());
    };
    let names = extension.value.general_names.iter().map(|name| match name {
        GeneralName::DNSName(name) => {
            DomainName::parse(name).map_err(|error| ChainError::Unreadable(format!("`{name}` {error}")))
        }
        other => Err(ChainError::Unreadable(format!("an alternative name that is not DNS: {other}"))),
    });
    names.collect()
}

fn is_self_issued(certificate: &X509Certificate<'_>) -> bool {
    certificate.issuer().as_raw() == certificate.subject().as_raw()
}

fn unreadable(error: impl std::fmt::Display) -> ChainError {
    ChainError::Unreadable(error.to_string())
}

/// A positive DER integer may begin with a zero octet that only carries the sign (X.690, section 8.3).
fn significant(serial: &[u8]) -> &[u8] {
    match serial {
        [0, rest @ ..] if !rest.is_empty() => rest,
        _ => serial,
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn encoded(certificates: &[Vec<u8>]) -> String {
    let line_ends = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    let blocks = certificates.iter().map(|der| pem::Pem::new("CERTIFICATE", der.as_slice()));
    blocks.map(|block| pem::encode_config(&block, line_ends)).collect()
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
