use async_trait::async_trait;
use aws_sdk_iam::Client;
use aws_sdk_iam::types::{ServerCertificate, ServerCertificateMetadata};
use contract::{
    CertificateBundle, CertificateVault, KeptCertificate, Page, PageToken, PortError, PortResult, Remedy,
    StoredCertificate, Timestamp, Upstream, VaultName,
};
use sha2::{Digest, Sha256};

use crate::classify::{is, port_error};
use crate::folder::hex;
use crate::listing::{moment, next};
use crate::settings::AwsSettings;

/// The server certificates of AWS IAM below one path.
#[derive(Debug)]
pub struct IamVault {
    client: Client,
    path: String,
    page_size: Option<i32>,
}

impl IamVault {
    pub(crate) fn new(client: Client, settings: &AwsSettings) -> Self {
        let path = format!("/cloudfront/{}/", settings.iam_path_prefix);
        Self { client, path, page_size: settings.page_size }
    }
}

#[async_trait]
impl CertificateVault for IamVault {
    /// Looks before it uploads: where the quota is used up, IAM does not say that the certificate is already there.
    async fn ensure(&self, name: &VaultName, bundle: &CertificateBundle) -> PortResult<StoredCertificate> {
        check(name)?;
        if let Some(kept) = self.read(name).await? {
            return adopt(name, kept, bundle);
        }
        if let Some(stored) = self.upload(name, bundle).await? {
            return Ok(stored);
        }
        let kept = self.read(name).await?.ok_or_else(|| fleeting(name))?;
        adopt(name, kept, bundle)
    }

    async fn find(&self, name: &VaultName) -> PortResult<Option<StoredCertificate>> {
        check(name)?;
        let kept = self.read(name).await?;
        kept.map(|kept| stored(kept.server_certificate_metadata, &reading(name))).transpose()
    }

    async fn chain(&self, name: &VaultName) -> PortResult<Option<String>> {
        check(name)?;
        let kept = self.read(name).await?;
        Ok(kept.map(|kept| {
            let chain = kept.certificate_chain.unwrap_or_default();
            format!("{}\n{chain}", kept.certificate_body.trim_end())
        }))
    }

    async fn list(&self, after: Option<PageToken>) -> PortResult<Page<KeptCertificate>> {
        let doing = "list the certificates";
        let asked = self.client.list_server_certificates().path_prefix(&self.path);
        let asked = asked.set_max_items(self.page_size);
        let sent = asked.set_marker(after.map(|after| after.as_str().to_owned())).send().await;
        let answer = sent.map_err(|error| port_error(Upstream::Vault, doing, error))?;
        let items = answer.server_certificate_metadata_list.iter().map(kept).collect();
        Ok(Page { items, next: next(answer.is_truncated, answer.marker, doing)? })
    }

    /// Looks before it deletes: a policy for one path does not cover a name that is on no path any more, so that IAM
    /// would refuse access instead of saying that there is nothing.
    async fn remove(&self, name: &VaultName) -> PortResult<()> {
        check(name)?;
        if self.read(name).await?.is_none() {
            return Ok(());
        }
        match self.client.delete_server_certificate().server_certificate_name(name.as_str()).send().await {
            Ok(_) => Ok(()),
            Err(error) if is(&error, "NoSuchEntity") => Ok(()),
            Err(error) => Err(port_error(Upstream::Vault, format!("delete the certificate {name}"), error)),
        }
    }
}

impl IamVault {
    async fn read(&self, name: &VaultName) -> PortResult<Option<ServerCertificate>> {
        match self.client.get_server_certificate().server_certificate_name(name.as_str()).send().await {
            Ok(answer) => Ok(answer.server_certificate),
            Err(error) if is(&error, "NoSuchEntity") => Ok(None),
            Err(error) => Err(port_error(Upstream::Vault, reading(name), error)),
        }
    }

