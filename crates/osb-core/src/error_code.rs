use std::fmt;

use http::StatusCode;

/// The `error` of an error body (OSB 2.17, "Service Broker Errors"): one word for machines, and with it the status.
///
/// Of the codes that travel with `422` only those are here that the specification itself names: Cloud Controller takes
/// any other `422` on a provision for a broken broker and deletes the instance. What an update may say besides is in
/// [`UpdateRefusal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// 400: the path, the query or the body cannot be read.
    InvalidRequest,
    /// 400: a field that the specification requires is absent or empty.
    MissingField,
    /// 400: the catalog has no such service, or the service no such plan.
    UnknownServiceOrPlan,
    /// 400: the user's `parameters` are not acceptable.
    InvalidParameters,
    /// 400: this broker has no bindings.
    BindingNotSupported,
    /// 401: the credentials are missing or wrong.
    Unauthorized,
    /// 404: there is no such instance, binding or path.
    NotFound,
    /// 405: the path is known, the method is not for it.
    MethodNotAllowed,
    /// 408: the request did not arrive in time.
    RequestTimeout,
    /// 409: an instance with this id exists and differs.
    InstanceConflict,
    /// 412: the header `X-Broker-API-Version` is missing or names a version that is not spoken here.
    ApiVersionNotSupported,
    /// 413: the body is too large.
    RequestTooLarge,
    /// 422: the platform must offer asynchronous operations.
    AsyncRequired,
    /// 422: another operation on this instance is in progress.
    ConcurrencyError,
    /// 422: the platform's idea of the plan's `maintenance_info` is not the catalog's.
    MaintenanceInfoConflict,
    /// 429: wrong credentials have come too often. It is for these alone: whoever has the right ones never reads it.
    TooManyAttempts,
    /// 500: a defect in the broker.
    InternalError,
    /// 503: something the broker depends on does not answer; asking again later can succeed.
    Unavailable,
}

impl ErrorCode {
    /// The word, exactly as it goes over the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "InvalidRequest",
            Self::MissingField => "MissingField",
            Self::UnknownServiceOrPlan => "UnknownServiceOrPlan",
            Self::InvalidParameters => "InvalidParameters",
            Self::BindingNotSupported => "BindingNotSupported",
            Self::Unauthorized => "Unauthorized",
            Self::NotFound => "NotFound",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::RequestTimeout => "RequestTimeout",
            Self::InstanceConflict => "InstanceConflict",
            Self::ApiVersionNotSupported => "ApiVersionNotSupported",
            Self::RequestTooLarge => "RequestTooLarge",
            Self::AsyncRequired => "AsyncRequired",
            Self::ConcurrencyError => "ConcurrencyError",
            Self::MaintenanceInfoConflict => "MaintenanceInfoConflict",
            Self::TooManyAttempts => "TooManyAttempts",
            Self::InternalError => "InternalError",
            Self::Unavailable => "Unavailable",
        }
    }

    /// The status that goes with it.
    pub fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest
            | Self::MissingField
            | Self::UnknownServiceOrPlan
            | Self::InvalidParameters
            | Self::BindingNotSupported => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::InstanceConflict => StatusCode::CONFLICT,
            Self::ApiVersionNotSupported => StatusCode::PRECONDITION_FAILED,
            Self::RequestTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::AsyncRequired | Self::ConcurrencyError | Self::MaintenanceInfoConflict => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an update cannot be made (OSB 2.17, "Updating a Service Instance", `422`). For wrong parameter values there is
/// [`ErrorCode::InvalidParameters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateRefusal {
    /// The plan of this instance cannot be changed to the one asked for.
    PlanChangeNotSupported,
    /// The change is not supported, or not in the state the instance is in.
    UpdateNotSupported,
}

impl UpdateRefusal {
    /// The word, exactly as it goes over the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PlanChangeNotSupported => "PlanChangeNotSupported",
            Self::UpdateNotSupported => "UpdateNotSupported",
        }
    }
}
