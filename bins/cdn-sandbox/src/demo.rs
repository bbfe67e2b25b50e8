//! `cdn-sandbox demo`: the main job as a user and their platform live through it.

mod instructions;
mod leftovers;
mod platform;

use std::time::Duration;

use anyhow::{Context, ensure};
use sandbox::{BrokerProcess, Sandbox, wait_for};
use tokio::signal::ctrl_c;

use crate::arguments::SetupOptions;
use crate::setup::{State, broker_binary, broker_settings, sandbox_settings};
use crate::ui::{self, Note, Progress};
use instructions::{TxtRecord, cdn_target, txt_records};
use platform::{LastOperation, Platform};

/// The domains of the user who plays along.
const DOMAINS: [&str; 2] = ["www.example.gov", "docs.example.gov"];

/// The longest wait beside what the emulated cloud is told to take.
const BOUND: Duration = Duration::from_mins(2);

/// Plays it. Any deviation is an error that says what was not as it should be.
pub(crate) async fn run(options: SetupOptions) -> anyhow::Result<()> {
    tokio::select! {
        played = play(&options) => played,
        _ = ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    }
}

async fn play(options: &SetupOptions) -> anyhow::Result<()> {
    let state = State::prepare(options.state.as_deref())?;
    let binary = broker_binary(options)?;
    let mut progress = Progress::new();
    let settings = sandbox_settings(options, state.path());
    let starting = Sandbox::start(settings);
    let title = "start name server, ACME authority, cloud, edge and origin";
    let sandbox = progress.step(title, &Note::default(), starting).await?;

    let broker = broker_settings(options, state.path())?;
    let starting = sandbox.start_broker(&binary, &broker);
    let mut process = progress.step("start the broker", &Note::default(), starting).await?;
    let platform = Platform::new(process.url(), &broker)?;
    // A deployment is waited for twice at most in one operation, and each time seen a little late.
    let bound = BOUND + 3 * Duration::from_secs(options.deploy_seconds + options.iam_propagation_seconds);

    let mut demo = Demo { progress, sandbox, platform, bound };
    demo.live().await.context("the demo deviated (--state DIR keeps the logs)")?;
    let Demo { mut progress, sandbox, .. } = demo;
    progress.step("stop everything", &Note::default(), stop(&mut process, sandbox)).await?;
    ui::line(&format!("\nThe main job, from end to end:\n{}", progress.table()));
    Ok(())
}

async fn stop(process: &mut BrokerProcess, sandbox: Sandbox) -> anyhow::Result<()> {
    process.stop().await?;
    sandbox.stop().await
}

struct Demo {
    progress: Progress,
    sandbox: Sandbox,
    platform: Platform,
    bound: Duration,
}

impl Demo {
    /// A service instance from its creation to its end.
    async fn live(&mut self) -> anyhow::Result<()> {
        let operation = self.create().await?;
        let records = self.read_instructions(&operation).await?;
        self.set_records(&records).await?;
        let target = self.await_creation(&operation).await?;
        self.point_names(&target).await?;
        for domain in DOMAINS {
            self.visit(domain).await?;
        }
        self.delete().await?;
        self.look_for_leftovers().await
    }

    async fn create(&mut self) -> anyhow::Result<String> {
        let asking = async {
            self.platform.check_catalog().await?;
            self.platform.create(&DOMAINS).await
        };
        let domains = DOMAINS.join(",");
        ui::line(&format!(
            "\n$ cf create-service cdn-route cdn-route my-cdn -c '{{\"domain\":\"{domains}\"}}'"
        ));
        self.progress.step("create a service instance", &Note::default(), asking).await
    }

    async fn read_instructions(&mut self, operation: &str) -> anyhow::Result<Vec<TxtRecord>> {
        let note = Note::default();
        let (platform, bound) = (&self.platform, self.bound);
        let reading = wait_for("the instructions", bound, || async {
            let last = platform.last_operation(operation).await?;
            note.say(last.first_line());
            ensure!(last.state == "in progress", "the operation ended early: {last}");
            let records = txt_records(&last.description);
            Ok((records.len() == DOMAINS.len()).then_some((last, records)))
        });
        let (last, records) = self.progress.step("wait for the instructions", &note, reading).await?;
        ui::line(&format!("\n$ cf service my-cdn\n{}\n", last.as_cf_shows("create")));
        for domain in DOMAINS {
            let name = format!("_acme-challenge.{domain}");
            ensure!(
                records.iter().any(|record| record.is_named(&name)),
                "the instructions do not name {name}"
            );
        }
        Ok(records)
    }

