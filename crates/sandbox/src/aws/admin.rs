//! The paths below `/_sandbox/`: what tests in another process use to look at this cloud and to trouble it.
//!
//! `GET state`, `GET journal`, `POST clock {"advance_s":n}`, `POST faults`, `POST outage {"op","kind"}`, `POST heal`,
//! `POST release`, `POST settings {"deploy_ms":n,"certificate_quota":n,"rules":[…],…}`, `POST hold-elsewhere {"alias"}`,
//! `POST let-go-elsewhere {"alias"}`, `GET held[?timeout_ms=n]` (waits until a call is held), `POST trust` with a PEM text.

use std::time::Duration;

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::faults::{Fault, Outage};
use super::message::{Answer, Request};
use super::server::Shared;
use super::state;
use super::world::Adjustment;

const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_s: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Alias {
    alias: String,
}

pub(super) async fn answer(shared: &Shared, request: &Request) -> Answer {
    let path = request.path().trim_start_matches("/_sandbox/");
    let done = match (&request.method, path) {
        (&Method::GET, "state") => Ok(Answer::json(200, &state::summary(&shared.world()))),
        (&Method::GET, "journal") => Ok(Answer::json(200, &shared.world().journal)),
        (&Method::GET, "held") => Ok(held(shared, request).await),
        (&Method::POST, "clock") => advance(shared, request),
        (&Method::POST, "faults") => plan(shared, request),
        (&Method::POST, "trust") => trust(shared, request),
        (&Method::POST, "settings") => adjust(shared, request),
        (&Method::POST, "outage") => break_down(shared, request),
        (&Method::POST, "hold-elsewhere") => elsewhere(shared, request, true),
        (&Method::POST, "let-go-elsewhere") => elsewhere(shared, request, false),
        (&Method::POST, "heal") => {
            shared.faults.heal();
            Ok(Answer::new(204))
        }
        (&Method::POST, "release") => {
            shared.faults.release();
            Ok(Answer::new(204))
        }
        _ => return Answer::json(404, &json!({"error": "there is no such page"})),
    };
    done.unwrap_or_else(|error| Answer::json(400, &json!({"error": error.to_string()})))
}

/// Waits for a held call; an empty list if none came in time.
async fn held(shared: &Shared, request: &Request) -> Answer {
    let asked = request.query("timeout_ms").and_then(|timeout| timeout.parse().ok());
    let patience = asked.map_or(PATIENCE, Duration::from_millis);
    let held = tokio::time::timeout(patience, shared.faults.reached()).await.unwrap_or_default();
    Answer::json(200, &json!({"held": held}))
}

fn advance(shared: &Shared, request: &Request) -> anyhow::Result<Answer> {
    let advance: Advance = serde_json::from_slice(&request.body)?;
    shared.world().clock.advance(Duration::from_secs(advance.advance_s));
    Ok(Answer::new(204))
}

fn adjust(shared: &Shared, request: &Request) -> anyhow::Result<Answer> {
    let change: Adjustment = serde_json::from_slice(&request.body)?;
    shared.world().settings.adjust(&change);
    Ok(Answer::new(204))
}

fn plan(shared: &Shared, request: &Request) -> anyhow::Result<Answer> {
    let fault: Fault = serde_json::from_slice(&request.body)?;
    shared.faults.add(fault);
    Ok(Answer::new(204))
}

fn break_down(shared: &Shared, request: &Request) -> anyhow::Result<Answer> {
    let outage: Outage = serde_json::from_slice(&request.body)?;
    shared.faults.break_down(outage);
    Ok(Answer::new(204))
}

fn elsewhere(shared: &Shared, request: &Request, holds: bool) -> anyhow::Result<Answer> {
    let Alias { alias } = serde_json::from_slice(&request.body)?;
    let held = &mut shared.world().cloudfront.held_elsewhere;
    if holds {
        held.insert(alias)
    } else {
        held.remove(&alias)
    };
    Ok(Answer::new(204))
}

fn trust(shared: &Shared, request: &Request) -> anyhow::Result<Answer> {
    shared.world().trust(std::str::from_utf8(&request.body)?)?;
    Ok(Answer::new(204))
}
