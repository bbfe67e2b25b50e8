//! `kill -9` at every step boundary. The other side keeps an answer back, the process dies waiting for it, and the
//! next one knows only what is in the database.

mod boundary;

use anyhow::{Context, ensure};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::house::{House, names_never_without_certificate, nothing_left};
use boundary::{Boundary, CREATE, DEPROVISION, PROVISION, Trap, around};

const ID: &str = "3f1c9a52-0000-4000-8000-000000000002";
const DOMAIN: &str = "www.example.gov";

/// How many lives are led at once. Each has a sandbox of its own and mostly waits, above all for the lease of a dead
/// process to run out.
static SEATS: Semaphore = Semaphore::const_new(10);

#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_on_sqlite() -> anyhow::Result<()> {
    let later = around(DEPROVISION).collect::<Vec<_>>();
    let pairs = around(PROVISION).zip(later.into_iter().cycle());
    all(pairs.map(|(at, later)| (format!("{at}, {later}"), whole_life(at, later)))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_and_deleted_on_sqlite() -> anyhow::Result<()> {
    all(around(PROVISION).map(|at| (at.to_string(), short_life(at, None)))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_while_a_lost_create_is_settled() -> anyhow::Result<()> {
    let creates = around(CREATE).flat_map(|at| around(CREATE).map(move |later| (at, later)));
    all(creates.map(|(at, later)| (format!("{at}, {later}"), short_life(at, Some(later))))).await
}

/// Killed while provisioning, goes on to the end; killed while deprovisioning, goes on to the end.
async fn whole_life(at: Boundary, later: Boundary) -> anyhow::Result<()> {
    let mut house = start().await?;
    let life = async {
        die_provisioning(&mut house, at).await?;
        if !at.call.is_after_proof {
            house.prove(ID, 1).await?;
        }
        house.until_succeeded(ID).await?;
        served_once(&house)?;
        die_deprovisioning(&mut house, later).await?;
        gone(&house).await
    };
    life.await.with_context(|| house.last_words())
}

/// Killed while provisioning, and deleted before it can go on; perhaps killed again.
async fn short_life(at: Boundary, later: Option<Boundary>) -> anyhow::Result<()> {
    let mut house = start().await?;
    let life = async {
        die_provisioning(&mut house, at).await?;
        match later {
            Some(later) => die_deprovisioning(&mut house, later).await?,
            None => ensure!(house.deprovision(ID).await?.status == 202),
        }
        gone(&house).await
    };
    life.await.with_context(|| house.last_words())
}

async fn start() -> anyhow::Result<House> {
    // What a held call means must be certain: no nonce is refused, no authorization is valid from before.
    let mut house = House::without_broker(|settings| {
        settings.authority.nonce_rejection_percent = 0;
        settings.authority.authorization_reuse_percent = 0;
    })
    .await?;
    let mut settings = house.settings()?;
    "1s".clone_into(&mut settings.step_timeout);
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
    ensure!(finalized(house) == 1, "{:#?}", house.sandbox.authority().gate().requests());
    names_never_without_certificate(house)
}

/// The operation ends, and nothing of the instance is left.
async fn gone(house: &House) -> anyhow::Result<()> {
    house.until_succeeded(ID).await?;
    nothing_left(&house.sandbox.aws().state())?;
    ensure!(house.successes("CreateDistributionWithTags") <= 1);
    ensure!(house.successes("UploadServerCertificate") <= 1);
    ensure!(finalized(house) <= 1);
    ensure!(house.deprovision(ID).await?.status == 410);
    names_never_without_certificate(house)
}

/// How many orders the authority was asked to issue for, and did.
fn finalized(house: &House) -> usize {
    let requests = house.sandbox.authority().gate().requests();
    let finalized = |path: &str| path.starts_with("/finalize-order/");
    requests.iter().filter(|one| finalized(&one.path) && one.status.is_success()).count()
}

/// Leads all lives, and says of each that failed where it died.
async fn all<F>(lives: impl Iterator<Item = (String, F)>) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let mut running = JoinSet::new();
    for (name, life) in lives {
        running.spawn(async move {
            let _seat = SEATS.acquire().await?;
            life.await.with_context(|| format!("killed {name}"))
        });
    }
    let ended = running.join_all().await;
    let failed: Vec<String> =
        ended.iter().filter_map(|life| life.as_ref().err()).map(|e| format!("{e:#}")).collect();
    ensure!(failed.is_empty(), "{} of {} lives:\n{}", failed.len(), ended.len(), failed.join("\n"));
    Ok(())
}
