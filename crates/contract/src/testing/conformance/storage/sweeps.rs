//! The promises of [`SweepStore`](crate::SweepStore).

use std::time::Duration;

use super::Subject;
use crate::{InstanceId, PortResult, Sweep, Timestamp, VaultName};

const PUT_OFF: Duration = Duration::from_mins(15);

/// Empties the table, so that what a promise stores is all there is.
async fn emptied(subject: &Subject, now: Timestamp) -> PortResult<()> {
    while let Some(due) = subject.sweeps.next_try().await? {
        for sweep in subject.sweeps.take_due(due.max(now), PUT_OFF, 10).await? {
            subject.sweeps.done(&sweep.vault_name).await?;
        }
    }
    Ok(())
}

fn sweep(subject: &Subject, at: Timestamp) -> Sweep {
    Sweep {
        vault_name: VaultName::new(subject.fresh("certificate")),
        instance: InstanceId::new("gone"),
        since: at,
        next_at: at,
        told: false,
    }
}

/// A removal is stored once, taken when it is due, and gone when it is done.
pub async fn a_removal_is_taken_until_it_is_done(subject: &Subject) -> PortResult<()> {
    let now = subject.time.now().await;
    emptied(subject, now).await?;
    assert_eq!(subject.sweeps.next_try().await?, None);
    let first = sweep(subject, now);
    assert!(!subject.sweeps.knows(&first.vault_name).await?);
    subject.sweeps.add(&first).await?;
    assert!(subject.sweeps.knows(&first.vault_name).await?);
    subject.sweeps.add(&Sweep { since: now + PUT_OFF, ..first.clone() }).await?;
    assert_eq!(subject.sweeps.next_try().await?, Some(now));
    assert_eq!(subject.sweeps.take_due(now - Duration::from_millis(1), PUT_OFF, 10).await?, []);
    let taken = Sweep { next_at: now + PUT_OFF, ..first };
    assert_eq!(subject.sweeps.take_due(now, PUT_OFF, 10).await?, std::slice::from_ref(&taken));
    assert_eq!(subject.sweeps.take_due(now, PUT_OFF, 10).await?, []);
    let told = Sweep { told: true, next_at: now + PUT_OFF * 4, ..taken };
    subject.sweeps.keep(&told).await?;
    assert_eq!(subject.sweeps.next_try().await?, Some(told.next_at));
    let again = Sweep { next_at: told.next_at + PUT_OFF, ..told.clone() };
    assert_eq!(subject.sweeps.take_due(told.next_at, PUT_OFF, 10).await?, std::slice::from_ref(&again));
    for _ in 0..2 {
        subject.sweeps.done(&told.vault_name).await?;
    }
    subject.sweeps.keep(&again).await?;
    assert!(!subject.sweeps.knows(&again.vault_name).await?);
    assert_eq!(subject.sweeps.next_try().await?, None, "what is done stays so");
    Ok(())
}

/// The longest due come first, and no more of them than asked for.
pub async fn the_longest_due_removal_comes_first(subject: &Subject) -> PortResult<()> {
    let now = subject.time.now().await;
    emptied(subject, now).await?;
    let [one, two, three] = [3, 1, 2].map(|late| sweep(subject, now - Duration::from_secs(late)));
    for sweep in [&two, &one, &three] {
        subject.sweeps.add(sweep).await?;
    }
    let taken = subject.sweeps.take_due(now, PUT_OFF, 2).await?;
    assert_eq!(
        taken.iter().map(|sweep| &sweep.vault_name).collect::<Vec<_>>(),
        [&one.vault_name, &three.vault_name]
    );
    emptied(subject, now + PUT_OFF).await
}
