//! The promises of [`ChoreStore`](crate::ChoreStore).

use std::time::Duration;

use super::{Subject, at_once, odd_text};
use crate::{Chore, PortResult};

const PUT_OFF: Duration = Duration::from_hours(1);

/// `ensure` stores the chore that nobody has stored, and afterwards gives what there is; `note` and `put_off` change their
/// part of it alone.
pub async fn a_chore_is_stored_once(subject: &Subject) -> PortResult<()> {
    let now = subject.time.now().await;
    let first = Chore { name: subject.fresh("chore"), next_at: now + PUT_OFF, found: String::new() };
    subject.chores.note(&first.name, "nobody listens").await?;
    subject.chores.put_off(&first.name, now).await?;
    assert_eq!(subject.chores.ensure(&first).await?, first);
    let second = Chore { next_at: now, found: "other".into(), ..first.clone() };
    assert_eq!(subject.chores.ensure(&second).await?, first);
    subject.chores.note(&first.name, &odd_text()).await?;
    assert_eq!(subject.chores.ensure(&second).await?, Chore { found: odd_text(), ..first.clone() });
    subject.chores.put_off(&first.name, now + PUT_OFF * 2).await?;
    let expected = Chore { found: odd_text(), next_at: now + PUT_OFF * 2, ..first };
    assert_eq!(subject.chores.ensure(&second).await?, expected);
    Ok(())
}

/// A chore is taken when it is due, by one of many, and falls due again if it is not done.
pub async fn a_due_chore_is_taken_by_one(subject: &Subject) -> PortResult<()> {
    let now = subject.time.now().await;
    let chore = Chore { name: subject.fresh("chore"), next_at: now, found: "found".into() };
    assert_eq!(subject.chores.take_due(&chore.name, now, PUT_OFF).await?, None);
    subject.chores.ensure(&chore).await?;
    let early = now - Duration::from_millis(1);
    assert_eq!(subject.chores.take_due(&chore.name, early, PUT_OFF).await?, None);
    let taken = at_once(|| {
        let (subject, chore) = (subject.clone(), chore.clone());
        async move { subject.chores.take_due(&chore.name, now, PUT_OFF).await }
    })
    .await?;
    let again = Chore { next_at: now + PUT_OFF, ..chore.clone() };
    assert_eq!(taken.into_iter().flatten().collect::<Vec<_>>(), [again]);
    assert_eq!(subject.chores.take_due(&chore.name, now, PUT_OFF).await?, None);
    assert!(subject.chores.take_due(&chore.name, now + PUT_OFF, PUT_OFF).await?.is_some());
    Ok(())
}