    async fn set_records(&mut self, records: &[TxtRecord]) -> anyhow::Result<()> {
        let dns = self.sandbox.dns();
        let setting =
            async { records.iter().try_for_each(|record| dns.add_txt(&record.name, &record.value)) };
        self.progress.step("the domain owner sets the TXT records", &Note::default(), setting).await?;
        for record in records {
            ui::line(&format!("  {} TXT \"{}\"", record.name, record.value));
        }
        Ok(())
    }

    /// Answers where the user is told to point the domains.
    async fn await_creation(&mut self, operation: &str) -> anyhow::Result<String> {
        let note = Note::default();
        let (platform, bound) = (&self.platform, self.bound);
        let waiting = wait_for("the instance to be created", bound, || async {
            let last = platform.last_operation(operation).await?;
            note.say(last.first_line());
            ensure!(last.state != "failed", "the operation failed: {last}");
            Ok((last.state == "succeeded").then_some(last))
        });
        let last =
            self.progress.step("the certificate arrives and the CDN is set up", &note, waiting).await?;
        ui::line(&format!("\n$ cf service my-cdn\n{}\n", last.as_cf_shows("create")));
        cdn_target(&last.description)
            .with_context(|| format!("the description does not say where to point the domains: {last}"))
    }

    async fn point_names(&mut self, target: &str) -> anyhow::Result<()> {
        let dns = self.sandbox.dns();
        let pointing = async { DOMAINS.iter().try_for_each(|domain| dns.set_cname(domain, target)) };
        self.progress
            .step("the domain owner points the names at the CDN", &Note::default(), pointing)
            .await?;
        for domain in DOMAINS {
            ui::line(&format!("  {domain} CNAME {target}"));
        }
        Ok(())
    }

    async fn visit(&mut self, domain: &str) -> anyhow::Result<()> {
        let visiting = self.sandbox.visit(domain, "/");
        let title = format!("visit https://{domain}/");
        let visit = self.progress.step(&title, &Note::default(), visiting).await?;
        let body = String::from_utf8_lossy(&visit.body);
        let page = body.lines().next().unwrap_or_default();
        let certificate = &visit.certificate;
        ui::line(&format!("  address      {}", visit.address));
        ui::line(&format!("  certificate  {}", certificate.names.join(", ")));
        ui::line(&format!("  issuer       {}", certificate.issuer));
        ui::line(&format!("  valid until  {}", certificate.not_after));
        ui::line(&format!("  page         {} {page}", visit.status));
        ensure!(visit.status.is_success(), "{domain} answered {}: {body}", visit.status);
        ensure!(
            page.starts_with("Hello from the origin"),
            "{domain} does not show the origin's page: {body}"
        );
        let named = certificate.names.iter().any(|name| name == domain);
        ensure!(named, "the certificate does not name {domain}");
        Ok(())
    }

    async fn delete(&mut self) -> anyhow::Result<()> {
        let note = Note::default();
        let (platform, bound) = (&self.platform, self.bound);
        let deleting = async {
            let operation = platform.delete().await?;
            wait_for("the instance to be deleted", bound, || async {
                let last = platform.last_operation(&operation).await?;
                note.say(last.first_line());
                ensure!(last.state != "failed", "the deletion failed: {last}");
                Ok((last.state == LastOperation::GONE || last.state == "succeeded").then_some(()))
            })
            .await
        };
        ui::line("\n$ cf delete-service my-cdn");
        self.progress.step("delete the service instance", &note, deleting).await
    }

    async fn look_for_leftovers(&mut self) -> anyhow::Result<()> {
        let looking = async { leftovers::none(&self.sandbox) };
        self.progress.step("see that nothing is left in the cloud", &Note::default(), looking).await
    }
}
