pub(crate) mod rules;

use std::error::Error;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_cloudfront::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudfront::operation::RequestId as _;
use contract::{Obstacle, PortError, Remedy, Side, Upstream};

use self::rules::Stops;
use crate::pacing::NotYet;

/// The error of a port for a call to `upstream` at AWS that failed while `doing` something. The operator's message holds AWS's
/// code, message and request id; what was sent is in none of them.
pub(crate) fn port_error<E>(upstream: Upstream, doing: impl Into<String>, error: SdkError<E>) -> PortError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let request_id = error.request_id().map(str::to_owned);
    let class = class(&error);
    let Verdict { remedy, obstacle, for_tenant } = verdict(upstream, &error);
    let error =
        PortError::new(doing, remedy, cause(error)).with_request_id(request_id).of_class(Side::Aws, class);
    let error = match obstacle {
        Some(Obstacle { upstream, reach }) => error.stopping(upstream, reach),
        None => error,
    };
    match for_tenant {
        Some(sentence) => error.for_tenant(sentence),
        None => error,
    }
}

/// What kind of error it is: AWS's code, or else the status; without an answer, that.
fn class<E: ProvideErrorMetadata>(error: &SdkError<E>) -> String {
    match (error.code(), error.raw_response()) {
        (Some(code), _) => code.to_owned(),
        (None, Some(answer)) => format!("status-{}", answer.status().as_u16()),
        (None, None) => "no-answer".to_owned(),
    }
}

/// Whether AWS refused with this error code.
pub(crate) fn is<E: ProvideErrorMetadata>(error: &SdkError<E>, code: &str) -> bool {
    error.code() == Some(code)
}

/// AWS's refusal, in AWS's words.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
struct Refusal {
    code: String,
    message: String,
}

/// What is to be done about an error.
struct Verdict {
    remedy: Remedy,
    obstacle: Option<Obstacle>,
    for_tenant: Option<&'static str>,
}

fn verdict<E>(upstream: Upstream, error: &SdkError<E>) -> Verdict
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let (code, message) = (error.code().unwrap_or_default(), error.message().unwrap_or_default());
    let after = retry_after(error);
    let Some(rule) = rules::find(code, message) else {
        let (remedy, stops) = by_kind(error, after);
        return Verdict { remedy, obstacle: stops.at(upstream), for_tenant: None };
    };
    let remedy = match rule.remedy {
        Remedy::Retry { .. } => Remedy::Retry { after },
        other => other,
    };
    Verdict { remedy, obstacle: rule.obstacle(upstream), for_tenant: rule.for_tenant }
}

/// What an error without a rule says by its kind: an answer by its status, silence by who is silent.
fn by_kind<E: Error + 'static>(error: &SdkError<E>, after: Option<Duration>) -> (Remedy, Stops) {
    match error {
        SdkError::ServiceError(_) => by_status(status(error), after),
        // A proxy's answer, or half an answer: nothing is known about the effect of the call.
        SdkError::ResponseError(_) | SdkError::TimeoutError(_) => (Remedy::Retry { after }, Stops::Nothing),
        _ if not_yet(error).is_some() => (Remedy::Retry { after: not_yet(error) }, Stops::Nothing),
        _ if lacks_credentials(error) => (Remedy::AwaitOperator, Stops::Account),
        SdkError::DispatchFailure(_) => (Remedy::Retry { after: None }, Stops::Nothing),
        _ => (Remedy::GiveUp, Stops::Nothing),
    }
}

fn by_status(status: u16, after: Option<Duration>) -> (Remedy, Stops) {
    match status {
        429 | 500..=599 => (Remedy::Retry { after }, Stops::Nothing),
        401 | 403 => (Remedy::AwaitOperator, Stops::SameKind),
        _ => (Remedy::GiveUp, Stops::Nothing),
    }
}

/// How long until it is a call's turn that was not sent because it was not.
fn not_yet(error: &(dyn Error + 'static)) -> Option<Duration> {
    std::iter::successors(Some(error), |error| (*error).source())
        .find_map(|error| error.downcast_ref::<NotYet>())
        .map(|not_yet| not_yet.after)
}

/// Whether the call was never sent because no credentials were found, or bad ones. A credential service that does
/// not answer in time is not that.
fn lacks_credentials(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| (*error).source())
        .filter_map(|error| error.downcast_ref::<CredentialsError>())
        .any(|error| !matches!(error, CredentialsError::ProviderTimedOut(_)))
}

