use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use crate::query::invalid;
use crate::{ErrorCode, Response};

/// No text in a required field is longer than this, in bytes.
const TEXT_LIMIT: usize = 255;

/// The JSON object in a body, and how it was written. What nobody takes out is ignored: fields are added to the
/// protocol by vendors and by later versions.
pub(crate) struct Body {
    pub(crate) text: String,
    fields: Map<String, Value>,
}

impl Body {
    /// Reads a body; whatever is not a JSON object is a `400`.
    pub(crate) fn read(content: &[u8]) -> Result<Self, Response> {
        let Ok(text) = str::from_utf8(content) else {
            return Err(invalid("The body is not UTF-8. Send a JSON object in UTF-8."));
        };
        match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => Ok(Self { text: text.to_owned(), fields }),
            Ok(_) => Err(invalid("The body is JSON, but not an object. Send a JSON object.")),
            Err(error) => Err(invalid(&format!("The body is not JSON: {error}. Send a JSON object."))),
        }
    }

    /// Takes out an object; `null` is as good as `{}`, and as absent.
    pub(crate) fn object(&mut self, name: &str) -> Result<Map<String, Value>, Response> {
        match self.fields.remove(name) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(object)) => Ok(object),
            Some(_) => Err(invalid(&format!(
                "The field {name} is not a JSON object. Send an object or leave it out."
            ))),
        }
    }

    /// Takes out `maintenance_info.version`. Nothing else in there concerns a broker.
    pub(crate) fn maintenance_version(&mut self) -> Result<Option<String>, Response> {
        match self.object("maintenance_info")?.remove("version") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(version)) => Ok(Some(version)),
            Some(_) => Err(invalid(
                "The field maintenance_info.version is not a string. Send a version or leave it out.",
            )),
        }
    }

    /// Takes out a text that must be there.
    pub(crate) fn required(&mut self, name: &str) -> Result<String, Response> {
        self.optional(name)?.ok_or_else(|| missing_field(name))
    }

    /// Takes out a text that may be absent or `null`, but not empty.
    pub(crate) fn optional(&mut self, name: &str) -> Result<Option<String>, Response> {
        match self.fields.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Err(missing_field(name)),
            Some(Value::String(text)) if is_storable(&text) => Ok(Some(text)),
            Some(Value::String(_)) => Err(invalid(&format!(
                "The field {name} has control characters or more than {TEXT_LIMIT} bytes. Send the platform's id."
            ))),
            Some(_) => Err(invalid(&format!("The field {name} is not a string. Send it as a string."))),
        }
    }
}

/// The `400` for a body that says of itself that it is something else.
pub(crate) fn expect_json(headers: &HeaderMap) -> Result<(), Response> {
    if is_json(headers) {
        return Ok(());
    }
    Err(invalid("The Content-Type is not application/json. Send a JSON object and say so."))
}

/// The `400` for a required field of a body.
fn missing_field(name: &str) -> Response {
    let sentence = format!("The field {name} is missing or empty. Send it in the body of the request.");
    Response::error(ErrorCode::MissingField, &sentence)
}

/// A body without a type is taken for JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else { return true };
    let media_type = value.to_str().ok().and_then(|value| value.split(';').next());
    media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json"))
}

/// Some databases refuse U+0000 in a text, which would be a 500 later on.
fn is_storable(text: &str) -> bool {
    text.len() <= TEXT_LIMIT && !text.chars().any(char::is_control)
}
