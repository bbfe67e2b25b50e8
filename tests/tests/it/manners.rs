//! What all commands have in common, on the real program: help, exit codes, terminals, questions, completions, watching.

mod migrate;
pub(crate) mod schemas;
mod terminal;
mod watching;

use anyhow::ensure;
use serde_json::json;

use crate::house::{House, Printed, program};

const ID: &str = "3f1c9a52-0000-4000-8000-000000000901";

/// Runs the program in no environment at all.
fn bare(arguments: &[&str]) -> anyhow::Result<Printed> {
    let ended = std::process::Command::new(program("cdn-broker")?).args(arguments).env_clear().output()?;
    Ok(Printed {
        code: ended.status.code().unwrap_or(-1),
        out: String::from_utf8(ended.stdout)?,
        err: String::from_utf8(ended.stderr)?,
    })
}

/// The names of the commands below this one, as its help lists them.
fn below(help: &str) -> Vec<String> {
    let list =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = list.filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_help_has_an_example_and_its_exit_codes() -> anyhow::Result<()> {
    let helps = helps()?;
    for (command, help) in &helps {
        ensure!(help.contains("Example"), "no example in `{command} --help`:\n{help}");
        ensure!(help.contains("Exit codes: "), "no exit codes in `{command} --help`:\n{help}");
    }
    ensure!(helps.len() >= 25, "only {} commands were found", helps.len());
    Ok(())
}

/// The help of every command, by what is typed for it.
fn helps() -> anyhow::Result<Vec<(String, String)>> {
    let mut commands = vec![Vec::new()];
    let mut helps = Vec::new();
    while let Some(command) = commands.pop() {
        let arguments: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let help = bare(&arguments)?;
        ensure!(help.code == 0 && help.err.is_empty(), "{arguments:?}: {help:?}");
        commands.extend(below(&help.out).into_iter().map(|name| [command.clone(), vec![name]].concat()));
        helps.push((format!("cdn-broker {}", command.join(" ")).trim_end().to_owned(), help.out));
    }
    Ok(helps)
}

#[test]
fn wrong_command_lines_are_64_and_say_what_is_right() -> anyhow::Result<()> {
    for (wrong, told) in [
        (&["instances", "list", "--state", "broken"][..], "provision-failed"),
        (&["instances", "show"], "<ID>"),
        (&["instances", "show", "x", "--watch", "--link"], "cannot be used with"),
        (&["reconcile", "--yes"], "--fix"),
        (&["completions", "tcsh"], "bash, zsh, fish"),
        (&["nonsense"], "nonsense"),
    ] {
        let said = bare(wrong)?;
        ensure!(said.code == 64 && said.out.is_empty() && said.err.contains(told), "{wrong:?}: {said:?}");
    }
    // Without an environment each command that needs one says what is missing.
    let said = bare(&["instances", "list"])?;
    ensure!(said.code == 64 && said.err.contains("DATABASE_URL"), "{said:?}");
    Ok(())
}

/// The scripts of the shells that are there are run; the others are looked at.
#[test]
fn shells_complete_commands_and_options() -> anyhow::Result<()> {
    let bash = bare(&["completions", "bash"])?;
    ensure!(bash.code == 0, "{bash:?}");
    for (words, wanted) in [
        ("cdn-broker inst", "instances"),
        ("cdn-broker instances rec", "recreate"),
        ("cdn-broker instances list --wat", "--watch"),
    ] {
        let last = words.split(' ').count() - 1;
        let word = words.rsplit(' ').next().unwrap_or_default();
        let ask = format!(
            "{}\nCOMP_WORDS=({words}); COMP_CWORD={last}\n_cdn__broker cdn-broker {word} x\necho \"${{COMPREPLY[@]}}\"",
            bash.out
        );
        let told = std::process::Command::new("bash").args(["-c", &ask]).output()?;
        let told = String::from_utf8(told.stdout)?;
        ensure!(told.split_whitespace().any(|one| one == wanted), "{words}: {told}");
    }
    let zsh = bare(&["completions", "zsh"])?;
    ensure!(zsh.out.starts_with("#compdef cdn-broker") && zsh.out.contains("--watch"), "{zsh:?}");
    let fish = bare(&["completions", "fish"])?;
    ensure!(fish.out.contains("complete -c cdn-broker") && fish.out.contains("-l watch"), "{fish:?}");
    Ok(())
}

/// Where nobody can be asked, nothing is done that cannot be taken back.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_back_needs_a_yes() -> anyhow::Result<()> {
    let house = House::start().await?;
    let settings = house.settings()?;
    ensure!(house.provision(ID, json!({"domain": "www.example.gov"})).await?.status == 202);
    house.records(ID, 1).await?;
    for (command, question) in [
        (&["reconcile", "--fix"][..], "remove what this store has made"),
        (&["instances", "cancel", ID], "End what its user has asked for"),
        (&["instances", "show", "--revoke-link", ID], "worthless"),
    ] {
        let said = house.command(&settings, command).await?;
        ensure!(said.code == 64 && said.out.is_empty(), "{command:?}: {said:?}");
        ensure!(said.err.contains(question) && said.err.contains("--yes"), "{command:?}: {said:?}");
    }
    Ok(())
}
