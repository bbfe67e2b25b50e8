//! What was asked of the emulated cloud, in order. Tests read it to prove "exactly one upload" or "no write after
//! delete"; it holds no secrets.

use serde::{Deserialize, Serialize};

/// One call, in the order in which the calls took effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// Counts from 1 without gaps.
    pub sequence: u64,
    /// When, in milliseconds since the Unix epoch on the emulator's clock.
    pub time_ms: i64,
    /// The account of whoever called.
    #[serde(default)]
    pub account: String,
    /// `cloudfront`, `iam`, `route53`, `s3` or `sts`.
    pub service: String,
    /// The operation by the name it has in the API, such as `CreateDistributionWithTags`.
    pub op: String,
    /// The id or name that the call was about: a distribution, control, zone or change of
    /// records by id, a certificate by name, an object as
    /// `bucket/key`. Empty if there is none.
    pub resource: String,
    /// The caller reference that a distribution was to be created with; empty for every other operation.
    #[serde(default)]
    pub reference: String,
    /// The HTTP status that the service decided on; 0 if the connection ended before it decided anything. A client may
    /// have seen something else: see `fault`.
    pub status: u16,
    /// The error code, if the call was refused.
    pub error: Option<String>,
    /// The names a distribution was to have after this call; empty for every other operation.
    pub aliases: Vec<String>,
    /// The server certificate id a distribution was to have after this call, or that an upload was given.
    pub certificate: Option<String>,
    /// The record changes that were asked for, such as `UPSERT _acme-challenge.x.example.net TXT "value"`.
    #[serde(default)]
    pub changes: Vec<String>,
    /// The planned fault that met this call, such as `after reset`: the effect stands, the answer was lost.
    pub fault: Option<String>,
}
