//! Everybody who acts in the document: an operator and a developer with `cf`, the owner of the domains, a visitor.

use anyhow::{Context, bail, ensure};
use clap::Parser;
use sandbox::{BROKER_HOST, Sandbox, wait_for};
use serde_json::Value;

use super::cf::{self, Cf, Details, OPERATOR};
use super::controller::{BOUND, Controller, Taken};
use crate::instructions::txt_records;
use crate::platform::Platform;
use crate::ways::{Alias, Ways};

/// How a line begins in which the owner does something.
const OWNER: &str = "The owner of ";

pub(super) struct Player<'a> {
    sandbox: &'a Sandbox,
    controller: Controller,
}

impl<'a> Player<'a> {
    pub(super) fn new(sandbox: &'a Sandbox, platform: Platform) -> Self {
        Self { sandbox, controller: Controller::new(platform) }
    }

    /// Plays one line, and answers what is said to it.
    pub(super) async fn play(&mut self, line: &str) -> anyhow::Result<String> {
        if let Some(command) = line.strip_prefix("$ cf ") {
            let words = shlex::split(command).context("the quotes are not closed")?;
            return self.cf(Cf::try_parse_from(words)?).await;
        }
        if let Some(url) = line.strip_prefix("$ curl https://") {
            return self.curl(url).await;
        }
        match line.trim_start_matches("# ") {
            "A minute later." => self.controller.until_looked().await.map(|()| String::new()),
            "Some minutes later." => self.controller.until_ended().await.map(|()| String::new()),
            act if act.starts_with(OWNER) => self.owner(act),
            _ => bail!("nobody knows how to do this"),
        }
    }

    async fn cf(&mut self, command: Cf) -> anyhow::Result<String> {
        match command {
            Cf::CreateServiceBroker { name, username, password, url } => {
                let secret = [username.as_str(), &password] == ["$BROKER_USERNAME", "$BROKER_PASSWORD"];
                ensure!(secret, "a document holds no credentials");
                ensure!(url == format!("https://{BROKER_HOST}"), "the broker is at https://{BROKER_HOST}");
                self.controller.add_broker(name.clone()).await?;
                Ok(format!("Creating service broker {name} as {OPERATOR}...\nOK"))
            }
            Cf::EnableServiceAccess { offering } => {
                self.offering(&offering)?;
                Ok(format!(
                    "Enabling access to all plans of service offering {offering} for all orgs as {OPERATOR}...\n\nOK"
                ))
            }
            Cf::CreateService { offering, plan, name, configuration } => {
                let known = self.offering(&offering)?["plans"].as_array().context("no plans")?;
                ensure!(known.iter().any(|known| known["name"] == *plan), "there is no plan {plan}");
                let taken = self.controller.create(name.clone(), &object(&configuration)?).await?;
                Ok(Self::told("Creating", &name, "Create", &taken))
            }
            Cf::Service { name, params: false } => self.details(&name),
            Cf::Service { name, params: true } => {
                Ok(serde_json::to_string_pretty(&self.controller.parameters(&name).await?)?)
            }
            Cf::Services => {
                ensure!(self.controller.instance.is_none(), "there is an instance");
                Ok(format!("Getting service instances {}\n\nNo service instances found.", cf::place()))
            }
            Cf::UpdateService { name, configuration } => {
                let taken = self.controller.update(&name, &object(&configuration)?).await?;
                Ok(Self::told("Updating", &name, "Update", &taken))
            }
            Cf::DeleteService { name, .. } => {
                let taken = self.controller.delete(&name).await?;
                Ok(Self::told("Deleting", &name, "Delete", &taken))
            }
            Cf::DeleteServiceBroker { name, .. } => {
                ensure!(self.controller.instance.is_none(), "the platform refuses: there is an instance");
                let (broker, _) = self.controller.broker.take().context("there is no broker")?;
                ensure!(broker == name, "there is no broker {name}");
                Ok(format!("Deleting service broker {name}...\nOK"))
            }
        }
    }

