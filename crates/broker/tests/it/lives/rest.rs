//! What is true when everything works again and has been given its time.

use std::collections::BTreeSet;

use contract::{
    CertificateState, Clock, DomainName, DomainState, Instance, InstanceId, InstanceState, Operation,
    OperationState,
};

use super::laws::{certificates_of, served};
use super::system::System;
use super::user::{User, texts};

/// Whether there is nothing left to do.
pub(super) fn is_at_rest(system: &System) -> bool {
    system.bench.world.store.sweeps().is_empty() && unfinished(system).is_empty()
}

/// The steps in which a name is claimed: before its proof is asked for, and when it is proven, if somebody else was first.
const CLAIMING: [&str; 2] = ["obtain-certificate", "store-certificate"];

/// Operations that run, but for those that wait until another instance gives a name up: that is for its user to do.
fn unfinished(system: &System) -> Vec<Operation> {
    let operations = system.bench.world.store.operations();
    operations
        .into_iter()
        .filter(|one| one.state == OperationState::Running && !waits_for_anothers_name(system, one))
        .collect()
}

fn waits_for_anothers_name(system: &System, operation: &Operation) -> bool {
    let user = system.users.iter().find(|user| user.id() == operation.instance.as_str());
    let instance = user.and_then(|user| system.instance(user));
    let settings = operation.change.as_ref().map(|change| change.settings.clone());
    let wanted = settings.or(instance.map(|one| one.settings)).map(|settings| settings.domains);
    let mut domains = system.bench.world.store.domains().into_iter();
    CLAIMING.contains(&operation.step.as_str())
        && domains.any(|record| {
            record.instance != operation.instance
                && wanted.as_ref().is_some_and(|wanted| wanted.contains(&record.name))
        })
}

pub(super) fn store_and_cloud_agree(system: &System) {
    assert_eq!(unfinished(system), [], "does not end");
    assert_eq!(system.bench.world.store.sweeps(), []);
    for user in &system.users {
        match system.instance(user) {
            Some(instance) if instance.state == InstanceState::Ready => is_served(system, user, &instance),
            Some(instance) if instance.state != InstanceState::Gone => {}
            _ => is_gone(system, user),
        }
    }
}

/// A ready instance is served as the store has it.
fn is_served(system: &System, user: &User, instance: &Instance) {
    let world = &system.bench.world;
    let wanted = wanted(system, instance);
    assert_eq!(served(system, user), texts(&wanted));
    let id = instance.distribution.as_ref().unwrap();
    let alive = world.cdn.alive();
    let distribution = alive.iter().find(|one| one.id == *id).unwrap();
    assert!(distribution.deployed && distribution.enabled, "{distribution:?}");
    assert_eq!(world.cdn.spec(id).unwrap().origin, instance.settings.origin);
    let certificates = certificates_of(system, &instance.id);
    let live = certificates.iter().find(|one| one.state == CertificateState::Live).unwrap();
    assert_eq!(distribution.certificate, live.stored);
    assert!(live.facts.as_ref().unwrap().not_after > world.clock.now(), "{live:?} has run out");
    let plan = world.store.renewals().into_iter().find(|plan| plan.instance == instance.id).unwrap();
    assert_eq!(plan.generation, live.generation, "the plan is for another certificate");
    for name in &wanted {
        assert_eq!(system.bench.managed_target(name.as_str()), instance.distribution_domain, "{name}");
    }
    assert!(world.site.folder(&instance.id).is_empty(), "a proof is left");
}

/// The names of an instance that have not lapsed; and all of them are its own.
fn wanted(system: &System, instance: &Instance) -> BTreeSet<DomainName> {
    let domains = system.bench.world.store.domains();
    let own = |name: &DomainName| {
        let record = domains.iter().find(|record| record.name == *name).unwrap();
        assert_eq!(record.instance, instance.id, "{name} is served and another's");
        record.state == DomainState::Proven
    };
    instance.settings.domains.iter().filter(|name| own(name)).cloned().collect()
}

fn is_gone(system: &System, user: &User) {
    let world = &system.bench.world;
    let id = InstanceId::new(user.id());
    assert!(served(system, user).is_empty());
    assert!(world.cdn.alive().iter().all(|one| world.cdn.spec(&one.id).unwrap().instance != id));
    let certificates = certificates_of(system, &id);
    let kept = world.vault.kept();
    for certificate in certificates {
        assert_eq!(certificate.state, CertificateState::Removed);
        assert!(!kept.contains(&certificate.vault_name), "{certificate:?} is left");
        let was_opened = world.issuer.request(&certificate.issuance).is_some();
        let is_wiped = !was_opened || world.issuer.is_abandoned(&certificate.issuance);
        assert!(is_wiped, "the key of {certificate:?} is left");
    }
    assert!(world.store.domains().iter().all(|record| record.instance != id), "a name is left");
    assert!(world.store.renewals().iter().all(|plan| plan.instance != id), "a plan is left");
}

/// Everybody has deleted everything.
pub(super) fn nothing_is_left(system: &System) {
    let world = &system.bench.world;
    assert_eq!(world.cdn.alive(), []);
    assert_eq!(world.vault.kept(), []);
    assert!(world.site.is_empty(), "a proof is left");
    assert!(world.zone.is_empty(), "a record is left: {:?}", world.zone);
    assert_eq!(world.store.domains(), []);
    assert_eq!(world.store.renewals(), []);
    for user in &system.users {
        let state = system.instance(user).map(|instance| instance.state);
        assert!(state.is_none_or(|state| state == InstanceState::Gone), "{state:?}");
    }
}
