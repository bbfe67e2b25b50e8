//! What is stored for an instance that is adopted.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{
    Adoption, CertificateRecord, ChosenMoment, DomainName, Instance, InstanceState, IssuanceRecord,
    LegacyBroker, LegacyInstance, LogEntry, Operation, OperationKind, OperationState, OriginalRequest,
    RenewalPlan, Timestamp, WholeDistribution,
};
use serde_json::Value;

use super::census::parsed;
use super::judge::{Judge, Stop, inconsistent, missing};
use super::{ImportEntry, settings};
use crate::catalog::{PLAN_ID, SERVICE_ID};
use crate::workflow::Step;

/// How the brokers call the organization and the space in the tags of a distribution.
const ORGANIZATION: [&str; 2] = ["Organization", "Organization GUID"];
const SPACE: [&str; 2] = ["Space", "Space GUID"];

impl Judge<'_> {
    pub(super) fn adoption(
        &self,
        row: &LegacyInstance,
        whole: &WholeDistribution,
        (certificate, issuance): (CertificateRecord, Option<IssuanceRecord>),
        entry: &mut ImportEntry,
    ) -> Result<Adoption, Stop> {
        let at = self.ports.clock.now();
        let instance = self.instance(row, whole, at, entry)?;
        let operation = self.operation(&instance);
        let renewal = self.renewal(&certificate, at);
        if let Some(served) = &mut entry.certificate {
            served.replaced_at = renewal.chosen.map(|chosen| chosen.at);
        }
        let source = self.settings.broker.as_str().to_owned();
        let log = LogEntry {
            operation: operation.id.clone(),
            step: operation.step.clone(),
            outcome: "done".to_owned(),
            sentence: format!("adopted from {source}, with nothing changed at the CDN"),
            request_id: None,
            at,
        };
        let inherited = self.inherited(row, &instance);
        Ok(Adoption { instance, operation, log, certificate, issuance, renewal, inherited, source, at })
    }

    /// `external-domain-broker` had its users delegate the challenges of all domains that it knew of.
    fn inherited(&self, row: &LegacyInstance, instance: &Instance) -> Vec<DomainName> {
        if self.settings.broker != LegacyBroker::ExternalDomain {
            return Vec::new();
        }
        let known = parsed(row);
        instance.settings.domains.iter().filter(|name| known.contains(name)).cloned().collect()
    }

    fn instance(
        &self,
        row: &LegacyInstance,
        whole: &WholeDistribution,
        at: Timestamp,
        entry: &mut ImportEntry,
    ) -> Result<Instance, Stop> {
        let origin = whole.origin.as_ref().ok_or_else(|| {
            inconsistent("its distribution fetches content from something that nobody can ask for: a host over HTTP or HTTPS")
        })?;
        let reference = whole.listed.reference.clone();
        let reference =
            reference.ok_or_else(|| missing("its distribution does not say its caller reference"))?;
        let (settings, parameters, note) =
            settings::read(&entry.names, origin, whole, &self.settings.default_origin);
        entry.notes.extend(note);
        let (service_id, plan_id) = plan(row, &whole.tags);
        entry.notes.extend(self.not_offered(&service_id, &plan_id));
        entry.notes.extend(row.besides.as_ref().map(|what| {
            format!("{what} stay as they are, and are nobody's any more: delete them by hand when it is gone")
        }));
        let tag = |names: [&str; 2]| {
            tagged(&whole.tags, names).ok_or_else(|| {
                missing(format!(
                    "its distribution has no tag `{}`: tag it with the GUID (`aws cloudfront tag-resource`), which \
                     `cf curl /v3/service_instances/{}` leads to",
                    names[0], row.id
                ))
            })
        };
        Ok(Instance {
            id: entry.instance.clone(),
            incarnation: 1,
            state: InstanceState::Ready,
            request: OriginalRequest {
                service_id,
                plan_id,
                organization: tag(ORGANIZATION)?,
                space: tag(SPACE)?,
                parameters: Value::Object(parameters).to_string(),
                context: "{}".to_owned(),
                identity: None,
                api_version: String::new(),
                received_at: row.asked_at.unwrap_or(at),
            },
            settings,
            reference,
            distribution: Some(whole.listed.distribution.id.clone()),
            distribution_domain: Some(whole.listed.distribution.domain.clone()),
        })
    }

    fn not_offered(&self, service: &str, plan: &str) -> Option<String> {
        let offered = &self.settings.offered;
        let is_offered = offered.iter().any(|(known, its)| known == service && its == plan);
        (!is_offered).then(|| {
            format!(
                "its plan {plan} of the service {service} is not in the catalog (CATALOG_FILE): before it is, the instance can \
                 be neither changed nor deleted"
            )
        })
    }

    /// Stands for the provision by the earlier broker: the platform may still ask how that has ended.
    fn operation(&self, instance: &Instance) -> Operation {
        let begun = instance.request.received_at;
        let mut operation = self.ports.draft(&instance.id, OperationKind::Provision, None, begun);
        operation.state = OperationState::Succeeded;
        let last = Step::plan(&operation).last();
        operation.step = last.map_or_else(String::new, |step| step.name().to_owned());
        operation
    }

    /// A moment by chance inside the window in which all of them are to be replaced, while there is life enough left.
    fn renewal(&self, certificate: &CertificateRecord, now: Timestamp) -> RenewalPlan {
        let CertificateRecord { instance, incarnation, generation, facts, .. } = certificate;
        let first = RenewalPlan::first(instance, *incarnation, *generation, now);
        if !certificate.keyless {
            return first;
        }
        let until = now + self.settings.spread;
        let until = facts.as_ref().map_or(until, |facts| {
            let life: Duration = facts.not_after.since(facts.not_before);
            until.min((facts.not_after - life / 3).max(now))
        });
        let [a, b, c, d, ..] = self.ports.randomness.bytes();
        let share = f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX);
        let at = now + until.since(now).mul_f64(share);
        RenewalPlan { chosen: Some(ChosenMoment { from: now, until, at }), check_at: at, ..first }
    }
}

/// What the earlier broker's database says, or the tags, or what all of these brokers have in common.
fn plan(row: &LegacyInstance, tags: &BTreeMap<String, String>) -> (String, String) {
    let tag = |name: &str, default: &str| tags.get(name).cloned().unwrap_or_else(|| default.to_owned());
    row.plan.clone().unwrap_or_else(|| (tag("Service", SERVICE_ID), tag("Plan", PLAN_ID)))
}

fn tagged(tags: &BTreeMap<String, String>, names: [&str; 2]) -> Option<String> {
    names.iter().find_map(|name| tags.get(*name)).filter(|value| !value.is_empty()).cloned()
}
