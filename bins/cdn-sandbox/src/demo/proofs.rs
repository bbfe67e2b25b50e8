//! `cdn-sandbox demo --all-proofs`: every way to prove a domain, one after another.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use sandbox::{Proofs, Sandbox, wait_for};

use super::owner::{Owner, Way};
use super::stage::Stage;
use super::table::{Played, Row, table, verdict};
use crate::arguments::SetupOptions;
use crate::instructions::cdn_target;
use crate::platform::{LastOperation, Platform};
use crate::setup::{broker_settings, sandbox_settings};
use crate::ui::{self, Note, Stopwatch};
use crate::ways::Ways;

/// One method.
struct Scenario {
    method: &'static str,
    did: &'static str,
    domains: &'static [(&'static str, Way)],
    /// Whether it is the renewal that counts, and not the first certificate.
    renewed: bool,
}

const SCENARIOS: [Scenario; 7] = [
    Scenario {
        method: "managed name",
        did: "one CNAME for ever",
        domains: &[("www.example.gov", Way::Managed)],
        renewed: false,
    },
    Scenario {
        method: "redirected, 301 to http",
        did: "a redirect, then moved the name",
        domains: &[("city.example.gov", Way::Redirected { status: 301, secure: false })],
        renewed: false,
    },
    Scenario {
        method: "redirected, 308 to https",
        did: "a redirect, then moved the name",
        domains: &[("town.example.gov", Way::Redirected { status: 308, secure: true })],
        renewed: false,
    },
    Scenario {
        method: "delegated, with wildcard",
        did: "a challenge CNAME, then two names",
        domains: &[("example.org", Way::Delegated), ("*.example.org", Way::Delegated)],
        renewed: false,
    },
    Scenario {
        method: "TXT record",
        did: "a TXT record, then the name",
        domains: &[("docs.example.gov", Way::Direct)],
        renewed: false,
    },
    Scenario {
        method: "three domains, three ways",
        did: "CNAME, redirect, TXT, then two names",
        domains: &[
            ("one.example.gov", Way::Managed),
            ("two.example.gov", Way::Redirected { status: 302, secure: true }),
            ("three.example.gov", Way::Direct),
        ],
        renewed: false,
    },
    Scenario {
        method: "renewal through the CDN",
        did: "nothing",
        domains: &[("news.example.gov", Way::Direct)],
        renewed: true,
    },
];

/// Plays all of them and compares them. What deviates is told at the end, when everything has been played.
pub(super) async fn play(options: &SetupOptions, folder: &Path) -> anyhow::Result<()> {
    let mut settings = sandbox_settings(options, folder);
    settings.authority.validity = validity(options);
    // Every certificate has to be proven for, a renewed one too.
    settings.authority.authorization_reuse_percent = 0;
    let mut broker = broker_settings(options, folder)?;
    broker.proofs = Proofs::ALL;
    let mut stage = Stage::set(options, settings, &broker).await?;
    let mut rows = Vec::new();
    for (number, scenario) in SCENARIOS.iter().enumerate() {
        let outcome = scenario.play(&mut stage, number).await;
        rows.push(Row { method: scenario.method, did: scenario.did, outcome });
    }
    let left = stage.look_for_leftovers().await;
    let stopped = Box::pin(stage.strike()).await.map(drop);
    ui::line(&format!("\nEvery way to prove a domain:\n{}", table(&rows)));
    verdict(&rows).and(left).and(stopped).context("the demo deviated (--state DIR keeps the logs)")
}

/// Half of it passes before a certificate is renewed, and the rest is enough for a renewal on a busy machine.
fn validity(options: &SetupOptions) -> Duration {
    Duration::from_secs(90)
        + 4 * Duration::from_secs(options.deploy_seconds + options.iam_propagation_seconds)
}

impl Scenario {
    async fn play(&self, stage: &mut Stage, number: usize) -> anyhow::Result<Played> {
        ui::line(&format!("\n{}. {}", number + 1, self.method));
        let platform = stage.platform(number);
        let played = self.live(stage, &platform, number == 0).await;
        if let Err(error) = &played {
            ui::line(&format!("  {error:#}"));
        }
        let deleted = stage.delete(&platform).await;
        played.and_then(|played| deleted.map(|()| played))
    }

    async fn live(&self, stage: &mut Stage, platform: &Platform, talks: bool) -> anyhow::Result<Played> {
        let mut owner = Owner::new(&stage.sandbox, self.domains).await?;
        let before = Asked::of(&stage.sandbox)?;
        let names: Vec<&str> = self.domains.iter().map(|(name, _)| *name).collect();
        let operation = stage.create(platform, &names).await?;
        let last = self.read_instructions(stage, platform, &operation).await?;
        if talks {
            ui::line(&format!("\n$ cf service my-cdn\n{}\n", last.as_cf_shows("create")));
        }
        let watch = Stopwatch::start();
        ui::line("the domain owner follows the instructions");
        for (name, way) in self.domains {
            owner.prove(&stage.sandbox, &last.description, name, *way)?;
        }
        let target = await_creation(stage, platform, &operation, &owner).await?;
        owner.tell_of_sites();
        for (name, _) in self.domains.iter().filter(|(_, way)| *way != Way::Managed) {
            owner.point(&stage.sandbox, name, &target)?;
        }
        self.visit(stage).await?;
        let to_https = watch.elapsed();
        if self.renewed {
            return self.renewal(stage).await;
        }
        before.played(&stage.sandbox, owner.dns_changes(), to_https)
    }

