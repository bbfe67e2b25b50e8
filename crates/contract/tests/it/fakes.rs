use std::collections::BTreeSet;
use std::time::Duration;

use contract::testing::{World, Write, sample};
use contract::{
    Alert, Alerts, Cdn, CertificateIssuer, CertificateVault, Clock, Distribution, DomainName, InstanceId,
    IssuanceId, IssuanceProgress, PortError, ProofState, Randomness, Reference, Remedy, Serving,
    StoredCertificate, Timestamp, VaultName,
};

#[test]
fn clones_of_the_clock_show_the_same_time() {
    let world = World::new();
    world.clone().clock.advance(Duration::from_millis(1500));
    assert_eq!(world.clock.now(), Timestamp::from_millis(1_767_225_601_500));
    world.clock.set(Timestamp::from_secs(1));
    assert_eq!(world.clock.now(), Timestamp::from_secs(1));
}

#[test]
fn random_bytes_are_distinct_at_both_ends() {
    let randomness = World::new().randomness;
    let drawn: Vec<[u8; 16]> = (0..100).map(|_| randomness.clone().bytes()).collect();
    let heads: BTreeSet<&[u8]> = drawn.iter().map(|bytes| &bytes[..8]).collect();
    let tails: BTreeSet<&[u8]> = drawn.iter().map(|bytes| &bytes[8..]).collect();
    assert_eq!((heads.len(), tails.len()), (100, 100));
}

#[tokio::test]
async fn alerts_are_remembered_unless_they_are_lost() {
    let world = World::new();
    let alert = Alert::new("operation o-1", "access denied");
    world.plan.fail("alerts.raise", 1, || PortError::new("alert", Remedy::GiveUp, "nobody hears"));
    world.alerts.raise(alert.clone()).await;
    assert_eq!(world.alerts.raised(), []);
    world.alerts.raise(alert.clone()).await;
    assert_eq!(world.clone().alerts.raised(), [alert]);
}

#[tokio::test]
async fn a_fresh_certificate_is_not_usable_before_it_has_propagated() {
    let world = World::new();
    let (made, names) = made(&world, "i-1").await;
    let certificate = uploaded(&world, "c-1", &names).await;
    let spec = sample::spec(&InstanceId::new("i-1"), Some(Serving { names, certificate }));
    let refused = world.cdn.apply(&made.id, &spec).await.unwrap_err();
    assert_eq!(refused.remedy(), Remedy::Retry { after: None });
    world.clock.advance(Duration::from_secs(10));
    world.cdn.apply(&made.id, &spec).await.unwrap();
}

#[tokio::test]
async fn a_change_is_deployed_when_its_time_has_passed() {
    let world = World::new();
    world.cdn.set_deploy(Duration::from_mins(1));
    let (made, _) = made(&world, "i-1").await;
    assert!(!made.deployed);
    world.clock.advance(Duration::from_mins(1));
    assert!(world.cdn.find(&made.id).await.unwrap().unwrap().deployed);
    world.cdn.disable(&made.id).await.unwrap();
    assert!(!world.cdn.find(&made.id).await.unwrap().unwrap().deployed);
    assert_eq!(world.cdn.remove(&made.id).await.unwrap_err().remedy(), Remedy::Retry { after: None });
    world.clock.advance(Duration::from_mins(1));
    world.cdn.remove(&made.id).await.unwrap();
    assert_eq!(world.cdn.alive(), []);
}

#[tokio::test]
async fn a_reference_is_never_used_again_nor_by_somebody_else() {
    let world = World::new();
    let (made, _) = made(&world, "i-1").await;
    let reference = Reference::new("i-1");
    let foreign = world.cdn.ensure(&reference, &sample::spec(&InstanceId::new("i-2"), None)).await;
    assert_eq!(foreign.unwrap_err().remedy(), Remedy::GiveUp);
    world.cdn.disable(&made.id).await.unwrap();
    world.clock.advance(Duration::from_mins(5));
    world.cdn.remove(&made.id).await.unwrap();
    let again = world.cdn.ensure(&reference, &sample::spec(&InstanceId::new("i-1"), None)).await;
    assert_eq!(again.unwrap_err().remedy(), Remedy::GiveUp);
}

