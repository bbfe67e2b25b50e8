use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::PortResult;

/// What a key for sealing is to this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStanding {
    /// The first one: it seals.
    First,
    /// It opens what was sealed under it.
    Configured,
    /// It is not configured: what is sealed under it does not open.
    Missing,
}

/// A key for sealing, and what is sealed under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealingKeyUse {
    /// The name that sealed values carry.
    pub name: String,
    /// What it is to this process.
    pub standing: KeyStanding,
    /// How many values are sealed under it, by table. Tables without any are not there.
    pub values: BTreeMap<String, u64>,
}

/// One sealed value, by its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SealedPlace {
    /// The table.
    pub table: String,
    /// The row's key.
    pub row: String,
}

/// A value that could not be sealed anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StuckValue {
    /// Where it is.
    pub place: SealedPlace,
    /// Why not, for the operator. It holds nothing of the value.
    pub why: String,
}

/// What became of some of the sealed values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// How many were looked at.
    pub looked_at: u32,
    /// How many were sealed anew.
    pub sealed_anew: u32,
    /// How many somebody else has written at the same moment: to be looked at again.
    pub raced: u32,
    /// Those that cannot be opened.
    pub stuck: Vec<StuckValue>,
    /// The last that was looked at; `None` when none is left behind `after`.
    pub last: Option<SealedPlace>,
}

/// What is sealed at rest, and under which keys.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait SealedStore: Send + Sync {
    /// Every key that is configured, in its order, the first one first; then those that are not configured and that something
    /// is sealed under.
    async fn keys(&self) -> PortResult<Vec<SealingKeyUse>>;

    /// Looks at the next `most` sealed values behind `after`, in the order of their places, and seals those anew that are not
    /// sealed under the first key. Whoever else reads or writes them meanwhile is not disturbed: a value is replaced only if
    /// it is still the one that was read. What cannot be opened stays as it is. Nothing is lost if this breaks off, and a
    /// second call finds less to do.
    async fn reseal(&self, after: Option<SealedPlace>, most: u32) -> PortResult<Resealed>;
}