    fn offering(&self, name: &str) -> anyhow::Result<&Value> {
        let (_, catalog) = self.controller.broker.as_ref().context("there is no broker")?;
        let mut services = catalog["services"].as_array().context("no services")?.iter();
        services.find(|service| service["name"] == *name).with_context(|| format!("there is no {name}"))
    }

    /// What a command says that has asked the broker for something.
    fn told(doing: &str, name: &str, what: &str, taken: &Taken) -> String {
        let outcome = match taken {
            Taken::Complete => format!("{what} of service instance {name} complete.\nOK"),
            Taken::InProgress => format!(
                "{what} in progress. Use 'cf services' or 'cf service {name}' to check operation status.\nOK"
            ),
            Taken::Refused(message) => cf::failed(message),
        };
        format!("{doing} service instance {name} {}\n\n{outcome}", cf::place())
    }

    fn details(&mut self, name: &str) -> anyhow::Result<String> {
        let (broker, catalog) = self.controller.broker.clone().context("there is no broker")?;
        let instance = self.controller.instance(name)?;
        let (offering, last) = (&catalog["services"][0], &instance.last);
        Ok(cf::details(&Details {
            name,
            guid: instance.platform.instance(),
            broker: &broker,
            offering,
            plan: &offering["plans"][0],
            dashboard_url: &instance.dashboard_url,
            status: format!("{} {}", last.kind, last.state),
            message: &last.message,
            started: &last.started,
            updated: &last.updated,
        }))
    }

    /// `The owner of NAME sets the record of LETTER.`
    fn owner(&mut self, act: &str) -> anyhow::Result<String> {
        let act = act.trim_start_matches(OWNER).trim_end_matches('.');
        let (domain, letter) = act.split_once(" sets the record of ").context("what does the owner do?")?;
        let text = &self.controller.instance.as_ref().context("there is no instance")?.last.message;
        let ways =
            Ways::of(text, domain).with_context(|| format!("no instructions for {domain}:\n{text}"))?;
        match letter {
            "A" => self.alias(&ways.managed().context("no managed name is offered")?),
            "C" => self.alias(&ways.delegated().context("no delegation is offered")?),
            "D" => self.txt(text, domain),
            _ => bail!("{letter} is no record"),
        }
    }

    fn alias(&self, alias: &Alias) -> anyhow::Result<String> {
        let (name, target) = (alias.name.trim_end_matches('.'), alias.target.trim_end_matches('.'));
        self.sandbox.dns().set_cname(name, target)?;
        Ok(format!("{name}. CNAME {target}."))
    }

    fn txt(&self, text: &str, domain: &str) -> anyhow::Result<String> {
        let name = format!("_acme-challenge.{domain}");
        let record = txt_records(text).into_iter().find(|record| record.is_named(&name));
        let record = record.context("there is no TXT record")?;
        self.sandbox.dns().add_txt(&record.name, &record.value)?;
        Ok(format!("{name}. 60 IN TXT \"{}\"", record.value))
    }

    /// A visitor, who sees the first line of the page, and comes again while the DNS has not told everybody.
    async fn curl(&self, url: &str) -> anyhow::Result<String> {
        let host = url.trim_end_matches('/');
        let what = format!("https://{host}/ to answer");
        let visit = wait_for(&what, BOUND, || async {
            let visit = self.sandbox.visit(host, "/").await.ok();
            Ok(visit.filter(|visit| visit.status.is_success()))
        });
        let page = visit.await?.body;
        Ok(String::from_utf8_lossy(&page).lines().next().unwrap_or_default().to_owned())
    }
}

/// The value of `-c`.
fn object(configuration: &str) -> anyhow::Result<Value> {
    let value: Value = serde_json::from_str(configuration)?;
    ensure!(value.is_object(), "-c takes a JSON object");
    Ok(value)
}
