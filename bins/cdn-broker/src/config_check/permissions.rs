//! Which of the permissions that the broker needs are missing, as a trial. What cannot be looked at is no failure: the broker
//! needs no permission to ask about permissions.

use std::time::Duration;

use cloudfront_core::{Examination, Grant, Standing, Unasked};
use serde_json::{Value, json};

use super::trials::{Outcome, Trial, no_answer};

/// The name of the trial.
pub(super) const WHAT: &str = "permissions";

/// What came of asking; `None` when there was no answer in time.
pub(super) fn trial(examination: Option<&Examination>, limit: Duration) -> Trial {
    let (outcome, details) = match examination {
        None => {
            let cure = "try again when AWS answers faster".to_owned();
            (Outcome::Unchecked { why: no_answer(limit), cure }, Vec::new())
        }
        Some(Examination { grants, unasked: Some(Unasked { why, cure }), .. }) => {
            let why = format!("{} actions were not checked: {why}", grants.len());
            let details = vec![format!("not checked: {}", names(&grants.iter().collect::<Vec<_>>()))];
            (Outcome::Unchecked { why, cure: cure.clone() }, details)
        }
        Some(examination) => answered(examination),
    };
    Trial { what: WHAT, outcome, details }
}

fn answered(examination: &Examination) -> (Outcome, Vec<String>) {
    let who = examination.principal.as_deref().unwrap_or_default();
    let grants = &examination.grants;
    let with = |matches: fn(&Standing) -> bool| -> Vec<&Grant> {
        grants.iter().filter(|grant| matches(&grant.standing)).collect()
    };
    let denied = with(|standing| matches!(standing, Standing::Denied(_)));
    let unknown = with(|standing| matches!(standing, Standing::Unknown(_)));
    let details = denied.iter().chain(&unknown).map(|grant| detail(grant)).collect();
    let all = grants.len();
    let outcome = if !denied.is_empty() {
        let why = format!("{who} may not do {} of {all} actions: {}", denied.len(), names(&denied));
        let cure =
            format!("grant them to {who}; `cdn-broker aws policy --principal ARN` prints the whole policy");
        Outcome::Failed { why, cure: cure.into() }
    } else if !unknown.is_empty() {
        let why =
            format!("of {who}, {} of {all} actions could not be told: {}", unknown.len(), names(&unknown));
        let cure = "compare the policies with what `cdn-broker aws policy` prints".to_owned();
        Outcome::Unchecked { why, cure }
    } else {
        Outcome::Fine(format!("{who} may do all {all} actions that the broker needs"))
    };
    (outcome, details)
}

fn names(grants: &[&Grant]) -> String {
    let names: Vec<&str> = grants.iter().map(|grant| grant.permission.action).collect();
    names.join(", ")
}

fn detail(grant: &Grant) -> String {
    let (_, why) = told(grant);
    format!("{} on {} ({})", grant.permission.action, grant.permission.resource, why.unwrap_or_default())
}

fn told(grant: &Grant) -> (&'static str, Option<&str>) {
    match &grant.standing {
        Standing::Allowed => ("allowed", None),
        Standing::Denied(why) => ("denied", Some(why)),
        Standing::Unknown(why) => ("unknown", Some(why)),
    }
}

/// Every permission, for programs.
pub(super) fn json(examination: &Examination) -> Vec<Value> {
    let one = |grant: &Grant| {
        let (verdict, why) = told(grant);
        json!({
            "action": grant.permission.action,
            "resource": grant.permission.resource,
            "purpose": grant.permission.purpose,
            "verdict": verdict,
            "why": why,
        })
    };
    examination.grants.iter().map(one).collect()
}
