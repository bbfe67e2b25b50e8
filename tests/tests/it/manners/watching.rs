//! `--watch`, from pipes.

use std::process::Stdio;

use anyhow::{Context, ensure};
use sandbox::BrokerSettings;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use super::ID;
use crate::house::{BOUND, House, program};

/// A command that goes on.
struct Watching {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watching {
    fn begin(house: &House, settings: &BrokerSettings, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new(program("cdn-broker")?)
            .args(arguments)
            .env_clear()
            .envs(house.sandbox.broker_environment(settings))
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        Ok(Self { child, lines })
    }

    /// Reads until a line is as it is waited for.
    async fn until(&mut self, wanted: impl Fn(&str) -> bool) -> anyhow::Result<String> {
        timeout(BOUND, async {
            loop {
                let line = self.lines.next_line().await?.context("it has ended")?;
                if wanted(&line) {
                    return Ok(line);
                }
            }
        })
        .await
        .context("such a line does not come")?
    }

    /// Its exit code, when it ends by itself.
    async fn ended(&mut self) -> anyhow::Result<Option<i32>> {
        Ok(timeout(BOUND, self.child.wait()).await.context("it does not end")??.code())
    }

    /// Presses Ctrl-C.
    async fn interrupt(&mut self) -> anyhow::Result<Option<i32>> {
        let pid = self.child.id().context("it has ended")?.to_string();
        ensure!(Command::new("kill").args(["-INT", &pid]).status().await?.success());
        self.ended().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_is_watched_until_its_operation_ends() -> anyhow::Result<()> {
    let house = House::start().await?;
    let settings = house.settings()?;
    ensure!(house.provision(ID, json!({"domain": "www.example.gov"})).await?.status == 202);
    let mut people = Watching::begin(&house, &settings, &["instances", "show", "--watch", ID])?;
    let mut programs = Watching::begin(&house, &settings, &["instances", "show", "--watch", "--json", ID])?;
    people.until(|line| line.starts_with("instance ")).await?;
    programs.until(|line| line.contains("\"obtain-certificate\"")).await?;
    house.prove(ID, 1).await?;
    people.until(|line| line.starts_with("state") && line.contains("ready")).await?;
    let is_ready = |line: &str| {
        serde_json::from_str::<Value>(line).is_ok_and(|story| story["state"] == "ready" && story["id"] == ID)
    };
    programs.until(is_ready).await?;
    ensure!(people.ended().await? == Some(0) && programs.ended().await? == Some(0));

    // Nothing runs: there is nothing to wait for.
    let mut idle = Watching::begin(&house, &settings, &["instances", "show", "--watch", ID])?;
    idle.until(|line| line.contains("The certificate is good until")).await?;
    ensure!(idle.ended().await? == Some(0));
    let mut unknown = Watching::begin(&house, &settings, &["instances", "show", "--watch", "nobody"])?;
    ensure!(unknown.ended().await? == Some(1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_watched_until_ctrl_c() -> anyhow::Result<()> {
    let house = House::start().await?;
    let settings = house.settings()?;
    let mut list = Watching::begin(&house, &settings, &["instances", "list", "--watch"])?;
    list.until(|line| line.starts_with("ID ")).await?;
    ensure!(house.provision(ID, json!({"domain": "www.example.gov"})).await?.status == 202);
    list.until(|line| line.starts_with(ID) && line.contains("provisioning")).await?;
    house.prove(ID, 1).await?;
    list.until(|line| line.starts_with(ID) && line.contains("ready")).await?;
    ensure!(list.interrupt().await? == Some(0));
    Ok(())
}

/// An update that is given up while it is watched is no success.
#[tokio::test(flavor = "multi_thread")]
async fn what_fails_while_it_is_watched_is_exit_code_1() -> anyhow::Result<()> {
    let house = House::start().await?;
    let settings = house.settings()?;
    house.provisioned(ID, &["www.example.gov"]).await?;
    let parameters = json!({"domain": "www.example.gov,new.example.gov"});
    let body = json!({"service_id": crate::house::SERVICE_ID, "parameters": parameters});
    let path = format!("/v2/service_instances/{ID}?accepts_incomplete=true");
    ensure!(house.call(http::Method::PATCH, &path, Some(&body)).await?.status == 202);
    let mut watching = Watching::begin(&house, &settings, &["instances", "show", "--watch", ID])?;
    watching.until(|line| line.contains("new.example.gov")).await?;
    let ended = house.command(&settings, &["instances", "cancel", "--yes", ID]).await?;
    ensure!(ended.code == 0, "{ended:?}");
    ensure!(watching.ended().await? == Some(1));
    Ok(())
}
