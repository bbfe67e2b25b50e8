use std::collections::BTreeMap;

use aws_sdk_cloudfront::types::{
    self, Aliases, CacheBehaviors, DistributionSummary, Origins, ViewerCertificate,
};
use contract::{
    Distribution, DistributionId, ListedDistribution, Page, PageToken, PortResult, Reference, Timestamp,
    Upstream, WholeDistribution,
};

use super::{CloudFrontCdn, read};
use crate::classify::{is, port_error};
use crate::listing::{cut, moment, next};
use crate::shape;

impl CloudFrontCdn {
    pub(super) async fn page(&self, after: Option<PageToken>) -> PortResult<Page<ListedDistribution>> {
        let doing = "list the distributions";
        let asked = self.client.list_distributions().set_max_items(self.page_size);
        let sent = asked.set_marker(after.map(|after| after.as_str().to_owned())).send().await;
        let list = sent.map_err(|error| port_error(Upstream::Cdn, doing, error))?.distribution_list;
        let list = list.ok_or_else(|| cut(doing))?;
        let items = list.items.unwrap_or_default();
        if usize::try_from(list.quantity) != Ok(items.len()) {
            return Err(cut(doing));
        }
        let items = items.iter().map(|summary| self.listed(&Parts::of_summary(summary))).collect();
        Ok(Page { items, next: next(list.is_truncated, list.next_marker, doing)? })
    }

    pub(super) async fn look(&self, id: &DistributionId) -> PortResult<Option<ListedDistribution>> {
        let Some(found) = self.found(id).await? else { return Ok(None) };
        let config = found.distribution_config.as_ref().ok_or_else(|| cut(&reading(id)))?;
        Ok(Some(self.with_reference(&found, config)))
    }

    pub(super) async fn look_at_all(&self, id: &DistributionId) -> PortResult<Option<WholeDistribution>> {
        let Some(found) = self.found(id).await? else { return Ok(None) };
        let config = found.distribution_config.as_ref().ok_or_else(|| cut(&reading(id)))?;
        Ok(Some(WholeDistribution {
            listed: self.with_reference(&found, config),
            origin: shape::seen::target(config),
            behaviour: shape::seen::behaviour(config),
            error_pages: shape::seen::error_pages(config),
            tags: self.tags(&found.arn).await?,
        }))
    }

    async fn tags(&self, arn: &str) -> PortResult<BTreeMap<String, String>> {
        let doing = format!("read the tags of {arn}");
        let sent = self.client.list_tags_for_resource().resource(arn).send().await;
        let tags = sent.map_err(|error| port_error(Upstream::Cdn, &doing, error))?.tags;
        let tags = tags.ok_or_else(|| cut(&doing))?.items.unwrap_or_default();
        Ok(tags.into_iter().map(|tag| (tag.key, tag.value.unwrap_or_default())).collect())
    }

    async fn found(&self, id: &DistributionId) -> PortResult<Option<types::Distribution>> {
        let doing = reading(id);
        match self.client.get_distribution().id(id.as_str()).send().await {
            Ok(answer) => answer.distribution.ok_or_else(|| cut(&doing)).map(Some),
            Err(error) if is(&error, "NoSuchDistribution") => Ok(None),
            Err(error) => Err(port_error(Upstream::Cdn, doing, error)),
        }
    }

    fn with_reference(
        &self,
        found: &types::Distribution,
        config: &types::DistributionConfig,
    ) -> ListedDistribution {
        let reference = Some(Reference::new(&config.caller_reference));
        ListedDistribution { reference, ..self.listed(&Parts::of_distribution(found, config)) }
    }

    fn listed(&self, parts: &Parts<'_>) -> ListedDistribution {
        ListedDistribution {
            distribution: Distribution {
                id: DistributionId::new(parts.id),
                domain: parts.domain.to_owned(),
                deployed: parts.status == "Deployed",
                enabled: parts.enabled,
                names: read::names(parts.aliases),
                certificate: read::certificate(parts.certificate),
            },
            reference: None,
            instance: shape::instance_of(parts.comment),
            origin: shape::seen::origin(parts.origins),
            folder: shape::seen::folder(parts.origins, parts.behaviours, &self.bucket_host),
            changed_at: parts.changed_at,
        }
    }
}

fn reading(id: &DistributionId) -> String {
    format!("read the distribution {id}")
}

/// What a list and a look both show.
struct Parts<'a> {
    id: &'a str,
    domain: &'a str,
    status: &'a str,
    enabled: bool,
    comment: &'a str,
    aliases: Option<&'a Aliases>,
    certificate: Option<&'a ViewerCertificate>,
    origins: Option<&'a Origins>,
    behaviours: Option<&'a CacheBehaviors>,
    changed_at: Timestamp,
}

impl<'a> Parts<'a> {
    fn of_summary(summary: &'a DistributionSummary) -> Self {
        Self {
            id: &summary.id,
            domain: &summary.domain_name,
            status: &summary.status,
            enabled: summary.enabled,
            comment: &summary.comment,
            aliases: summary.aliases(),
            certificate: summary.viewer_certificate(),
            origins: summary.origins(),
            behaviours: summary.cache_behaviors(),
            changed_at: moment(&summary.last_modified_time),
        }
    }

    fn of_distribution(found: &'a types::Distribution, config: &'a types::DistributionConfig) -> Self {
        Self {
            id: &found.id,
            domain: &found.domain_name,
            status: &found.status,
            enabled: config.enabled,
            comment: &config.comment,
            aliases: config.aliases(),
            certificate: config.viewer_certificate(),
            origins: config.origins(),
            behaviours: config.cache_behaviors(),
            changed_at: moment(&found.last_modified_time),
        }
    }
}
