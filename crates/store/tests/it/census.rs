//! What it takes to count everything when there are many instances: the statements that are really made, in PostgreSQL's own
//! words, and their plans in SQLite.

use std::time::Duration;

use anyhow::{Context, ensure};
use contract::testing::ManualClock;
use contract::{CensusStore, Clock};
use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};

use crate::cluster::{Database, execute};
use crate::support::{file_in, open_url};

const MANY: u32 = 20_000;
/// One in so many is being provisioned.
const WORKED_ON: u32 = 200;
const DAY: Duration = Duration::from_hours(24);

/// What the last certificate's end is before: each ends an hour after the one before it.
const FIRST_END: i64 = 1_767_225_600_000;

/// The same statements for both databases: instances as wide as in life, an operation and a certificate for each.
fn many() -> [String; 3] {
    let numbers = format!("WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {MANY})");
    let wide = "x".repeat(400);
    let is_worked_on = format!("n % {WORKED_ON} = 0");
    [
        format!(
            "{numbers} INSERT INTO instances (id, incarnation, state, service_id, plan_id, organization, space, \
             parameters, context, api_version, received_at, settings, reference) SELECT 'i-' || n, 1, CASE WHEN \
             {is_worked_on} THEN 'provisioning' ELSE 'ready' END, 's', 'p', 'o', 'sp', '{wide}', '{{}}', '2.15', 0, \
             '{wide}', 'r-' || n FROM s"
        ),
        format!(
            "{numbers} INSERT INTO operations (id, instance, track, kind, state, step, attempt, next_at, step_since, \
             started_at) SELECT 'o-' || n, 'i-' || n, 'user', 'provision', CASE WHEN {is_worked_on} THEN 'running' ELSE \
             'succeeded' END, 'obtain-certificate', 0, 0, 0, 0 FROM s"
        ),
        format!(
            "{numbers} INSERT INTO certificates (instance, incarnation, generation, requested, issuance, vault_name, \
             state, serial, fingerprint, not_before, not_after, names, keyless) SELECT 'i-' || n, 1, 1, '{wide}', 'u-' || n, \
             'v-' || n, 'live', 'x', 'x', 0, {FIRST_END} + n * CAST(3600000 AS BIGINT), '{wide}', FALSE FROM s"
        ),
    ]
}

#[derive(QueryableByName)]
struct Read {
    #[diesel(sql_type = BigInt)]
    by_itself: i64,
    #[diesel(sql_type = BigInt)]
    by_index: i64,
}

/// How many rows of the large tables were read without an index, and how often an index was used.
fn read(url: &str) -> anyhow::Result<Read> {
    let counted = "SELECT sum(seq_tup_read)::bigint AS by_itself, sum(idx_scan)::bigint AS by_index FROM \
                   pg_stat_user_tables WHERE schemaname = 'cdn_broker' AND relname IN ('instances', 'operations', \
                   'certificates')";
    Ok(sql_query(counted).get_result(&mut PgConnection::establish(url)?)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_counts_along_indexes() -> anyhow::Result<()> {
    let (database, clock) = (Database::new()?, ManualClock::new());
    drop(open_url(&database.url, &clock).await?);
    for statement in many() {
        execute(&database.url, &format!("SET search_path TO cdn_broker; {statement}"))?;
    }
    for table in ["instances", "operations", "certificates"] {
        execute(&database.url, &format!("VACUUM ANALYZE cdn_broker.{table}"))?;
    }
    let store = open_url(&database.url, &clock).await?;
    let before = read(&database.url)?;
    let census = store.census(clock.now(), &[Duration::ZERO, DAY, DAY * 30]).await?;
    assert_eq!(census.certificates, u64::from(MANY));
    assert_eq!(census.operations.iter().map(|one| one.count).sum::<u64>(), u64::from(MANY / WORKED_ON));
    // A connection tells the server what it has read when it ends.
    drop(store);
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    for _ in 0..1500 {
        ticks.tick().await;
        let after = read(&database.url)?;
        if after.by_index > before.by_index + 5 {
            let rows = after.by_itself - before.by_itself;
            ensure!(rows < i64::from(MANY), "{rows} rows were read without an index");
            return Ok(());
        }
    }
    anyhow::bail!("the server does not say what was read")
}

/// The statements of `Store::census` about the large tables, as SQLite sees them.
const STATEMENTS: [(&str, &str); 4] = [
    ("SELECT state, count(*) FROM instances GROUP BY state", "COVERING INDEX instances_by_state"),
    (
        "SELECT count(*) FROM certificates WHERE state = 'live' AND not_after > 0 AND not_after <= 9",
        "COVERING INDEX certificates_by_expiry",
    ),
    ("SELECT min(not_after) FROM certificates WHERE state = 'live'", "COVERING INDEX certificates_by_expiry"),
    (
        "SELECT kind, step, waits_for, count(*), min(started_at) FROM operations WHERE state = 'running' AND waits_for IS \
         NULL AND attempt = 0 GROUP BY kind, step, waits_for",
        "operations USING INDEX",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_counts_along_indexes() -> anyhow::Result<()> {
    let (folder, clock) = (tempfile::tempdir()?, ManualClock::new());
    let store = open_url(&file_in(folder.path()), &clock).await?;
    let file = file_in(folder.path());
    let file = file.strip_prefix("sqlite://").context("a file")?;
    let mut connection = SqliteConnection::establish(file)?;
    for statement in many() {
        connection.batch_execute(&statement)?;
    }
    for (statement, index) in STATEMENTS {
        let plan: Vec<String> = plan(&mut connection, statement)?;
        ensure!(plan.iter().any(|step| step.contains(index)), "{statement}: {plan:?}");
        ensure!(!plan.iter().any(|step| step.starts_with("SCAN") && !step.contains("INDEX")), "{plan:?}");
    }
    let now = contract::Timestamp::from_millis(FIRST_END);
    let census = store.census(now, &[DAY * 30, Duration::ZERO, DAY]).await?;
    let expiring: Vec<u64> = census.expiring.iter().map(|(_, count)| *count).collect();
    assert_eq!((expiring, census.certificates), (vec![30 * 24, 0, 24], u64::from(MANY)));
    Ok(())
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

fn plan(connection: &mut SqliteConnection, statement: &str) -> anyhow::Result<Vec<String>> {
    let steps: Vec<Step> = sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(connection)?;
    Ok(steps.into_iter().map(|step| step.detail).collect())
}
