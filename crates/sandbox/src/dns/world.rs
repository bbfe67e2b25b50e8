//! What all servers share.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::NameServer;
use super::answer;
use super::faults::Rule;
use super::records::{Records, readable};

/// Older questions are forgotten.
const REMEMBERED: usize = 10_000;

/// A question that a server was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// By whom it was answered, or not.
    pub server: NameServer,
    /// The name, in lower case and without the final dot.
    pub name: String,
    /// The type, such as `TXT`.
    pub kind: String,
}

pub(super) struct World {
    records: Mutex<Records>,
    pub(super) rules: Mutex<Vec<Rule>>,
    asked: Mutex<VecDeque<Asked>>,
}

impl World {
    pub(super) fn new(records: Records) -> Self {
        Self { records: Mutex::new(records), rules: Mutex::default(), asked: Mutex::default() }
    }

    /// A poisoned lock still holds whole records: every change is one assignment.
    pub(super) fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, question: &answer::Question<'_>) {
        let asked = Asked {
            server: question.server,
            name: readable(&question.name.to_lowercase()),
            kind: question.kind.to_string(),
        };
        let mut all = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == REMEMBERED {
            all.pop_front();
        }
        all.push_back(asked);
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
