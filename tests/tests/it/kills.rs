//! `kill -9` at every step boundary. The other side keeps an answer back, the process dies waiting for it, and the
//! next one knows only what is in the database.

mod boundary;

use std::fmt;

use anyhow::{Context, ensure};
use sandbox::Postgres;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::house::{House, issued, names_never_without_certificate, nothing_left};
use boundary::{Boundary, CREATE, DEPROVISION, PROVISION, Trap, around};

const ID: &str = "3f1c9a52-0000-4000-8000-000000000002";
const DOMAIN: &str = "www.example.gov";

/// How many lives are led at once. Each has a sandbox of its own and mostly waits, above all for the lease of a dead
/// process to run out.
static SEATS: Semaphore = Semaphore::const_new(16);

#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_on_sqlite() -> anyhow::Result<()> {
    all(None, whole_lives()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_on_postgresql() -> anyhow::Result<()> {
    all(Some(Postgres::start().await?), whole_lives()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_and_deleted_on_sqlite() -> anyhow::Result<()> {
    all(None, short_lives()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_and_deleted_on_postgresql() -> anyhow::Result<()> {
    all(Some(Postgres::start().await?), short_lives()).await
}

/// Where a process dies, and where its successor does.
#[derive(Clone, Copy)]
enum Life {
    /// Provisioned to the end after the first death, and deprovisioned to the end after the second.
    Whole(Boundary, Boundary),
    /// Deleted after the first death, before it could go on; perhaps with a second death on the way.
    Short(Boundary, Option<Boundary>),
}

fn whole_lives() -> Vec<Life> {
    let later: Vec<Boundary> = around(DEPROVISION).collect();
    around(PROVISION).zip(later.into_iter().cycle()).map(|(at, later)| Life::Whole(at, later)).collect()
}

/// A create whose answer was lost is settled with the same call, which may be lost again.
fn short_lives() -> Vec<Life> {
    let settled = around(CREATE).flat_map(|at| around(CREATE).map(move |later| Life::Short(at, Some(later))));
    around(PROVISION).map(|at| Life::Short(at, None)).chain(settled).collect()
}

impl Life {
    async fn lead(self, database_url: Option<String>) -> anyhow::Result<()> {
        let mut house = start(database_url).await?;
        let end = match self {
            Self::Whole(at, later) => whole_life(&mut house, at, later).await,
            Self::Short(at, later) => short_life(&mut house, at, later).await,
        };
        end.with_context(|| house.last_words())
    }
}

async fn whole_life(house: &mut House, at: Boundary, later: Boundary) -> anyhow::Result<()> {
    die_provisioning(house, at).await?;
    if !at.call.is_after_proof {
        house.prove(ID, 1).await?;
    }
    house.until_succeeded(ID).await?;
    served_once(house)?;
    die_deprovisioning(house, later).await?;
    gone(house).await
}

async fn short_life(house: &mut House, at: Boundary, later: Option<Boundary>) -> anyhow::Result<()> {
    die_provisioning(house, at).await?;
    match later {
        Some(later) => die_deprovisioning(house, later).await?,
        None => ensure!(house.deprovision(ID).await?.status == 202),
    }
    gone(house).await
}

async fn start(database_url: Option<String>) -> anyhow::Result<House> {
    // What a held call means must be certain: no nonce is refused, no authorization is valid from before.
    let mut house = House::without_broker(|settings| {
        settings.authority.nonce_rejection_percent = 0;
        settings.authority.authorization_reuse_percent = 0;
    })
    .await?;
    let mut settings = house.hasty_settings("2s")?;
    settings.database_url = database_url.unwrap_or(settings.database_url);
    house.add_broker(&settings).await?;
    Ok(house)
}

async fn die_provisioning(house: &mut House, at: Boundary) -> anyhow::Result<()> {
    let trap = at.set(house);
    ensure!(house.provision(ID, json!({"domain": DOMAIN})).await?.status == 202);
    if at.call.is_after_proof {
        house.prove(ID, 1).await?;
    }
    die(house, trap).await
}

async fn die_deprovisioning(house: &mut House, at: Boundary) -> anyhow::Result<()> {
    let trap = at.set(house);
    ensure!(house.deprovision(ID).await?.status == 202);
    die(house, trap).await
}

/// Waits for the moment, kills the process, and starts another.
async fn die(house: &mut House, trap: Trap) -> anyhow::Result<()> {
    trap.reached(house).await?;
    house.brokers[0].kill().await?;
    trap.release(house);
    house.brokers[0].restart().await
}

/// There is one of each, and they belong together.
fn served_once(house: &House) -> anyhow::Result<()> {
    let state = house.sandbox.aws().state();
    let ([distribution], [certificate]) = (&state.distributions[..], &state.certificates[..]) else {
        anyhow::bail!("{state:#?}")
    };
    ensure!(distribution.names == [DOMAIN] && distribution.enabled, "{distribution:?}");
    ensure!(distribution.certificate_id.as_ref() == Some(&certificate.id), "{state:#?}");
    ensure!(distribution.status == "Deployed", "{distribution:?}");
    ensure!(state.origin_access_controls.len() == 1, "{:?}", state.origin_access_controls);
    ensure!(state.buckets.iter().all(|bucket| bucket.keys.is_empty()), "{:?}", state.buckets);
    ensure!(house.successes("CreateDistributionWithTags") == 1);
    ensure!(house.successes("UploadServerCertificate") == 1);
    ensure!(issued(house)? == 1);
    names_never_without_certificate(house)
}

/// The operation ends, and nothing of the instance is left.
async fn gone(house: &House) -> anyhow::Result<()> {
    house.until_succeeded(ID).await?;
    nothing_left(&house.sandbox.aws().state())?;
    ensure!(house.successes("CreateDistributionWithTags") <= 1);
    ensure!(house.successes("UploadServerCertificate") <= 1);
    ensure!(issued(house)? <= 1);
    ensure!(house.deprovision(ID).await?.status == 410);
    names_never_without_certificate(house)
}

/// Leads all lives, each with a database of its own, and says of each that failed where it died.
async fn all(server: Option<Postgres>, lives: Vec<Life>) -> anyhow::Result<()> {
    let mut running = JoinSet::new();
    for (number, life) in lives.into_iter().enumerate() {
        let url = match &server {
            Some(server) => Some(server.database(&format!("life_{number}")).await?),
            None => None,
        };
        running.spawn(async move {
            let _seat = SEATS.acquire().await?;
            life.lead(url).await.with_context(|| format!("killed {life}"))
        });
    }
    let ended = running.join_all().await;
    let failed: Vec<String> =
        ended.iter().filter_map(|end| Some(format!("{:#}", end.as_ref().err()?))).collect();
    ensure!(failed.is_empty(), "{} of {} lives:\n{}", failed.len(), ended.len(), failed.join("\n"));
    Ok(())
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(at, later) => write!(f, "{at}, then deprovisioning {later}"),
            Self::Short(at, None) => write!(f, "{at}, then deleted"),
            Self::Short(at, Some(later)) => write!(f, "{at}, then deleted and killed {later}"),
        }
    }
}
