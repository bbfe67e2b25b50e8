use std::error::Error as StdError;

use contract::{PortError, Reach, Remedy, Side, Upstream};
use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The settings cannot be used; the message says which and why. It holds neither a password nor a key.
    #[error("{0}")]
    Settings(String),
    /// The database cannot be reached, or has no connection to spare.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// Whoever opens the database could not write where it has to; the message says what is refused.
    #[error("the database cannot be written: {0}")]
    Unwritable(String),
    /// The tables could not be brought to the shape that this version needs.
    #[error("the migrations of the database could not be run")]
    Migrations(#[source] Box<dyn StdError + Send + Sync>),
    /// A migration of this version has not been run.
    #[error("the database lacks the migration {0}, which every broker of this version runs when it starts")]
    Behind(String),
    /// It is not the database that it is said to be; the message says what it lacks.
    #[error("{0}")]
    Foreign(String),
    /// The database refused a query or broke off.
    #[error("the database refused")]
    Query(#[from] DieselError),
    /// The thread that worked on it died; nothing of an unfinished transaction remains.
    #[error("the database call was broken off")]
    BrokenOff,
    /// A value is sealed with a key that this process was not given. Nothing is wrong with the value.
    #[error(
        "table {table}, row {row:?}: column {column}: it is sealed with the key {key:?}, which is not configured"
    )]
    MissingKey {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        row: String,
        /// The name of the sealing key.
        key: String,
    },
    /// A row does not make sense; only a person can mend it.
    #[error("table {table}, row {row:?}: {problem}")]
    Inconsistency {
        /// The table.
        table: &'static str,
        /// The row's key.
        row: String,
        /// What is wrong with it, and in which column.
        problem: String,
    },
}

impl StoreError {
    /// The port's error for this one. The only place that decides what a caller can do about an error of the store:
    /// silence proves nothing, so everything may be tried again, except what would be refused again for ever.
    pub(crate) fn while_doing(self, doing: &'static str) -> PortError {
        if matches!(self, Self::MissingKey { .. }) {
            // Whoever has the key can go on at any moment: the operator puts it back, and nothing is given up for it.
            return PortError::new(doing, Remedy::AwaitOperator, self)
                .stopping(Upstream::SealingKeys, Reach::Everything)
                .of_class(Side::Us, "missing-sealing-key");
        }
        let remedy = match &self {
            Self::Settings(_) | Self::Foreign(_) | Self::Inconsistency { .. } => Remedy::GiveUp,
            Self::Query(error) if refused_for_ever(error) => Remedy::GiveUp,
            Self::Unreachable(_)
            | Self::Unwritable(_)
            | Self::Behind(_)
            | Self::Migrations(_)
            | Self::Query(_)
            | Self::MissingKey { .. }
            | Self::BrokenOff => Remedy::Retry { after: None },
        };
        PortError::new(doing, remedy, self)
    }

    /// Whether a unique index refused the row.
    pub(crate) fn is_taken(&self) -> bool {
        matches!(self, Self::Query(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)))
    }

    /// Whether a row could not go, or come, because of one that refers to it.
    pub(crate) fn is_referred_to(&self) -> bool {
        matches!(self, Self::Query(DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _)))
    }
}

/// Whether what was written breaks a rule of the tables, so that writing it again breaks the rule again.
fn refused_for_ever(error: &DieselError) -> bool {
    use DatabaseErrorKind::{CheckViolation, ForeignKeyViolation, NotNullViolation, UniqueViolation};
    match error {
        DieselError::DatabaseError(kind, _) => {
            matches!(kind, CheckViolation | ForeignKeyViolation | NotNullViolation | UniqueViolation)
        }
        DieselError::SerializationError(_) | DieselError::DeserializationError(_) => true,
        _ => false,
    }
}

/// Folds "a unique index refused it" into `false`: whoever came first has it.
pub(crate) fn unless_taken(outcome: Result<bool, StoreError>) -> Result<bool, StoreError> {
    match outcome {
        Err(error) if error.is_taken() => Ok(false),
        other => other,
    }
}
