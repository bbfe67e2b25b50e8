//! While AWS keeps a broker waiting, no broker holds anything in the database.

use anyhow::{Context, ensure};
use http::Method;
use sandbox::aws::{Fault, FaultKind, FaultMoment};
use sandbox::{Postgres, wait_for};
use serde_json::json;

use crate::crowd::town::{DATABASE, Town};
use crate::house::{BOUND, PLAN_ID, SERVICE_ID, provision_body};

/// An instance that is there before all others, and gone.
const ID: &str = "3f1c9a52-0000-4000-8000-0000000fffff";

/// The brokers' sessions that are in a transaction or hold a lock.
const HOLDING: &str = "SELECT count(*) FROM pg_stat_activity a WHERE datname = current_database() \
    AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND (xact_start IS NOT NULL \
    OR EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid))";

/// How far the clock of the broker that has accepted the instance is behind the database's, in seconds and at least.
const CLOCK: &str =
    "SELECT floor(extract(epoch FROM clock_timestamp()) - received_at / 1000) FROM cdn_broker.instances";

/// A clock that is right shows less, unless the machine stands still.
const EARLIEST: i64 = 14;

/// How often a call is held. A client gives up after its time, which may be over before the database was asked.
const ATTEMPTS: u32 = 5;

pub(crate) async fn calls_hold_nothing(town: &Town) -> anyhow::Result<()> {
    for when in [FaultMoment::Before, FaultMoment::After] {
        hold(town, "CreateDistributionWithTags", when);
    }
    let accepted = town
        .street()
        .ask(
            0,
            Method::PUT,
            &format!("/v2/service_instances/{ID}?accepts_incomplete=true"),
            Some(&provision_body(&json!({"domain": "held.example.gov"}))),
        )
        .await?
        .context("nobody answers")?;
    ensure!(accepted.status == 202, "{accepted:?}");
    let late = town.server.ask(DATABASE, CLOCK).await?.concat();
    ensure!(late.parse::<i64>()? >= EARLIEST, "the first broker's clock is not off: {late}");
    is_free(town).await?;
    hold(town, "UpdateDistribution", FaultMoment::Before);
    let path = format!(
        "/v2/service_instances/{ID}?accepts_incomplete=true&service_id={SERVICE_ID}&plan_id={PLAN_ID}"
    );
    town.street().ask(0, Method::DELETE, &path, None).await?;
    is_free(town).await?;
    gone(town).await
}

fn hold(town: &Town, op: &str, when: FaultMoment) {
    let fault = Fault { op: op.to_owned(), nth: 1, when, kind: FaultKind::Hold };
    town.house.sandbox.aws().faults().add(fault);
}

/// A call is held; the workers that are idle come and go with their questions, but there is a moment when nothing is held in
/// the database, and the call is held still.
async fn is_free(town: &Town) -> anyhow::Result<()> {
    let faults = town.house.sandbox.aws().faults();
    for _ in 0..ATTEMPTS {
        tokio::time::timeout(BOUND, faults.reached()).await.context("no call was held")?;
        let free = wait_for("a moment without locks", BOUND, || async {
            let free = holding(&town.server).await? == "0";
            let is_held = !faults.held().is_empty();
            Ok((free || !is_held).then_some(free && is_held))
        });
        if free.await? {
            faults.release();
            return Ok(());
        }
        hold(town, "*", FaultMoment::Before);
    }
    anyhow::bail!("the brokers hold transactions or locks for as long as AWS keeps them waiting")
}

async fn holding(server: &Postgres) -> anyhow::Result<String> {
    let rows = server.ask(DATABASE, HOLDING).await?;
    rows.into_iter().next().context("no answer")
}

async fn gone(town: &Town) -> anyhow::Result<()> {
    let faults = town.house.sandbox.aws().faults();
    wait_for("the first instance to be gone", BOUND, || async {
        faults.release();
        let path = format!("/v2/service_instances/{ID}/last_operation");
        let answer = town.street().ask(0, Method::GET, &path, None).await?;
        Ok(answer.filter(|answer| answer.text("state") == "succeeded"))
    })
    .await?;
    Ok(())
}
