//! Errors in the form of Cloud Controller's v3 API.

use http::StatusCode;
use serde_json::json;

use crate::web::{self, Answer};

/// One error: status, code and title belong together.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    code: u32,
    title: &'static str,
    detail: String,
}

impl Failure {
    pub(super) fn not_authenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 10002, "CF-NotAuthenticated", "Authentication error")
    }

    pub(super) fn invalid_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 1000, "CF-InvalidAuthToken", "Invalid Auth Token")
    }

    pub(super) fn not_authorized() -> Self {
        let detail = "You are not authorized to perform the requested action";
        Self::new(StatusCode::FORBIDDEN, 10003, "CF-NotAuthorized", detail)
    }

    pub(super) fn bad_query(detail: impl Into<String>) -> Self {
        let detail = format!("The query parameter is invalid: {}", detail.into());
        Self::new(StatusCode::BAD_REQUEST, 10005, "CF-BadQueryParameter", detail)
    }

    pub(super) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, 10008, "CF-UnprocessableEntity", detail)
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, 10010, "CF-ResourceNotFound", format!("{what} not found"))
    }

    pub(super) fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, 10000, "CF-NotFound", "Unknown request")
    }

    fn new(status: StatusCode, code: u32, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, title, detail: detail.into() }
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        let Failure { status, code, title, detail } = failure;
        web::json(status, &json!({ "errors": [{ "code": code, "title": title, "detail": detail }] }))
    }
}
