use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::process::{Process, tethered};

/// How long the broker may take until it listens: migrations and a first call to each upstream.
const START_BOUND: Duration = Duration::from_secs(30);

/// How long it may take to drain after SIGTERM.
const STOP_BOUND: Duration = Duration::from_mins(1);

/// The real `cdn-broker serve`, started with a given environment and nothing else. Dropping it kills it.
pub struct BrokerProcess {
    binary: PathBuf,
    environment: Vec<(String, String)>,
    log: PathBuf,
    address: SocketAddr,
    process: Process,
}

impl BrokerProcess {
    /// Starts the program and waits until its port accepts connections.
    ///
    /// `environment` is all it sees, and has to name its `PORT`; what it prints is appended to the file `log`. When it
    /// ends instead, or does not listen within half a minute, the error quotes the end of that file.
    pub async fn start(
        binary: &Path,
        environment: Vec<(String, String)>,
        log: PathBuf,
    ) -> anyhow::Result<Self> {
        let port =
            environment.iter().find(|(name, _)| name == "PORT").context("the environment names no PORT")?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.1.parse().context("PORT is not a port")?));
        let process = launch(binary, &environment, &log, address).await?;
        Ok(Self { binary: binary.to_owned(), environment, log, address, process })
    }

    /// The base URL of its API, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends it as a crash would (SIGKILL) and waits until it is gone.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill().await
    }

    /// Sends it SIGKILL and does not wait: it dies while it is doing something else.
    pub fn kill_soon(&self) -> anyhow::Result<()> {
        self.process.kill_soon()
    }

    /// Asks it to end (SIGTERM) and waits until it has drained. A second call is success.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        self.process.terminate(STOP_BOUND).await
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        self.process.ended().await
    }

    /// Starts it again with the same environment, and kills it before if it still runs.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.process.kill().await?;
        self.process = launch(&self.binary, &self.environment, &self.log, self.address).await?;
        Ok(())
    }
}

async fn launch(
    binary: &Path,
    environment: &[(String, String)],
    log: &Path,
    address: SocketAddr,
) -> anyhow::Result<Process> {
    let mut command: Command = tethered(binary).await;
    command.arg("serve").env_clear().envs(environment.iter().cloned());
    let mut process = Process::start("cdn-broker", command, log).await?;
    process.ready(START_BOUND, || async move { TcpStream::connect(address).await.is_ok() }).await?;
    Ok(process)
}
