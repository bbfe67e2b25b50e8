//! The program on a terminal, which `script` of util-linux makes.

use std::process::Stdio;

use anyhow::{Context, ensure};
use sandbox::BrokerSettings;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::ID;
use crate::house::{BOUND, House, Printed, program};

const LONG: &str = "a-rather-long-name-of-a-site.for-which-there-is-no-room.example.gov";

/// A terminal of this size.
#[derive(Clone, Copy)]
struct Size(usize, usize);

/// What a terminal shows on which the program runs, while somebody types. `more` is added to the environment.
async fn on_terminal(
    house: &House,
    settings: &BrokerSettings,
    Size(columns, rows): Size,
    arguments: &str,
    typed: &str,
    more: &[(&str, &str)],
) -> anyhow::Result<Printed> {
    let line =
        format!("stty cols {columns} rows {rows}; exec {} {arguments}", program("cdn-broker")?.display());
    let mut script = tokio::process::Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("TERM", "xterm")
        .envs(house.sandbox.broker_environment(settings))
        .envs(more.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("`script` of util-linux is missing")?;
    let mut keyboard = script.stdin.take().context("no keyboard")?;
    keyboard.write_all(typed.as_bytes()).await?;
    let ended = tokio::time::timeout(BOUND, script.wait_with_output()).await.context("it does not end")??;
    drop(keyboard);
    let code = ended.status.code().context("it was killed")?;
    Ok(Printed { code, out: String::from_utf8(ended.stdout)?, err: String::from_utf8(ended.stderr)? })
}

/// The lines as they are seen.
fn seen(printed: &Printed) -> Vec<String> {
    let mut parts = printed.out.split('\x1b');
    let first = parts.next().unwrap_or_default().to_owned();
    let rest =
        parts.map(|part| part.split_once(|c: char| c.is_ascii_alphabetic()).map_or("", |(_, rest)| rest));
    let text = rest.fold(first, |text, part| text + part);
    text.lines().map(|line| line.trim_end_matches('\r').to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_fit_a_terminal_and_words_have_colours() -> anyhow::Result<()> {
    let house = House::start().await?;
    let settings = house.settings()?;
    ensure!(house.provision(ID, json!({"domain": LONG})).await?.status == 202);
    house.records(ID, 1).await?;

    let narrow = on_terminal(&house, &settings, Size(72, 20), "instances list", "", &[]).await?;
    let lines = seen(&narrow);
    ensure!(narrow.code == 0 && lines.len() == 2, "{narrow:?}");
    ensure!(lines.iter().all(|line| line.chars().count() <= 72), "{lines:#?}");
    ensure!(lines[1].starts_with(ID) && lines[1].ends_with("..."), "{lines:#?}");
    ensure!(!lines[0].contains("DISTRIBUTION"), "{lines:#?}");
    ensure!(narrow.out.contains("\x1b[33mprovisioning\x1b[0m"), "{narrow:?}");

    let wide = on_terminal(&house, &settings, Size(200, 20), "instances list", "", &[]).await?;
    ensure!(seen(&wide)[1].ends_with(LONG) && seen(&wide)[0].contains("DISTRIBUTION"), "{wide:?}");
    let grey =
        on_terminal(&house, &settings, Size(72, 20), "instances list", "", &[("NO_COLOR", "1")]).await?;
    ensure!(!grey.out.contains('\x1b') && seen(&grey) == lines, "{grey:?}");
    let dumb =
        on_terminal(&house, &settings, Size(72, 20), "instances list", "", &[("TERM", "dumb")]).await?;
    ensure!(!dumb.out.contains('\x1b'), "{dumb:?}");

    // A story is broken between words; nothing of it is cut.
    let story = format!("instances show {ID}");
    let shown = on_terminal(&house, &settings, Size(72, 20), &story, "", &[]).await?;
    let long: Vec<String> = seen(&shown).into_iter().filter(|line| line.chars().count() > 72).collect();
    ensure!(long.iter().all(|line| line.split_whitespace().count() == 1), "{long:#?}");
    let piped = house.command(&settings, &["instances", "show", ID]).await?;
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let is_dated = |word: &&String| word.contains(':');
    let undated =
        |words: Vec<String>| words.iter().filter(|word| !is_dated(word)).cloned().collect::<Vec<_>>();
    assert_eq!(undated(words(&seen(&shown).join("\n"))), undated(words(&piped.out)));

    // In a pipe nothing is cut and nothing has a colour.
    let piped = house.command(&settings, &["instances", "list"]).await?;
    ensure!(piped.out.contains(LONG) && !piped.out.contains('\x1b'), "{piped:?}");
    // JSON stays JSON.
    let json = on_terminal(&house, &settings, Size(40, 20), "instances list --json", "", &[]).await?;
    ensure!(serde_json::from_str::<serde_json::Value>(json.out.trim()).is_ok(), "{json:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_asked_and_anything_but_a_yes_is_a_no() -> anyhow::Result<()> {
    let house = House::start().await?;
    let settings = house.settings()?;
    house.provisioned(ID, &["www.example.gov"]).await?;
    let folder = house.sandbox.aws().state();
    let fix = "reconcile --fix";
    let said = on_terminal(&house, &settings, Size(200, 20), fix, "n\n", &[]).await?;
    let text = seen(&said).join("\n");
    ensure!(said.code == 1 && text.contains("[y/N]") && text.contains("nothing was done"), "{said:?}");
    let said = on_terminal(&house, &settings, Size(200, 20), fix, "yes\n", &[]).await?;
    let text = seen(&said).join("\n");
    ensure!(said.code == 0 && text.contains("[y/N]") && text.contains("Nothing differs"), "{said:?}");
    ensure!(house.sandbox.aws().state().distributions.len() == folder.distributions.len());
    Ok(())
}
