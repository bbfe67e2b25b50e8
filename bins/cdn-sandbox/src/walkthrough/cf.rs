//! The command line of `cf`, as far as the document uses it, and the forms in which version 8 prints.

use clap::Parser;
use serde_json::Value;

use crate::platform::{ORGANIZATION_NAME, SPACE_NAME};

/// Who works on the platform.
pub(super) const OPERATOR: &str = "admin";
pub(super) const DEVELOPER: &str = "dana";

/// The id of any job of the platform.
const JOB: &str = "b1f6c6f0-8f0e-4a53-9c2b-7e6f8a9b0c1d";

/// One command.
#[derive(Debug, Parser)]
#[command(name = "cf", no_binary_name = true)]
pub(super) enum Cf {
    CreateServiceBroker {
        name: String,
        username: String,
        password: String,
        url: String,
    },
    EnableServiceAccess {
        offering: String,
    },
    CreateService {
        offering: String,
        plan: String,
        name: String,
        #[arg(short)]
        configuration: String,
    },
    Service {
        name: String,
        #[arg(long)]
        params: bool,
    },
    Services,
    UpdateService {
        name: String,
        #[arg(short)]
        configuration: String,
    },
    DeleteService {
        name: String,
        #[arg(short, required = true)]
        force: bool,
    },
    DeleteServiceBroker {
        name: String,
        #[arg(short, required = true)]
        force: bool,
    },
}

/// What is shown of a service instance.
pub(super) struct Details<'a> {
    pub(super) name: &'a str,
    pub(super) guid: &'a str,
    pub(super) broker: &'a str,
    /// The offering, as it stands in the catalog.
    pub(super) offering: &'a Value,
    /// The plan, likewise.
    pub(super) plan: &'a Value,
    pub(super) dashboard_url: &'a str,
    pub(super) status: String,
    pub(super) message: &'a str,
    pub(super) started: &'a str,
    pub(super) updated: &'a str,
}

/// `cf service NAME`.
pub(super) fn details(shown: &Details<'_>) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let properties = table(
        "",
        &[
            ("name:", shown.name),
            ("guid:", shown.guid),
            ("type:", "managed"),
            ("broker:", shown.broker),
            ("offering:", &text(&shown.offering["name"])),
            ("plan:", &text(&shown.plan["name"])),
            ("tags:", ""),
            ("offering tags:", ""),
            ("description:", &text(&shown.offering["description"])),
            ("documentation:", &text(&shown.offering["metadata"]["documentationUrl"])),
            ("dashboard url:", shown.dashboard_url),
        ],
    );
    let operation = table(
        "   ",
        &[
            ("status:", &shown.status),
            ("message:", shown.message),
            ("started:", shown.started),
            ("updated:", shown.updated),
        ],
    );
    format!(
        "Showing info of service {} {}\n\n{properties}\n\n\
         Showing status of last operation:\n{operation}\n\n\
         Showing bound apps:\n   There are no bound apps for this service instance.\n\n\
         Showing sharing info:\n   This service instance is not currently being shared.\n\n   \
         Service instance sharing is disabled for this service offering.\n\n\
         Showing upgrade status:\n   Upgrades are not supported by this broker.",
        shown.name,
        place()
    )
}

/// Where a developer is.
pub(super) fn place() -> String {
    format!("in org {ORGANIZATION_NAME} / space {SPACE_NAME} as {DEVELOPER}...")
}

/// Two columns, three blanks between them.
fn table(indent: &str, rows: &[(&str, &str)]) -> String {
    let width = rows.iter().map(|(key, _)| key.len()).max().unwrap_or_default() + 3;
    let lines = rows.iter().map(|(key, value)| format!("{indent}{key:width$}{value}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// How a command ends whose job has failed on the platform.
pub(super) fn failed(message: &str) -> String {
    format!("Job ({JOB}) failed: {message}\nFAILED")
}
