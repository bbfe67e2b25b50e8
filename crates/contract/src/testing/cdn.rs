use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::cloud::{Cloud, LATER, Made, Write, refusal};
use super::{CrashPlan, FakeVault, ManualClock, locked};
use crate::{
    Cdn, Clock, Distribution, DistributionId, DistributionSpec, DomainName, InstanceId, ListedDistribution,
    Page, PageToken, PortResult, Reference, Remedy, Serving, Timestamp, WholeDistribution,
};

/// A CDN in memory with `CloudFront`'s rules: a reference is unique for ever, a change takes time to reach the edges,
/// names need a certificate of the vault that covers them and is known at the CDN, and only what is disabled
/// everywhere can be deleted. Clones share the distributions.
#[derive(Clone, Debug)]
pub struct FakeCdn {
    clock: ManualClock,
    plan: CrashPlan,
    cloud: Arc<Mutex<Cloud>>,
}

impl FakeCdn {
    /// A CDN without distributions that takes its certificates from `vault`.
    pub fn new(clock: ManualClock, vault: &FakeVault) -> Self {
        Self { clock, plan: CrashPlan::new(), cloud: Arc::clone(&vault.cloud) }
    }

    /// The same CDN, with every call passing `plan`.
    #[must_use]
    pub fn with_plan(mut self, plan: &CrashPlan) -> Self {
        self.plan = plan.clone();
        self
    }

    /// Sets how long a change takes to reach every edge; 300 seconds unless said.
    pub fn set_deploy(&self, deploy: Duration) {
        locked(&self.cloud).deploy = deploy;
    }

    /// Sets how many distributions the account can have; as many as one likes unless said.
    pub fn set_room(&self, distributions: usize) {
        locked(&self.cloud).room.0 = distributions;
    }

    /// Lets somebody else's distribution hold `name`, so that `apply` asks the tenant to act.
    pub fn occupy(&self, name: &DomainName) {
        locked(&self.cloud).held_elsewhere.insert(name.clone());
    }

    /// Lets the other distribution give `name` up.
    pub fn vacate(&self, name: &DomainName) {
        locked(&self.cloud).held_elsewhere.remove(name);
    }

    /// Plays somebody who deletes a distribution by hand, or an account that is lost.
    pub fn lose(&self, id: &DistributionId) {
        locked(&self.cloud).distributions.remove(id);
    }

    /// Every distribution that exists now.
    pub fn alive(&self) -> Vec<Distribution> {
        let cloud = locked(&self.cloud);
        let now = self.clock.now();
        cloud.distributions.iter().map(|(id, made)| cloud.shown(id, made, now)).collect()
    }

    /// What a distribution was told to be.
    pub fn spec(&self, id: &DistributionId) -> Option<DistributionSpec> {
        locked(&self.cloud).distributions.get(id).map(|made| made.spec.clone())
    }

    /// How many distributions an instance had at the same time, at most.
    pub fn most_alive(&self, instance: &InstanceId) -> usize {
        locked(&self.cloud).most_alive.get(instance).copied().unwrap_or_default()
    }

    /// The first moment, if there was one, at which a distribution had names without a certificate for them.
    pub fn names_without_certificate(&self) -> Option<String> {
        locked(&self.cloud).uncovered.clone()
    }

    /// Every change that took effect, in the CDN and in its vault, oldest first.
    pub fn journal(&self) -> Vec<Write> {
        locked(&self.cloud).journal()
    }

    /// What somebody does at the console: changes what a distribution is, without a word to anybody.
    pub fn change_by_hand(&self, id: &DistributionId, change: impl FnOnce(&mut DistributionSpec)) {
        if let Some(made) = locked(&self.cloud).distributions.get_mut(id) {
            change(&mut made.spec);
            made.changed_at = self.clock.now();
        }
    }

    /// What somebody does at the console: deletes a distribution.
    pub fn delete_by_hand(&self, id: &DistributionId) {
        locked(&self.cloud).distributions.remove(id);
    }

    async fn call<T: Send>(
        &self,
        method: &'static str,
        effect: impl FnOnce(&mut Cloud, Timestamp) -> PortResult<T> + Send,
    ) -> PortResult<T> {
        self.plan.pass(method, || effect(&mut locked(&self.cloud), self.clock.now())).await
    }
}

