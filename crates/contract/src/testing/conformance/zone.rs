//! The promises of [`ManagedZone`].

use std::sync::Arc;

use async_trait::async_trait;

use super::{keep_promises, whole};
use crate::testing::FakeZone;
use crate::{ManagedZone, PortResult, RecordContent};

/// Reads what the zone holds, once the changes that were made have arrived.
#[async_trait]
pub trait Reader: Send + Sync {
    /// The TXT values of an owner, in alphabetical order.
    async fn values(&self, owner: &str) -> Vec<String>;

    /// What an owner is a CNAME to, without a trailing dot.
    async fn target(&self, owner: &str) -> Option<String>;
}

#[async_trait]
impl Reader for FakeZone {
    async fn values(&self, owner: &str) -> Vec<String> {
        FakeZone::values(self, owner)
    }

    async fn target(&self, owner: &str) -> Option<String> {
        FakeZone::target(self, owner)
    }
}

/// A zone, and a reader on its other side.
#[derive(Clone)]
pub struct Subject {
    zone: Arc<dyn ManagedZone>,
    reader: Arc<dyn Reader>,
    below: String,
}

/// Runs every promise. Panics with the name of the first one that is not kept.
pub async fn run(subject: &Subject) {
    keep_promises!(subject =>
        a_value_is_added_beside_the_others,
        a_value_is_removed_alone,
        a_removed_value_can_come_back,
        a_label_points_to_what_it_was_pointed_to_last,
        a_label_is_released,
        owners_do_not_share_anything,
        every_record_is_listed_once,
    );
}

/// `add_txt` adds a value once, whatever the others are.
pub async fn a_value_is_added_beside_the_others(subject: &Subject) -> PortResult<()> {
    let owner = subject.owner("_acme-challenge.added");
    for value in ["b-value", "a-value", "b-value"] {
        subject.zone.add_txt(&owner, value).await?;
    }
    assert_eq!(subject.reader.values(&owner).await, ["a-value", "b-value"]);
    Ok(())
}

/// `remove_txt` takes one value away, succeeds on what is gone, and leaves no record behind without values.
pub async fn a_value_is_removed_alone(subject: &Subject) -> PortResult<()> {
    let owner = subject.owner("_acme-challenge.removed");
    subject.zone.remove_txt(&owner, "never there").await?;
    subject.zone.add_txt(&owner, "goes").await?;
    subject.zone.add_txt(&owner, "stays").await?;
    for _ in 0..2 {
        subject.zone.remove_txt(&owner, "goes").await?;
        assert_eq!(subject.reader.values(&owner).await, ["stays"]);
    }
    for _ in 0..2 {
        subject.zone.remove_txt(&owner, "stays").await?;
        assert!(subject.reader.values(&owner).await.is_empty());
    }
    Ok(())
}

/// A value that was removed can be added again: the next order may be given the same one.
pub async fn a_removed_value_can_come_back(subject: &Subject) -> PortResult<()> {
    let owner = subject.owner("_acme-challenge.back");
    for _ in 0..2 {
        subject.zone.add_txt(&owner, "value").await?;
        assert_eq!(subject.reader.values(&owner).await, ["value"]);
        subject.zone.remove_txt(&owner, "value").await?;
        assert!(subject.reader.values(&owner).await.is_empty());
    }
    Ok(())
}

/// `point` puts its target in the place of the one before, and may be repeated.
pub async fn a_label_points_to_what_it_was_pointed_to_last(subject: &Subject) -> PortResult<()> {
    let owner = subject.owner("pointed");
    for target in ["one.example.org", "one.example.org", "two.example.org"] {
        subject.zone.point(&owner, target).await?;
        assert_eq!(subject.reader.target(&owner).await.as_deref(), Some(target));
    }
    Ok(())
}

/// `release` takes the CNAME away, whatever its target, and succeeds on what is gone.
pub async fn a_label_is_released(subject: &Subject) -> PortResult<()> {
    let owner = subject.owner("released");
    subject.zone.release(&owner).await?;
    subject.zone.point(&owner, "one.example.org").await?;
    for _ in 0..2 {
        subject.zone.release(&owner).await?;
        assert_eq!(subject.reader.target(&owner).await, None);
    }
    subject.zone.point(&owner, "two.example.org").await?;
    assert_eq!(subject.reader.target(&owner).await.as_deref(), Some("two.example.org"));
    Ok(())
}

/// What happens to one owner is nothing to another, even if it lies below it: a label is a CNAME while
/// `_acme-challenge` below it has TXT values.
pub async fn owners_do_not_share_anything(subject: &Subject) -> PortResult<()> {
    let (label, challenge) = (subject.owner("shared"), subject.owner("_acme-challenge.shared"));
    subject.zone.point(&label, "one.example.org").await?;
    subject.zone.add_txt(&challenge, "value").await?;
    assert_eq!(subject.reader.target(&label).await.as_deref(), Some("one.example.org"));
    assert_eq!(subject.reader.values(&challenge).await, ["value"]);
    subject.zone.release(&label).await?;
    assert_eq!(subject.reader.values(&challenge).await, ["value"]);
    subject.zone.point(&label, "one.example.org").await?;
    subject.zone.remove_txt(&challenge, "value").await?;
    assert_eq!(subject.reader.target(&label).await.as_deref(), Some("one.example.org"));
    Ok(())
}

/// `list` shows every record once, whatever the size of a page.
pub async fn every_record_is_listed_once(subject: &Subject) -> PortResult<()> {
    let (label, challenge) = (subject.owner("listed"), subject.owner("_acme-challenge.listed"));
    subject.zone.point(&label, "one.example.org").await?;
    for value in ["b \"value\"", "a-value"] {
        subject.zone.add_txt(&challenge, value).await?;
    }
    let (listed, pages) = whole(|after| subject.zone.list(after)).await?;
    assert!(pages > 1, "the pages are too large to show that they are turned");
    let of = |owner: &str| {
        let own = listed.iter().filter(|record| record.owner == owner);
        own.map(|record| record.content.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of(&label), [RecordContent::Cname("one.example.org".into())]);
    let [RecordContent::Txt(values)] = &of(&challenge)[..] else { panic!("{listed:?}") };
    let mut values = values.clone();
    values.sort_unstable();
    assert_eq!(values, ["a-value", "b \"value\""]);
    Ok(())
}

impl Subject {
    /// A zone, its reader, and the absolute name below which the suite may write: something new for each run in a zone
    /// that is kept.
    pub fn new(zone: Arc<dyn ManagedZone>, reader: impl Reader + 'static, below: impl Into<String>) -> Self {
        Self { zone, reader: Arc::new(reader), below: below.into() }
    }

    fn owner(&self, label: &str) -> String {
        format!("{label}.{}", self.below)
    }
}
