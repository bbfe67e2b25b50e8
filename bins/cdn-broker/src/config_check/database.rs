//! The database, which is looked at and not changed, and the authority, whose account is kept in it.

use std::sync::Arc;
use std::time::Duration;

use acme_core::{DirectoryCheck, look_at_directory};
use anyhow::{Context, bail, ensure};
use contract::{Check, CheckOutcome, StepTimes, chain};
use store::{Prospect, Store};

use super::trials::{Outcome, Trial, no_answer, skipped, tried};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::{fit, wire};

/// What others may read in the database.
pub(super) enum Tables {
    /// All that this version has.
    Ready(Arc<Store>),
    /// Nothing, and why.
    Unread(&'static str),
}

const CURE: &str = "check DATABASE_URL, that the database runs and can be reached from here, and that its user may make \
                    tables in it";

const PENDING: &str = "a broker does that when it starts; `cdn-broker migrate` does it now, and shows whether it works before a broker \
                       depends on it";

/// The database as it is: nothing is made in it. A new version is tried beside brokers of the one before.
pub(super) async fn look(config: &Config, limit: Duration) -> (Trial, Tables) {
    let looked = tokio::time::timeout(limit, Box::pin(seen(config))).await;
    let (outcome, tables) = match looked {
        Ok(Ok(seen)) => seen,
        Ok(Err(error)) => failed(chain(error.as_ref())),
        Err(_) => failed(no_answer(limit)),
    };
    (Trial { what: "database", outcome, details: Vec::new() }, tables)
}

fn failed(why: String) -> (Outcome, Tables) {
    (Outcome::Failed { why, cure: CURE.into() }, Tables::Unread("the database cannot be used"))
}

async fn seen(config: &Config) -> anyhow::Result<(Outcome, Tables)> {
    let Prospect { is_there, shape } = Store::prospect(&config.store).await?;
    if !is_there {
        let file = config.store.url.trim_start_matches("sqlite://");
        let how = format!("there is no file {file} yet: it is made, with all tables, at the next start");
        return Ok((Outcome::Pending { how, cure: PENDING }, Tables::Unread("there is no database yet")));
    }
    if !shape.missing.is_empty() {
        let how =
            format!("reached; these migrations are run at the next start: {}", shape.missing.join(", "));
        let why = "the tables are not those of this version yet";
        return Ok((Outcome::Pending { how, cure: PENDING }, Tables::Unread(why)));
    }
    let how = if shape.unknown.is_empty() {
        "reached; its schema is that of this version".to_owned()
    } else {
        let later = shape.unknown.join(", ");
        format!(
            "reached; its schema is that of a later version ({later}); this one works with it if it is the version before"
        )
    };
    let store = Store::open_to_read(&config.store, Arc::new(SystemClock)).await?;
    Ok((Outcome::Fine(how), Tables::Ready(Arc::new(store))))
}

/// Whether everything that is sealed can be opened here.
pub(super) async fn keys(tables: &Tables) -> Trial {
    let store = match tables {
        Tables::Ready(store) => store,
        Tables::Unread(why) => return skipped("encryption keys", why),
    };
    let work = async {
        let missing = fit::missing_keys(store).await?;
        ensure!(missing.is_empty(), "something is sealed with {}, which is missing", missing.join(", "));
        Ok("everything that is sealed in the database is sealed with one of them".to_owned())
    };
    tried("encryption keys", fit::KEYS_CURE, work).await
}

/// Whether the catalog knows the plan of every instance.
pub(super) async fn plans(config: &Config, tables: &Tables) -> Trial {
    let store = match tables {
        Tables::Ready(store) => store,
        Tables::Unread(why) => return skipped("plans", why),
    };
    let work = async {
        let missing = fit::missing_plans(store, &config.service.offering.catalog).await?;
        ensure!(missing.is_empty(), "{}, which the catalog lacks", missing.join(", "));
        Ok("the catalog has the plan of every service instance".to_owned())
    };
    tried("plans", fit::PLANS_CURE, work).await
}

const AUTHORITY_CURE: &str =
    "check ACME_URL and ACME_ROOT_CA, and that the authority can be reached from here over HTTPS";

/// Directory, clock, and what of terms and account is known; nothing is ordered, and nothing remembered.
pub(super) async fn authority(config: &Config, tables: Tables) -> Trial {
    let work = async {
        let clock = Arc::new(SystemClock);
        let (outcome, account) = match tables {
            Tables::Ready(store) => {
                let issuer = Arc::new(wire::bare_issuer(config, &store)?);
                let check = DirectoryCheck::new(issuer, store).without_a_trace();
                let outcome = check.run(&StepTimes::new(clock)).await;
                (outcome, "and knows our account if there is one".to_owned())
            }
            Tables::Unread(why) => {
                let outcome = look_at_directory(&config.acme, clock).await;
                let outcome = outcome.context("cannot use the certificate authority's settings")?;
                (outcome, format!("but whether it knows our account was not looked at: {why}"))
            }
        };
        match outcome {
            CheckOutcome::Ok => Ok(format!("{} answers, {account}", config.acme.directory_url)),
            CheckOutcome::Failing(failure) => bail!("{}", failure.sentence),
            CheckOutcome::Skipped { why } => bail!("it could not be tried: {why}"),
            CheckOutcome::Underway { .. } => bail!("it has not come to an end"),
        }
    };
    tried("authority", AUTHORITY_CURE, work).await
}
