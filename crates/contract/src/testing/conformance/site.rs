//! The promises of [`ChallengeSite`].

use std::sync::Arc;

use async_trait::async_trait;

use super::{keep_promises, whole};
use crate::testing::FakeSite;
use crate::{ChallengeSite, InstanceId, PortResult};

/// Reads what the site serves, as the distribution of an instance would.
#[async_trait]
pub trait Reader: Send + Sync {
    /// The answer below `/.well-known/acme-challenge/TOKEN`; `None` when there is none.
    async fn read(&self, instance: &InstanceId, token: &str) -> Option<String>;
}

#[async_trait]
impl Reader for FakeSite {
    async fn read(&self, instance: &InstanceId, token: &str) -> Option<String> {
        self.folder(instance).remove(token)
    }
}

/// A site, and a reader on its other side.
#[derive(Clone)]
pub struct Subject {
    site: Arc<dyn ChallengeSite>,
    reader: Arc<dyn Reader>,
    prefix: String,
}

/// Runs every promise. Panics with the name of the first one that is not kept.
pub async fn run(subject: &Subject) {
    keep_promises!(subject =>
        an_answer_is_presented_and_replaced,
        an_answer_is_withdrawn,
        a_folder_is_cleared,
        each_instance_has_a_folder_of_its_own,
        every_folder_with_answers_is_listed,
    );
}

/// `present` makes an answer readable, and replaces the one that was there.
pub async fn an_answer_is_presented_and_replaced(subject: &Subject) -> PortResult<()> {
    let instance = subject.instance("presented");
    for answer in ["token.thumbprint", "token.thumbprint", "token.another"] {
        subject.site.present(&instance, "token", answer).await?;
        assert_eq!(subject.reader.read(&instance, "token").await.as_deref(), Some(answer));
    }
    Ok(())
}

/// `withdraw` takes one answer away, and succeeds on what is gone.
pub async fn an_answer_is_withdrawn(subject: &Subject) -> PortResult<()> {
    let instance = subject.instance("withdrawn");
    subject.site.present(&instance, "token", "answer").await?;
    subject.site.present(&instance, "token-2", "stays").await?;
    for _ in 0..2 {
        subject.site.withdraw(&instance, "token").await?;
        assert_eq!(subject.reader.read(&instance, "token").await, None);
        assert_eq!(subject.reader.read(&instance, "token-2").await.as_deref(), Some("stays"));
    }
    Ok(())
}

/// `clear` takes all answers of an instance away, and succeeds on an empty folder.
pub async fn a_folder_is_cleared(subject: &Subject) -> PortResult<()> {
    let instance = subject.instance("cleared");
    subject.site.present(&instance, "token-1", "answer").await?;
    subject.site.present(&instance, "token-2", "answer").await?;
    for _ in 0..2 {
        subject.site.clear(&instance).await?;
        assert_eq!(subject.reader.read(&instance, "token-1").await, None);
        assert_eq!(subject.reader.read(&instance, "token-2").await, None);
    }
    Ok(())
}

/// What one instance presents, withdraws or clears is nothing to another, even if its id begins the same way.
pub async fn each_instance_has_a_folder_of_its_own(subject: &Subject) -> PortResult<()> {
    let (one, other) = (subject.instance("folder"), subject.instance("folder-2"));
    subject.site.present(&other, "token", "answer of the other").await?;
    assert_eq!(subject.reader.read(&one, "token").await, None);
    subject.site.withdraw(&one, "token").await?;
    subject.site.clear(&one).await?;
    assert_eq!(subject.reader.read(&other, "token").await.as_deref(), Some("answer of the other"));
    Ok(())
}

/// `list` shows every folder with answers in it under the name that `folder` gives it, and no empty one.
pub async fn every_folder_with_answers_is_listed(subject: &Subject) -> PortResult<()> {
    let filled = ["listed", "listed-2", "listed-3"].map(|what| subject.instance(what));
    for instance in &filled {
        subject.site.present(instance, "token", "answer").await?;
    }
    let (listed, pages) = whole(|after| subject.site.list(after)).await?;
    assert!(pages > 1, "the pages are too large to show that they are turned");
    let is_listed = |instance| listed.iter().any(|found| found.name == subject.site.folder(instance));
    assert!(filled.iter().all(is_listed), "{listed:?}");
    for instance in &filled {
        subject.site.clear(instance).await?;
    }
    let (listed, _) = whole(|after| subject.site.list(after)).await?;
    let is_listed = |instance| listed.iter().any(|found| found.name == subject.site.folder(instance));
    assert!(!filled.iter().any(is_listed), "{listed:?}");
    Ok(())
}

impl Subject {
    /// A site, its reader, and what the ids of all instances of this run begin with: something new for each run on a
    /// bucket that is kept.
    pub fn new(
        site: Arc<dyn ChallengeSite>,
        reader: impl Reader + 'static,
        prefix: impl Into<String>,
    ) -> Self {
        Self { site, reader: Arc::new(reader), prefix: prefix.into() }
    }

    fn instance(&self, what: &str) -> InstanceId {
        InstanceId::new(format!("{}-{what}", self.prefix))
    }
}