fn cause<E>(error: SdkError<E>) -> Box<dyn Error + Send + Sync>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match &error {
        SdkError::ServiceError(_) => Box::new(Refusal {
            code: error.code().map_or_else(|| format!("status {}", status(&error)), str::to_owned),
            message: error.message().unwrap_or("no message").to_owned(),
        }),
        _ => Box::new(error),
    }
}

fn status<E>(error: &SdkError<E>) -> u16 {
    error.raw_response().map_or(0, |response| response.status().as_u16())
}

/// RFC 9110, section 10.2.3, in its form with seconds; AWS does not use the other one.
fn retry_after<E>(error: &SdkError<E>) -> Option<Duration> {
    let seconds = error.raw_response()?.headers().get("retry-after")?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudfront::error::{ConnectorError, ErrorMetadata};
    use aws_sdk_s3::primitives::SdkBody;

    use super::*;

    const RETRY: Remedy = Remedy::Retry { after: None };

    type HttpResponse = aws_sdk_cloudfront::config::http::HttpResponse;

    fn refused(status: u16, code: &str, message: &str) -> PortError {
        let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
        response.headers_mut().insert("x-amzn-requestid", "r-1");
        let error = ErrorMetadata::builder().code(code).message(message).build();
        port_error(Upstream::Vault, "do it", SdkError::service_error(error, response))
    }

    #[test]
    fn each_refusal_has_its_remedy() {
        let table = [
            (400, "Throttling", "Rate exceeded", RETRY),
            (503, "SlowDown", "Please reduce your request rate.", RETRY),
            (500, "ServiceFailure", "", RETRY),
            (503, "SomethingNew", "", RETRY),
            (429, "SomethingNew", "", RETRY),
            (412, "PreconditionFailed", "", RETRY),
            (400, "TooManyInvalidationsInProgress", "", RETRY),
            (400, "PriorRequestNotComplete", "", RETRY),
            (409, "ResourceNotDisabled", "", RETRY),
            (400, "InvalidWebACLId", "", Remedy::AwaitOperator),
            (400, "InvalidErrorCode", "", Remedy::GiveUp),
            (404, "NoSuchCachePolicy", "", Remedy::GiveUp),
            (413, "BatchTooLarge", "", Remedy::GiveUp),
            (404, "NoSuchHostedZone", "No hosted zone found with ID: Z1", Remedy::AwaitOperator),
            (409, "DistributionNotDisabled", "", RETRY),
            (409, "DeleteConflict", "", RETRY),
            (404, "NoSuchDistribution", "", Remedy::StartOver),
            (403, "AccessDenied", "", Remedy::AwaitOperator),
            (403, "SomethingNew", "", Remedy::AwaitOperator),
            (403, "InvalidClientTokenId", "", Remedy::AwaitOperator),
            (400, "ExpiredToken", "", Remedy::AwaitOperator),
            (400, "TooManyDistributions", "", Remedy::AwaitOperator),
            (
                409,
                "LimitExceeded",
                "Cannot exceed quota for ServerCertificatesPerAccount: 20",
                Remedy::AwaitOperator,
            ),
            (404, "NoSuchBucket", "", Remedy::AwaitOperator),
            (400, "MalformedCertificate", "", Remedy::GiveUp),
            (400, "KeyPairMismatch", "", Remedy::GiveUp),
            (400, "InvalidArgument", "", Remedy::GiveUp),
            (400, "IllegalUpdate", "The CallerReference is immutable.", Remedy::GiveUp),
            (400, "IllegalUpdate", "Only one viewer certificate change may be in progress at a time.", RETRY),
        ];
        for (status, code, message, remedy) in table {
            assert_eq!(refused(status, code, message).remedy(), remedy, "{code} {message}");
        }
    }

    #[test]
    fn what_is_for_the_operator_says_what_else_it_stops() {
        use contract::Reach::{Everything, SameKind};
        let table = [
            (403, "ExpiredToken", "", Some((Upstream::Account, Everything))),
            (403, "InvalidClientTokenId", "", Some((Upstream::Account, Everything))),
            (403, "AccessDenied", "", Some((Upstream::Vault, SameKind))),
            (403, "SomethingNew", "", Some((Upstream::Vault, SameKind))),
            (409, "LimitExceeded", "", Some((Upstream::Vault, SameKind))),
            (404, "NoSuchBucket", "", Some((Upstream::Vault, Everything))),
            (400, "TooManyDistributionCNAMEs", "", None),
            (400, "Throttling", "", None),
        ];
        for (status, code, message, expected) in table {
            let obstacle = refused(status, code, message).obstacle();
            assert_eq!(obstacle.map(|one| (one.upstream, one.reach)), expected, "{code}");
        }
    }

    #[test]
    fn one_code_of_cloudfront_stands_for_waiting_and_for_a_fault() {
        let unknown = "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't \
                       include a valid certificate chain.";
        let missing = "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted \
                       certificate that validates your authorization to use the domain name.";
        let uncovered = "The certificate that is attached to your distribution doesn't cover the alternate domain name \
                         (CNAME) that you're trying to add.";
        assert_eq!(refused(400, "InvalidViewerCertificate", unknown).remedy(), RETRY);
        assert_eq!(refused(400, "InvalidViewerCertificate", missing).remedy(), Remedy::GiveUp);
        assert_eq!(refused(400, "InvalidViewerCertificate", uncovered).remedy(), Remedy::GiveUp);
    }

    #[test]
    fn a_name_that_is_in_use_elsewhere_is_for_the_tenant_to_free() {
        let held = "One or more of the CNAMEs you provided are already associated with a different resource.";
        let pointed = "One or more aliases specified for the distribution includes an incorrectly configured DNS \
                       record that points to another CloudFront distribution.";
        let held = refused(409, "CNAMEAlreadyExists", held);
        let pointed = refused(409, "CNAMEAlreadyExists", pointed);
        assert_eq!((held.remedy(), pointed.remedy()), (Remedy::AwaitTenant, Remedy::AwaitTenant));
        assert!(held.tenant_sentence().unwrap().contains("Detach it there"));
        assert!(pointed.tenant_sentence().unwrap().contains("Point the record"));
    }

    #[test]
    fn the_operator_reads_code_message_and_request_id() {
        let error = refused(403, "AccessDenied", "User is not authorized");
        assert_eq!(error.to_string(), "could not do it: AccessDenied: User is not authorized (request r-1)");
        assert_eq!(error.tenant_sentence(), None);
    }

    #[test]
    fn what_aws_asks_to_wait_is_handed_on() {
        let mut response = HttpResponse::new(503_u16.try_into().unwrap(), SdkBody::empty());
        response.headers_mut().insert("retry-after", "7");
        let error = SdkError::service_error(ErrorMetadata::builder().code("SlowDown").build(), response);
        let after = Some(Duration::from_secs(7));
        assert_eq!(port_error(Upstream::Vault, "do it", error).remedy(), Remedy::Retry { after });
    }

    #[test]
    fn silence_is_retried_but_missing_credentials_are_the_operators() {
        let lost: SdkError<ErrorMetadata> = SdkError::dispatch_failure(ConnectorError::io("reset".into()));
        assert_eq!(port_error(Upstream::Vault, "do it", lost).remedy(), RETRY);
        let late: SdkError<ErrorMetadata> = SdkError::timeout_error("too late");
        assert_eq!(port_error(Upstream::Vault, "do it", late).remedy(), RETRY);
        let after = Duration::from_secs(9);
        let early = ConnectorError::other(NotYet { after }.into(), None);
        let early: SdkError<ErrorMetadata> = SdkError::dispatch_failure(early);
        let early = port_error(Upstream::Vault, "do it", early);
        assert_eq!(early.remedy(), Remedy::Retry { after: Some(after) });
        let bare = ConnectorError::other(CredentialsError::not_loaded("no providers in chain").into(), None);
        let bare: SdkError<ErrorMetadata> = SdkError::dispatch_failure(bare);
        let bare = port_error(Upstream::Vault, "do it", bare);
        assert_eq!(bare.remedy(), Remedy::AwaitOperator);
        assert_eq!(bare.obstacle().map(|one| one.upstream), Some(Upstream::Account));
    }
}
