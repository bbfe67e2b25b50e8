use std::sync::Arc;

use contract::testing::conformance::storage::{Subject, run};

use crate::support::fresh;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_keeps_the_promises_of_the_storage_ports() -> anyhow::Result<()> {
    let fresh = fresh().await?;
    run(&Subject::new(&Arc::new(fresh.store), fresh.clock, "sqlite")).await;
    Ok(())
}
