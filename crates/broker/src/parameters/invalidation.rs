//! `invalidate`: the paths whose content is to be fetched from the origin anew. It is done once and is no setting.

use serde_json::{Map, Value};

use super::{ParameterError, texts, wrong};

/// The longest path that CloudFront takes.
pub(super) const LONGEST: usize = 4000;

/// Enough for a person; whoever needs more means `/*`.
pub(super) const MOST: usize = 100;

/// Takes the paths out of the parameters of an update; none if there are none.
pub(crate) fn take(parameters: &mut Map<String, Value>) -> Result<Vec<String>, ParameterError> {
    let Some(value) = parameters.remove("invalidate").filter(|value| !value.is_null()) else {
        return Ok(Vec::new());
    };
    let paths = texts(&value, "invalidate", "a list of paths such as `/index.html` or `/images/*`")?;
    if paths.is_empty() || paths.len() > MOST {
        return Err(ParameterError::new(format!(
            "The parameter `invalidate` has {} paths; give 1 to {MOST}, or `/*` for everything.",
            paths.len()
        )));
    }
    let checked = paths.into_iter().map(|path| checked(path).map(str::to_owned));
    checked.collect()
}

/// What CloudFront takes: an absolute path, encoded as in a URL, with a star at its end at most.
fn checked(path: &str) -> Result<&str, ParameterError> {
    let star = path.find('*').is_some_and(|at| at + 1 < path.len());
    let allowed = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&b);
    let reason = if !path.starts_with('/') {
        "does not begin with `/`"
    } else if star {
        "has a `*` that is not at its end"
    } else if path.len() > LONGEST {
        "is longer than 4000 characters"
    } else if !path.bytes().all(allowed) {
        "contains a character that must be percent-encoded"
    } else {
        return Ok(path);
    };
    Err(wrong("invalidate", path, reason))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Result<Vec<String>, String> {
        let mut parameters = Map::from_iter([("invalidate".to_owned(), value.clone())]);
        let paths = take(&mut parameters).map_err(|mistake| mistake.to_string());
        assert!(parameters.is_empty(), "it is no setting");
        paths
    }

    #[test]
    fn paths_are_taken_out_of_the_parameters() {
        assert_eq!(
            read(&json!(["/", "/a/b.html?x=1", "/img/*"])),
            Ok(vec!["/".to_owned(), "/a/b.html?x=1".to_owned(), "/img/*".to_owned()])
        );
        assert_eq!(read(&json!(null)), Ok(Vec::new()));
    }

    #[test]
    fn a_mistake_names_the_path() {
        let many: Vec<String> = (0..101).map(|i| format!("/{i}")).collect();
        for (value, part) in [
            (json!("/"), "`\"/\"`"),
            (json!([7]), "`7`"),
            (json!([]), "0 paths"),
            (json!(many), "101 paths"),
            (json!(["a"]), "`a`"),
            (json!(["/*/b"]), "`/*/b`"),
            (json!(["/a b"]), "`/a b`"),
            (json!(["/bücher"]), "`/bücher`"),
        ] {
            let sentence = read(&value).expect_err("a mistake");
            assert!(sentence.contains(part), "{value}: {sentence}");
        }
    }
}
