//! PostgreSQL for tests: a temporary cluster, shared by the tests that run at the same time and gone after the last
//! of them, or the server of `TEST_POSTGRES_URL`. Each test has a database of its own in it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use anyhow::{Context, ensure};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use tempfile::TempDir;

/// Where Debian puts the programs that are not on the PATH.
const DEBIAN: &str = "/usr/lib/postgresql/15/bin";
/// A test needs neither durability nor the network: the socket lies in the cluster's own folder, so that there is no
/// port to fight for.
const SERVER: &str = "-c fsync=off -c listen_addresses='' -c max_connections=200";

/// A database of its own. It is dropped with this value.
pub(crate) struct Database {
    pub(crate) url: String,
    name: String,
    server: String,
    _cluster: Option<Arc<Cluster>>,
}

impl Database {
    pub(crate) fn new() -> anyhow::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "tests may be pointed at a server that runs already")]
        match std::env::var("TEST_POSTGRES_URL") {
            Ok(server) => Self::create(server, None),
            Err(_) => Self::on(shared()?),
        }
    }

    pub(crate) fn on(cluster: Arc<Cluster>) -> anyhow::Result<Self> {
        Self::create(cluster.url("postgres"), Some(cluster))
    }

    fn create(server: String, cluster: Option<Arc<Cluster>>) -> anyhow::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("cdn_broker_test_{}_{number}", std::process::id());
        execute(&server, &format!("CREATE DATABASE {name}"))?;
        Ok(Self { url: with_database(&server, &name)?, name, server, _cluster: cluster })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let dropped = execute(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name));
        assert!(std::thread::panicking() || dropped.is_ok(), "{dropped:?}");
    }
}

pub(crate) fn execute(url: &str, statement: &str) -> anyhow::Result<()> {
    PgConnection::establish(url)?.batch_execute(statement).context(statement.to_owned())
}

fn with_database(url: &str, name: &str) -> anyhow::Result<String> {
    let (scheme, rest) = url.split_once("://").context("TEST_POSTGRES_URL is not a URL")?;
    let (rest, query) = rest.split_once('?').map_or((rest, String::new()), |(a, b)| (a, format!("?{b}")));
    let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
    Ok(format!("{scheme}://{authority}/{name}{query}"))
}

fn shared() -> anyhow::Result<Arc<Cluster>> {
    static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(cluster) = shared.upgrade() {
        return Ok(cluster);
    }
    let cluster = Arc::new(Cluster::new()?);
    *shared = Arc::downgrade(&cluster);
    Ok(cluster)
}

/// A running server. It is stopped with this value.
pub(crate) struct Cluster {
    folder: TempDir,
    programs: PathBuf,
}

impl Cluster {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let programs = PathBuf::from(if Path::new(DEBIAN).is_dir() { DEBIAN } else { "" });
        Command::new(programs.join("initdb")).arg("--version").output().context(
            "PostgreSQL 15 is missing: install the Debian package `postgresql`, or set TEST_POSTGRES_URL",
        )?;
        let cluster = Self { folder: TempDir::new()?, programs };
        if is_root()? {
            run(Command::new("chown").arg("postgres:").arg(cluster.folder.path()))?;
        }
        let data = cluster.data();
        run(cluster
            .program("initdb")?
            .args(["--auth=trust", "--username=postgres", "--no-sync", "-D"])
            .arg(data))?;
        cluster.start()?;
        Ok(cluster)
    }

    pub(crate) fn start(&self) -> anyhow::Result<()> {
        let folder = self.folder.path();
        let options = format!("{SERVER} -c unix_socket_directories={}", folder.display());
        let mut start = self.program("pg_ctl")?;
        start.args(["start", "-w", "-D"]).arg(self.data()).arg("-o").arg(options);
        run(start.arg("-l").arg(folder.join("log"))).with_context(|| {
            fs::read_to_string(folder.join("log")).unwrap_or_else(|error| format!("no log: {error}"))
        })
    }

    pub(crate) fn stop(&self) -> anyhow::Result<()> {
        run(self.program("pg_ctl")?.args(["stop", "-w", "-m", "immediate", "-D"]).arg(self.data()))
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@/{database}?host={}", self.folder.path().display())
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// PostgreSQL refuses to run as root; then it runs as the user that its package has made.
    fn program(&self, name: &str) -> anyhow::Result<Command> {
        let program = self.programs.join(name);
        let mut command = if is_root()? {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path());
        Ok(command)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stopped = self.stop();
        assert!(std::thread::panicking() || stopped.is_ok(), "{stopped:?}");
    }
}

fn is_root() -> anyhow::Result<bool> {
    Ok(fs::metadata("/proc/self")?.uid() == 0)
}

/// Output goes to a file that nobody keeps: a server that inherited a pipe would hold it open.
fn run(command: &mut Command) -> anyhow::Result<()> {
    let mut said = tempfile::tempfile()?;
    let status = command.stdout(said.try_clone()?).stderr(said.try_clone()?).status();
    let status = status.with_context(|| format!("{command:?}"))?;
    std::io::Seek::rewind(&mut said)?;
    ensure!(status.success(), "{command:?}: {status}: {}", std::io::read_to_string(said)?);
    Ok(())
}
