//! What goes wrong while a crowd lives.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use sandbox::aws::{Fault, FaultKind, FaultMoment};
use sandbox::{BrokerProcess, Postgres, wait_for};

use crate::crowd::town::{DATABASE, Street};
use crate::tally::Tally;

/// How long to wait for the next call to AWS, when none may come. An instance that has failed often tries once a minute.
const LULL: Duration = Duration::from_secs(3);

/// Sessions of the brokers that stand in the middle of a transaction: nothing that a broker waits for between two statements
/// takes as long.
const STUCK: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
    AND state LIKE 'idle in transaction%' AND state_change < now() - interval '5 seconds'";

const OPERATIONS: &[&str] = &[
    "*",
    "CreateDistributionWithTags",
    "UpdateDistribution",
    "GetDistribution*",
    "DeleteDistribution",
    "UploadServerCertificate",
    "GetServerCertificate",
    "DeleteServerCertificate",
    "ListObjectsV2",
];

/// One misfortune, and how many calls to AWS come before it.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    calls: usize,
    blow: Blow,
}

#[derive(Clone, Debug)]
enum Blow {
    /// `kill -9`, and back after a while.
    Kill(usize),
    /// A deployment: asked to stop, drained, and back.
    Restart(usize),
    /// The database crashes and comes back.
    Database,
    /// Some of the brokers' connections to it are cut: those whose number ends so in binary.
    Cut(u8),
    /// A call to AWS fails.
    Fault(&'static str, FaultMoment, FaultKind),
}

pub(crate) fn blow() -> impl Strategy<Value = Planned> {
    let broker = || 0..3_usize;
    let moment = select(&[FaultMoment::Before, FaultMoment::After][..]);
    let kind = select(
        &[
            FaultKind::Throttle,
            FaultKind::Unavailable,
            FaultKind::Internal,
            FaultKind::Conflict,
            FaultKind::Reset,
            FaultKind::Hold,
        ][..],
    );
    let fault = (select(OPERATIONS), moment, kind).prop_map(|(op, when, kind)| Blow::Fault(op, when, kind));
    let blow = prop_oneof![
        3 => broker().prop_map(Blow::Kill),
        1 => broker().prop_map(Blow::Restart),
        1 => Just(Blow::Database),
        2 => (0..2_u8).prop_map(Blow::Cut),
        8 => fault,
    ];
    (1..12_usize, blow).prop_map(|(calls, blow)| Planned { calls, blow })
}

/// One blow after the other, for ever. Ends only when something is seen that must not be.
pub(crate) async fn rage(
    street: &Street<'_>,
    brokers: &mut [BrokerProcess],
    server: &mut Postgres,
    blows: &[Planned],
    tally: &Tally,
) -> anyhow::Result<()> {
    for Planned { calls, blow } in blows.iter().cycle() {
        if !some_calls(street, *calls).await {
            // Or else what was planned meanwhile would all meet the last instance at work, which tries less often than this
            // storm plans.
            street.house.sandbox.aws().faults().clear();
        }
        let stuck = server.ask(DATABASE, STUCK).await?;
        anyhow::ensure!(stuck == ["0"], "a broker keeps a transaction open");
        strike(street, brokers, server, blow, tally).await?;
        // What was held is let go, whether its client is still there or not.
        street.house.sandbox.aws().faults().release();
    }
    Ok(())
}

async fn strike(
    street: &Street<'_>,
    brokers: &mut [BrokerProcess],
    server: &mut Postgres,
    blow: &Blow,
    tally: &Tally,
) -> anyhow::Result<()> {
    match blow {
        Blow::Kill(number) => {
            tally.count("deaths", "broker killed", 1);
            brokers[*number].kill().await?;
            some_calls(street, 4).await;
            brokers[*number].restart().await
        }
        Blow::Restart(number) => {
            tally.count("deaths", "broker stopped and started", 1);
            brokers[*number].stop().await?;
            brokers[*number].restart().await
        }
        Blow::Database => {
            tally.count("deaths", "PostgreSQL crashed", 1);
            server.restart().await
        }
        Blow::Cut(rest) => {
            let cut = format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() \
                 AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND pid % 2 = {rest}"
            );
            let connections = server.ask(DATABASE, &cut).await?.len();
            tally.count("deaths", "connection to PostgreSQL cut", connections);
            Ok(())
        }
        Blow::Fault(op, when, kind) => {
            tally.count("faults", format!("{kind:?} {when:?}").to_lowercase(), 1);
            let fault = Fault { op: (*op).to_owned(), nth: 1, when: *when, kind: *kind };
            street.house.sandbox.aws().faults().add(fault);
            some_calls(street, 2).await;
            Ok(())
        }
    }
}

/// Waits until AWS has been called so often; `false` when nobody calls it so often any more.
async fn some_calls(street: &Street<'_>, count: usize) -> bool {
    let aws = street.house.sandbox.aws();
    let enough = aws.calls() + count;
    // Nobody calling is no mistake.
    wait_for("calls", LULL, || async { Ok((aws.calls() >= enough).then_some(())) }).await.is_ok()
}
