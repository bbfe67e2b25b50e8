//! The runbooks of docs/OPERATIONS.md, played: each of their commands is run by the real program beside a broker, and says what
//! the document says, apart from what is another each time. `UPDATE_DOCS=1` writes what is said into the document.

mod alike;
#[path = "../../../bins/cdn-sandbox/src/walkthrough/document.rs"]
mod document;
mod scene;

use std::fs;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, ensure};

use self::document::Document;
use self::scene::Scene;

const OPERATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/OPERATIONS.md");

/// The heading below which the runbooks are.
const RUNBOOKS: &str = "\n## Runbooks\n";

/// One at a time writes into the document.
static WRITING: Mutex<()> = Mutex::new(());

macro_rules! runbooks {
    ($($name:ident: $title:literal,)*) => {
        /// Their titles, in the order of the document.
        const TITLES: &[&str] = &[$($title),*];
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() -> anyhow::Result<()> {
                Box::pin(play($title)).await
            }
        )*
    };
}

runbooks! {
    expiring: "A certificate is about to expire",
    stuck: "A user says that it is stuck",
    deleted: "A distribution was deleted by mistake",
    quota: "The quota of server certificates is reached",
    authority_down: "The authority is down, or its limits are reached",
    sealing_key: "An encryption key was leaked",
    account_key: "The key of the ACME account was leaked",
    restored: "The database was restored from yesterday's backup",
    upgrade: "Upgrading, and rolling back",
    purged: "A space was deleted, and its instances were purged",
    front_end: "The load balancer rule for CHALLENGE_HOST",
}

#[test]
fn every_runbook_is_played() -> anyhow::Result<()> {
    let document = fs::read_to_string(OPERATIONS)?;
    let (_, runbooks) = document.split_once(RUNBOOKS).context("there are no runbooks")?;
    let titles: Vec<&str> = runbooks.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    assert_eq!(titles, TITLES);
    Ok(())
}

/// A runbook without its heading, as the document has it.
fn written(document: &str, title: &str) -> anyhow::Result<String> {
    let heading = format!("\n### {title}\n");
    let (_, runbook) = document.split_once(&heading).with_context(|| format!("there is no `{title}`"))?;
    let runbook = runbook.split("\n### ").next().unwrap_or_default();
    // What follows the last runbook, if anything does.
    Ok(runbook.split("\n## ").next().unwrap_or_default().to_owned())
}

async fn play(title: &str) -> anyhow::Result<()> {
    let before = written(&fs::read_to_string(OPERATIONS)?, title)?;
    let mut runbook = Document::parse(&before)?;
    ensure!(runbook.entries().next().is_some(), "`{title}` has no command");
    let mut scene = Scene::set(title).await?;
    for entry in runbook.entries() {
        let said = scene.play(&entry.line).await;
        entry.said = said.with_context(|| format!("{}\n{}", entry.line, scene.house.last_words()))?;
    }
    let played = runbook.to_string();
    if wants_update() {
        return update(title, &before, played.trim_end_matches('\n'));
    }
    match alike::difference(&before, &played) {
        None => Ok(()),
        Some(difference) => anyhow::bail!(
            "docs/OPERATIONS.md says what is not so; look whether this is right, and write it with UPDATE_DOCS=1:\n{difference}"
        ),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "whoever runs the test says that the document is to be written"
)]
fn wants_update() -> bool {
    std::env::var_os("UPDATE_DOCS").is_some()
}

fn update(title: &str, before: &str, after: &str) -> anyhow::Result<()> {
    let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let document = fs::read_to_string(OPERATIONS)?;
    let heading = format!("\n### {title}\n");
    let (old, new) = (format!("{heading}{before}"), format!("{heading}{after}"));
    ensure!(document.contains(&old), "`{title}` has changed meanwhile");
    let end = if before.ends_with('\n') { "\n" } else { "" };
    Ok(fs::write(OPERATIONS, document.replacen(&old, &format!("{new}{end}"), 1))?)
}
