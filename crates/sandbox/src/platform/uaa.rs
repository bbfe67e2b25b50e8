//! UAA.
//!
//! | request | answer |
//! | --- | --- |
//! | `POST /oauth/token`, `grant_type=client_credentials` | a token for a client that shows its secret: as `client_id` and `client_secret` in the form, or by HTTP Basic |
//! | `POST /oauth/token`, `grant_type=authorization_code` | a token for a user, for a code that was given out |
//! | `GET /oauth/authorize` | sends whoever is signed in back with a code |

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode, header};
use serde_json::json;

use super::people;
use super::state::State;
use super::{Shared, Whole};
use crate::web::{self, Answer};

pub(super) fn answer(shared: &Shared, request: &Whole) -> Answer {
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/oauth/token") => token(&mut shared.state(), request),
        (_, "/oauth/authorize") => people::authorize(shared, request),
        (_, "/oauth/token") => refuse(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "use POST"),
        _ => refuse(StatusCode::NOT_FOUND, "not_found", "there is no such page"),
    }
}

fn token(state: &mut State, request: &Whole) -> Answer {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(request.body()).into_owned().collect();
    if form.get("grant_type").map(String::as_str) == Some("authorization_code") {
        return people::exchange(state, &form);
    }
    if form.get("grant_type").map(String::as_str) != Some("client_credentials") {
        return refuse(StatusCode::BAD_REQUEST, "unsupported_grant_type", "Unsupported grant type");
    }
    let shown =
        basic(request).or_else(|| Some((form.get("client_id")?.clone(), form.get("client_secret")?.clone())));
    let client =
        shown.and_then(|(id, secret)| state.clients.get(&id).filter(|client| client.secret == secret));
    let Some(client) = client else {
        return refuse(StatusCode::UNAUTHORIZED, "unauthorized", "Bad credentials");
    };
    let authorities = client.authorities.clone();
    let scope = authorities.join(" ");
    let token = state.issue_token(authorities);
    let answer = json!({
        "access_token": token,
        "token_type": "bearer",
        "expires_in": state.token_life,
        "scope": scope,
        "jti": token.trim_start_matches("token-"),
    });
    web::json(StatusCode::OK, &answer)
}

fn basic(request: &Whole) -> Option<(String, String)> {
    let header = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = header.split_once(' ')?;
    let decoded = STANDARD.decode(rest).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
}

pub(super) fn refuse(status: StatusCode, error: &str, why: &str) -> Answer {
    web::json(status, &json!({ "error": error, "error_description": why }))
}
