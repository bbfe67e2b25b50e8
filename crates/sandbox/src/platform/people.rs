//! Users who sign on in their browsers. UAA's authorization code grant (RFC 6749, section 4.1) for the clients that Cloud Controller
//! makes for dashboards, and what Cloud Controller says its users may do with a service instance.
//!
//! Nobody types a password here: whoever is signed in to UAA is set from outside, and has allowed everything before.

use std::collections::BTreeMap;

use http::{Method, StatusCode, header};
use serde_json::json;

use super::error::Failure;
use super::state::State;
use super::uaa::refuse;
use super::{Shared, Whole};
use crate::web::{self, Answer};

/// The scope without which nobody is told what a user may do.
const SCOPE: &str = "cloud_controller_service_permissions.read";

/// What is known of the people.
#[derive(Default)]
pub(super) struct People {
    /// Who is signed in to UAA in every browser.
    pub(super) signed_in: Option<String>,
    /// The clients of dashboards, by id: secret, and where they send users back to.
    pub(super) dashboards: BTreeMap<String, (String, String)>,
    /// Manage and read, by user and instance.
    pub(super) permissions: BTreeMap<(String, String), (bool, bool)>,
    /// Codes that were given out and not taken: user, client, and where the user was sent back to.
    codes: BTreeMap<String, (String, String, String)>,
}

/// `GET /oauth/authorize`.
pub(super) fn authorize(shared: &Shared, request: &Whole) -> Answer {
    if *request.method() != Method::GET {
        return refuse(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "use GET");
    }
    let query = form(request.uri().query().unwrap_or_default().as_bytes());
    let asked = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let mut state = shared.state();
    let known = state.people.dashboards.get(asked("client_id"));
    let is_registered = known.is_some_and(|(_, back)| asked("redirect_uri") == back);
    if !is_registered || asked("response_type") != "code" {
        return refuse(StatusCode::BAD_REQUEST, "invalid_request", "Invalid client or redirect");
    }
    if !asked("scope").split(' ').any(|scope| scope == SCOPE) {
        return refuse(StatusCode::BAD_REQUEST, "invalid_scope", "Invalid scope");
    }
    let Some(user) = state.people.signed_in.clone() else {
        return web::html(
            StatusCode::OK,
            "<!DOCTYPE html><title>Login</title><main>Sign in</main>".to_owned(),
        );
    };
    let code = state.fresh_code();
    let (client, back) = (asked("client_id").to_owned(), asked("redirect_uri").to_owned());
    let pairs = [("code", code.as_str()), ("state", asked("state"))];
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let location = format!("{back}?{query}");
    state.people.codes.insert(code, (user, client, back));
    web::redirect(StatusCode::FOUND, &location)
}

/// `POST /oauth/token`, `grant_type=authorization_code`: each code once.
pub(super) fn exchange(state: &mut State, form: &BTreeMap<String, String>) -> Answer {
    let sent = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let client = state.people.dashboards.get(sent("client_id"));
    if client.is_none_or(|(secret, _)| secret != sent("client_secret")) {
        return refuse(StatusCode::UNAUTHORIZED, "unauthorized", "Bad credentials");
    }
    let found = state.people.codes.remove(sent("code"));
    let is_theirs = |(_, client, back): &(String, String, String)| {
        client == sent("client_id") && back == sent("redirect_uri")
    };
    let Some((user, ..)) = found.filter(is_theirs) else {
        return refuse(StatusCode::BAD_REQUEST, "invalid_grant", "Invalid authorization code");
    };
    let token = state.issue_token_to(&user, vec![SCOPE.to_owned(), "openid".to_owned()]);
    let answer = json!({
        "access_token": token,
        "token_type": "bearer",
        "expires_in": state.token_life,
        "scope": format!("{SCOPE} openid"),
    });
    web::json(StatusCode::OK, &answer)
}

/// `GET /v3/service_instances/GUID/permissions`.
pub(super) fn permissions(state: &State, request: &Whole, instance: &str) -> Result<Answer, Failure> {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|header| header.to_str().ok());
    let (_, token) =
        header.and_then(|header| header.split_once(' ')).ok_or_else(Failure::not_authenticated)?;
    let authorities = state.authorities(token).ok_or_else(Failure::invalid_token)?;
    if !authorities.iter().any(|scope| scope == SCOPE) {
        return Err(Failure::not_authorized());
    }
    let user = state.user(token).ok_or_else(Failure::not_authorized)?;
    let key = (user.to_owned(), instance.to_owned());
    let Some((manage, read)) = state.people.permissions.get(&key) else {
        return Err(Failure::not_found("Service instance"));
    };
    Ok(web::json(StatusCode::OK, &json!({"manage": manage, "read": read})))
}

fn form(text: &[u8]) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(text).into_owned().collect()
}
