//! Child processes that do not outlive this one.

use std::fs::File;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::wait_for;

/// How much of a log an error quotes.
const QUOTED_LINES: usize = 20;

/// A running program whose output goes to a file. Dropping it kills it.
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
    _tether: Tether,
}

/// While its other end lives, so does the thread that the child was started from.
type Tether = mpsc::Sender<()>;

/// A command for `program` that the kernel kills when this process dies, however that comes about.
///
/// `setpriv` (of util-linux) asks the kernel for that, which this crate could do itself only with unsafe
/// code. Where there is none, what remains is the kill on drop.
pub(crate) async fn tethered(program: &Path) -> Command {
    let setpriv = Command::new("setpriv").arg("--version").stdout(Stdio::null()).status().await;
    if setpriv.is_ok_and(|status| status.success()) {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

/// A port of 127.0.0.1 that was free a moment ago, for a program that has to be told its port.
pub(crate) fn free_port() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

impl Process {
    /// Starts `command`; what it prints is appended to the file `log`.
    pub(crate) async fn start(name: &'static str, mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).kill_on_drop(true);
        let (child, tether) = spawn(command).await.with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name, child, log: log.to_owned(), _tether: tether })
    }

    /// Waits until `probe` answers true, or says why the program did not get there, quoting its log.
    pub(crate) async fn ready<F, Answer>(&mut self, bound: Duration, mut probe: F) -> anyhow::Result<()>
    where
        F: FnMut() -> Answer,
        Answer: Future<Output = bool>,
    {
        let what = format!("{} to answer", self.name);
        let (name, child) = (self.name, &mut self.child);
        let answered = wait_for(&what, bound, || {
            let exited = child.try_wait();
            let looking = probe();
            async move {
                match exited? {
                    Some(status) => bail!("{name} ended at once: {status}"),
                    None => Ok(looking.await.then_some(())),
                }
            }
        });
        let answered = answered.await;
        answered
            .map_err(|error| anyhow!("{error:#}\nThe last lines of {}:\n{}", self.log.display(), self.tail()))
    }

    /// Ends the program at once, as a crash would (SIGKILL), and waits for it. Success if it has ended before.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        if self.child.id().is_none() {
            return Ok(());
        }
        self.child.kill().await.with_context(|| format!("cannot kill {}", self.name))
    }

    /// Sends the program SIGKILL and does not wait for it. Success if it has ended before.
    pub(crate) fn kill_soon(&self) -> anyhow::Result<()> {
        self.pid().map_or(Ok(()), |id| Ok(kill_process(id, Signal::KILL)?))
    }

    /// Without an id it has ended and been waited for already.
    fn pid(&self) -> Option<Pid> {
        self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
    }

    /// Asks the program to end (SIGTERM) and waits for it, for at most `bound`.
    pub(crate) async fn terminate(&mut self, bound: Duration) -> anyhow::Result<()> {
        self.end_by(Signal::TERM, bound).await
    }

    /// Sends the program a signal that ends it, and waits for it, for at most `bound`.
    pub(crate) async fn end_by(&mut self, signal: Signal, bound: Duration) -> anyhow::Result<()> {
        if let Some(id) = self.pid() {
            kill_process(id, signal)?;
        }
        match tokio::time::timeout(bound, self.child.wait()).await {
            Ok(ended) => ended.map(drop).context("cannot wait for a child"),
            Err(_) => bail!("{} did not end within {bound:?} of {signal:?}:\n{}", self.name, self.tail()),
        }
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        self.child.wait().await.with_context(|| format!("cannot wait for {}", self.name))
    }

    fn tail(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(QUOTED_LINES)..).unwrap_or_default().join("\n")
    }
}

/// The kernel ties a child to the *thread* that started it, and threads of a runtime come and go: so each
/// child gets a thread of its own, which ends when its tether is dropped.
async fn spawn(mut command: Command) -> anyhow::Result<(Child, Tether)> {
    let runtime = Handle::current();
    let (started, start) = oneshot::channel::<io::Result<Child>>();
    let (tether, held) = mpsc::channel();
    thread::Builder::new().name("tether".to_owned()).spawn(move || {
        let _entered = runtime.enter();
        if started.send(command.spawn()).is_ok() {
            // Nothing is ever sent: this returns when the other end is gone.
            let _ = held.recv();
        }
    })?;
    Ok((start.await??, tether))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Duration = Duration::from_secs(30);

    async fn shell(script: &str, log: &Path) -> anyhow::Result<Process> {
        let mut command = tethered(Path::new("sh")).await;
        command.args(["-c", script]);
        Process::start("the shell", command, log).await
    }

    #[tokio::test]
    async fn a_program_that_ends_at_once_is_reported_with_its_last_words() {
        let state = tempfile::tempdir().unwrap();
        let mut broken = shell("echo no such thing >&2; exit 3", &state.path().join("log")).await.unwrap();
        let report = format!("{:#}", broken.ready(BOUND, || async { false }).await.unwrap_err());
        assert!(report.contains("exit status: 3") && report.contains("no such thing"), "{report}");
    }

    #[tokio::test]
    async fn a_program_is_asked_to_end_and_is_waited_for() {
        let state = tempfile::tempdir().unwrap();
        let log = state.path().join("log");
        let script = "trap 'echo ended; exit 0' TERM; echo up; while true; do read -r _ < /dev/null; done";
        let mut polite = shell(script, &log).await.unwrap();
        let up = || async { std::fs::read_to_string(&log).is_ok_and(|log| log.contains("up")) };
        polite.ready(BOUND, up).await.unwrap();
        polite.terminate(BOUND).await.unwrap();
        assert!(std::fs::read_to_string(&log).unwrap().contains("ended"));
        polite.terminate(BOUND).await.unwrap();
        polite.kill().await.unwrap();
    }
}