    async fn read_instructions(
        &self,
        stage: &mut Stage,
        platform: &Platform,
        operation: &str,
    ) -> anyhow::Result<LastOperation> {
        let explained = async |last: LastOperation| {
            ensure!(last.state == "in progress", "the operation ended early: {last}");
            let explained = self.domains.iter().all(|(name, _)| Ways::of(&last.description, name).is_some());
            Ok(explained.then_some(last))
        };
        stage.follow("wait for the instructions", platform, operation, explained).await
    }

    /// Waits until each domain is served over HTTPS with the origin's page.
    async fn visit(&self, stage: &mut Stage) -> anyhow::Result<()> {
        for (domain, _) in self.domains {
            let host = domain.replace('*', "shop");
            let note = Note::default();
            let url = format!("https://{host}/");
            let served = wait_for(&url, stage.bound, || async {
                let visit = stage.sandbox.visit(&host, "/").await;
                note.say(&visit.as_ref().map_or_else(ToString::to_string, |visit| visit.status.to_string()));
                // A managed name leads elsewhere until Route 53 is in sync.
                Ok(visit.ok().filter(|visit| visit.status == 200))
            });
            let visit = stage.progress.step(&format!("visit {url}"), &note, served).await?;
            let names = visit.certificate.names;
            ensure!(names.iter().any(|name| name == domain), "the certificate for {names:?} lacks {domain}");
            let page = String::from_utf8_lossy(&visit.body);
            ensure!(
                page.starts_with("Hello from the origin"),
                "{host} does not show the origin's page: {page}"
            );
        }
        Ok(())
    }

    /// Takes the record of the first proof away, and waits for another certificate.
    async fn renewal(&self, stage: &mut Stage) -> anyhow::Result<Played> {
        let (domain, _) = self.domains.first().context("there is a domain")?;
        stage.sandbox.dns().clear(&format!("_acme-challenge.{domain}"))?;
        let Stage { sandbox, progress, bound, .. } = stage;
        let before = Asked::of(sandbox)?;
        let old = sandbox.visit(domain, "/").await?.certificate;
        let note = Note::default();
        note.say(&format!("the certificate is good until {}", old.not_after));
        let begun = wait_for("a renewal to begin", *bound * 2, || async {
            Ok((Asked::of(sandbox)?.orders > before.orders).then_some(()))
        });
        progress.step("half of the certificate's life passes", &note, begun).await?;
        let watch = Stopwatch::start();
        let renewed = wait_for("another certificate", *bound, || async {
            // It is served all the time.
            let visit = sandbox.visit(domain, "/").await?;
            ensure!(visit.status == 200, "{domain} answers {}", visit.status);
            Ok((visit.certificate.serial != old.serial).then_some(()))
        });
        progress.step("another certificate is served", &Note::default(), renewed).await?;
        before.played(sandbox, 0, watch.elapsed())
    }
}

/// Waits until the instance is there, and sees that the owner's sites serve meanwhile. Answers the CDN's own name.
async fn await_creation(
    stage: &mut Stage,
    platform: &Platform,
    operation: &str,
    owner: &Owner,
) -> anyhow::Result<String> {
    let created = async |last: LastOperation| {
        owner.sites_serve().await?;
        Ok((last.state == "succeeded").then_some(last))
    };
    let title = "the certificate arrives and the CDN is set up";
    let last = stage.follow(title, platform, operation, created).await?;
    cdn_target(&last.description)
        .with_context(|| format!("the description does not say where to point the domains: {last}"))
}

/// What the authority was asked.
struct Asked {
    requests: usize,
    orders: usize,
    failed_challenges: usize,
}

impl Asked {
    fn of(sandbox: &Sandbox) -> anyhow::Result<Self> {
        let gate = sandbox.authority().gate();
        let requests = gate.requests();
        let orders = requests.iter().filter(|request| request.path == gate.new_order_path()).count();
        let failed_challenges = sandbox.authority().failed_challenges()?;
        Ok(Self { requests: requests.len(), orders, failed_challenges })
    }

    /// What it was asked since.
    fn played(&self, sandbox: &Sandbox, dns_changes: usize, to_https: Duration) -> anyhow::Result<Played> {
        let now = Self::of(sandbox)?;
        Ok(Played {
            dns_changes,
            to_https,
            requests: now.requests - self.requests,
            failed_challenges: now.failed_challenges - self.failed_challenges,
        })
    }
}
