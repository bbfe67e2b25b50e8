//! `cdn-broker config check`: what was understood of the environment, and whether it works.

mod shown;
mod trials;

use anyhow::Context;
use serde_json::json;

use self::trials::{Outcome, Trial};
use crate::cli::{ConfigCheckArgs, complain, print};
use crate::config::{Config, Environment, Examined};
use crate::output::{columns, while_waiting};
use crate::{FAILED, FOUND, OK, USAGE};

pub(crate) fn run(arguments: &ConfigCheckArgs) -> u8 {
    let Examined { understood, config } = Config::examine(&Environment);
    let rows = shown::rows(&understood);
    let config = match config {
        Ok(config) => config,
        Err(mistakes) => {
            report(arguments, &rows, &mistakes, &[]);
            return USAGE;
        }
    };
    match try_all(&config) {
        Ok(trials) => {
            report(arguments, &rows, &[], &trials);
            let is_broken = |trial: &Trial| matches!(trial.outcome, Outcome::Failed { .. });
            if trials.iter().any(is_broken) { FOUND } else { OK }
        }
        Err(error) => {
            complain(&format!("{error:#}"));
            FAILED
        }
    }
}

fn try_all(config: &Config) -> anyhow::Result<Vec<Trial>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime
        .context("cannot start the runtime")?
        .block_on(while_waiting("trying out", Box::pin(trials::all(config)))))
}

fn report(arguments: &ConfigCheckArgs, rows: &[shown::Row], mistakes: &[String], trials: &[Trial]) {
    if arguments.json {
        let variables: Vec<_> = rows.iter().map(shown::Row::json).collect();
        let trials: Vec<_> = trials.iter().map(Trial::json).collect();
        print(&format!("{:#}", json!({ "variables": variables, "mistakes": mistakes, "trials": trials })));
        return;
    }
    print(&shown::text(rows));
    if !mistakes.is_empty() {
        print(&format!("\nThis is wrong with it:\n  {}", mistakes.join("\n  ")));
        return;
    }
    let lines: Vec<[String; 3]> = trials.iter().map(Trial::line).collect();
    print(&format!("\n{}", columns(&lines).join("\n")));
    for trial in trials {
        if let Outcome::Failed { cure, .. } = &trial.outcome {
            print(&format!("\n{} does not work: {cure}", trial.what));
        }
    }
}
