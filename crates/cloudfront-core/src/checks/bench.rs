//! The calls to AWS that checks make, each with what AWS said in its own words.

use aws_sdk_cloudfront::types::{Aliases, DistributionConfig, ViewerCertificate};
use contract::{
    CertificateBundle, DistributionId, DistributionSpec, PortError, PortResult, Reference, Remedy, Upstream,
};

use super::refusal::{Said, said};
use crate::cdn::read::Found;
use crate::classify::{is, port_error};
use crate::settings::AwsSettings;
use crate::shape;
use crate::vault::fingerprint;
use crate::{CloudFrontCdn, S3ChallengeSite};

/// What the comment of a throw-away distribution begins with. It is not the beginning that distributions of instances have,
/// so that nobody takes one for one of those.
const COMMENT: &str = "cdn-broker-canary ";
/// More certificates, or answers, than this in front of the one that is looked for are not read.
const MOST_PAGES: usize = 50;

/// An AWS account to look at.
#[derive(Debug)]
pub struct Bench {
    cdn: CloudFrontCdn,
    cloudfront: aws_sdk_cloudfront::Client,
    iam: aws_sdk_iam::Client,
    s3: aws_sdk_s3::Client,
    pub(super) site: S3ChallengeSite,
    path: String,
    bucket: String,
}

/// A certificate as IAM shows it.
pub(super) struct Uploaded {
    pub(super) stored: String,
    pub(super) fingerprint: String,
}

impl Bench {
    pub(crate) fn new(
        cloudfront: aws_sdk_cloudfront::Client,
        iam: aws_sdk_iam::Client,
        s3: aws_sdk_s3::Client,
        settings: &AwsSettings,
        region: &str,
    ) -> Self {
        Self {
            cdn: CloudFrontCdn::new(cloudfront.clone(), settings, region),
            cloudfront,
            iam,
            site: S3ChallengeSite::new(s3.clone(), settings),
            s3,
            path: format!("/cloudfront/{}/", settings.iam_path_prefix),
            bucket: settings.bucket.clone(),
        }
    }

    /// Makes a distribution, or hears that its reference is known.
    pub(super) async fn create(
        &self,
        reference: &Reference,
        spec: &DistributionSpec,
        enabled: bool,
    ) -> PortResult<Said<Found>> {
        let doing = "create a throw-away distribution";
        let control = self.cdn.controls.with_room().await?;
        let built = shape::fresh(reference, spec, self.cdn.place(&control));
        let mut wanted = built.map_err(|error| PortError::new(doing, Remedy::GiveUp, error))?;
        if let Some(config) = &mut wanted.distribution_config {
            config.comment = format!("{COMMENT}{reference}");
            config.enabled = enabled;
        }
        let sent = self
            .cloudfront
            .create_distribution_with_tags()
            .distribution_config_with_tags(wanted)
            .send()
            .await;
        match said(Upstream::Cdn, doing, sent)? {
            Said::Yes(made) => Found::new(made.distribution, made.e_tag, doing).map(Said::Yes),
            Said::No(refusal) => Ok(Said::No(refusal)),
        }
    }

    /// A distribution as it is; `None` when it is gone.
    pub(super) async fn read(&self, id: &str) -> PortResult<Option<Found>> {
        self.cdn.read(&DistributionId::new(id)).await
    }

    /// What the broker itself would make of a distribution.
    pub(super) fn changed(&self, found: &Found, spec: &DistributionSpec) -> PortResult<DistributionConfig> {
        let control = shape::control_of(&found.config).unwrap_or_default();
        let changed = shape::changed(&found.config, spec, self.cdn.place(control));
        changed.map_err(|error| PortError::new("change a throw-away distribution", Remedy::GiveUp, error))
    }

    pub(super) async fn update(
        &self,
        found: &Found,
        tag: &str,
        wanted: DistributionConfig,
    ) -> PortResult<Said<Found>> {
        let doing = "change a throw-away distribution";
        let request = self.cloudfront.update_distribution().id(found.distribution.id.as_str()).if_match(tag);
        let sent = request.distribution_config(wanted).send().await;
        match said(Upstream::Cdn, doing, sent)? {
            Said::Yes(made) => Found::new(made.distribution, made.e_tag, doing).map(Said::Yes),
            Said::No(refusal) => Ok(Said::No(refusal)),
        }
    }

    pub(super) async fn delete(&self, found: &Found) -> PortResult<Said<()>> {
        let request = self.cloudfront.delete_distribution().id(found.distribution.id.as_str());
        let sent = request.if_match(&found.tag).send().await;
        said(Upstream::Cdn, "delete a throw-away distribution", sent.map(drop))
    }

    pub(super) async fn invalidate(&self, id: &str, reference: &Reference) -> PortResult<Said<()>> {
        let doing = "invalidate a path of a throw-away distribution";
        let batch = shape::invalidation(reference, &["/canary".to_owned()]);
        let batch = batch.map_err(|error| PortError::new(doing, Remedy::GiveUp, error))?;
        let request = self.cloudfront.create_invalidation().distribution_id(id).invalidation_batch(batch);
        said(Upstream::Cdn, doing, request.send().await.map(drop))
    }

