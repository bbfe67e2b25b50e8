use std::collections::BTreeMap;

use super::cloud::{Cloud, Made};
use crate::{
    DistributionId, KeptCertificate, ListedDistribution, Page, PageToken, Reference, Timestamp, VaultName,
    WholeDistribution,
};

/// How much is on a page of a fake: so little that every test of a list turns pages.
const PAGE: usize = 2;

/// The page behind `after` of things that come in the order of their keys.
pub(super) fn page<T>(sorted: impl IntoIterator<Item = (String, T)>, after: Option<&PageToken>) -> Page<T> {
    let is_behind = |key: &str| after.is_none_or(|after| key > after.as_str());
    let mut rest = sorted.into_iter().filter(|(key, _)| is_behind(key));
    let taken: Vec<(String, T)> = rest.by_ref().take(PAGE).collect();
    let next = rest.next().and(taken.last()).map(|(key, _)| PageToken::new(key));
    Page { items: taken.into_iter().map(|(_, item)| item).collect(), next }
}

impl Cloud {
    pub(super) fn list(&self, after: Option<&PageToken>, now: Timestamp) -> Page<ListedDistribution> {
        let listed = |(id, made)| (DistributionId::to_string(id), self.listed(id, made, now));
        page(self.distributions.iter().map(listed), after)
    }

    pub(super) fn examine(&self, id: &DistributionId, now: Timestamp) -> Option<ListedDistribution> {
        let listed = self.distributions.get(id).map(|made| self.listed(id, made, now))?;
        Some(ListedDistribution { reference: self.reference_of(id), ..listed })
    }

    pub(super) fn whole(&self, id: &DistributionId, now: Timestamp) -> Option<WholeDistribution> {
        let spec = &self.distributions.get(id)?.spec;
        Some(WholeDistribution {
            listed: self.examine(id, now)?,
            origin: Some(spec.origin.clone()),
            behaviour: spec.behaviour.clone(),
            error_pages: spec.delivery.error_pages.or(BTreeMap::new()),
            tags: spec.tags.clone(),
        })
    }

    fn listed(&self, id: &DistributionId, made: &Made, now: Timestamp) -> ListedDistribution {
        ListedDistribution {
            distribution: self.shown(id, made, now),
            reference: None,
            instance: Some(made.spec.instance.clone()),
            origin: Some(made.spec.origin.clone()),
            folder: Some(made.spec.instance.to_string()),
            changed_at: made.changed_at,
        }
    }

    fn reference_of(&self, id: &DistributionId) -> Option<Reference> {
        let mut used = self.references.iter();
        used.find(|(_, of)| *of == id).map(|(reference, _)| reference.clone())
    }

    pub(super) fn list_certificates(&self, after: Option<&PageToken>) -> Page<KeptCertificate> {
        let listed = |name: &VaultName| {
            let kept = self.certificates.get(name)?;
            Some(KeptCertificate {
                name: name.clone(),
                stored: kept.stored.clone(),
                arn: None,
                since: kept.since,
            })
        };
        let all = self.certificates.keys().filter_map(|name| Some((name.to_string(), listed(name)?)));
        page(all, after)
    }
}
