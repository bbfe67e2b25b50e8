use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use contract::testing::ManualClock;
use contract::{Clock, OperationStore, Readiness, Remedy, WorkQueue};
use diesel::dsl::sql;
use diesel::sql_types::Integer;
use diesel::{Connection, PgConnection, RunQueryDsl};
use store::{Store, StoreError};

use crate::cluster::{Cluster, Database, execute};
use crate::support::{open_url, provisioning, settings, token};

#[tokio::test(flavor = "multi_thread")]
async fn several_may_open_a_new_database_at_once() -> anyhow::Result<()> {
    let (database, clock) = (Database::new()?, ManualClock::new());
    let opened = [(); 4].map(|()| {
        let (url, clock) = (database.url.clone(), clock.clone());
        tokio::spawn(async move { open_url(&url, &clock).await })
    });
    for store in opened {
        assert_eq!(store.await??.next_due().await?, None);
    }
    Ok(())
}

/// An older broker's tables may share the database.
#[tokio::test(flavor = "multi_thread")]
async fn tables_outside_the_schema_are_left_alone() -> anyhow::Result<()> {
    let (database, clock) = (Database::new()?, ManualClock::new());
    execute(&database.url, "CREATE TABLE operations (theirs INTEGER); INSERT INTO operations VALUES (7)")?;
    let store = open_url(&database.url, &clock).await?;
    let operation = provisioning(&store, "one", clock.now()).await?;
    assert_eq!(OperationStore::find(&store, &operation.id).await?, Some(operation));
    execute(&database.url, "DO $$ BEGIN ASSERT (SELECT sum(theirs) FROM public.operations) = 7; END $$")?;
    execute(&database.url, "DO $$ BEGIN ASSERT to_regclass('public.instances') IS NULL; END $$")
}

/// A user who may not make schemas can be given one.
#[tokio::test(flavor = "multi_thread")]
async fn the_schema_may_be_there_already() -> anyhow::Result<()> {
    let (database, clock) = (Database::new()?, ManualClock::new());
    execute(&database.url, "CREATE SCHEMA cdn_broker")?;
    assert_eq!(open_url(&database.url, &clock).await?.next_due().await?, None);
    Ok(())
}

/// A version that is ahead does no harm; one that is missing keeps a broker from being sent requests.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_ready_when_it_has_what_this_version_needs() -> anyhow::Result<()> {
    let database = Database::new()?;
    let store = open_url(&database.url, &ManualClock::new()).await?;
    store.ready().await?;
    let migrations = "cdn_broker.__diesel_schema_migrations";
    execute(&database.url, &format!("INSERT INTO {migrations} (version) VALUES ('29991231000000')"))?;
    store.ready().await?;
    execute(&database.url, &format!("DELETE FROM {migrations} WHERE version < '29991231000000'"))?;
    let error = store.ready().await.err().context("ready without its migrations")?;
    assert!(matches!(error.remedy(), Remedy::Retry { .. }), "{error}");
    assert!(error.to_string().contains("lacks the migration"), "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_go_by_the_clock_of_the_database() -> anyhow::Result<()> {
    let database = Database::new()?;
    let (right, fast) = (ManualClock::new(), ManualClock::new());
    fast.advance(Duration::from_hours(2));
    let one = open_url(&database.url, &right).await?;
    let other = open_url(&database.url, &fast).await?;
    provisioning(&one, "one", right.now()).await?;
    assert!(one.claim(&token("a"), Duration::from_mins(1)).await?.is_some());
    let stolen = other.claim(&token("b"), Duration::from_mins(1)).await?;
    assert_eq!(stolen, None, "two hours have passed for this broker, and none for the database");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_or_silent_database_is_said_clearly() -> anyhow::Result<()> {
    let database = Database::new()?;
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let closed = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let nobody = database.url.replace("cdn_broker_test", "nobody_made");
    for (url, expected) in [
        (format!("postgres://u:secret@{}/d", silent.local_addr()?), "timeout"),
        (format!("postgres://u:secret@{closed}/d"), "refused"),
        ("postgres://u:sec/ret@host/d".to_owned(), "percent-encoded"),
        (nobody, "does not exist"),
    ] {
        let Some(StoreError::Unreachable(message)) = open_url(&url, &ManualClock::new()).await.err() else {
            panic!("{url} was opened")
        };
        assert!(
            message.contains(expected) && !message.contains("secret") && !message.contains("ret@"),
            "{url}: {message}"
        );
    }
    Ok(())
}

/// D34: under load the connections are kept, and there are never more than was said.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_are_bounded_and_kept() -> anyhow::Result<()> {
    let (database, clock) = (Database::new()?, ManualClock::new());
    let store = open_url(&database.url, &clock).await?;
    let operation = provisioning(&store, "one", clock.now()).await?;
    let mut watcher = PgConnection::establish(&database.url)?;
    let mut seen = BTreeSet::new();
    for _ in 0..6 {
        let asked = [(); 200].map(|()| {
            let (store, id) = (store.clone(), operation.instance.clone());
            tokio::spawn(async move { store.standing(&id).await })
        });
        for answer in asked {
            assert!(answer.await??.is_some(), "it is stored");
        }
        seen.extend(others(&mut watcher)?);
    }
    assert!((1..=4).contains(&seen.len()), "processes of the server, all in all: {seen:?}");
    Ok(())
}

