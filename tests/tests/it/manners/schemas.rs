//! `docs/commands.schema.json` and what the commands really print with `--json`: neither has a field that the other lacks.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use boon::{Compiler, Schemas};
use sandbox::aws::{FaultKind, Outage};
use sandbox::{BrokerSettings, wait_for};
use serde_json::{Value, json};

use super::{ID, helps};
use crate::house::{BOUND, House};

const OTHER: &str = "3f1c9a52-0000-4000-8000-000000000902";
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/commands.schema.json");

/// Whether one document is printed, or one a line.
#[derive(Clone, Copy)]
enum Form {
    Whole,
    Lines,
}

/// The schemas, and what was compared with them so far.
pub(crate) struct Comparison {
    document: Value,
    used: BTreeSet<String>,
    commands: BTreeSet<String>,
}

impl Comparison {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let document = serde_json::from_str(&std::fs::read_to_string(DOCUMENT)?)?;
        Ok(Self { document, used: BTreeSet::new(), commands: BTreeSet::new() })
    }

    /// Compares a document with the schema of this name.
    pub(crate) fn compare(&self, name: &str, value: &Value) -> anyhow::Result<()> {
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        let refused = |error: &dyn std::fmt::Display| anyhow::anyhow!("{name}: {error:#}\n{value:#}");
        compiler.add_resource("urn:commands", self.document.clone()).map_err(|error| refused(&error))?;
        let index = compiler.compile(&format!("urn:commands#/$defs/{name}"), &mut schemas);
        let index = index.map_err(|error| refused(&error))?;
        schemas.validate(value, index).map_err(|error| refused(&error))
    }

    /// Runs a command and compares all it prints with the schema of this name.
    async fn run(
        &mut self,
        house: &House,
        settings: &BrokerSettings,
        command: &str,
        (name, form): (&str, Form),
    ) -> anyhow::Result<Vec<Value>> {
        let arguments: Vec<&str> = command.split(' ').chain(["--json"]).collect();
        let printed = house.command(settings, &arguments).await?;
        let values: Vec<Value> = match form {
            Form::Whole => vec![printed.json()?],
            Form::Lines => printed.out.lines().map(serde_json::from_str).collect::<Result<_, _>>()?,
        };
        ensure!(!values.is_empty(), "`{command}` prints nothing: {printed:?}");
        for value in &values {
            self.compare(name, value).with_context(|| format!("`cdn-broker {command} --json`"))?;
        }
        self.used.insert(name.to_owned());
        self.commands.insert(format!("cdn-broker {command}"));
        Ok(values)
    }

    /// Every command that has `--json` was compared, and every schema of a command was used.
    fn is_complete(&self) -> anyhow::Result<()> {
        for (command, help) in helps()? {
            // What it prints is compared by its own tests, which have an earlier broker.
            let is_elsewhere = command == "cdn-broker import";
            let is_compared =
                is_elsewhere || self.commands.iter().any(|compared| compared.starts_with(&command));
            ensure!(
                !help.contains("--json") || is_compared,
                "`{command} --json` was compared with no schema"
            );
        }
        let schemas = self.document["$defs"].as_object().context("there are no schemas")?;
        for (name, schema) in schemas {
            // The others are parts of those.
            let of_command = schema["description"].as_str().is_some_and(|text| text.contains('`'));
            let is_part = ["imported", "key", "line", "undone"].contains(&name.as_str());
            ensure!(!of_command || is_part || self.used.contains(name), "no command prints `{name}`");
        }
        Ok(())
    }
}

