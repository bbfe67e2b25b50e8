//! What all servers share.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use hickory_proto::rr::{Name, RData, Record, RecordType};
use serde::Serialize;

use super::NameServer;
use super::answer;
use super::faults::Rule;
use super::node::RrSet;
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

/// Somebody who writes into zones and whose changes take effect with time, such as Route 53.
pub(crate) trait Feed: Send + Sync {
    /// What has become due since the last time, oldest first.
    fn due(&self) -> Vec<Update>;
}

/// The records of one name and type as they are from now on.
#[derive(Clone, Debug)]
pub(crate) struct Update {
    pub(crate) name: Name,
    pub(crate) kind: RecordType,
    pub(crate) content: Content,
}

/// What becomes of a record set.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// It is this; without data it is gone.
    Set(RrSet),
    /// The addresses of another name stand here.
    Alias(Name),
}

pub(super) struct World {
    records: Mutex<Records>,
    pub(super) rules: Mutex<Vec<Rule>>,
    asked: Mutex<VecDeque<Asked>>,
    feeds: Mutex<Vec<Weak<dyn Feed>>>,
}

impl World {
    pub(super) fn new(records: Records) -> Self {
        Self {
            records: Mutex::new(records),
            rules: Mutex::default(),
            asked: Mutex::default(),
            feeds: Mutex::default(),
        }
    }

    /// A poisoned lock still holds whole records: every change is one assignment.
    pub(super) fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn follow(&self, feed: Weak<dyn Feed>) {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner).push(feed);
    }

    /// Takes over what has become due. A feed takes its own locks, so none of ours may be held meanwhile but the one that
    /// keeps two callers from applying two changes in the wrong order.
    pub(super) fn catch_up(&self) {
        let feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        for update in feeds.iter().filter_map(Weak::upgrade).flat_map(|feed| feed.due()) {
            self.apply(update);
        }
    }

    fn apply(&self, update: Update) {
        let Update { name, kind, content } = update;
        let changed = self.lock().change(None, &name, |node| match content {
            Content::Set(set) => node.replace_with(kind, set),
            Content::Alias(target) => node.set_flattened(target),
        });
        if let Err(error) = changed {
            tracing::warn!(
                error = format!("{error:#}"),
                name = readable(&name),
                "a change was not taken over"
            );
        }
    }

    pub(super) fn aliases_of(&self, name: &Name) -> Vec<String> {
        let question = answer::Question {
            server: NameServer::Resolver,
            name,
            kind: RecordType::A,
            checking_disabled: false,
            over_udp: false,
        };
        let reply = answer::Mind { records: &self.lock(), rules: &[] }.reply(&question).unwrap_or_default();
        let target = |record: &Record| match &record.data {
            RData::CNAME(target) => Some(readable(&target.0.to_lowercase())),
            _ => None,
        };
        reply.answers.iter().filter_map(target).collect()
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
