use serde::{Deserialize, Serialize};

use super::{Policies, Wish};

/// How requests are passed on, and how long answers are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behaviour {
    /// Request headers forwarded, sorted, canonical form; `*` alone means all. Nothing is said by them where policies
    /// are in force.
    pub headers: Vec<String>,
    /// Cookies forwarded. Nothing is said by them where policies are in force.
    pub cookies: Cookies,
    /// Seconds for which an answer is kept whose origin does not say; one day by default. Nothing is said by it where
    /// policies are in force.
    #[serde(default)]
    pub default_ttl: Wish<u32>,
    /// Policies of the CDN's own, in the place of headers, cookies and time.
    #[serde(default)]
    pub policies: Wish<Policies>,
    /// Whether edges compress what the origin has not; no by default.
    #[serde(default)]
    pub compress: Wish<bool>,
    /// Whether browsers are told to come over HTTPS only (RFC 6797); no by default.
    #[serde(default)]
    pub hsts: Wish<bool>,
}

/// Which cookies are forwarded to the origin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cookies {
    /// Every cookie.
    #[default]
    All,
    /// No cookie.
    None,
    /// These cookies only, sorted; never empty.
    Only(Vec<String>),
}