#[tokio::test]
async fn names_need_a_certificate_that_covers_them_and_nobody_else_who_holds_them() {
    let world = World::new();
    let (made, _) = made(&world, "i-1").await;
    let certificate = uploaded(&world, "c-1", &sample::names(&["*.a.example", "b.example"])).await;
    world.clock.advance(Duration::from_mins(1));
    let apply = async |names: &[&str]| {
        let serving = Serving { names: sample::names(names), certificate: certificate.clone() };
        let applied = world.cdn.apply(&made.id, &sample::spec(&InstanceId::new("i-1"), Some(serving))).await;
        applied.map(|made| made.names).map_err(|error| error.remedy())
    };
    for uncovered in
        [&["a.example"][..], &["x.y.a.example"], &["x.b.example"], &["x.a.example", "c.example"], &[]]
    {
        assert_eq!(apply(uncovered).await, Err(Remedy::GiveUp), "{uncovered:?}");
    }
    world.cdn.occupy(&sample::name("x.a.example"));
    assert_eq!(apply(&["x.a.example"]).await, Err(Remedy::AwaitTenant));
    world.cdn.vacate(&sample::name("x.a.example"));
    for covered in [&["x.a.example"][..], &["*.a.example", "b.example"]] {
        assert_eq!(apply(covered).await, Ok(sample::names(covered)));
    }
}

#[tokio::test]
async fn the_journal_holds_what_took_effect_and_nothing_else() {
    let world = World::new();
    let (made, names) = made(&world, "i-1").await;
    let reference = Reference::new("i-1");
    let spec = sample::spec(&InstanceId::new("i-1"), None);
    world.cdn.ensure(&reference, &spec).await.unwrap();
    world.cdn.apply(&made.id, &spec).await.unwrap();
    let certificate = uploaded(&world, "c-1", &names).await;
    uploaded(&world, "c-1", &names).await;
    world.clock.advance(Duration::from_mins(1));
    let serving = Some(Serving { names: names.clone(), certificate: certificate.clone() });
    let spec = sample::spec(&InstanceId::new("i-1"), serving);
    for _ in 0..2 {
        world.cdn.apply(&made.id, &spec).await.unwrap();
    }
    for _ in 0..2 {
        world.cdn.disable(&made.id).await.unwrap();
    }
    world.clock.advance(Duration::from_mins(5));
    for _ in 0..2 {
        world.cdn.remove(&made.id).await.unwrap();
        world.vault.remove(&VaultName::new("c-1")).await.unwrap();
    }
    let expected = [
        Write::Created(reference, made.id.clone()),
        Write::Uploaded(VaultName::new("c-1"), certificate.clone()),
        Write::Updated(made.id.clone(), names, Some(certificate)),
        Write::Disabled(made.id.clone()),
        Write::Deleted(made.id),
        Write::Dropped(VaultName::new("c-1")),
    ];
    assert_eq!(world.cdn.journal(), expected);
    assert_eq!((world.vault.uploads(), world.vault.kept().len()), (1, 0));
}

#[tokio::test]
async fn the_high_water_mark_stays_where_the_water_was() {
    let world = World::new();
    let instance = InstanceId::new("i-1");
    for reference in ["one", "two"] {
        let made = world.cdn.ensure(&Reference::new(reference), &sample::spec(&instance, None)).await;
        world.cdn.disable(&made.unwrap().id).await.unwrap();
    }
    world.clock.advance(Duration::from_mins(5));
    for made in world.cdn.alive() {
        world.cdn.remove(&made.id).await.unwrap();
    }
    assert_eq!(world.cdn.most_alive(&instance), 2);
    assert_eq!(world.cdn.most_alive(&InstanceId::new("i-2")), 0);
}

#[tokio::test]
async fn an_issuance_goes_from_order_to_certificate_once() {
    let world = World::new();
    let names = sample::names(&["a.example", "*.a.example"]);
    let id = IssuanceId::new("s-1");
    world.issuer.open(&id, &sample::certificate_request(&names)).await.unwrap();
    world.issuer.open(&id, &sample::certificate_request(&names[..1])).await.unwrap();
    assert_eq!(world.issuer.instructions(&id).await.unwrap(), []);
    assert_eq!(advance(&world, &id).await, "working");
    assert_eq!(advance(&world, &id).await, "awaiting proof");

    let instructions = world.issuer.instructions(&id).await.unwrap();
    assert_eq!(instructions.iter().map(|i| i.name.clone()).collect::<Vec<_>>(), names);
    let records: Vec<_> = instructions.iter().filter_map(|i| i.direct().cloned()).collect();
    assert!(records.iter().all(|record| record.name == "_acme-challenge.a.example." && record.ttl == 60));
    assert_ne!(records[0].value, records[1].value);

    world.issuer.prove(&names[0]);
    assert_eq!(advance(&world, &id).await, "awaiting proof");
    let states: Vec<_> = world
        .issuer
        .instructions(&id)
        .await
        .unwrap()
        .iter()
        .map(|i| (i.state, i.direct().is_some()))
        .collect();
    assert_eq!(states, [(ProofState::Proven, false), (ProofState::Open, true)]);

    world.issuer.prove(&names[1]);
    assert_eq!(advance(&world, &id).await, "working");
    assert_eq!(advance(&world, &id).await, "working");
    let first = world.issuer.advance(&id).await.unwrap();
    assert!(matches!(&first, IssuanceProgress::Issued(bundle) if bundle.facts.names == names));
    assert_eq!(world.issuer.advance(&id).await.unwrap(), first, "the same one again");
    assert_eq!((world.issuer.finalized(&id), world.issuer.finalized_in_all()), (1, 1));
    assert_eq!(world.issuer.orders_placed(), 1);
}

