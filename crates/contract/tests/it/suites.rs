use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use contract::Clock;
use contract::testing::conformance::{cdn, platform, site, storage, vault, zone};
use contract::testing::{FakePlatform, FakeSite, FakeZone, World, sample};
use contract::{DomainName, ManagedZone};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_memory_store_keeps_the_storage_promises() {
    let world = World::new();
    storage::run(&storage::Subject::new(&Arc::new(world.store), world.clock, "fake")).await;
}

#[tokio::test]
async fn the_fake_cdn_keeps_the_promises() {
    let world = World::new();
    cdn::run(&account(&world)).await;
    assert_eq!(world.cdn.names_without_certificate(), None);
}

#[tokio::test]
async fn the_fake_vault_keeps_the_promises() {
    vault::run(&account(&World::new())).await;
}

#[tokio::test]
async fn the_fake_site_keeps_the_promises() {
    let fake = FakeSite::new();
    site::run(&site::Subject::new(Arc::new(fake.clone()), fake, "fake")).await;
}

#[tokio::test]
async fn the_fake_zone_keeps_the_promises() {
    let fake = FakeZone::new("cdn.example.");
    zone::run(&zone::Subject::new(Arc::new(fake.clone()), fake.clone(), "run-1.cdn.example.")).await;
    assert!(!fake.is_empty(), "the suite leaves pointed labels behind");
}

#[tokio::test]
async fn the_fake_platform_keeps_the_promises() {
    let fake = FakePlatform::new();
    platform::run(&platform::Subject::new(Arc::new(fake.clone()), fake)).await;
}

#[tokio::test]
async fn the_fake_zone_refuses_what_lies_outside() {
    let fake = FakeZone::new("cdn.example.");
    for owner in ["a.other.example.", "cdn.example.", "acdn.example.", "A.cdn.example.", "a.cdn.example"] {
        assert!(fake.point(owner, "one.example.org").await.is_err(), "{owner}");
    }
    assert!(fake.is_empty());
}

fn account(world: &World) -> cdn::Subject {
    let (clock, serials) = (world.clock.clone(), AtomicU64::new(1));
    let mint = move |names: &[DomainName]| {
        sample::bundle(serials.fetch_add(1, Ordering::SeqCst), names, clock.now())
    };
    let (cdn, vault) = (Arc::new(world.cdn.clone()), Arc::new(world.vault.clone()));
    cdn::Subject::new(cdn, vault, world.clock.clone(), Arc::new(mint), "fake")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_memory_store_lets_keys_be_replaced() {
    let store = World::new().store;
    let opened = |keys: &[&str]| Arc::new(store.clone().with_keys(keys));
    let subject = storage::sealed::Subject {
        old: opened(&["old"]),
        both: opened(&["new", "old"]),
        new: opened(&["new"]),
    };
    storage::sealed::run(&subject).await;
}
