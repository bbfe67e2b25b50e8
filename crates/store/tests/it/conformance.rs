use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contract::testing::ManualClock;
use contract::testing::conformance::Passage;
use contract::testing::conformance::storage::{Subject, run, sealed};
use contract::{Clock, Timestamp};

use crate::cluster::{Database, execute};
use crate::support::{file_in, fresh, key, open_url, open_with};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_keeps_the_promises_of_the_storage_ports() -> anyhow::Result<()> {
    let fresh = fresh().await?;
    run(&Subject::new(&Arc::new(fresh.store), fresh.clock, "sqlite")).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_keeps_the_promises_of_the_storage_ports() -> anyhow::Result<()> {
    let (database, clock) = (Database::new()?, ManualClock::new());
    let store = open_url(&database.url, &clock).await?;
    let time = LeasesByTheServer { clock, url: database.url.clone() };
    run(&Subject::new(&Arc::new(store), time, "postgres")).await;
    Ok(())
}

/// Operations fall due by the clock that was handed in, leases run out by the server's, which nobody can move: the
/// leases are moved into the past instead.
struct LeasesByTheServer {
    clock: ManualClock,
    url: String,
}

#[async_trait]
impl Passage for LeasesByTheServer {
    async fn now(&self) -> Timestamp {
        Clock::now(&self.clock)
    }

    async fn pass(&self, duration: Duration) {
        self.clock.advance(duration);
        let milliseconds = duration.as_millis();
        let earlier = format!("UPDATE cdn_broker.instances SET lease_until = lease_until - {milliseconds}");
        let moved = execute(&self.url, &earlier);
        assert!(moved.is_ok(), "{moved:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_lets_keys_be_replaced() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    sealed::run(&sealing(&file_in(folder.path())).await?).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_lets_keys_be_replaced() -> anyhow::Result<()> {
    let database = Database::new()?;
    sealed::run(&sealing(&database.url).await?).await;
    Ok(())
}

/// One database, opened as before, during and after a rotation.
async fn sealing(url: &str) -> anyhow::Result<sealed::Subject> {
    let (clock, old, new) = (ManualClock::new(), key("old", 1)?, key("new", 2)?);
    Ok(sealed::Subject {
        old: Arc::new(open_with(url, &clock, vec![old.clone()]).await?),
        both: Arc::new(open_with(url, &clock, vec![new.clone(), old]).await?),
        new: Arc::new(open_with(url, &clock, vec![new]).await?),
    })
}
