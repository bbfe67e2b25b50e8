//! What is true at every moment of every life.

use std::collections::BTreeSet;

use contract::{
    CertificateRecord, CertificateState, DistributionId, DomainState, InstanceId, OperationState,
};

use super::system::{ON_PURPOSE, System};
use super::user::{User, texts};

/// Errors that the world has had a hand in. Any other one is the broker's own.
const EXCUSES: &[&str] = &[
    ON_PURPOSE,
    "not done within",
    "no answer within",
    "in use elsewhere",
    "LimitExceeded",
    "TooManyDistributions",
    "belong to another instance",
];

pub(super) fn always(system: &System) {
    let world = &system.bench.world;
    assert_eq!(world.cdn.names_without_certificate(), None);
    for issuance in world.issuer.opened() {
        assert!(world.issuer.finalized(&issuance) <= 1, "{issuance} was finalized twice");
    }
    for user in &system.users {
        let id = InstanceId::new(user.id());
        assert!(world.cdn.most_alive(&id) <= 1, "{id} has two distributions");
        let certificates = certificates_of(system, &id);
        let live = certificates.iter().filter(|one| one.state == CertificateState::Live).count();
        assert!(live <= 1, "{id} has {live} live certificates");
    }
    the_vault_holds_live_and_next(system);
    every_name_has_one_owner(system);
    nothing_fails_without_a_reason(system);
}

pub(super) fn certificates_of(system: &System, id: &InstanceId) -> Vec<CertificateRecord> {
    system.bench.world.store.certificates().into_iter().filter(|one| one.instance == *id).collect()
}

/// What the background is removing is not counted.
fn the_vault_holds_live_and_next(system: &System) {
    let world = &system.bench.world;
    let swept: BTreeSet<_> = world.store.sweeps().into_iter().map(|sweep| sweep.vault_name).collect();
    let mut kept: BTreeSet<_> = world.vault.kept().into_iter().filter(|name| !swept.contains(name)).collect();
    for user in &system.users {
        let known = certificates_of(system, &InstanceId::new(user.id()));
        let own = known.iter().filter(|one| kept.remove(&one.vault_name)).count();
        assert!(own <= 2, "the vault holds {own} certificates of {}: {known:?}", user.id());
    }
    assert!(kept.is_empty(), "nobody knows of {kept:?}");
}

fn every_name_has_one_owner(system: &System) {
    let mut owned = BTreeSet::new();
    for record in system.bench.world.store.domains() {
        assert!(owned.insert(record.name.clone()), "{record:?} is not the only one");
    }
}

fn nothing_fails_without_a_reason(system: &System) {
    for operation in system.bench.world.store.operations() {
        let error = operation.error.as_deref().unwrap_or_default();
        let is_excused = EXCUSES.iter().any(|excuse| error.contains(excuse));
        assert!(operation.state != OperationState::Failed || is_excused, "{operation:?}");
    }
}

/// A name that was served and that nobody has asked to go is served, unless its owner has let its proof lapse.
pub(super) fn goes_on_serving(system: &System, user: &mut User) {
    let served = served(system, user);
    let domains = system.bench.world.store.domains();
    let lapsed = domains.into_iter().filter(|record| record.state == DomainState::Lapsed);
    let lapsed = texts(&lapsed.map(|record| record.name).collect::<Vec<_>>());
    let required = &(&user.served & &user.memory.keeps()) - &lapsed;
    assert!(required.is_subset(&served), "{required:?} were served, and now only {served:?}");
    user.served = served;
}

/// The names that the edges of an instance's distribution answer for.
pub(super) fn served(system: &System, user: &User) -> BTreeSet<String> {
    let cdn = &system.bench.world.cdn;
    let own = |id: &DistributionId| cdn.spec(id).is_some_and(|spec| spec.instance.as_str() == user.id());
    let alive = cdn.alive();
    texts(alive.iter().filter(|one| one.enabled && own(&one.id)).flat_map(|one| &one.names))
}
