//! `cdn-broker config check`: what was understood of the environment, and whether it works.

mod database;
mod permissions;
mod shown;
mod trials;

use anyhow::Context;
use contract::chain;
use serde_json::json;

use self::trials::{Outcome, Trial, Tried};
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
            report(arguments, &rows, &mistakes, &Tried { trials: Vec::new(), examination: None });
            return USAGE;
        }
    };
    match try_all(&config) {
        Ok(tried) => {
            report(arguments, &rows, &[], &tried);
            let is_broken = |trial: &Trial| matches!(trial.outcome, Outcome::Failed { .. });
            if tried.trials.iter().any(is_broken) { FOUND } else { OK }
        }
        Err(error) => {
            complain(&chain(error.as_ref()));
            FAILED
        }
    }
}

fn try_all(config: &Config) -> anyhow::Result<Tried> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime
        .context("cannot start the runtime")?
        .block_on(while_waiting("trying out", Box::pin(trials::all(config)))))
}

fn report(arguments: &ConfigCheckArgs, rows: &[shown::Row], mistakes: &[String], tried: &Tried) {
    if arguments.json {
        let variables: Vec<_> = rows.iter().map(shown::Row::json).collect();
        let trials: Vec<_> = tried.trials.iter().map(Trial::json).collect();
        let examination = tried.examination.as_ref();
        print(&format!(
            "{:#}",
            json!({
                "variables": variables,
                "mistakes": mistakes,
                "trials": trials,
                "principal": examination.and_then(|examination| examination.principal.as_ref()),
                "permissions": examination.map(permissions::json).unwrap_or_default(),
            })
        ));
        return;
    }
    print(&shown::text(rows));
    if !mistakes.is_empty() {
        print(&format!("\nThis is wrong with it:\n  {}", mistakes.join("\n  ")));
        return;
    }
    let lines: Vec<[String; 3]> = tried.trials.iter().map(Trial::line).collect();
    print(&format!("\n{}", columns(&lines).join("\n")));
    for advice in tried.trials.iter().filter_map(Trial::advice) {
        print(&format!("\n{advice}"));
    }
}
