//! What a site answers where.

use anyhow::ensure;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::CHALLENGE_PATH;
use crate::web::{Answer, html, redirect};

/// What a site answers below a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteRule {
    /// What the path begins with. Of several rules the first that fits counts.
    pub path: String,
    /// The answer.
    pub answer: SiteAnswer,
}

/// An answer of a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SiteAnswer {
    /// A redirect to `to` with the rest of the path behind it, as a rule of a web server that keeps the suffix.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// What comes before the rest, with its scheme, host and port.
        to: String,
    },
    /// A redirect to exactly `to`.
    RedirectTo {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// The `Location`, taken as it is.
        to: String,
    },
    /// A page in HTML.
    Page {
        /// Any status.
        status: u16,
        /// The page.
        body: String,
    },
    /// Never.
    Hang,
    /// A page of so many bytes.
    Huge {
        /// How many.
        bytes: usize,
    },
}

impl SiteRule {
    /// A rule that sends ACME challenges to `to` (`CHALLENGE_URL/LABEL`, without a slash at the end), as users are told to.
    pub fn challenges_to(status: u16, to: &str) -> Self {
        let answer = SiteAnswer::Redirect { status, to: format!("{to}/") };
        Self { path: CHALLENGE_PATH.to_owned(), answer }
    }

    /// What a site has that knows nothing of ACME: no such page.
    pub(super) fn no_challenges() -> Self {
        let answer = SiteAnswer::Page { status: 404, body: "<h1>404 Not Found</h1>".to_owned() };
        Self { path: CHALLENGE_PATH.to_owned(), answer }
    }

    pub(super) fn check(&self) -> anyhow::Result<()> {
        let status = match &self.answer {
            SiteAnswer::Redirect { status, .. } | SiteAnswer::RedirectTo { status, .. } => {
                ensure!(matches!(status, 301 | 302 | 303 | 307 | 308), "{status} does not redirect");
                *status
            }
            SiteAnswer::Page { status, .. } => *status,
            SiteAnswer::Hang | SiteAnswer::Huge { .. } => 200,
        };
        StatusCode::from_u16(status)?;
        ensure!(self.path.starts_with('/'), "the path `{}` does not begin with a slash", self.path);
        Ok(())
    }
}

impl SiteAnswer {
    /// The answer to a path of which `rest` lies behind the rule's; nothing if it never comes.
    pub(super) fn give(&self, rest: &str) -> Option<Answer> {
        match self {
            Self::Redirect { status, to } => Some(redirect(code(*status), &format!("{to}{rest}"))),
            Self::RedirectTo { status, to } => Some(redirect(code(*status), to)),
            Self::Page { status, body } => Some(html(code(*status), body.clone())),
            Self::Huge { bytes } => Some(html(StatusCode::OK, "x".repeat(*bytes))),
            Self::Hang => None,
        }
    }
}

/// Rules are checked when they are set.
fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
