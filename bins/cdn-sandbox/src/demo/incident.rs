//! `cdn-sandbox demo --incident`: April 2019 once more, and three other days on which a rule changes.

mod change;
mod log;
mod report;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use sandbox::{BrokerSettings, Proofs, Sandbox, Settings, wait_for};

use self::change::Change;
use self::log::Log;
use self::report::{Row, table};
use super::stage::Stage;
use crate::arguments::SetupOptions;
use crate::instructions::{TxtRecord, cdn_target, txt_records};
use crate::platform::{LastOperation, Platform};
use crate::setup::{broker_settings, sandbox_settings};
use crate::ui::{self, Note, Stopwatch};

/// So many minutes pass in a second: every schedule and every delay of AWS is this much shorter than in life.
const MINUTES_A_SECOND: u32 = 4;
/// The sites that are served all the while.
const LIVE: [&str; 2] = ["www.example.gov", "docs.example.gov"];
/// No check takes longer to notice, and no operation longer to end.
const PATIENCE: Duration = Duration::from_mins(4);
/// The checks that run.
const CHECKS: [(&str, u32); 4] =
    [("cloudfront-contract", 60), ("s3-contract", 15), ("acme-issue", 360), ("end-to-end", 60)];

/// Plays it, and says what came of it in a table.
pub(super) async fn play(options: &SetupOptions, folder: &Path) -> anyhow::Result<()> {
    let settings = quick(sandbox_settings(options, folder));
    let broker = broker_settings(options, folder)?;
    let stage = Stage::set_with(options, settings, |sandbox| watchful(sandbox, broker)).await?;
    let mut play = Play { stage, log: Log::of(folder), next: 0 };
    let rows = play.whole().await;
    let stopped = Box::pin(play.stage.strike()).await.map(drop);
    let rows = rows.context("the demo deviated (--state DIR keeps the logs)")?;
    ui::line(&format!("\n{}\n\n{}", honest(), table(&rows)));
    for row in &rows {
        ui::line(&format!("\n{}: the operator reads\n  {}", row.change, row.alert));
    }
    stopped
}

/// What the numbers are worth.
fn honest() -> String {
    format!(
        "One second of this demo stands for {MINUTES_A_SECOND} minutes: the schedules of the checks and the delays of AWS are \
         {} times shorter than by default, and a minute in the table is a quarter of a second that was really waited. Requests, \
         keys and the database take as long as they take, so that in life it is rather less.",
        MINUTES_A_SECOND * 60
    )
}

/// As long in this demo.
fn minutes(number: u32) -> Duration {
    Duration::from_secs(u64::from(number)) / MINUTES_A_SECOND
}

fn quick(mut settings: Settings) -> Settings {
    settings.aws.deploy = minutes(5);
    settings.aws.iam_propagation = minutes(1);
    settings.aws.iam_release = minutes(5);
    settings.aws.route53_sync = minutes(1);
    settings
}

/// A broker that runs the checks as often as in life, by the clock of this demo.
fn watchful(sandbox: &Sandbox, broker: BrokerSettings) -> BrokerSettings {
    let every = CHECKS.map(|(name, every)| format!("{name}={}ms", minutes(every).as_millis())).join(",");
    // The same Pebble by another name: another directory, and so another account.
    let staging = sandbox.authority().directory_url().replace("localhost", "127.0.0.1");
    let more = [
        ("CHECK_ACME_URL", staging),
        ("CHECKS_EVERY", every),
        ("CANARY_ORDERS_PER_WEEK", "1".to_owned()),
        ("LOG", "info,broker::checks=debug".to_owned()),
        ("LOG_FORMAT", "json".to_owned()),
    ];
    BrokerSettings {
        checks: CHECKS.map(|(name, _)| name).join(","),
        proofs: Proofs::ALL,
        key_type: "p256".to_owned(),
        deployment_poll: format!("{}ms", minutes(1).as_millis()),
        more: more.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        ..broker
    }
}

struct Play {
    stage: Stage,
    log: Log,
    next: usize,
}

impl Play {
    async fn whole(&mut self) -> anyhow::Result<Vec<Row>> {
        for domain in LIVE {
            let (platform, operation) = self.ask_for(domain).await?;
            self.prove(&platform, &operation).await?;
            self.see_served(&platform, &operation, domain).await?;
        }
        self.await_health().await?;
        let mut rows = Vec::new();
        for change in Change::ALL {
            rows.push(self.row(change).await.with_context(|| change.name())?);
        }
        Ok(rows)
    }

