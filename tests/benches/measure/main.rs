//! Measurements of the whole service, on this machine, now: `make bench`, or `make bench ARGS="acme http"` for some.
//!
//! Nothing is asserted. One table for people goes to standard output, progress to standard error, and everything as
//! JSON to `target/bench.json`. `docs/OPERATIONS.md` says how to read the numbers.

mod acme;
mod bare;
mod broker;
mod census;
mod checks;
mod clock;
mod databases;
mod http;
mod import;
mod latency;
mod list;
mod load;
mod pages;
mod process;
mod provision;
mod report;
mod seed;
mod stats;
mod tick;
mod waiting;

#[expect(dead_code, reason = "the tests' harness; not all of it is needed here")]
#[path = "../../tests/it/house.rs"]
mod house;

#[expect(dead_code, reason = "that of the tests; not all of it is needed here")]
#[path = "../../tests/it/import/old_world.rs"]
mod old_world;

use std::process::ExitCode;

use crate::report::{Report, say};

/// What can be measured, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    /// Certificates per second of acme-core, beside instant-acme alone.
    Acme,
    /// From a visible TXT record to a served domain.
    Latency,
    /// A thousand instances that wait for their users, and how soon a proof is noticed among them.
    Waiting,
    /// A thousand instances asked for at once.
    Provision,
    /// Requests per second of the API.
    Http,
    /// A thousand open pages.
    Pages,
    /// Two thousand instances of an earlier broker, with AWS a long way off.
    Import,
    /// Memory, start-up, size.
    Process,
    /// The cost of a worker that finds nothing to do.
    Tick,
    /// What it costs to count everything for `/metrics`.
    Census,
    /// What the checks cost: whoever uses the service, and the machine.
    Checks,
    /// The list of a hundred thousand instances.
    List,
}

impl Section {
    const ALL: [Self; 12] = [
        Self::Acme,
        Self::Latency,
        Self::Waiting,
        Self::Provision,
        Self::Http,
        Self::Pages,
        Self::Import,
        Self::Process,
        Self::Tick,
        Self::Census,
        Self::Checks,
        Self::List,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Acme => "acme",
            Self::Latency => "latency",
            Self::Waiting => "waiting",
            Self::Provision => "provision",
            Self::Http => "http",
            Self::Pages => "pages",
            Self::Import => "import",
            Self::Process => "process",
            Self::Tick => "tick",
            Self::Census => "census",
            Self::Checks => "checks",
            Self::List => "list",
        }
    }

    async fn measure(self, report: &mut Report) -> anyhow::Result<()> {
        say(&format!("measuring {}", self.name()));
        report.begin(self.name());
        match self {
            Self::Acme => acme::measure(report).await,
            Self::Latency => latency::measure(report).await,
            Self::Waiting => waiting::measure(report).await,
            Self::Provision => provision::measure(report).await,
            Self::Http => http::measure(report).await,
            Self::Pages => pages::measure(report).await,
            Self::Import => Box::pin(import::measure(report)).await,
            Self::Process => process::measure(report).await,
            Self::Tick => tick::measure(report).await,
            Self::Census => census::measure(report).await,
            Self::Checks => checks::measure(report).await,
            Self::List => list::measure(report).await,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let sections = match wanted(std::env::args().skip(1)) {
        Ok(sections) => sections,
        Err(message) => {
            say(&message);
            return ExitCode::from(64);
        }
    };
    let mut report = Report::default();
    let mut complete = true;
    for section in sections {
        if let Err(error) = section.measure(&mut report).await {
            say(&format!("{}: {error:#}", section.name()));
            complete = false;
        }
    }
    if let Err(error) = report.publish() {
        say(&format!("{error:#}"));
        complete = false;
    }
    if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The sections that are named; all, if none is. `cargo bench` adds an option of its own, which is not for us.
fn wanted(arguments: impl Iterator<Item = String>) -> Result<Vec<Section>, String> {
    let names: Vec<String> = arguments.filter(|argument| !argument.starts_with("--")).collect();
    let known = |name: &str| Section::ALL.iter().copied().find(|section| section.name() == name);
    if let Some(unknown) = names.iter().find(|name| known(name).is_none()) {
        let all = Section::ALL.map(Section::name).join(", ");
        return Err(format!("`{unknown}` is none of {all}"));
    }
    let chosen = |section: &Section| names.is_empty() || names.iter().any(|name| name == section.name());
    Ok(Section::ALL.into_iter().filter(chosen).collect())
}
