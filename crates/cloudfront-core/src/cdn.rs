mod list;
pub(crate) mod read;

use async_trait::async_trait;
use aws_sdk_cloudfront::Client;
use aws_sdk_cloudfront::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_cloudfront::types::DistributionConfig;
use contract::{
    Cdn, Distribution, DistributionId, DistributionSpec, ListedDistribution, Page, PageToken, PortError,
    PortResult, Reach, Reference, Remedy, Upstream, WholeDistribution,
};

use crate::classify::{is, port_error};
use crate::controls::Controls;
use crate::settings::AwsSettings;
use crate::shape::{self, Place};
use read::Found;

/// How often a change is computed anew because somebody else's came in between.
const ATTEMPTS: u32 = 5;
/// A control serves as many distributions as it can.
const NO_ROOM: &str = "TooManyDistributionsAssociatedToOriginAccessControl";
/// AWS's quota of origin access controls in an account.
const CONTROLS_MAX: u32 = 100;

/// Distributions of Amazon CloudFront.
#[derive(Debug)]
pub struct CloudFrontCdn {
    client: Client,
    pub(crate) controls: Controls,
    bucket_host: String,
    log_bucket: Option<String>,
    web_acl: Option<String>,
    page_size: Option<i32>,
}

impl CloudFrontCdn {
    pub(crate) fn new(client: Client, settings: &AwsSettings, region: &str) -> Self {
        Self {
            controls: Controls::new(client.clone(), settings.control_name.clone()),
            client,
            bucket_host: format!("{}.s3.{region}.amazonaws.com", settings.bucket),
            log_bucket: settings.log_bucket.clone(),
            web_acl: settings.web_acl.clone(),
            page_size: settings.page_size,
        }
    }

    pub(crate) fn place<'a>(&'a self, control: &'a str) -> Place<'a> {
        let (log_bucket, web_acl) = (self.log_bucket.as_deref(), self.web_acl.as_deref());
        Place { bucket_host: &self.bucket_host, control, log_bucket, web_acl }
    }

    /// Refuses to make, or to leave, a distribution unprotected or unlogged because the operator has taken a setting
    /// back. What a distribution has already stays.
    fn check(&self, spec: &DistributionSpec, current: Option<&DistributionConfig>) -> PortResult<()> {
        let has_acl = current.and_then(DistributionConfig::web_acl_id).is_some_and(|id| !id.is_empty());
        let has_log = current.and_then(DistributionConfig::logging).is_some_and(|log| log.enabled);
        let logs = spec.delivery.logging.or(false);
        let missing = match () {
            () if spec.web_acl && self.web_acl.is_none() && !has_acl => {
                "no web ACL is set for the plan that has one"
            }
            () if logs && self.log_bucket.is_none() && !has_log => {
                "no log bucket is set, but a user's log goes there"
            }
            () => return Ok(()),
        };
        Err(PortError::new("shape the distribution", Remedy::AwaitOperator, missing))
    }
}

#[async_trait]
impl Cdn for CloudFrontCdn {
    async fn ensure(&self, reference: &Reference, spec: &DistributionSpec) -> PortResult<Distribution> {
        self.check(spec, None)?;
        for _ in 0..CONTROLS_MAX {
            let control = self.controls.with_room().await?;
            if let Some(distribution) = self.create(reference, spec, &control).await? {
                return Ok(distribution);
            }
            self.controls.is_full(&control).await;
        }
        let full = "every origin access control serves as many distributions as it can";
        let error = PortError::new("create the distribution", Remedy::AwaitOperator, full);
        Err(error.stopping(Upstream::Cdn, Reach::SameKind))
    }

    async fn apply(&self, id: &DistributionId, spec: &DistributionSpec) -> PortResult<Distribution> {
        for _ in 0..ATTEMPTS {
            let found = self.read(id).await?.ok_or_else(|| gone(id))?;
            self.check(spec, Some(&found.config))?;
            let control = self.control_for(&found.config).await?;
            let wanted = shape::changed(&found.config, spec, self.place(&control));
            let wanted = wanted.map_err(|error| unsayable("change the distribution", error))?;
            if wanted == found.config {
                return Ok(found.distribution);
            }
            if let Some(changed) = self.update(&found, wanted).await? {
                return Ok(changed);
            }
        }
        Err(raced("change", id))
    }

    async fn find(&self, id: &DistributionId) -> PortResult<Option<Distribution>> {
        Ok(self.read(id).await?.map(|found| found.distribution))
    }

    async fn list(&self, after: Option<PageToken>) -> PortResult<Page<ListedDistribution>> {
        self.page(after).await
    }

    async fn examine(&self, id: &DistributionId) -> PortResult<Option<ListedDistribution>> {
        self.look(id).await
    }

    async fn whole(&self, id: &DistributionId) -> PortResult<Option<WholeDistribution>> {
        self.look_at_all(id).await
    }

    async fn disable(&self, id: &DistributionId) -> PortResult<()> {
        for _ in 0..ATTEMPTS {
            let Some(found) = self.read(id).await?.filter(|found| found.config.enabled) else {
                return Ok(());
            };
            match self.update(&found, shape::disabled(&found.config)).await {
                Ok(None) => {}
                Err(error) if error.remedy() == Remedy::StartOver => return Ok(()),
                done => return done.map(drop),
            }
        }
        Err(raced("disable", id))
    }

    async fn enable(&self, id: &DistributionId) -> PortResult<()> {
        for _ in 0..ATTEMPTS {
            let found = self.read(id).await?.ok_or_else(|| gone(id))?;
            if found.config.enabled || self.update(&found, shape::enabled(&found.config)).await?.is_some() {
                return Ok(());
            }
        }
        Err(raced("enable", id))
    }