#[async_trait]
impl Cdn for FakeCdn {
    async fn ensure(&self, reference: &Reference, spec: &DistributionSpec) -> PortResult<Distribution> {
        self.call("cdn.ensure", |cloud, now| cloud.ensure(reference, spec, now)).await
    }

    async fn apply(&self, id: &DistributionId, spec: &DistributionSpec) -> PortResult<Distribution> {
        self.call("cdn.apply", |cloud, now| cloud.apply(id, spec, now)).await
    }

    async fn find(&self, id: &DistributionId) -> PortResult<Option<Distribution>> {
        self.call("cdn.find", |cloud, now| {
            Ok(cloud.distributions.get(id).map(|made| cloud.shown(id, made, now)))
        })
        .await
    }

    async fn list(&self, after: Option<PageToken>) -> PortResult<Page<ListedDistribution>> {
        self.call("cdn.list", |cloud, now| Ok(cloud.list(after.as_ref(), now))).await
    }

    async fn examine(&self, id: &DistributionId) -> PortResult<Option<ListedDistribution>> {
        self.call("cdn.examine", |cloud, now| Ok(cloud.examine(id, now))).await
    }

    async fn whole(&self, id: &DistributionId) -> PortResult<Option<WholeDistribution>> {
        self.call("cdn.whole", |cloud, now| Ok(cloud.whole(id, now))).await
    }

    async fn disable(&self, id: &DistributionId) -> PortResult<()> {
        self.call("cdn.disable", |cloud, now| {
            let Some(made) = cloud.distributions.get_mut(id).filter(|made| made.enabled) else {
                return Ok(());
            };
            made.enabled = false;
            made.changed_at = now;
            cloud.wrote(Write::Disabled(id.clone()));
            Ok(())
        })
        .await
    }

    async fn enable(&self, id: &DistributionId) -> PortResult<()> {
        self.call("cdn.enable", |cloud, now| {
            let Some(made) = cloud.distributions.get_mut(id) else {
                let cause = format!("{id} does not exist");
                return Err(refusal("enable the distribution", Remedy::StartOver, cause));
            };
            if !made.enabled {
                made.enabled = true;
                made.changed_at = now;
                cloud.wrote(Write::Enabled(id.clone()));
            }
            Ok(())
        })
        .await
    }

    async fn remove(&self, id: &DistributionId) -> PortResult<()> {
        self.call("cdn.remove", |cloud, now| {
            let Some(made) = cloud.distributions.get(id) else { return Ok(()) };
            if made.enabled || !cloud.is_deployed(made, now) {
                let cause = format!("{id} is not yet disabled everywhere");
                return Err(refusal("delete the distribution", LATER, cause));
            }
            cloud.distributions.remove(id);
            cloud.wrote(Write::Deleted(id.clone()));
            Ok(())
        })
        .await
    }

    async fn invalidate(
        &self,
        id: &DistributionId,
        reference: &Reference,
        paths: &[String],
    ) -> PortResult<()> {
        self.call("cdn.invalidate", |cloud, _| cloud.invalidate(id, reference, paths)).await
    }
}

impl Cloud {
    fn ensure(
        &mut self,
        reference: &Reference,
        spec: &DistributionSpec,
        now: Timestamp,
    ) -> PortResult<Distribution> {
        let doing = "create the distribution";
        if let Some(id) = self.references.get(reference) {
            let own = self.distributions.get(id).filter(|made| made.spec.instance == spec.instance);
            let refused = || refusal(doing, Remedy::GiveUp, format!("{reference} was used by {id}"));
            return own.map(|made| self.shown(id, made, now)).ok_or_else(refused);
        }
        if self.distributions.len() >= self.room.0 {
            return Err(refusal(doing, Remedy::AwaitOperator, "TooManyDistributions"));
        }
        let id = DistributionId::new(format!("EFAKE{:08}", self.next_number()));
        self.check(&id, spec, now)?;
        let made = Made { spec: spec.clone(), enabled: true, changed_at: now };
        let shown = self.shown(&id, &made, now);
        self.distributions.insert(id.clone(), made);
        self.references.insert(reference.clone(), id.clone());
        self.wrote(Write::Created(reference.clone(), id));
        Ok(shown)
    }

