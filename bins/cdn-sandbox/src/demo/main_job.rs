//! The main job: an instance with two domains, from its creation to its end.

use std::path::Path;

use anyhow::{Context, ensure};

use super::stage::Stage;
use crate::arguments::SetupOptions;
use crate::instructions::{TxtRecord, cdn_target, txt_records};
use crate::platform::{LastOperation, Platform};
use crate::setup::{broker_settings, sandbox_settings};
use crate::ui::{self, Note};

/// The domains of the user who plays along.
const DOMAINS: [&str; 2] = ["www.example.gov", "docs.example.gov"];

/// Plays it and says how long each step took.
pub(super) async fn play(options: &SetupOptions, folder: &Path) -> anyhow::Result<()> {
    let broker = broker_settings(options, folder)?;
    let stage = Stage::set(options, sandbox_settings(options, folder), &broker).await?;
    let mut job = MainJob { platform: stage.platform(0), stage };
    job.live().await.context("the demo deviated (--state DIR keeps the logs)")?;
    let progress = Box::pin(job.stage.strike()).await?;
    ui::line(&format!("\nThe main job, from end to end:\n{}", progress.table()));
    Ok(())
}

struct MainJob {
    stage: Stage,
    platform: Platform,
}

impl MainJob {
    async fn live(&mut self) -> anyhow::Result<()> {
        let operation = self.stage.create(&self.platform, &DOMAINS).await?;
        let records = self.read_instructions(&operation).await?;
        self.set_records(&records).await?;
        let target = self.await_creation(&operation).await?;
        self.point_names(&target).await?;
        for domain in DOMAINS {
            self.visit(domain).await?;
        }
        self.stage.delete(&self.platform).await?;
        self.stage.look_for_leftovers().await
    }

    async fn read_instructions(&mut self, operation: &str) -> anyhow::Result<Vec<TxtRecord>> {
        let records = async |last: LastOperation| {
            ensure!(last.state == "in progress", "the operation ended early: {last}");
            let records = txt_records(&last.description);
            Ok((records.len() == DOMAINS.len()).then_some((last, records)))
        };
        let title = "wait for the instructions";
        let (last, records) = self.stage.follow(title, &self.platform, operation, records).await?;
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
        let dns = self.stage.sandbox.dns();
        let setting =
            async { records.iter().try_for_each(|record| dns.add_txt(&record.name, &record.value)) };
        let title = "the domain owner sets the TXT records";
        self.stage.progress.step(title, &Note::default(), setting).await?;
        for record in records {
            ui::line(&format!("  {} TXT \"{}\"", record.name, record.value));
        }
        Ok(())
    }

    /// Answers where the user is told to point the domains.
    async fn await_creation(&mut self, operation: &str) -> anyhow::Result<String> {
        let title = "the certificate arrives and the CDN is set up";
        let created = async |last: LastOperation| Ok((last.state == "succeeded").then_some(last));
        let last = self.stage.follow(title, &self.platform, operation, created).await?;
        ui::line(&format!("\n$ cf service my-cdn\n{}\n", last.as_cf_shows("create")));
        cdn_target(&last.description)
            .with_context(|| format!("the description does not say where to point the domains: {last}"))
    }

    async fn point_names(&mut self, target: &str) -> anyhow::Result<()> {
        let dns = self.stage.sandbox.dns();
        let pointing = async { DOMAINS.iter().try_for_each(|domain| dns.set_cname(domain, target)) };
        let title = "the domain owner points the names at the CDN";
        self.stage.progress.step(title, &Note::default(), pointing).await?;
        for domain in DOMAINS {
            ui::line(&format!("  {domain} CNAME {target}"));
        }
        Ok(())
    }

    async fn visit(&mut self, domain: &str) -> anyhow::Result<()> {
        let visiting = self.stage.sandbox.visit(domain, "/");
        let title = format!("visit https://{domain}/");
        let visit = self.stage.progress.step(&title, &Note::default(), visiting).await?;
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
}
