//! The one style sheet and the one script. Each is named after its content, so that browsers keep it for ever.

use std::sync::LazyLock;

use bytes::Bytes;
use http::Response;
use sha2::{Digest, Sha256};

use super::{paths, replies};

struct Asset {
    name: String,
    kind: &'static str,
    content: &'static str,
}

static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("page.css", "text/css; charset=utf-8", include_str!("assets/page.css")));
static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("page.js", "text/javascript; charset=utf-8", include_str!("assets/page.js")));

impl Asset {
    fn new(file: &str, kind: &'static str, content: &'static str) -> Self {
        let digest = Sha256::digest(content.as_bytes());
        let digest = digest.iter().take(8).fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        Self { name: format!("{digest}/{file}"), kind, content }
    }
}

/// Where the style sheet is found.
pub(super) fn style() -> String {
    paths::asset(&STYLE.name)
}

/// Where the script is found.
pub(super) fn script() -> String {
    paths::asset(&SCRIPT.name)
}

/// What is found under a name.
pub(super) fn find(name: &str) -> Option<Response<Bytes>> {
    let asset = [&*STYLE, &*SCRIPT].into_iter().find(|asset| asset.name == name)?;
    Some(replies::forever(asset.kind, asset.content))
}