    async fn remove(&self, id: &DistributionId) -> PortResult<()> {
        for _ in 0..ATTEMPTS {
            let Some(found) = self.read(id).await? else { return Ok(()) };
            let sent = self.client.delete_distribution().id(id.as_str()).if_match(found.tag).send().await;
            match sent {
                Ok(_) => return Ok(()),
                Err(error) if is(&error, "NoSuchDistribution") => return Ok(()),
                Err(error) if is_stale(&error) => {}
                Err(error) => {
                    return Err(port_error(Upstream::Cdn, format!("delete the distribution {id}"), error));
                }
            }
        }
        Err(raced("delete", id))
    }

    async fn invalidate(
        &self,
        id: &DistributionId,
        reference: &Reference,
        paths: &[String],
    ) -> PortResult<()> {
        let doing = format!("invalidate paths of the distribution {id}");
        let batch = shape::invalidation(reference, paths).map_err(|error| unsayable(&doing, error))?;
        let sent = self
            .client
            .create_invalidation()
            .distribution_id(id.as_str())
            .invalidation_batch(batch)
            .send()
            .await;
        sent.map(drop).map_err(|error| port_error(Upstream::Cdn, doing, error))
    }
}

impl CloudFrontCdn {
    /// The distribution of this reference, new or found; `None` when the control has no room for it.
    async fn create(
        &self,
        reference: &Reference,
        spec: &DistributionSpec,
        control: &str,
    ) -> PortResult<Option<Distribution>> {
        let doing = "create the distribution";
        let config = shape::fresh(reference, spec, self.place(control));
        let config = config.map_err(|error| unsayable(doing, error))?;
        let sent =
            self.client.create_distribution_with_tags().distribution_config_with_tags(config).send().await;
        match sent {
            Ok(answer) => Ok(Some(Found::new(answer.distribution, answer.e_tag, doing)?.distribution)),
            Err(error) if is(&error, NO_ROOM) => Ok(None),
            Err(error) if is(&error, "DistributionAlreadyExists") => {
                self.adopt(reference, port_error(Upstream::Cdn, doing, error)).await.map(Some)
            }
            Err(error) => {
                self.controls.heed(&error).await;
                Err(port_error(Upstream::Cdn, doing, error))
            }
        }
    }

    /// The distribution that already has this reference: an earlier call took effect and its answer was lost. Which
    /// one it is stands only in the text of the refusal. A distribution that cannot be read may be too new: reads
    /// lag behind.
    async fn adopt(&self, reference: &Reference, refusal: PortError) -> PortResult<Distribution> {
        let Some(id) = read::existing_id(&refusal.to_string()) else { return Err(refusal) };
        let found = self.read(&id).await?.ok_or_else(|| unreadable(&id))?;
        if found.config.caller_reference != reference.as_str() {
            return Err(refusal);
        }
        tracing::info!(distribution.id = %id, "adopted a distribution made by an earlier call");
        Ok(found.distribution)
    }

    pub(crate) async fn read(&self, id: &DistributionId) -> PortResult<Option<Found>> {
        let doing = format!("read the distribution {id}");
        match self.client.get_distribution().id(id.as_str()).send().await {
            Ok(answer) => Found::new(answer.distribution, answer.e_tag, &doing).map(Some),
            Err(error) if is(&error, "NoSuchDistribution") => Ok(None),
            Err(error) => Err(port_error(Upstream::Cdn, doing, error)),
        }
    }

    /// The distribution after the update; `None` when it has to be computed anew, because the distribution is not any
    /// more what was found, or because its control has no room.
    async fn update(&self, found: &Found, wanted: DistributionConfig) -> PortResult<Option<Distribution>> {
        let id = &found.distribution.id;
        let doing = format!("change the distribution {id}");
        let control = shape::control_of(&wanted).unwrap_or_default().to_owned();
        let request = self.client.update_distribution().id(id.as_str()).if_match(&found.tag);
        match request.distribution_config(wanted).send().await {
            Ok(answer) => Ok(Some(Found::new(answer.distribution, answer.e_tag, &doing)?.distribution)),
            Err(error) if is_stale(&error) => Ok(None),
            Err(error) if is(&error, NO_ROOM) => {
                self.controls.is_full(&control).await;
                Ok(None)
            }
            Err(error) => Err(port_error(Upstream::Cdn, doing, error)),
        }
    }

    /// The control that the distribution has, or one for a distribution that has lost it.
    async fn control_for(&self, config: &DistributionConfig) -> PortResult<String> {
        match shape::control_of(config) {
            Some(id) => Ok(id.to_owned()),
            None => self.controls.with_room().await,
        }
    }
}

fn is_stale<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    is(error, "PreconditionFailed") || is(error, "InvalidIfMatchVersion")
}

fn unreadable(id: &DistributionId) -> PortError {
    let why = "it is said to exist, but cannot be read";
    PortError::new(format!("adopt the distribution {id}"), Remedy::Retry { after: None }, why)
}

fn gone(id: &DistributionId) -> PortError {
    PortError::new(format!("change the distribution {id}"), Remedy::StartOver, "it does not exist any more")
}

fn raced(verb: &str, id: &DistributionId) -> PortError {
    let why = "somebody else keeps changing it";
    PortError::new(format!("{verb} the distribution {id}"), Remedy::Retry { after: None }, why)
}

fn unsayable(doing: &str, error: BuildError) -> PortError {
    PortError::new(doing, Remedy::GiveUp, error)
}
