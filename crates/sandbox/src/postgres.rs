//! PostgreSQL: a server of one's own in a temporary folder.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::process::Command;

use crate::process::Process;

/// Where Debian puts the programs that are not on the PATH.
const DEBIAN: &str = "/usr/lib/postgresql/15/bin";

/// How long it may take to come up, recovery included, on a busy machine.
const START_BOUND: Duration = Duration::from_mins(1);

/// How long it may take to leave its clients alone.
const STOP_BOUND: Duration = Duration::from_secs(30);

/// Nobody needs what is in it after the machine has lost power. The socket lies in its own folder, so that there is no
/// port to fight for.
const SETTINGS: &[&str] =
    &["fsync=off", "full_page_writes=off", "listen_addresses=", "max_connections=200", "shared_buffers=32MB"];

/// A running PostgreSQL 15 with nothing in it. Dropping it stops it and removes its files.
///
/// It refuses to run as root; there it runs as the user `postgres`, whom Debian's package makes.
pub struct Postgres {
    folder: TempDir,
    process: Process,
}

impl Postgres {
    /// Makes a server and waits until it answers.
    ///
    /// Fails with the name of the package to install where PostgreSQL is missing, and with the last lines of its log
    /// where it does not come up.
    pub async fn start() -> anyhow::Result<Self> {
        ensure_installed().await?;
        let folder = TempDir::with_prefix("postgres")?;
        if is_root() {
            run(Command::new("chown").arg("postgres:").arg(folder.path())).await?;
        }
        let mut initdb = program("initdb", folder.path());
        initdb.args([
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]);
        run(initdb.arg("-D").arg(data(folder.path()))).await?;
        let process = launch(folder.path()).await?;
        Ok(Self { folder, process })
    }

    /// Makes an empty database, and gives its URL.
    pub async fn database(&self, name: &str) -> anyhow::Result<String> {
        let folder = self.folder.path();
        let mut createdb = program("createdb", folder);
        run(createdb.arg("-h").arg(folder).args(["-U", "postgres", name])).await?;
        Ok(format!("postgres://postgres@/{name}?host={}", folder.display()))
    }

    /// Runs a statement in a database, as the superuser, and gives the rows: columns separated by `|`.
    pub async fn ask(&self, database: &str, statement: &str) -> anyhow::Result<Vec<String>> {
        let mut psql = program("psql", self.folder.path());
        psql.arg("-h").arg(self.folder.path()).args(["-U", "postgres", "-d", database]);
        let said = run(psql.args(["-v", "ON_ERROR_STOP=1", "-qAtX", "-c", statement])).await?;
        Ok(said.lines().map(str::to_owned).collect())
    }

    /// Stops it at once, as a crash would: clients are cut off in the middle of what they do. What was committed stays.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        self.process.end_by(Signal::QUIT, STOP_BOUND).await
    }

    /// Starts it again with everything that was committed, and waits until it answers.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.stop().await?;
        self.process = launch(self.folder.path()).await?;
        Ok(())
    }
}

impl Drop for Postgres {
    /// A killed server would leave its shared memory behind, so it is asked; one that was stopped before has none.
    fn drop(&mut self) {
        let mut stop = program("pg_ctl", self.folder.path()).into_std();
        stop.args(["stop", "-w", "-m", "immediate", "-D"]).arg(data(self.folder.path()));
        drop(stop.stdout(Stdio::null()).stderr(Stdio::null()).status());
    }
}

async fn launch(folder: &Path) -> anyhow::Result<Process> {
    let mut server = program("postgres", folder);
    server.arg("-D").arg(data(folder)).arg("-k").arg(folder);
    server.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
    let mut process = Process::start("postgres", server, &folder.join("log")).await?;
    let answers = || async {
        let mut ask = program("pg_isready", folder);
        ask.arg("-q").arg("-h").arg(folder).status().await.is_ok_and(|status| status.success())
    };
    process.ready(START_BOUND, answers).await?;
    Ok(process)
}

/// A program of PostgreSQL that ends with this process, as a user who is not root.
fn program(name: &str, folder: &Path) -> Command {
    let program = path(name);
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
    }
    command.arg("--").arg(program).current_dir(folder);
    command
}

async fn ensure_installed() -> anyhow::Result<()> {
    let asked = Command::new(path("initdb")).arg("--version").stdout(Stdio::null()).status().await;
    asked.map(drop).context("PostgreSQL 15 is missing: install the Debian package `postgresql`")
}

fn path(name: &str) -> PathBuf {
    let debian = Path::new(DEBIAN).join(name);
    if debian.exists() { debian } else { name.into() }
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

async fn run(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stdin(Stdio::null()).output().await.with_context(|| format!("{command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}: {said}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
