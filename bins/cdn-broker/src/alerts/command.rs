//! `cdn-broker alerts`: whether messages arrive, and what was told to whom.

use std::sync::Arc;

use clap::{Args, Subcommand};
use contract::{
    Clock, Dispatch, DispatchState, Incident, IncidentStore, InstanceId, Letter, Messenger, Notice, Outbox,
    Parcel, Report, Turn,
};
use serde_json::{Value, json};

use super::messengers;
use crate::cli::{complain, print};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::instances::words::rfc3339;
use crate::{FAILED, OK, command, wire};

#[derive(Subcommand)]
pub(crate) enum AlertsCommand {
    /// Send a test message to every target of alerts, and say what has become of it.
    #[command(
        after_help = "Example:\n  cdn-broker alerts test\n\nIt needs no database. Exit codes: 0 every target has taken \
        it, 1 one has not, or there is none, 64 wrong command line or environment."
    )]
    Test(TestArgs),
    /// List what the operators were told of, and what was delivered where.
    #[command(after_help = "Example:\n  cdn-broker alerts list --all --json | jq .subject\n\n\
        Exit codes: 0 listed, 1 it could not be done, 64 wrong command line or environment.")]
    List(ListArgs),
}

#[derive(Args)]
pub(crate) struct TestArgs {
    /// A letter to this e-mail address too, as tenants get them.
    #[arg(long)]
    letter_to: Option<String>,
    /// One JSON object a line, for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct ListArgs {
    /// What is over too.
    #[arg(long)]
    all: bool,
    /// How many, the latest ones.
    #[arg(long, default_value_t = 50)]
    most: u32,
    /// One JSON object a line, for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &AlertsCommand) -> u8 {
    command::run(async |config| match command {
        AlertsCommand::Test(arguments) => test(config, arguments).await,
        AlertsCommand::List(arguments) => list(config, arguments).await,
    })
}

async fn test(config: &Config, arguments: &TestArgs) -> anyhow::Result<u8> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let notices = test_notices(arguments, clock.as_ref());
    let (mut tried, mut failed) = (0, 0);
    for messenger in messengers(&config.alerts, &clock)? {
        for notice in notices.iter().filter(|notice| messenger.takes(notice)) {
            tried += 1;
            failed += u32::from(!tell(messenger.as_ref(), notice, clock.as_ref(), arguments.json).await);
        }
    }
    if arguments.letter_to.is_some() && config.alerts.mail.is_none() {
        complain("no letter can be sent: SMTP_URL is not set");
        failed += 1;
    }
    if tried == 0 {
        complain(
            "no target is set up: alerts are in the log and in the database only (ALERT_WEBHOOK_URL, SMTP_URL)",
        );
    }
    Ok(if tried == 0 || failed > 0 { FAILED } else { OK })
}

fn test_notices(arguments: &TestArgs, clock: &dyn Clock) -> Vec<Notice> {
    let now = clock.now();
    let report = Notice::Incident(Report {
        turn: Turn::Test,
        subject: "cdn-broker alerts test".to_owned(),
        message: "Nothing is wrong: somebody wants to know whether alerts arrive here.".to_owned(),
        side: None,
        affected: Vec::new(),
        opened_at: now,
        at: now,
    });
    let letter = arguments.letter_to.clone().map(|to| {
        let text = "Nothing is wrong: somebody wants to know whether letters arrive here.".to_owned();
        Notice::Letter(Letter { to, subject: "Test of the CDN service".to_owned(), text })
    });
    [Some(report), letter].into_iter().flatten().collect()
}

async fn tell(messenger: &dyn Messenger, notice: &Notice, clock: &dyn Clock, as_json: bool) -> bool {
    let about = format!("test-{}", clock.now().as_millis());
    let parcel = Parcel { id: format!("{about}-1"), about, notice: notice.clone() };
    let error = messenger.deliver(&parcel).await.err().map(|error| error.to_string());
    let target = messenger.target();
    print(&match (&error, as_json) {
        (_, true) => json!({"target": target, "delivered": error.is_none(), "error": error}).to_string(),
        (None, false) => format!("{target}: delivered"),
        (Some(error), false) => format!("{target}: {error}"),
    });
    error.is_none()
}

async fn list(config: &Config, arguments: &ListArgs) -> anyhow::Result<u8> {
    let store = wire::store(config).await?;
    let incidents = IncidentStore::list(store.as_ref(), !arguments.all, arguments.most).await?;
    for incident in &incidents {
        let dispatches = store.about(incident.id.as_str()).await?;
        print(&if arguments.json {
            as_json(incident, &dispatches).to_string()
        } else {
            as_text(incident, &dispatches)
        });
    }
    if incidents.is_empty() && !arguments.json {
        print(if arguments.all { "There was no incident." } else { "No incident is open." });
    }
    Ok(OK)
}

fn as_json(incident: &Incident, dispatches: &[Dispatch]) -> Value {
    json!({
        "id": incident.id.as_str(),
        "subject": incident.subject,
        "message": incident.message,
        "side": incident.side.map(contract::Side::word),
        "affected": incident.affected.iter().map(InstanceId::as_str).collect::<Vec<_>>(),
        "opened_at": rfc3339(incident.opened_at),
        "last_at": rfc3339(incident.last_at),
        "raised": incident.raised,
        "closed_at": incident.closed_at.map(rfc3339),
        "deliveries": dispatches.iter().map(delivery).collect::<Vec<_>>(),
    })
}

fn delivery(dispatch: &Dispatch) -> Value {
    json!({
        "number": dispatch.number,
        "change": change(dispatch),
        "target": dispatch.target,
        "state": state(dispatch.state),
        "attempts": dispatch.attempts,
        "created_at": rfc3339(dispatch.created_at),
        "next_at": (dispatch.state == DispatchState::Waiting).then(|| rfc3339(dispatch.next_at)),
        "ended_at": dispatch.ended_at.map(rfc3339),
        "error": dispatch.error,
    })
}

fn as_text(incident: &Incident, dispatches: &[Dispatch]) -> String {
    let until = incident.closed_at.map(|closed| format!(", until {closed}")).unwrap_or_default();
    let side = incident.side.map(|side| format!(", probable side: {side}")).unwrap_or_default();
    let mut lines = vec![
        format!("{}", incident.subject),
        format!("  since {}{until}, times raised: {}{side}", incident.opened_at, incident.raised),
        format!("  {}", incident.message),
    ];
    if !incident.affected.is_empty() {
        let affected: Vec<&str> = incident.affected.iter().map(InstanceId::as_str).collect();
        lines.push(format!("  instances: {}", affected.join(", ")));
    }
    lines.extend(dispatches.iter().map(|dispatch| {
        let error = dispatch.error.as_deref().map(|error| format!(": {error}")).unwrap_or_default();
        let (state, tries) = (state(dispatch.state), dispatch.attempts);
        format!("  -> {} to {}: {state}, tries: {tries}{error}", change(dispatch), dispatch.target)
    }));
    lines.join("\n")
}

fn change(dispatch: &Dispatch) -> &'static str {
    match &dispatch.notice {
        Notice::Incident(report) => report.turn.word(),
        Notice::Letter(_) => "letter",
    }
}

fn state(state: DispatchState) -> &'static str {
    match state {
        DispatchState::Waiting => "waiting",
        DispatchState::Delivered => "delivered",
        DispatchState::GivenUp => "given-up",
    }
}