/// The processes of the server that serve this database to others.
fn others(watcher: &mut PgConnection) -> anyhow::Result<Vec<i32>> {
    let others = "pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    Ok(diesel::select(sql::<Integer>(others)).load(watcher)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_and_comes_back_loses_nothing() -> anyhow::Result<()> {
    let cluster = Arc::new(Cluster::new()?);
    let (database, clock) = (Database::on(Arc::clone(&cluster))?, ManualClock::new());
    let store = open_url(&database.url, &clock).await?;
    let operation = provisioning(&store, "one", clock.now()).await?;
    cluster.stop()?;
    let mut last = String::new();
    // A connection that has worked a moment ago is not asked first, so that the first caller may meet it broken.
    for _ in 0..2 {
        let error = store.standing(&operation.instance).await.unwrap_err();
        assert_eq!(error.remedy(), Remedy::Retry { after: None });
        last = error.to_string();
    }
    assert!(last.contains("PostgreSQL: connection to server"), "{last}");

    cluster.start()?;
    // The store connects again by itself; how soon is its own affair.
    for _ in 0..10 {
        if let Ok(standing) = store.standing(&operation.instance).await {
            let found = standing.and_then(|standing| standing.latest);
            assert_eq!(found.as_ref(), Some(&operation));
            return Ok(());
        }
    }
    panic!("the store does not find back")
}

/// What `migrate` says, and that several at once do it once.
#[tokio::test(flavor = "multi_thread")]
async fn the_shape_of_a_database_is_looked_at_and_made_once() -> anyhow::Result<()> {
    let database = Database::new()?;
    let settings = settings(&database.url)?;
    let before = Store::shape(&settings).await?;
    assert!(!before.missing.is_empty() && before.unknown.is_empty(), "{before:?}");
    assert_eq!(Store::shape(&settings).await?, before, "looking changes nothing");
    let (one, other) = tokio::try_join!(Store::migrate(&settings), Store::migrate(&settings))?;
    assert_eq!([one, other].concat(), before.missing, "one of them did it");
    let migrations = "cdn_broker.__diesel_schema_migrations";
    execute(&database.url, &format!("INSERT INTO {migrations} (version) VALUES ('29991231000000')"))?;
    let after = Store::shape(&settings).await?;
    assert!(after.missing.is_empty() && after.unknown == ["29991231000000"], "{after:?}");
    Ok(())
}

/// A user who may make neither the schema nor tables in it, and one who only reads.
#[tokio::test(flavor = "multi_thread")]
async fn what_opening_would_be_refused_is_found_out_without_it() -> anyhow::Result<()> {
    let database = Database::new()?;
    let role = format!("guest_{}", std::process::id());
    execute(&database.url, &format!("CREATE ROLE {role}"))?;
    let as_role = format!("options=-c%20role%3D{role}");
    let separator = if database.url.contains('?') { '&' } else { '?' };
    let guest = settings(&format!("{}{separator}{as_role}", database.url))?;
    let refusal = async || Store::prospect(&guest).await.map_err(|error| error.to_string());
    assert!(refusal().await.unwrap_err().ends_with("the user may not make the schema cdn_broker"));
    execute(&database.url, &format!("CREATE SCHEMA cdn_broker; GRANT USAGE ON SCHEMA cdn_broker TO {role}"))?;
    assert!(refusal().await.unwrap_err().ends_with("tables in the schema cdn_broker"));
    execute(&database.url, &format!("GRANT CREATE ON SCHEMA cdn_broker TO {role}"))?;
    assert!(!refusal().await.unwrap().shape.missing.is_empty());

    let settings = settings(&database.url)?;
    Store::migrate(&settings).await?;
    let store = Store::open_to_read(&settings, Arc::new(ManualClock::new())).await?;
    store.ready().await?;
    let refused = provisioning(&store, "one", ManualClock::new().now()).await.unwrap_err();
    assert!(format!("{refused:#}").contains("read-only transaction"), "{refused:#}");
    execute(&database.url, &format!("DROP OWNED BY {role}; DROP ROLE {role}"))
}
