//! The API under load: how many answers a second, how soon, and at what cost.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;

use crate::broker::Broker;
use crate::databases::{Database, POSTGRES};
use crate::house::House;
use crate::load::{self, Clients};
use crate::report::{Aim, Report, say};
use crate::seed::{self, Life};
use crate::stats::{float, micros, millis};

/// How many instances are in the database, each waiting for its user.
pub(crate) const INSTANCES: usize = 1_000;

/// One impatient user, as fast as the broker is and as fast as the machine wakes it up, and a crowd.
const CLIENTS: [Clients; 3] = [Clients::Awake, Clients::Sleeping(1), Clients::Sleeping(32)];
/// What is aimed at on PostgreSQL: twice the catalogs and three times the polls a second of the broker of 2019 on a like
/// machine, at half its processor time. Over one connection this holds for whichever client.
const AIMS: [Aims; 4] = [
    Aims { what: "catalog", connections: 1, per_second: Some(19_200.0), micros: 46.5 },
    Aims { what: "catalog", connections: 32, per_second: Some(28_000.0), micros: 28.5 },
    Aims { what: "last_operation", connections: 1, per_second: None, micros: 148.0 },
    Aims { what: "last_operation", connections: 32, per_second: Some(4_200.0), micros: 180.0 },
];

/// The 99th percentile that is aimed at, in milliseconds.
const SLOWEST: f64 = 10.0;

const WARM_UP: Duration = Duration::from_millis(500);
const TIME: Duration = Duration::from_secs(2);

/// Of so many runs the one in the middle counts: on which processor each side finds itself changes from one to the next.
const RUNS: usize = 5;

pub(crate) async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let house = House::without_broker(|_| {}).await?;
    for database in Database::each().await? {
        let broker = broker_with_instances(&house, &database).await?;
        let catalog: Arc<[String]> = Arc::new(["/v2/catalog".to_owned()]);
        for (what, paths) in [("catalog", &catalog), ("last_operation", &polls())] {
            for clients in CLIENTS {
                let what = Question { what, database: database.name, clients };
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

/// What is aimed at in one situation.
struct Aims {
    what: &'static str,
    connections: usize,
    per_second: Option<f64>,
    /// The broker's processor time for a request.
    micros: f64,
}

/// One kind of request in one situation.
struct Question {
    what: &'static str,
    database: &'static str,
    clients: Clients,
}

impl Question {
    async fn ask(&self, report: &mut Report, broker: &Broker, paths: &Arc<[String]>) -> anyhow::Result<()> {
        load::run(broker.address, paths, self.clients, WARM_UP).await?;
        let mut runs = Vec::new();
        for _ in 0..RUNS {
            let before = broker.processor_time()?;
            let outcome = load::run(broker.address, paths, self.clients, TIME).await?;
            runs.push((outcome, broker.processor_time()?.saturating_sub(before)));
        }
        runs.sort_by(|(one, _), (other, _)| one.per_second.total_cmp(&other.per_second));
        let (outcome, used) = &runs[RUNS / 2];
        let aims = self.aims();
        let rate = aims.and_then(|aims| aims.per_second).map(Aim::Above);
        report.row(self.name("requests"), outcome.per_second, "1/s", rate);
        let slow = aims.map(|_| Aim::Below(SLOWEST));
        report.row(self.name("p99"), millis(outcome.latencies.percentile(99)), "ms", slow);
        report.note(self.name("p50"), millis(outcome.latencies.median()), "ms");
        let cost = aims.map(|aims| Aim::Below(aims.micros));
        report.row(self.name("broker's CPU a request"), micros(*used) / float(outcome.requests), "µs", cost);
        Ok(())
    }

    fn aims(&self) -> Option<&'static Aims> {
        let of_this = |aims: &&Aims| aims.what == self.what && aims.connections == self.clients.connections();
        AIMS.iter().find(of_this).filter(|_| self.database == POSTGRES)
    }

    fn name(&self, measure: &str) -> String {
        let Self { what, database, clients } = self;
        let who = match clients {
            Clients::Awake => "1 that never sleeps".to_owned(),
            Clients::Sleeping(1) => "1 that sleeps between".to_owned(),
            Clients::Sleeping(many) => format!("{many} at once"),
        };
        format!("{what}, {database}, {who}: {measure}")
    }
}
