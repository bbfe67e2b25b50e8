//! The API under load: how many answers a second, how soon, and at what cost.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;

use crate::broker::Broker;
use crate::databases::{Database, POSTGRES};
use crate::house::House;
use crate::load;
use crate::report::{Aim, Report, say};
use crate::seed::{self, Life};
use crate::stats::{float, micros, millis};

/// How many instances are in the database, each waiting for its user.
pub(crate) const INSTANCES: usize = 1_000;

/// How many connections are used: by one impatient user, and by a crowd.
const CONNECTIONS: [usize; 2] = [1, 32];
/// The number of [`CONNECTIONS`] that the aims are for.
const CROWD: usize = 32;

const WARM_UP: Duration = Duration::from_millis(500);
const TIME: Duration = Duration::from_secs(5);

pub(crate) async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let house = House::without_broker(|_| {}).await?;
    for database in Database::each().await? {
        let broker = broker_with_instances(&house, &database).await?;
        let catalog: Arc<[String]> = Arc::new(["/v2/catalog".to_owned()]);
        for (what, paths) in [("catalog", &catalog), ("last_operation", &polls())] {
            for connections in CONNECTIONS {
                let what = Question { what, database: database.name, connections };
                what.ask(report, &broker, paths).await?;
            }
        }
        broker.stop().await?;
    }
    Ok(())
}

/// A broker whose database holds instances with instructions to show.
pub(crate) async fn broker_with_instances(house: &House, database: &Database) -> anyhow::Result<Broker> {
    let settings = database.broker_settings(house.sandbox.state())?;
    say(&format!("  writing {INSTANCES} instances into {}", database.name));
    seed::write(&database.open(&settings).await?, Life::AwaitingTheUser, 0..INSTANCES).await?;
    let broker = Broker::start(house, &settings).await?;
    shows_instructions(house, &broker).await?;
    Ok(broker)
}

/// A poll for each of the instances, as Cloud Controller sends it: with what it was told when the operation began.
pub(crate) fn polls() -> Arc<[String]> {
    let poll = |number| {
        let (instance, operation) = (seed::id(number), seed::operation(number));
        format!("/v2/service_instances/{instance}/last_operation?operation={operation}")
    };
    (0..INSTANCES).map(poll).collect()
}

/// What is measured is the answer that costs most: the one with the record to set.
async fn shows_instructions(house: &House, broker: &Broker) -> anyhow::Result<()> {
    let url = format!("http://{}", broker.address);
    let answer = house.call_at(&url, http::Method::GET, &polls()[0], None).await?;
    ensure!(answer.text("description").contains("_acme-challenge.www.site-0."), "{answer:?}");
    Ok(())
}

/// One kind of request in one situation.
struct Question {
    what: &'static str,
    database: &'static str,
    connections: usize,
}

impl Question {
    async fn ask(&self, report: &mut Report, broker: &Broker, paths: &Arc<[String]>) -> anyhow::Result<()> {
        load::run(broker.address, paths, self.connections, WARM_UP).await?;
        let before = broker.processor_time()?;
        let outcome = load::run(broker.address, paths, self.connections, TIME).await?;
        let used = broker.processor_time()?.saturating_sub(before);
        let aimed = self.what == "last_operation" && self.database == POSTGRES && self.connections == CROWD;
        let rate = (self.name("requests"), outcome.per_second, "1/s");
        let slow = (self.name("p99"), millis(outcome.latencies.percentile(99)), "ms");
        if aimed {
            report.aim(rate.0, rate.1, rate.2, Aim::Above(4_000.0));
            report.aim(slow.0, slow.1, slow.2, Aim::Below(10.0));
        } else {
            report.note(rate.0, rate.1, rate.2);
            report.note(slow.0, slow.1, slow.2);
        }
        report.note(self.name("p50"), millis(outcome.latencies.median()), "ms");
        report.note(self.name("broker's CPU a request"), micros(used) / float(outcome.requests), "µs");
        Ok(())
    }

    fn name(&self, measure: &str) -> String {
        let Self { what, database, connections } = self;
        format!("{what}, {database}, {connections} at once: {measure}")
    }
}
