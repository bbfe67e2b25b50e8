use contract::{CertificateRequest, KeyType, Secret};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PublicKeyData, RsaKeySize};

use crate::error::AcmeError;

/// RFC 5280, appendix A.1: `ub-common-name`.
const MAX_COMMON_NAME: usize = 64;

/// A leaf key and the request for a certificate over it. Both are stored before anybody is asked for anything: a
/// key that was lost cannot be got back from the authority.
pub(crate) struct LeafKey {
    /// PKCS#8 PEM.
    pub(crate) private_key: Secret,
    /// DER (RFC 2986).
    pub(crate) csr: Vec<u8>,
}

/// Makes a key of the kind asked for. Takes a while for RSA: not for a thread that serves others.
pub(crate) fn generate(request: &CertificateRequest) -> Result<LeafKey, AcmeError> {
    let key = match request.key_type {
        KeyType::Rsa2048 => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048)?,
        KeyType::P256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?,
    };
    let csr = signing_request(request)?.serialize_request(&key)?;
    Ok(LeafKey { private_key: Secret::new(key.serialize_pem()), csr: csr.der().to_vec() })
}

/// The public half of a stored leaf key (`SubjectPublicKeyInfo`, DER).
pub(crate) fn public_key(private_key: &Secret) -> Result<Vec<u8>, AcmeError> {
    let pem = private_key.expose_str().ok_or(AcmeError::Key("the stored leaf key is not PEM"))?;
    Ok(KeyPair::from_pem(pem)?.subject_public_key_info())
}

fn signing_request(request: &CertificateRequest) -> Result<CertificateParams, rcgen::Error> {
    let names: Vec<String> = request.names.iter().map(ToString::to_string).collect();
    let common_name = names.iter().find(|name| name.len() <= MAX_COMMON_NAME).cloned();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    if let Some(name) = common_name {
        params.distinguished_name.push(DnType::CommonName, name);
    }
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::DomainName;
    use x509_parser::prelude::*;

    fn request(key_type: KeyType, names: &[&str]) -> CertificateRequest {
        CertificateRequest::new(names.iter().map(|n| DomainName::parse(n).unwrap()).collect(), key_type)
    }

    #[test]
    fn the_request_carries_the_names_and_the_stored_key() {
        for key_type in [KeyType::Rsa2048, KeyType::P256] {
            let leaf = generate(&request(key_type, &["a.example", "*.a.example"])).unwrap();
            let (_, csr) = X509CertificationRequest::from_der(&leaf.csr).unwrap();
            let info = &csr.certification_request_info;
            assert_eq!(info.subject_pki.raw, public_key(&leaf.private_key).unwrap());
            assert_eq!(info.subject.to_string(), "CN=a.example");
            let names = csr.requested_extensions().unwrap().find_map(|extension| match extension {
                ParsedExtension::SubjectAlternativeName(names) => Some(names.general_names.clone()),
                _ => None,
            });
            assert_eq!(
                names.unwrap(),
                [GeneralName::DNSName("a.example"), GeneralName::DNSName("*.a.example")]
            );
        }
    }

    #[test]
    fn a_common_name_that_would_be_too_long_is_left_out() {
        let long = format!("{}.example", ["abcdefghi"; 7].join("."));
        let leaf = generate(&request(KeyType::P256, &[&long])).unwrap();
        let (_, csr) = X509CertificationRequest::from_der(&leaf.csr).unwrap();
        assert_eq!(csr.certification_request_info.subject.to_string(), "");
    }
}