    /// `None` when there is one of that name by now.
    async fn upload(
        &self,
        name: &VaultName,
        bundle: &CertificateBundle,
    ) -> PortResult<Option<StoredCertificate>> {
        let doing = format!("upload the certificate {name}");
        let key = bundle.private_key_pem.expose_str();
        let key = key.ok_or_else(|| PortError::new(&doing, Remedy::GiveUp, "its private key is not PEM"))?;
        let chain = Some(&bundle.chain_pem).filter(|chain| !chain.trim().is_empty());
        let sent = self
            .client
            .upload_server_certificate()
            .path(&self.path)
            .server_certificate_name(name.as_str())
            .certificate_body(&bundle.leaf_pem)
            .set_certificate_chain(chain.cloned())
            .private_key(key)
            .send()
            .await;
        match sent {
            Ok(answer) => stored(answer.server_certificate_metadata, &doing).map(Some),
            Err(error) if is(&error, "EntityAlreadyExists") => Ok(None),
            Err(error) => Err(port_error(Upstream::Vault, doing, error)),
        }
    }
}

fn kept(metadata: &ServerCertificateMetadata) -> KeptCertificate {
    KeptCertificate {
        name: VaultName::new(&metadata.server_certificate_name),
        stored: StoredCertificate::new(&metadata.server_certificate_id),
        arn: Some(metadata.arn.clone()).filter(|arn| !arn.is_empty()),
        since: metadata.upload_date().map_or_else(Timestamp::default, moment),
    }
}

/// Takes what is kept under the name for ours if it is the same certificate.
fn adopt(
    name: &VaultName,
    kept: ServerCertificate,
    bundle: &CertificateBundle,
) -> PortResult<StoredCertificate> {
    if fingerprint(&kept.certificate_body) != fingerprint(&bundle.leaf_pem) {
        let doing = format!("keep the certificate {name}");
        return Err(PortError::new(doing, Remedy::GiveUp, "another certificate is kept under this name"));
    }
    tracing::info!(certificate.name = %name, "adopted a certificate that an earlier call uploaded");
    stored(kept.server_certificate_metadata, &reading(name))
}

/// SHA-256 over the DER form of the first certificate of a PEM text; of the text itself when it is not PEM, which
/// then equals nothing but itself.
pub(crate) fn fingerprint(text: &str) -> String {
    let der = pem::parse(text).map_or_else(|_| text.as_bytes().to_vec(), pem::Pem::into_contents);
    hex(&Sha256::digest(der))
}

fn stored(metadata: Option<ServerCertificateMetadata>, doing: &str) -> PortResult<StoredCertificate> {
    let id = metadata.map(|metadata| metadata.server_certificate_id).filter(|id| !id.is_empty());
    let retry = Remedy::Retry { after: None };
    id.map(StoredCertificate::new).ok_or_else(|| PortError::new(doing, retry, "IAM answered without an id"))
}

/// IAM's rule for a name: `[\w+=,.@-]{1,128}`.
fn check(name: &VaultName) -> PortResult<()> {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
    let text = name.as_str();
    if (1..=128).contains(&text.len()) && text.bytes().all(is_allowed) {
        return Ok(());
    }
    let why = "a name has 1 to 128 letters, digits or characters of _+=,.@-";
    Err(PortError::new(format!("use the certificate name {text:?}"), Remedy::GiveUp, why))
}

fn reading(name: &VaultName) -> String {
    format!("read the certificate {name}")
}

fn fleeting(name: &VaultName) -> PortError {
    let why = "it is said to exist, but cannot be read";
    PortError::new(reading(name), Remedy::Retry { after: None }, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_checked_before_iam_is_asked() {
        let longest = "x".repeat(128);
        for good in ["cdn-9a3f-1", "a_b+c=d,e.f@g-h", &longest] {
            assert!(check(&VaultName::new(good)).is_ok(), "{good}");
        }
        let too_long = "x".repeat(129);
        for bad in ["", "a b", "a/b", "ä", "a:b", &too_long] {
            assert_eq!(check(&VaultName::new(bad)).unwrap_err().remedy(), Remedy::GiveUp, "{bad}");
        }
    }

    #[test]
    fn the_same_certificate_is_the_same_however_it_is_wrapped() {
        let wrapped = "-----BEGIN CERTIFICATE-----\nAAEC\nAwQF\n-----END CERTIFICATE-----\n";
        let joined = "-----BEGIN CERTIFICATE-----\r\nAAECAwQF\r\n-----END CERTIFICATE-----";
        let other = "-----BEGIN CERTIFICATE-----\nAAECAwQG\n-----END CERTIFICATE-----\n";
        assert_eq!(fingerprint(wrapped), fingerprint(joined));
        assert_ne!(fingerprint(wrapped), fingerprint(other));
    }
}
