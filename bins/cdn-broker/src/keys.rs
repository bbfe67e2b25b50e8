//! `cdn-broker keys …`: which keys private keys are sealed under at rest, and how an old one is got rid of.

use std::fmt::Write as _;

use broker::{Rotation, Rotator};
use clap::{Args, Subcommand};
use contract::{KeyStanding, SealingKeyUse};
use serde_json::{Map, Value, json};

use crate::cli::{complain, print};
use crate::output::{Progress, columns, head, tinted};
use crate::{FAILED, OK, command, wire};

#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// List the keys of `DATABASE_ENCRYPTION_KEYS` and what is sealed under each.
    #[command(after_help = "Example:\n  cdn-broker keys list\n\n\
        Exit codes: 0 listed, 1 something is sealed under a key that is not configured, 64 wrong command line or environment.")]
    List(KeysArgs),
    /// Seal everything under the first key of `DATABASE_ENCRYPTION_KEYS`; brokers may run beside it.
    ///
    /// Every broker that runs must have that key by now, first or behind the old one: what is sealed under a key that a broker
    /// lacks waits until it has it. Interrupted, it can be run again, and goes on with what is left. At the end it says which
    /// keys may be removed from the variable. docs/OPERATIONS.md has the steps before and after.
    #[command(after_help = "Example:\n  cdn-broker keys rotate\n\n\
        Exit codes: 0 everything is sealed under the first key, 1 something is not, 64 wrong command line or environment.")]
    Rotate(KeysArgs),
}

#[derive(Args)]
pub(crate) struct KeysArgs {
    /// One JSON object, for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &KeysCommand) -> u8 {
    command::run(async |config| {
        let rotator = Rotator::new(wire::store(config).await?);
        match command {
            KeysCommand::List(arguments) => {
                let keys = rotator.keys().await?;
                print(&if arguments.json { format!("{:#}", list_json(&keys)) } else { list_text(&keys) });
                Ok(if missing(&keys).is_empty() { OK } else { told_what_is_missing(&missing(&keys)) })
            }
            KeysCommand::Rotate(arguments) => {
                let progress = Progress::of("values looked at");
                let rotation = rotator.rotate(&|done, of| progress.at(done, Some(of))).await?;
                drop(progress);
                print(&if arguments.json { format!("{:#}", to_json(&rotation)) } else { to_text(&rotation) });
                Ok(if rotation.is_complete() { OK } else { told_what_is_left(&rotation) })
            }
        }
    })
}

fn missing(keys: &[SealingKeyUse]) -> Vec<&str> {
    let missing = keys.iter().filter(|key| key.standing == KeyStanding::Missing);
    missing.map(|key| key.name.as_str()).collect()
}

fn told_what_is_missing(names: &[&str]) -> u8 {
    for name in names {
        complain(&format!(
            "something is sealed under the key {name:?}, which is not in DATABASE_ENCRYPTION_KEYS: add it behind the first one"
        ));
    }
    FAILED
}

fn told_what_is_left(rotation: &Rotation) -> u8 {
    for stuck in &rotation.stuck {
        complain(&stuck.why);
    }
    told_what_is_missing(&missing(&rotation.keys));
    for name in rotation.still_in_use() {
        complain(&format!(
            "something is still sealed under {name:?}: a broker runs that has it as its first key. Restart the brokers with \
             the new one first, and run this again"
        ));
    }
    FAILED
}

fn list_json(keys: &[SealingKeyUse]) -> Value {
    json!({ "keys": keys.iter().map(key_json).collect::<Vec<_>>() })
}

fn key_json(key: &SealingKeyUse) -> Value {
    let values: Map<String, Value> =
        key.values.iter().map(|(table, count)| (table.clone(), json!(count))).collect();
    json!({ "name": key.name, "standing": standing(key.standing), "values": values })
}

fn list_text(keys: &[SealingKeyUse]) -> String {
    let mut rows = vec![head(["key", "standing", "seals"])];
    for key in keys {
        let seals: Vec<String> =
            key.values.iter().map(|(table, count)| format!("{count} in {table}")).collect();
        let seals = if seals.is_empty() { "nothing".to_owned() } else { seals.join(", ") };
        rows.push([key.name.clone(), tinted(standing(key.standing)).into_owned(), seals]);
    }
    columns(&rows).join("\n")
}

fn standing(standing: KeyStanding) -> &'static str {
    match standing {
        KeyStanding::First => "first",
        KeyStanding::Configured => "configured",
        KeyStanding::Missing => "missing",
    }
}

fn to_json(rotation: &Rotation) -> Value {
    let stuck = rotation
        .stuck
        .iter()
        .map(|stuck| json!({ "table": stuck.place.table, "row": stuck.place.row, "why": stuck.why }));
    json!({
        "complete": rotation.is_complete(),
        "resealed": rotation.resealed,
        "removable": rotation.removable(),
        "stuck": stuck.collect::<Vec<_>>(),
        "keys": rotation.keys.iter().map(key_json).collect::<Vec<_>>(),
    })
}

fn to_text(rotation: &Rotation) -> String {
    let mut text = format!("{} sealed anew.\n{}", rotation.resealed, list_text(&rotation.keys));
    let removable = rotation.removable();
    if !removable.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\nMay be removed from DATABASE_ENCRYPTION_KEYS, once no broker runs any more that has another first key: {}",
            removable.join(", ")
        );
    }
    text
}
