use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use contract::Clock;
use contract::DomainName;
use contract::testing::conformance::{cdn, site, storage, vault};
use contract::testing::{FakeSite, World, sample};

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

fn account(world: &World) -> cdn::Subject {
    let (clock, serials) = (world.clock.clone(), AtomicU64::new(1));
    let mint = move |names: &[DomainName]| {
        sample::bundle(serials.fetch_add(1, Ordering::SeqCst), names, clock.now())
    };
    let (cdn, vault) = (Arc::new(world.cdn.clone()), Arc::new(world.vault.clone()));
    cdn::Subject::new(cdn, vault, world.clock.clone(), Arc::new(mint), "fake")
}