#[tokio::test]
async fn an_order_that_died_is_followed_by_another_with_fresh_instructions() {
    let world = World::new();
    let id = IssuanceId::new("s-1");
    world.issuer.open(&id, &sample::certificate_request(&sample::names(&["a.example"]))).await.unwrap();
    advance(&world, &id).await;
    let before = world.issuer.instructions(&id).await.unwrap().remove(0);
    world.clock.set(before.expires.unwrap());
    assert_eq!(advance(&world, &id).await, "working");
    let after = world.issuer.instructions(&id).await.unwrap().remove(0);
    assert_ne!(before.ways, after.ways);
    assert!(after.expires > before.expires);
    assert_eq!(world.issuer.orders_placed(), 2);
}

#[tokio::test]
async fn an_abandoned_or_unknown_issuance_is_given_up() {
    let world = World::new();
    let id = IssuanceId::new("s-1");
    let names = sample::names(&["a.example"]);
    world.issuer.abandon(&id).await.unwrap();
    assert_eq!(world.issuer.advance(&id).await.unwrap_err().remedy(), Remedy::GiveUp);
    assert_eq!(world.issuer.instructions(&id).await.unwrap(), []);
    world.issuer.open(&id, &sample::certificate_request(&names)).await.unwrap();
    world.issuer.prove(&names[0]);
    for _ in 0..4 {
        world.issuer.advance(&id).await.unwrap();
    }
    for _ in 0..2 {
        world.issuer.abandon(&id).await.unwrap();
        assert!(world.issuer.is_abandoned(&id));
        assert_eq!(world.issuer.advance(&id).await.unwrap_err().remedy(), Remedy::GiveUp);
    }
    world.issuer.open(&id, &sample::certificate_request(&names)).await.unwrap();
    assert!(world.issuer.is_abandoned(&id), "an id is known for ever");
    assert_eq!(world.issuer.finalized(&id), 1);
    assert_eq!(world.issuer.opened(), [id]);
}

#[tokio::test]
async fn different_certificates_differ_in_everything() {
    let world = World::new();
    let names = sample::names(&["a.example"]);
    let [one, other] = [1, 2].map(|serial| sample::bundle(serial, &names, world.clock.now()));
    assert_ne!(one.leaf_pem, other.leaf_pem);
    assert_ne!(one.private_key_pem, other.private_key_pem);
    assert_ne!(one.facts.serial, other.facts.serial);
    assert_ne!(one.facts.fingerprint, other.facts.fingerprint);
    assert_eq!(one.chain_pem, other.chain_pem, "they have one issuer");
}

async fn made(world: &World, instance: &str) -> (Distribution, Vec<DomainName>) {
    let spec = sample::spec(&InstanceId::new(instance), None);
    let made = world.cdn.ensure(&Reference::new(instance), &spec).await.unwrap();
    (made, sample::names(&["www.example.org"]))
}

async fn uploaded(world: &World, name: &str, names: &[DomainName]) -> StoredCertificate {
    let bundle = sample::bundle(1, names, world.clock.now());
    world.vault.ensure(&VaultName::new(name), &bundle).await.unwrap()
}

async fn advance(world: &World, id: &IssuanceId) -> &'static str {
    match world.issuer.advance(id).await.unwrap() {
        IssuanceProgress::Working { .. } => "working",
        IssuanceProgress::AwaitingProof { .. } => "awaiting proof",
        IssuanceProgress::HeldBack { .. } => "held back",
        IssuanceProgress::Issued(_) => "issued",
    }
}