    /// Goes on with the removal of a distribution, and says whether it is gone.
    pub(super) async fn is_rid_of(&self, id: &str) -> PortResult<bool> {
        let Some(found) = self.read(id).await? else { return Ok(true) };
        if found.distribution.enabled {
            self.update(&found, &found.tag, shape::disabled(&found.config)).await?;
            return Ok(false);
        }
        if !found.distribution.deployed {
            return Ok(false);
        }
        Ok(matches!(self.delete(&found).await?, Said::Yes(())))
    }

    /// The same for a certificate.
    pub(super) async fn is_rid_of_certificate(&self, name: &str) -> PortResult<bool> {
        Ok(match self.delete_certificate(name).await? {
            Said::Yes(()) => true,
            Said::No(refusal) => refusal.code == "NoSuchEntity",
        })
    }

    /// Uploads a certificate, and says how CloudFront calls it.
    pub(super) async fn upload(&self, name: &str, bundle: &CertificateBundle) -> PortResult<Said<String>> {
        let doing = "upload a throw-away certificate";
        let key = bundle.private_key_pem.expose_str();
        let key = key.ok_or_else(|| PortError::new(doing, Remedy::GiveUp, "its private key is not PEM"))?;
        let chain = Some(&bundle.chain_pem).filter(|chain| !chain.trim().is_empty());
        let request = self.iam.upload_server_certificate().path(&self.path).server_certificate_name(name);
        let request = request.certificate_body(&bundle.leaf_pem).set_certificate_chain(chain.cloned());
        match said(Upstream::Vault, doing, request.private_key(key).send().await)? {
            Said::Yes(answer) => {
                let stored = answer.server_certificate_metadata.map(|one| one.server_certificate_id);
                Ok(Said::Yes(stored.unwrap_or_default()))
            }
            Said::No(refusal) => Ok(Said::No(refusal)),
        }
    }

    /// A certificate by its name; `None` when there is none.
    pub(super) async fn certificate(&self, name: &str) -> PortResult<Option<Uploaded>> {
        let sent = self.iam.get_server_certificate().server_certificate_name(name).send().await;
        match sent {
            Ok(answer) => Ok(answer.server_certificate.and_then(|kept| {
                let fingerprint = fingerprint(&kept.certificate_body);
                let stored = kept.server_certificate_metadata?.server_certificate_id;
                Some(Uploaded { stored, fingerprint })
            })),
            Err(error) if is(&error, "NoSuchEntity") => Ok(None),
            Err(error) => Err(port_error(Upstream::Vault, "read a throw-away certificate", error)),
        }
    }

    /// Whether IAM lists a certificate below a path that begins like the broker's own and goes on with `below`.
    pub(super) async fn lists(&self, name: &str, below: &str) -> PortResult<bool> {
        let path = format!("{}{below}", self.path);
        let mut marker = None;
        for _ in 0..MOST_PAGES {
            let request = self.iam.list_server_certificates().path_prefix(&path).set_marker(marker);
            let sent = request.send().await;
            let page = sent.map_err(|error| port_error(Upstream::Vault, "list certificates", error))?;
            let mut listed = page.server_certificate_metadata_list.iter();
            if listed.any(|one| one.server_certificate_name == name) {
                return Ok(true);
            }
            marker = page.marker.filter(|_| page.is_truncated);
            if marker.is_none() {
                return Ok(false);
            }
        }
        Ok(false)
    }

    pub(super) async fn delete_certificate(&self, name: &str) -> PortResult<Said<()>> {
        let sent = self.iam.delete_server_certificate().server_certificate_name(name).send().await;
        said(Upstream::Vault, "delete a throw-away certificate", sent.map(drop))
    }

    /// Puts an answer exactly as the broker does.
    pub(super) async fn put(&self, key: &str, answer: &str) -> PortResult<Said<()>> {
        let request = self.site.put(key, answer);
        said(Upstream::Site, "put a throw-away answer", request.send().await.map(drop))
    }

    /// Whether S3 lists an answer.
    pub(super) async fn has(&self, key: &str) -> PortResult<bool> {
        let sent = self.s3.list_objects_v2().bucket(&self.bucket).prefix(key).send().await;
        let page = sent.map_err(|error| port_error(Upstream::Site, "list answers", error))?;
        Ok(page.contents().iter().any(|object| object.key() == Some(key)))
    }

    pub(super) async fn withdraw(&self, key: &str) -> PortResult<Said<()>> {
        let sent = self.s3.delete_object().bucket(&self.bucket).key(key).send().await;
        said(Upstream::Site, "delete a throw-away answer", sent.map(drop))
    }
}

/// The configuration with this name and nothing else changed.
pub(super) fn with_name(config: &DistributionConfig, name: &str) -> PortResult<DistributionConfig> {
    let aliases = Aliases::builder().quantity(1).items(name).build();
    let aliases =
        aliases.map_err(|error| PortError::new("name a throw-away distribution", Remedy::GiveUp, error))?;
    let mut config = config.clone();
    config.aliases = Some(aliases);
    Ok(config)
}

/// The configuration under CloudFront's own certificate, without names.
pub(super) fn bare(config: &DistributionConfig) -> PortResult<DistributionConfig> {
    let aliases = Aliases::builder().quantity(0).build();
    let aliases =
        aliases.map_err(|error| PortError::new("clear a throw-away distribution", Remedy::GiveUp, error))?;
    let mut config = config.clone();
    config.aliases = Some(aliases);
    config.viewer_certificate =
        Some(ViewerCertificate::builder().cloud_front_default_certificate(true).build());
    Ok(config)
}
