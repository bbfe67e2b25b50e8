use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value};

use crate::text::plain;
use crate::{ErrorCode, OperationId, Response};

/// How an operation stands (OSB 2.17, "Polling Last Operation for Service Instances").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastOperationState {
    /// Not at its end yet.
    InProgress {
        /// When the platform is asked to come back: whole seconds, rounded up. Cloud Controller takes what lies
        /// between its own interval (60 s) and a day, and keeps it until told otherwise.
        retry_after: Option<Duration>,
    },
    /// Done.
    Succeeded,
    /// Given up.
    Failed(FailedOperation),
}

/// What has failed, and what the platform may be told about the instance then: the specification allows
/// `instance_usable` after a failed update or deprovision only, `update_repeatable` after a failed update only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedOperation {
    /// Creating the instance.
    Provision,
    /// Changing the instance.
    Update {
        /// Whether the instance still does what it did before.
        instance_usable: bool,
        /// Whether the same update may succeed when it is asked for again.
        update_repeatable: bool,
    },
    /// Deleting the instance.
    Deprovision {
        /// Whether the instance still does what it did before.
        instance_usable: bool,
    },
}

impl Response {
    /// 202: the instance is being created. A `dashboard_url` must be said here or never. Cloud Controller shows the
    /// `description` at once, before its first poll, although the specification does not mention it.
    ///
    /// The operation must have been stored before: Cloud Controller polls milliseconds later.
    pub fn provision_accepted(
        operation: &OperationId,
        dashboard_url: Option<&str>,
        description: Option<&str>,
    ) -> Self {
        Self::accepted(operation, dashboard_url, description)
    }

    /// 200: the same instance exists already.
    pub fn provisioned(dashboard_url: Option<&str>) -> Self {
        Self::json(StatusCode::OK, fields([("dashboard_url", dashboard_url.map(Into::into))]))
    }

    /// 202: the instance is being changed. Without a `dashboard_url` the old one stays.
    pub fn update_accepted(
        operation: &OperationId,
        dashboard_url: Option<&str>,
        description: Option<&str>,
    ) -> Self {
        Self::accepted(operation, dashboard_url, description)
    }

    /// 200: the instance is as the update wants it. Cloud Controller shows the `description`, although the specification
    /// does not mention it.
    pub fn updated(dashboard_url: Option<&str>, description: Option<&str>) -> Self {
        let body =
            [("dashboard_url", dashboard_url.map(Into::into)), ("description", description.map(sentence))];
        Self::json(StatusCode::OK, fields(body))
    }

    /// 202: the instance is being deleted.
    pub fn deprovision_accepted(operation: &OperationId) -> Self {
        Self::accepted(operation, None, None)
    }

    /// 410: there is no such instance any more, or there never was; for a platform that deletes, this is success.
    pub fn gone() -> Self {
        Self::json(StatusCode::GONE, Map::new())
    }

    /// 200: how an operation stands, with the whole text that the user is to read now. Line 1 should be a complete
    /// sentence: `cf service` prints it raw.
    pub fn last_operation(state: LastOperationState, description: &str) -> Self {
        let (state_name, fallback) = match state {
            LastOperationState::InProgress { .. } => ("in progress", "The operation is in progress."),
            LastOperationState::Succeeded => ("succeeded", "The operation has succeeded."),
            LastOperationState::Failed(_) => ("failed", "The operation has failed."),
        };
        let (usable, repeatable) = consequences(state);
        let response = Self::json(
            StatusCode::OK,
            fields([
                ("state", Some(state_name.into())),
                ("description", Some(plain(description, fallback).into())),
                ("instance_usable", usable.map(Value::Bool)),
                ("update_repeatable", repeatable.map(Value::Bool)),
            ]),
        );
        match state {
            LastOperationState::InProgress { retry_after: Some(wait) } => {
                response.with_header(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)))
            }
            _ => response,
        }
    }

    /// 200: the instance as it is. `parameters` is the effective configuration in the form that an update takes, without
    /// secrets.
    pub fn fetched(
        service_id: &str,
        plan_id: &str,
        parameters: &Map<String, Value>,
        dashboard_url: Option<&str>,
    ) -> Self {
        let body = [
            ("service_id", Some(service_id.into())),
            ("plan_id", Some(plan_id.into())),
            ("parameters", Some(Value::Object(parameters.clone()))),
            ("dashboard_url", dashboard_url.map(Into::into)),
        ];
        Self::json(StatusCode::OK, fields(body))
    }

    /// 429 instead of 401: the credentials are wrong, as too many were before. `wait` is how long to wait with the next ones.
    pub fn too_many_attempts(wait: Duration) -> Self {
        Self::error(
            ErrorCode::TooManyAttempts,
            "The credentials of the platform are wrong, as they were too often before. Register the broker again with the \
             right ones: those are let in at any time.",
        )
        .with_header(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)))
    }

    fn accepted(operation: &OperationId, dashboard_url: Option<&str>, description: Option<&str>) -> Self {
        let body = [
            ("operation", Some(operation.as_str().into())),
            ("dashboard_url", dashboard_url.map(Into::into)),
            ("description", description.map(sentence)),
        ];
        Self::json(StatusCode::ACCEPTED, fields(body))
    }
}

/// `instance_usable` and `update_repeatable`, where they may be said.
fn consequences(state: LastOperationState) -> (Option<bool>, Option<bool>) {
    match state {
        LastOperationState::Failed(FailedOperation::Update { instance_usable, update_repeatable }) => {
            (Some(instance_usable), Some(update_repeatable))
        }
        LastOperationState::Failed(FailedOperation::Deprovision { instance_usable }) => {
            (Some(instance_usable), None)
        }
        _ => (None, None),
    }
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

fn sentence(text: &str) -> Value {
    plain(text, "The broker has nothing to add.").into()
}

/// A JSON object of what is there: Cloud Controller refuses `null` where the specification allows it.
fn fields<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