    fn apply(
        &mut self,
        id: &DistributionId,
        spec: &DistributionSpec,
        now: Timestamp,
    ) -> PortResult<Distribution> {
        let Some(made) = self.distributions.get(id) else {
            let cause = format!("{id} does not exist");
            return Err(refusal("update the distribution", Remedy::StartOver, cause));
        };
        if made.spec == *spec {
            return Ok(self.shown(id, made, now));
        }
        self.check(id, spec, now)?;
        let made = Made { spec: spec.clone(), enabled: made.enabled, changed_at: now };
        let shown = self.shown(id, &made, now);
        self.distributions.insert(id.clone(), made);
        self.wrote(Write::Updated(id.clone(), shown.names.clone(), shown.certificate.clone()));
        Ok(shown)
    }

    fn invalidate(&mut self, id: &DistributionId, reference: &Reference, paths: &[String]) -> PortResult<()> {
        let doing = "invalidate paths";
        if !self.distributions.contains_key(id) {
            return Err(refusal(doing, Remedy::StartOver, format!("{id} does not exist")));
        }
        let wanted = Write::Invalidated(id.clone(), reference.clone(), paths.to_vec());
        let is_named = |write: &Write| matches!(write, Write::Invalidated(_, named, _) if named == reference);
        match self.journal().into_iter().find(is_named) {
            Some(done) if done == wanted => Ok(()),
            Some(_) => Err(refusal(doing, Remedy::GiveUp, format!("{reference} stands for other paths"))),
            None => {
                self.wrote(wanted);
                Ok(())
            }
        }
    }

    /// The rules for aliases, in `CloudFront`'s order.
    fn check(&self, id: &DistributionId, spec: &DistributionSpec, now: Timestamp) -> PortResult<()> {
        let doing = "attach the domain names";
        let Some(serving) = &spec.serving else { return Ok(()) };
        if serving.names.is_empty() {
            return Err(refusal(doing, Remedy::GiveUp, "a certificate without names to serve"));
        }
        let known = self.kept(&serving.certificate).filter(|kept| kept.since + self.propagation <= now);
        let Some(kept) = known else {
            let cause = format!("the certificate {} is not known here, or not yet", serving.certificate);
            return Err(refusal(doing, LATER, cause));
        };
        if let Some(name) = serving.names.iter().find(|name| !kept.covers(name)) {
            let cause = format!("the certificate does not cover {name}");
            return Err(refusal(doing, Remedy::GiveUp, cause));
        }
        match self.name_in_use(id, serving) {
            Some(name) => Err(refusal(doing, Remedy::AwaitTenant, format!("{name} is in use elsewhere"))
                .for_tenant(format!("{name} is served by another CDN distribution. Remove it there."))),
            None => Ok(()),
        }
    }

    /// A name that another distribution holds, of this account or of another one.
    fn name_in_use<'a>(&self, own: &DistributionId, serving: &'a Serving) -> Option<&'a DomainName> {
        let held = |name: &DomainName| {
            let mut others = self.distributions.iter().filter(|(id, _)| *id != own);
            others.any(|(_, made)| made.spec.serving.as_ref().is_some_and(|s| s.names.contains(name)))
        };
        serving.names.iter().find(|name| self.held_elsewhere.contains(name) || held(name))
    }

    fn is_deployed(&self, made: &Made, now: Timestamp) -> bool {
        made.changed_at + self.deploy <= now
    }

    pub(super) fn shown(&self, id: &DistributionId, made: &Made, now: Timestamp) -> Distribution {
        let serving = made.spec.serving.as_ref();
        Distribution {
            id: id.clone(),
            domain: format!("{}.cloudfront.net", id.as_str().to_lowercase().replacen('e', "d", 1)),
            deployed: self.is_deployed(made, now),
            enabled: made.enabled,
            names: serving.map(|serving| serving.names.clone()).unwrap_or_default(),
            certificate: serving.map(|serving| serving.certificate.clone()),
        }
    }
}
