//! The broker's process, started by hand: to see how soon it answers, and what it uses.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use sandbox::BrokerSettings;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::clock::{Stopwatch, pause};
use crate::house::{House, program};

/// How long it may take until it listens.
const BOUND: Duration = Duration::from_secs(30);

/// Processor time is counted in hundredths of a second on every Linux (`USER_HZ`, proc(5)).
const TICK: Duration = Duration::from_millis(10);

/// What the manifest, the unit for systemd and the image set beside the variables of the broker.
const MALLOC: (&str, &str) = ("MALLOC_ARENA_MAX", "1");

/// A running broker. Dropping it kills it.
pub(crate) struct Broker {
    pub(crate) address: SocketAddr,
    /// From the start of the program until its port accepted a connection.
    pub(crate) started_in: Duration,
    child: Child,
    id: u32,
}

impl Broker {
    /// The program with these settings, in a house whose sandbox it may ask.
    pub(crate) async fn start(house: &House, settings: &BrokerSettings) -> anyhow::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, settings.port));
        let log = File::options().create(true).append(true).open(house.sandbox.state().join("bench.log"))?;
        let mut command = Command::new(binary()?);
        command.arg("serve").env_clear().envs(house.sandbox.broker_environment(settings)).envs([MALLOC]);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
        let watch = Stopwatch::start();
        let mut child = command.spawn()?;
        let id = child.id().context("the broker has ended at once")?;
        while TcpStream::connect(address).await.is_err() {
            ensure!(child.try_wait()?.is_none() && watch.elapsed() < BOUND, "the broker does not come up");
            pause(Duration::from_millis(1)).await;
        }
        Ok(Self { address, started_in: watch.elapsed(), child, id })
    }

    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// The processor time it has used until now, of all its threads.
    pub(crate) fn processor_time(&self) -> anyhow::Result<Duration> {
        let stat = fs::read_to_string(self.proc("stat"))?;
        // The name in parentheses may hold blanks. What follows begins with field 3; user and system time are 14 and 15.
        let fields = stat.rsplit_once(')').context("/proc/PID/stat has no name")?.1.split_whitespace();
        let ticks = fields.skip(11).take(2).map(str::parse::<u32>).sum::<Result<u32, _>>()?;
        Ok(TICK * ticks)
    }

    /// The memory it holds now, in MiB.
    pub(crate) fn resident(&self) -> anyhow::Result<f64> {
        self.memory("VmRSS:")
    }

    /// The most memory it has ever held, in MiB.
    pub(crate) fn most_resident(&self) -> anyhow::Result<f64> {
        self.memory("VmHWM:")
    }

    fn memory(&self, line: &str) -> anyhow::Result<f64> {
        memory(self.id, line)
    }

    fn proc(&self, file: &str) -> PathBuf {
        proc(self.id, file)
    }
}

/// The most memory that a process has ever held, in MiB.
pub(crate) fn most_resident(process: u32) -> anyhow::Result<f64> {
    memory(process, "VmHWM:")
}

fn memory(process: u32, line: &str) -> anyhow::Result<f64> {
    let status = fs::read_to_string(proc(process, "status"))?;
    let found = status.lines().find_map(|of_status| of_status.strip_prefix(line));
    let line = found.with_context(|| format!("/proc/PID/status has no line {line}"))?;
    let kibibytes: u32 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(f64::from(kibibytes) / 1024.0)
}

fn proc(process: u32, file: &str) -> PathBuf {
    Path::new("/proc").join(process.to_string()).join(file)
}

/// The program that lies beside this one.
pub(crate) fn binary() -> anyhow::Result<PathBuf> {
    program("cdn-broker").context("`make bench` builds it")
}
