//! Forgets an instance that the platform does not know any more.

use std::io::{BufRead as _, Write as _};

use broker::{Forgotten, LeftBehind, Operator};
use contract::{InstanceId, InstanceState};
use serde_json::json;

use super::{ActArgs, PurgeArgs, act, unknown, words};
use crate::cli::{complain, print};
use crate::{FAILED, OK};

/// How many times it is tried to forget an instance that a broker works on.
const TRIES: u32 = 60;

pub(super) async fn run(operator: &Operator, arguments: &PurgeArgs) -> anyhow::Result<u8> {
    let id = InstanceId::new(&arguments.id);
    let Some(story) = operator.story(&id).await? else { return Ok(unknown(&id)) };
    let names = words::comma_separated(&story.instance.settings.domains);
    let is_gone = story.instance.state == InstanceState::Gone;
    if !is_gone && !arguments.yes && !is_meant(&id, &names, arguments.keep_cloud) {
        complain("not what the instance is called: nothing was done");
        return Ok(FAILED);
    }
    if arguments.keep_cloud {
        return forget(operator, &id, arguments.json).await;
    }
    let act = ActArgs { id: arguments.id.clone(), no_wait: arguments.no_wait, json: arguments.json };
    act::run(operator, &act, Operator::purge).await
}

/// Asks for the id of the instance: nobody types that by mistake.
fn is_meant(id: &InstanceId, names: &str, keep_cloud: bool) -> bool {
    let what = if keep_cloud {
        "is forgotten here; its distribution and its certificates stay in AWS, and go on to serve"
    } else {
        "is deleted with its distribution and its certificates"
    };
    let _ = write!(std::io::stderr(), "Instance {id} for {names} {what}.\nType its id to go on: ");
    let mut typed = String::new();
    std::io::stdin().lock().read_line(&mut typed).is_ok() && typed.trim() == id.as_str()
}

/// Steps are short: a broker that is at work on the instance is waited for.
async fn forget(operator: &Operator, id: &InstanceId, as_json: bool) -> anyhow::Result<u8> {
    for _ in 0..TRIES {
        match operator.forget(id).await? {
            Forgotten::Done(left) => {
                print(&if as_json { to_json(id, &left) } else { to_text(id, &left) });
                return Ok(OK);
            }
            Forgotten::Refused(why) => return Ok(act::refused(&why, as_json)),
            Forgotten::Busy => act::nap().await,
        }
    }
    Ok(act::refused(&format!("a broker is at work on instance {id}; try again"), as_json))
}

fn to_json(id: &InstanceId, left: &LeftBehind) -> String {
    let certificates: Vec<&str> = left.certificates.iter().map(contract::VaultName::as_str).collect();
    let distribution = left.distribution.as_ref().map(contract::DistributionId::as_str);
    let left = json!({"distribution": distribution, "certificates": certificates});
    format!("{:#}", json!({"outcome": "forgotten", "id": id.as_str(), "left_behind": left}))
}

fn to_text(id: &InstanceId, left: &LeftBehind) -> String {
    let mut lines = vec![format!("instance {id} is forgotten")];
    lines.extend(
        left.distribution.as_ref().map(|it| format!("  its distribution {it} stays, and goes on to serve")),
    );
    lines.extend(left.certificates.iter().map(|it| format!("  its certificate {it} stays in IAM")));
    if lines.len() > 1 {
        lines.push(
            "`cdn-broker reconcile` reports them as orphans, and with --fix removes them after a day"
                .to_owned(),
        );
    }
    lines.join("\n")
}
