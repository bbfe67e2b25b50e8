use crate::{ErrorCode, Response};

/// No id is longer than this, in characters.
const ID_LIMIT: usize = 255;

/// The query of a request. Names and values are decoded when they are looked for, exactly once; what nobody looks for
/// is ignored, however broken.
#[derive(Clone, Copy)]
pub(crate) struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    pub(crate) fn new(raw: Option<&'a str>) -> Self {
        Self(raw.unwrap_or(""))
    }

    /// The value of a parameter; `None` without it. An unreadable one, and one given twice, is a `400`.
    pub(crate) fn find(self, name: &str) -> Result<Option<String>, Response> {
        let mut values = self.values(name);
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(invalid(&format!(
                "The query parameter {name} is given more than once. Send it once."
            )));
        }
        let value = decode_form(value);
        value
            .map(Some)
            .ok_or_else(|| invalid(&format!("The query parameter {name} is not percent-encoded UTF-8.")))
    }

    /// The first readable value of a parameter, where nothing may be refused.
    pub(crate) fn any(self, name: &str) -> Option<String> {
        self.values(name).find_map(decode_form)
    }

    fn values(self, name: &str) -> impl Iterator<Item = &'a str> {
        let pairs = self.0.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.filter(move |(key, _)| decode_form(key).is_some_and(|key| key == name)).map(|(_, value)| value)
    }
}

/// The id in a path segment: decoded once, then 1 to 255 unreserved characters of RFC 3986 (OSB 2.17, "URL Properties").
pub(crate) fn instance_id(segment: &str) -> Result<String, Response> {
    decode(segment).filter(|id| is_id(id)).ok_or_else(|| {
        invalid("The id of the service instance is not 1 to 255 of the characters A-Z a-z 0-9 - . _ ~.")
    })
}

/// Whether a text is an id as this crate takes them.
pub(crate) fn is_id(text: &str) -> bool {
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    (1..=ID_LIMIT).contains(&text.len()) && text.bytes().all(unreserved)
}

pub(crate) fn invalid(description: &str) -> Response {
    Response::error(ErrorCode::InvalidRequest, description)
}

/// Platforms encode queries as HTML forms do: a space may be a `+`.
fn decode_form(text: &str) -> Option<String> {
    decode(&text.replace('+', " "))
}

/// Percent-decodes once; `None` for a `%` without two hexadecimal digits, and for what is not UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut out = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.as_bytes().split_at_checked(2)?;
        out.push(hex(digits[0])? << 4 | hex(digits[1])?);
        out.extend_from_slice(rest);
    }
    String::from_utf8(out).ok()
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
