//! Three brokers, their database, and a platform that asks whoever answers.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use http::Method;
use sandbox::{BrokerProcess, Postgres};
use serde_json::Value;

use crate::house::{Answer, House, program};

/// How far each broker's clock is off. The extremes are half a minute apart.
const CLOCKS: [&str; 3] = ["-15s", "+0s", "+15s"];

pub(crate) const DATABASE: &str = "crowd";

/// Everything.
pub(crate) struct Town {
    pub(crate) house: House,
    pub(crate) urls: Vec<String>,
    pub(crate) brokers: Vec<BrokerProcess>,
    pub(crate) server: Postgres,
}

/// What somebody outside sees of it.
#[derive(Clone, Copy)]
pub(crate) struct Street<'a> {
    pub(crate) house: &'a House,
    pub(crate) urls: &'a [String],
}

impl Town {
    pub(crate) async fn start(size: usize) -> anyhow::Result<Self> {
        let server = Postgres::start().await?;
        let database_url = server.database(DATABASE).await?;
        let house = House::without_broker(|settings| {
            settings.aws.certificate_quota = 2 * size + 2;
            settings.aws.distribution_quota = size + 2;
            settings.aws.distributions_per_control = size + 2;
        })
        .await?;
        let mut brokers = Vec::new();
        for clock in CLOCKS {
            let mut settings = house.hasty_settings("2s")?;
            settings.database_url.clone_from(&database_url);
            house.sandbox.route_broker(settings.port);
            let mut environment = house.sandbox.broker_environment(&settings);
            environment.extend(skewed(clock)?);
            let log = house.sandbox.state().join("broker.log");
            brokers.push(BrokerProcess::start(&program("cdn-broker")?, environment, log).await?);
        }
        let urls = brokers.iter().map(BrokerProcess::url).collect();
        Ok(Self { house, urls, brokers, server })
    }

    pub(crate) fn street(&self) -> Street<'_> {
        Street { house: &self.house, urls: &self.urls }
    }

    /// Nothing goes wrong any more, and whoever was killed is back.
    pub(crate) async fn calm_down(&mut self) -> anyhow::Result<()> {
        self.house.sandbox.aws().faults().clear();
        self.server.restart().await?;
        for broker in &mut self.brokers {
            broker.restart().await?;
        }
        Ok(())
    }

    pub(crate) fn last_words(&self) -> String {
        self.house.last_words()
    }
}

impl Street<'_> {
    /// Asks one broker after the other, beginning with the `turn`th. `None` when none of them can tell now: the platform
    /// asks again.
    pub(crate) async fn ask(
        &self,
        turn: usize,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Option<Answer>> {
        for offset in 0..self.urls.len() {
            let url = &self.urls[(turn + offset) % self.urls.len()];
            // An error is a broker that is dead, or dies while it is asked.
            let Ok(answer) = self.house.call_at(url, method.clone(), path, body).await else { continue };
            if answer.status != 503 {
                ensure!(answer.status.as_u16() < 500, "{method} {path}: {answer:?}");
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }
}

/// The environment that sets a process's clock off by so much. Time that only passes is left alone, as an unset clock does.
fn skewed(clock: &str) -> anyhow::Result<[(String, String); 3]> {
    let library = library()?.display().to_string();
    Ok([("LD_PRELOAD", library.as_str()), ("FAKETIME", clock), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")]
        .map(|(name, value)| (name.to_owned(), value.to_owned())))
}

/// Where Debian puts libfaketime, which depends on the machine.
fn library() -> anyhow::Result<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").context("/usr/lib")?.filter_map(Result::ok);
    let mut candidates = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    let found = candidates.find(|path| path.is_file());
    found.context("libfaketime is missing: run `make setup`, or install the Debian package `libfaketime`")
}