/// One instance that serves, one that waits for its user, and an incident that is over.
async fn scene() -> anyhow::Result<(House, BrokerSettings)> {
    // What was proven is never asked for again: the renewal needs nobody.
    let mut house = House::without_broker(|world| world.authority.authorization_reuse_percent = 100).await?;
    let mut settings = house.hasty_settings("2s")?;
    // Nobody listens there, so that there is a delivery that has failed.
    settings.more.push(("ALERT_WEBHOOK_URL".to_owned(), "https://127.0.0.1:1/".to_owned()));
    house.add_broker(&settings).await?;
    house.sandbox.aws().faults().break_down(Outage { op: "*".to_owned(), kind: FaultKind::ExpiredToken });
    let accepted = house.provision(ID, json!({"domain": "www.example.gov"})).await?;
    ensure!(accepted.status == 202, "{accepted:?}");
    wait_for("an incident", BOUND, || async { Ok(house.log()?.contains("ALERT: ").then_some(())) }).await?;
    house.sandbox.aws().faults().heal();
    house.prove(ID, 1).await?;
    house.until_succeeded(ID).await?;
    let accepted = house.provision(OTHER, json!({"domain": "a.example.gov,b.example.gov"})).await?;
    ensure!(accepted.status == 202, "{accepted:?}");
    house.records(OTHER, 2).await?;
    Ok((house, settings))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_is_what_is_documented() -> anyhow::Result<()> {
    use Form::{Lines, Whole};
    let (house, settings) = scene().await?;
    let mut comparison = Comparison::new()?;
    let show = |id| format!("instances show {id}");
    let with_id = |command: &str| format!("instances {command} {ID}");
    for (command, schema) in [
        ("instances list".to_owned(), ("instance", Lines)),
        (show(ID), ("story", Whole)),
        (show(OTHER), ("story", Whole)),
        (with_id("show --link"), ("link", Whole)),
        (with_id("show --revoke-link --yes"), ("link", Whole)),
        (with_id("show --watch"), ("story", Lines)),
        (with_id("history"), ("history", Whole)),
        (with_id("renew"), ("outcome", Whole)),
        (with_id("retry"), ("outcome", Whole)),
        (with_id("cancel --yes"), ("outcome", Whole)),
        (with_id("recreate"), ("outcome", Whole)),
        ("operations list".to_owned(), ("operation", Lines)),
        (format!("operations show {ID}"), ("plot", Lines)),
        ("certificates list".to_owned(), ("certificate_listed", Lines)),
        (format!("certificates show {ID}"), ("certificate_story", Whole)),
        ("certificates orphans".to_owned(), ("orphans", Whole)),
        ("ledger show".to_owned(), ("ledger", Whole)),
        ("accounts show".to_owned(), ("account", Lines)),
        ("accounts rotate".to_owned(), ("account", Whole)),
        ("checks run acme-directory".to_owned(), ("run", Whole)),
        ("checks list".to_owned(), ("checks", Whole)),
        ("checks history".to_owned(), ("runs", Whole)),
        ("config check".to_owned(), ("configuration", Whole)),
        ("keys list".to_owned(), ("keys", Whole)),
        ("keys rotate".to_owned(), ("rotation", Whole)),
        ("migrate".to_owned(), ("shape", Whole)),
        ("migrate --check".to_owned(), ("shape", Whole)),
        ("alerts list --all".to_owned(), ("incident", Lines)),
        ("alerts test".to_owned(), ("test", Lines)),
        ("aws policy --account 111111111111 --bucket b".to_owned(), ("policies", Whole)),
    ] {
        comparison.run(&house, &settings, &command, schema).await?;
    }
    house.sandbox.aws().lose_account();
    let report = comparison.run(&house, &settings, "reconcile", ("report", Whole)).await?;
    ensure!(report[0]["findings"] != json!([]), "nothing differs: {report:?}");
    let purge = format!("instances purge {ID} --keep-cloud --yes");
    comparison.run(&house, &settings, &purge, ("forgotten", Whole)).await?;
    comparison.is_complete()
}

/// What the comparison is worth: a field too many, one too few, and a wrong word are found.
#[test]
fn what_is_not_documented_is_found() -> anyhow::Result<()> {
    let comparison = Comparison::new()?;
    let right = json!({"target": "webhook", "delivered": true, "error": null});
    comparison.compare("test", &right)?;
    for (field, wrong) in [("new", json!(1)), ("delivered", json!("yes"))] {
        let mut changed = right.clone();
        changed[field] = wrong;
        ensure!(comparison.compare("test", &changed).is_err(), "{changed}");
    }
    ensure!(comparison.compare("test", &json!({"target": "webhook", "delivered": true})).is_err());
    Ok(())
}
