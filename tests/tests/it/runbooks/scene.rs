//! What a runbook is about: a house in which that has happened, and everybody who acts in it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use cloudfront_core::Endpoint;
use contract::{Cdn, DistributionId, DomainName, Secret, durable_label};
use sandbox::authority::Pretence;
use sandbox::{BUCKET, BrokerSettings, CHALLENGE_HOST, MANAGED_ZONE, Proofs, Settings, wait_for};
use serde_json::json;
use tokio::process::Command;

use crate::house::{BOUND, House, program};

/// The instance that serves, and the other one.
const ID: &str = "3f1c9a52-0000-4000-8000-000000000011";
const OTHER: &str = "3f1c9a52-0000-4000-8000-000000000012";
/// The one that is made after a backup.
const LATER: &str = "3f1c9a52-0000-4000-8000-000000000013";
const DOMAIN: &str = "www.example.gov";

/// Until a certificate of this life has less than a third left, nearly two minutes pass.
const VALIDITY: Duration = Duration::from_secs(150);
const LONG: Duration = Duration::from_mins(5);

const OLD: &str = "old:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEW: &str = "new:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

pub(super) struct Scene {
    pub(super) house: House,
    settings: BrokerSettings,
}

impl Scene {
    /// Lets that happen which the runbook with this title is about.
    pub(super) async fn set(title: &str) -> anyhow::Result<Self> {
        let house = House::without_broker(|world| adjust(title, world)).await?;
        let mut settings = house.hasty_settings("5s")?;
        settings.proofs = Proofs::ALL;
        OLD.clone_into(&mut settings.encryption_keys);
        let mut scene = Self { house, settings };
        if title.starts_with("Upgrading") {
            return Ok(scene);
        }
        scene.start_broker().await?;
        match title {
            "A certificate is about to expire" => scene.let_a_certificate_grow_old().await?,
            "A user says that it is stuck" => scene.ask(OTHER, "a.example.gov,b.example.gov", 2).await?,
            "The database was restored from yesterday's backup"
            | "A space was deleted, and its instances were purged" => {
                scene.serve(ID, DOMAIN).await?;
                scene.serve(OTHER, "shop.example.gov").await?;
            }
            "The authority is down, or its limits are reached"
            | "The load balancer rule for CHALLENGE_HOST" => {}
            _ => scene.serve(ID, DOMAIN).await?,
        }
        Ok(scene)
    }

    /// Plays one line, and answers what is said to it.
    pub(super) async fn play(&mut self, line: &str) -> anyhow::Result<String> {
        match line.split_at(2) {
            ("$ ", command) => self.shell(command).await,
            (_, act) => Box::pin(self.act(act)).await.map(|()| String::new()),
        }
    }

    /// What a terminal shows that runs this.
    async fn shell(&self, command: &str) -> anyhow::Result<String> {
        let program = program("cdn-broker")?;
        let folder = program.parent().context("a program lies in a folder")?;
        let shell = Command::new("sh")
            .args(["-c", &format!("exec 2>&1; {command}")])
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
            .envs(self.house.sandbox.broker_environment(&self.settings))
            .kill_on_drop(true)
            .output();
        let ended = tokio::time::timeout(BOUND, shell).await.context("it does not end")??;
        Ok(String::from_utf8(ended.stdout)?.trim_end().to_owned())
    }

    async fn act(&mut self, act: &str) -> anyhow::Result<()> {
        let cloud = self.house.sandbox.aws();
        let gate = self.house.sandbox.authority().gate();
        match act {
            "The owner of www.example.gov sets the record." => self.set_record().await,
            "Somebody deletes the distribution of www.example.gov." => self.delete_distribution().await,
            "A second site is asked for and proven, and IAM has no room for its certificate." => {
                self.ask(OTHER, "shop.example.gov", 1).await?;
                self.house.prove(OTHER, 1).await?;
                self.until_logged("breaker vault/store").await
            }
            "AWS has raised the quota." => {
                cloud.set_certificate_quota(20);
                self.house.until_succeeded(OTHER).await?;
                self.until_logged("RESOLVED: ").await
            }
            "The authority answers nothing but 503." => {
                gate.pretend(Pretence { is_down: true, ..Pretence::default() });
                Ok(())
            }
            "The authority is back." => {
                gate.pretend(Pretence::default());
                Ok(())
            }
            "DATABASE_ENCRYPTION_KEYS begins with the new key in every broker, and the old one is behind it." => {
                self.restart_with(&format!("{NEW},{OLD}")).await
            }
            "DATABASE_ENCRYPTION_KEYS is the new key alone, in every broker." => self.restart_with(NEW).await,
            "A backup is made. Then one site is deleted and another is created, the database is lost, and the backup is restored." => {
                self.restore_a_backup().await
            }
            "The front end is gone." => self.house.sandbox.dns().clear(CHALLENGE_HOST),
            _ => bail!("nobody knows how to do this"),
        }
    }

    async fn start_broker(&mut self) -> anyhow::Result<()> {
        self.house.add_broker(&self.settings).await
    }

