use std::error::Error as StdError;
use std::fmt::Display;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StoreError;
use crate::labels::Label;

/// One value in the database: what an error names, and what a sealed value is bound to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell<'a> {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    pub(crate) row: &'a str,
}

impl Cell<'_> {
    /// The error that this value cannot be understood.
    pub(crate) fn inconsistent(self, problem: impl Display) -> StoreError {
        StoreError::Inconsistency {
            table: self.table,
            row: self.row.to_owned(),
            problem: format!("column {}: {problem}", self.column),
        }
    }

    /// The error that this value is sealed with a key that this process was not given.
    pub(crate) fn sealed_with_missing(self, key: &str) -> StoreError {
        StoreError::MissingKey {
            table: self.table,
            column: self.column,
            row: self.row.to_owned(),
            key: key.to_owned(),
        }
    }

    /// Reads a value of an enumeration.
    pub(crate) fn label<L: Label>(self, text: &str) -> Result<L, StoreError> {
        L::parse(text).ok_or_else(|| self.inconsistent(format!("{text:?} is none of the known values")))
    }

    /// Reads a value kept as JSON. The error quotes nothing of the value.
    pub(crate) fn read_json<T: DeserializeOwned>(self, text: &str) -> Result<T, StoreError> {
        serde_json::from_str(text).map_err(|error| self.inconsistent(error))
    }

    /// Writes a value as JSON.
    pub(crate) fn write_json<T: Serialize>(self, value: &T) -> Result<String, StoreError> {
        serde_json::to_string(value).map_err(|error| self.inconsistent(error))
    }

    /// Reads a value with its own parser.
    pub(crate) fn parsed<T, E: StdError>(self, outcome: Result<T, E>) -> Result<T, StoreError> {
        outcome.map_err(|error| self.inconsistent(error))
    }
}
