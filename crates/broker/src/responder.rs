//! Answers the certificate authority: `GET /.well-known/acme-challenge/PLACE/TOKEN` (RFC 8555, section 8.3), where PLACE
//! is the label of a tenant and a name, or the name itself. Users' sites and the operator's front end redirect here, so
//! that nobody needs credentials.

use std::time::Duration;

use bytes::Bytes;
use contract::ChallengeAnswers;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};

const PATH: &str = "/.well-known/acme-challenge/";
/// How the probe knows that an answer came from here, and for whom.
const RESPONDER: HeaderName = HeaderName::from_static("x-acme-responder");
/// The authority gives up after ten seconds; whoever asks should hear before that it is our fault.
const TIME: Duration = Duration::from_secs(5);
/// A DNS name has no more characters.
const LONGEST_PLACE: usize = 253;
/// Tokens have 43 characters today.
const LONGEST_TOKEN: usize = 256;

/// The start of a token that nobody's challenge has: `cdn-broker config check` asks for one, to see that what users and front
/// ends redirect arrives here.
const SELF_TEST: &str = "cdn-broker-self-test-";

/// What is answered to a token of a self-test; `None` for any other. It proves nothing to an authority, whose answers end in the
/// thumbprint of an account's key (RFC 8555, section 8.1).
pub fn self_test_answer(token: &str) -> Option<String> {
    let is_one = token.len() <= LONGEST_TOKEN && token.starts_with(SELF_TEST);
    is_one.then(|| format!("{token}.self-test"))
}

/// A token for a self-test, made of some random text.
pub fn self_test_token(random: &str) -> String {
    format!("{SELF_TEST}{random}")
}

/// Whether a request is for the responder and not for the API.
pub(crate) fn is_meant(path: &str) -> bool {
    path.starts_with(PATH)
}

/// The answer to a request below the challenge path. What is not the answer to an open challenge is 404; when the
/// database does not answer in time it is 503, because nothing can be concluded from that.
pub(crate) async fn answer(answers: &dyn ChallengeAnswers, method: &Method, path: &str) -> Response<Bytes> {
    let asks = matches!(*method, Method::GET | Method::HEAD);
    let Some((place, token)) = question(path).filter(|_| asks) else { return not_found() };
    if let Some(answer) = self_test_answer(token) {
        return found(&place, answer);
    }
    match tokio::time::timeout(TIME, answers.answer(&place, token)).await {
        Ok(Ok(Some(answer))) => found(&place, answer),
        Ok(Ok(None)) => not_found(),
        Ok(Err(error)) => {
            tracing::warn!(%error, challenge.place = place, "could not answer a challenge");
            unavailable()
        }
        Err(_) => {
            tracing::warn!(challenge.place = place, "the database was too slow to answer a challenge");
            unavailable()
        }
    }
}

/// Place and token. A front end may hand on a host as it came: in capitals, with a port.
fn question(path: &str) -> Option<(String, &str)> {
    let (place, token) = path.strip_prefix(PATH)?.split_once('/')?;
    let place = place.split(':').next().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    let in_place = |b: u8| b.is_ascii_alphanumeric() || b"-.".contains(&b);
    let in_token = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    let fits = |text: &str, longest| !text.is_empty() && text.len() <= longest;
    let sound = fits(&place, LONGEST_PLACE)
        && fits(token, LONGEST_TOKEN)
        && place.bytes().all(in_place)
        && token.bytes().all(in_token);
    sound.then_some((place, token))
}

fn found(place: &str, answer: String) -> Response<Bytes> {
    let mut response = plain(StatusCode::OK, answer.into());
    if let Ok(place) = HeaderValue::from_str(place) {
        response.headers_mut().insert(RESPONDER, place);
    }
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    response
}

fn not_found() -> Response<Bytes> {
    refusal(StatusCode::NOT_FOUND, "NotFound", "There is no such challenge now.")
}

fn unavailable() -> Response<Bytes> {
    refusal(
        StatusCode::SERVICE_UNAVAILABLE,
        "Unavailable",
        "The database does not answer. Try again in a moment.",
    )
}

fn refusal(status: StatusCode, error: &str, description: &str) -> Response<Bytes> {
    plain(status, serde_json::json!({ "error": error, "description": description }).to_string().into())
}

fn plain(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