    /// One day on which a rule changes.
    async fn row(&mut self, change: Change) -> anyhow::Result<Row> {
        ui::line(&format!("\n{}", change.name()));
        let domain = change.domain();
        let (platform, operation) = self.ask_for(domain).await?;
        let mark = self.log.mark()?;
        let watch = Stopwatch::start();
        change.begin(&self.stage.sandbox);
        ui::line(&format!("  the rule changes: {}", change.what()));
        self.prove(&platform, &operation).await?;
        let alert = self.await_alert(change, mark).await?;
        let opened = watch.elapsed();
        let in_flight = self.await_end(&platform, &operation).await?;
        let served = self.visit_live().await?;
        let mark = self.log.mark()?;
        let watch = Stopwatch::start();
        Change::end(&self.stage.sandbox);
        self.await_over(change, mark).await?;
        Ok(Row {
            change: change.name(),
            opened: virtual_minutes(opened),
            check: change.check(),
            alert,
            served,
            in_flight,
            closed: virtual_minutes(watch.elapsed()),
        })
    }

    async fn ask_for(&mut self, domain: &str) -> anyhow::Result<(Platform, String)> {
        let platform = self.stage.platform(self.next);
        self.next += 1;
        let operation = self.stage.create(&platform, &[domain]).await?;
        Ok((platform, operation))
    }

    /// The owner sets the record that the instructions name.
    async fn prove(&mut self, platform: &Platform, operation: &str) -> anyhow::Result<()> {
        let records = async |last: LastOperation| {
            ensure!(last.state == "in progress", "the operation ended early: {last}");
            let records = txt_records(&last.description);
            Ok((!records.is_empty()).then_some(records))
        };
        let title = "read the instructions";
        let records: Vec<TxtRecord> = self.stage.follow(title, platform, operation, records).await?;
        let dns = self.stage.sandbox.dns();
        records.iter().try_for_each(|record| dns.add_txt(&record.name, &record.value))
    }

    async fn see_served(&mut self, platform: &Platform, operation: &str, domain: &str) -> anyhow::Result<()> {
        let created = async |last: LastOperation| Ok((last.state == "succeeded").then_some(last));
        let last = self.stage.follow("the site is set up", platform, operation, created).await?;
        let target = cdn_target(&last.description).context("the description does not name the CDN")?;
        self.stage.sandbox.dns().set_cname(domain, &target)?;
        let visit = self.stage.sandbox.visit(domain, "/").await?;
        ensure!(visit.status == 200, "{domain} answers {}", visit.status);
        Ok(())
    }

    /// The canary is there, and every check has been green since.
    async fn await_health(&mut self) -> anyhow::Result<()> {
        let (log, note) = (&self.log, Note::default());
        let healthy = wait_for("every check to succeed", PATIENCE, || async {
            let missing: Vec<&str> =
                CHECKS.iter().map(|(name, _)| *name).filter(|name| !log.has_succeeded(name)).collect();
            note.say(&missing.join(", "));
            Ok(missing.is_empty().then_some(()))
        });
        self.stage.progress.step("every check succeeds once", &note, healthy).await
    }

    async fn await_alert(&mut self, change: Change, mark: usize) -> anyhow::Result<String> {
        let (log, subject) = (&self.log, format!("check {}", change.check()));
        let told = wait_for("the operator to be told", PATIENCE, || async {
            log.message_since(mark, &subject, "ALERT: ")
        });
        self.stage.progress.step("the operator is told", &Note::default(), told).await
    }

    async fn await_over(&mut self, change: Change, mark: usize) -> anyhow::Result<()> {
        let (log, subject) = (&self.log, format!("check {}", change.check()));
        let over = wait_for("the incident to close", PATIENCE, || async {
            log.message_since(mark, &subject, "RESOLVED: ")
        });
        self.stage
            .progress
            .step("the rule is taken back, and the incident closes", &Note::default(), over)
            .await
            .map(drop)
    }

    /// What becomes of a provision that was under way.
    async fn await_end(&mut self, platform: &Platform, operation: &str) -> anyhow::Result<String> {
        let ended = wait_for("the provision to end", PATIENCE, || async {
            let last = platform.last_operation(operation).await?;
            Ok((last.state != "in progress").then_some(last))
        });
        let last = self.stage.progress.step("the provision in flight ends", &Note::default(), ended).await?;
        Ok(format!("{}: {}", last.state, last.first_line()))
    }

    /// How many of the live sites serve.
    async fn visit_live(&mut self) -> anyhow::Result<String> {
        let mut served = 0;
        for domain in LIVE {
            let visit = self.stage.sandbox.visit(domain, "/").await;
            served += usize::from(visit.is_ok_and(|visit| visit.status == 200));
        }
        ensure!(served == LIVE.len(), "only {served} of {} live sites serve", LIVE.len());
        Ok(format!("{served} of {}", LIVE.len()))
    }
}

fn virtual_minutes(real: Duration) -> u64 {
    (real * MINUTES_A_SECOND).as_secs()
}
