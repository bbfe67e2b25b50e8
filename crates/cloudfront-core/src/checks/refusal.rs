use std::error::Error;
use std::fmt;

use aws_sdk_cloudfront::error::{ProvideErrorMetadata, SdkError};
use contract::{PortResult, Remedy, Upstream};

use crate::classify::{port_error, rules};

/// What AWS said to a request, where both answers say something about its rules.
#[derive(Debug)]
pub(super) enum Said<T> {
    /// It did it.
    Yes(T),
    /// It would not.
    No(Refusal),
}

/// A refusal in AWS's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) message: String,
    request_id: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        self.request_id.as_ref().map_or(Ok(()), |id| write!(f, " (request {id})"))
    }
}

/// What an answer says about the rules. Silence, a throttle, a server's error, and what only the operator can remove (a
/// quota, a permission) say nothing about them: they are errors of the port.
pub(super) fn said<T, E>(upstream: Upstream, doing: &str, sent: Result<T, SdkError<E>>) -> PortResult<Said<T>>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match sent {
        Ok(answer) => Ok(Said::Yes(answer)),
        Err(error) => refused(upstream, doing, error).map(Said::No),
    }
}

fn refused<E>(upstream: Upstream, doing: &str, error: SdkError<E>) -> PortResult<Refusal>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let code = error.code().unwrap_or_default().to_owned();
    let message = error.message().unwrap_or("no message").to_owned();
    let is_service = matches!(error, SdkError::ServiceError(_));
    let error = port_error(upstream, doing, error);
    let is_a_rule = is_service
        && (400..500).contains(&status)
        && status != 429
        && !rules::is_throttle(&code)
        && error.remedy() != Remedy::AwaitOperator;
    if !is_a_rule {
        return Err(error);
    }
    Ok(Refusal { code, message, request_id: error.request_id().map(str::to_owned) })
}