    /// They have ended when this ends.
    async fn stop_brokers(&mut self) -> anyhow::Result<()> {
        for mut broker in self.house.brokers.drain(..) {
            broker.stop().await?;
        }
        Ok(())
    }

    async fn restart_with(&mut self, keys: &str) -> anyhow::Result<()> {
        self.stop_brokers().await?;
        keys.clone_into(&mut self.settings.encryption_keys);
        self.start_broker().await
    }

    /// Asks for an instance, and waits until its user reads what to do.
    async fn ask(&self, id: &str, domains: &str, count: usize) -> anyhow::Result<()> {
        let accepted = self.house.provision(id, json!({"domain": domains})).await?;
        ensure!(accepted.status == 202, "{accepted:?}");
        self.house.records(id, count).await?;
        wait_for("a look at the domains", BOUND, || async {
            let text = self.house.poll(id).await?.text("description").to_owned();
            Ok((text.matches("seen on ").count() >= count).then_some(()))
        })
        .await
    }

    /// An instance whose domain is a managed name.
    async fn serve(&self, id: &str, domain: &str) -> anyhow::Result<()> {
        let label = durable_label("org-1", &DomainName::parse(domain)?);
        self.house.sandbox.dns().set_cname(domain, &format!("{label}.{MANAGED_ZONE}"))?;
        ensure!(self.house.provision(id, json!({"domain": domain})).await?.status == 202);
        self.house.until_succeeded(id).await.map(drop)
    }

    /// It was proven by a record that its owner has taken away since.
    async fn let_a_certificate_grow_old(&self) -> anyhow::Result<()> {
        self.ask(ID, DOMAIN, 1).await?;
        self.house.prove(ID, 1).await?;
        self.house.until_succeeded(ID).await?;
        self.house.sandbox.dns().clear(&format!("_acme-challenge.{DOMAIN}"))?;
        self.until_logged("certificate of instance").await
    }

    async fn until_logged(&self, text: &str) -> anyhow::Result<()> {
        wait_for(text, LONG, || async { Ok(self.house.log()?.contains(text).then_some(())) }).await
    }

    async fn set_record(&self) -> anyhow::Result<()> {
        let told = self.house.command(&self.settings, &["instances", "show", ID, "--json"]).await?.json()?;
        let ways = told["proofs"].as_array().into_iter().flatten().filter_map(|one| one["ways"].as_array());
        let record = ways.flatten().find_map(|way| way.get("direct")).context("no TXT record is wanted")?;
        let text = |field: &str| record[field].as_str().map(str::to_owned).context("half a record");
        self.house.sandbox.dns().set_txt(&text("name")?, vec![text("value")?])
    }

    /// Somebody with the console of the account.
    async fn delete_distribution(&self) -> anyhow::Result<()> {
        let endpoint = Endpoint {
            url: self.house.sandbox.aws().url(),
            access_key_id: "AKIASOMEBODY".to_owned(),
            secret_access_key: Secret::new("secret"),
        };
        let settings = cloudfront_core::AwsSettings {
            endpoint: Some(endpoint),
            ..cloudfront_core::AwsSettings::new(BUCKET)
        };
        let cdn = cloudfront_core::connect(&settings).await.cdn;
        let id = DistributionId::new(&self.house.sandbox.aws().state().distributions[0].id);
        cdn.disable(&id).await?;
        wait_for("the distribution to be deleted", BOUND, || async { Ok(cdn.remove(&id).await.ok()) }).await
    }

    async fn restore_a_backup(&mut self) -> anyhow::Result<()> {
        self.stop_brokers().await?;
        let backup = self.database_files()?;
        self.start_broker().await?;
        ensure!(self.house.deprovision(OTHER).await?.status == 202);
        self.house.until_succeeded(OTHER).await?;
        self.serve(LATER, "new.example.gov").await?;
        self.stop_brokers().await?;
        for (file, _) in self.database_files()? {
            std::fs::remove_file(file)?;
        }
        for (file, content) in backup {
            std::fs::write(file, content)?;
        }
        self.house.sandbox.aws().make_older(Duration::from_hours(26));
        self.start_broker().await
    }

    /// The file of the database and those beside it.
    fn database_files(&self) -> anyhow::Result<Vec<(PathBuf, Vec<u8>)>> {
        let files = std::fs::read_dir(self.house.folder())?.map(|file| Ok(file?.path()));
        let files: Vec<PathBuf> = files.collect::<std::io::Result<_>>()?;
        let is_ours = |file: &PathBuf| file.to_string_lossy().contains("broker.sqlite");
        files.into_iter().filter(is_ours).map(|file| Ok((file.clone(), std::fs::read(file)?))).collect()
    }
}

/// The world as it is before the runbook begins.
fn adjust(title: &str, world: &mut Settings) {
    world.aws.route53_sync = Duration::from_millis(200);
    match title {
        "A certificate is about to expire" => {
            world.authority.validity = VALIDITY;
            world.authority.authorization_reuse_percent = 0;
        }
        "The quota of server certificates is reached" => world.aws.certificate_quota = 1,
        _ => {}
    }
}
