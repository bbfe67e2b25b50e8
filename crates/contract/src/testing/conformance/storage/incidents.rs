//! The promises of [`IncidentStore`](crate::IncidentStore) and [`Outbox`](crate::Outbox).

use std::time::Duration;

use super::{LEASE, ODD_TEXT, Subject, at_once};
use crate::{
    Dispatch, DispatchState, Incident, IncidentId, InstanceId, Letter, Notice, PortResult, Report, Side,
    Timestamp, Turn,
};

fn incident(subject: &Subject, about: &str, now: Timestamp) -> Incident {
    Incident {
        id: IncidentId::new(subject.fresh("incident")),
        subject: about.to_owned(),
        message: ODD_TEXT.to_owned(),
        side: Some(Side::Aws),
        affected: vec![InstanceId::new("one"), InstanceId::new("another")],
        opened_at: now,
        last_at: now,
        raised: 1,
        turns: 1,
        closed_at: None,
        version: 1,
    }
}

fn delivery(incident: &Incident, number: i32, target: &str) -> Dispatch {
    let notice = Notice::Incident(Report {
        turn: Turn::Opened,
        subject: incident.subject.clone(),
        message: incident.message.clone(),
        side: incident.side,
        affected: incident.affected.clone(),
        opened_at: incident.opened_at,
        at: incident.last_at,
    });
    Dispatch::new(incident.id.as_str(), number, target, notice, incident.opened_at)
}

fn letter(subject: &Subject, now: Timestamp) -> Dispatch {
    let text = ODD_TEXT.to_owned();
    let notice = Notice::Letter(Letter { to: "a@example.org".into(), subject: "a name".into(), text });
    Dispatch::new(&subject.fresh("letter"), 1, "letters", notice, now)
}

/// Brings what waits to an end, so that the next promise finds nothing due.
async fn deliver_all(subject: &Subject) -> PortResult<()> {
    for _ in 0..100 {
        let Some(due) = subject.outbox.next_due().await? else { return Ok(()) };
        subject.time.pass(due.since(subject.time.now().await)).await;
        let now = subject.time.now().await;
        for taken in subject.outbox.take_due(now, LEASE, 100).await? {
            assert!(subject.outbox.keep(&taken, &ended(&taken, now)).await?);
        }
    }
    panic!("there is no end to what waits")
}

fn ended(delivery: &Dispatch, now: Timestamp) -> Dispatch {
    Dispatch { state: DispatchState::Delivered, ended_at: Some(now), ..delivery.clone() }
}

/// A subject has one open incident, which is changed only by who has seen it as it is; after its end there may be another.
pub async fn a_subject_has_one_open_incident(subject: &Subject) -> PortResult<()> {
    let (now, about) = (subject.time.now().await, subject.fresh("subject"));
    let first = incident(subject, &about, now);
    assert_eq!(subject.incidents.find_open(&about).await?, None);
    assert!(subject.incidents.open(&first, &[]).await?);
    assert!(!subject.incidents.open(&incident(subject, &about, now), &[]).await?);
    assert_eq!(subject.incidents.find_open(&about).await?.as_ref(), Some(&first));
    let folded = Incident { raised: 2, side: None, affected: vec![], last_at: now + LEASE, ..first.clone() };
    assert!(subject.incidents.change(&first, &folded, &[]).await?);
    let folded = Incident { version: 2, ..folded };
    assert_eq!(subject.incidents.find_open(&about).await?.as_ref(), Some(&folded));
    assert!(!subject.incidents.change(&first, &first, &[]).await?, "it is not as it was");
    let over = Incident { closed_at: Some(now + LEASE), turns: 2, message: "over".into(), ..folded.clone() };
    assert!(subject.incidents.change(&folded, &over, &[]).await?);
    assert_eq!(subject.incidents.find_open(&about).await?, None);
    assert!(subject.incidents.open(&incident(subject, &about, now + LEASE), &[]).await?);
    Ok(())
}

/// Of many who meet the same thing one opens, and of many who want to change it one does.
pub async fn of_many_at_once_one_opens_and_one_changes(subject: &Subject) -> PortResult<()> {
    let (now, about) = (subject.time.now().await, subject.fresh("subject"));
    let opened = at_once(|| {
        let (subject, one) = (subject.clone(), incident(subject, &about, now));
        async move { subject.incidents.open(&one, &[]).await }
    });
    assert_eq!(opened.await?.into_iter().filter(|opened| *opened).count(), 1);
    let seen = subject.incidents.find_open(&about).await?.unwrap_or_else(|| incident(subject, &about, now));
    let changed = at_once(|| {
        let (subject, seen) = (subject.clone(), seen.clone());
        async move {
            let next = Incident { raised: seen.raised + 1, ..seen.clone() };
            subject.incidents.change(&seen, &next, &[delivery(&seen, 2, "pager")]).await
        }
    });
    assert_eq!(changed.await?.into_iter().filter(|changed| *changed).count(), 1);
    assert_eq!(subject.outbox.about(seen.id.as_str()).await?.len(), 1);
    deliver_all(subject).await
}

/// What is to be told comes with what has become of the incident, and not without.
pub async fn what_is_told_is_stored_with_the_incident(subject: &Subject) -> PortResult<()> {
    let (now, about) = (subject.time.now().await, subject.fresh("subject"));
    let first = incident(subject, &about, now);
    let told = [delivery(&first, 1, "pager"), delivery(&first, 1, "mail")];
    assert!(subject.incidents.open(&first, &told).await?);
    assert_eq!(subject.outbox.about(first.id.as_str()).await?, told);
    let other = incident(subject, &about, now);
    assert!(!subject.incidents.open(&other, &[delivery(&other, 1, "pager")]).await?);
    assert_eq!(subject.outbox.about(other.id.as_str()).await?, []);
    let over = Incident { closed_at: Some(now), ..first.clone() };
    let stale = Incident { version: 7, ..first.clone() };
    assert!(!subject.incidents.change(&stale, &over, &[delivery(&first, 2, "pager")]).await?);
    assert_eq!(subject.outbox.about(first.id.as_str()).await?.len(), 2);
    assert!(subject.incidents.change(&first, &over, &[delivery(&first, 2, "pager")]).await?);
    assert_eq!(subject.outbox.about(first.id.as_str()).await?.len(), 3);
    deliver_all(subject).await
}

/// The latest to open comes first, and those that have ended can be left out.
pub async fn incidents_are_listed_latest_first(subject: &Subject) -> PortResult<()> {
    let now = subject.time.now().await + Duration::from_hours(1);
    let mut made = Vec::new();
    for later in 0..3 {
        let one = incident(subject, &subject.fresh("subject"), now + LEASE * later);
        assert!(subject.incidents.open(&one, &[]).await?);
        made.push(one);
    }
    let [first, second, third] = &made[..] else { unreachable!("three were made") };
    assert_eq!(subject.incidents.list(false, 2).await?, [third.clone(), second.clone()]);
    let over = Incident { closed_at: Some(now + LEASE), ..second.clone() };
    assert!(subject.incidents.change(second, &over, &[]).await?);
    assert_eq!(subject.incidents.list(true, 2).await?, [third.clone(), first.clone()]);
    Ok(())
}

/// What has ended before a moment is forgotten; what is open, or still waits, is not.
pub async fn what_has_ended_is_forgotten(subject: &Subject) -> PortResult<()> {
    let now = subject.time.now().await;
    let (open, over) = (
        incident(subject, &subject.fresh("subject"), now),
        incident(subject, &subject.fresh("subject"), now),
    );
    assert!(subject.incidents.open(&open, &[delivery(&open, 1, "pager")]).await?);
    assert!(subject.incidents.open(&over, &[delivery(&over, 1, "pager")]).await?);
    deliver_all(subject).await?;
    let later = subject.time.now().await + LEASE;
    let closed = Incident { closed_at: Some(later), ..over.clone() };
    assert!(subject.incidents.change(&over, &closed, &[delivery(&over, 2, "pager")]).await?);
    subject.incidents.forget_before(later).await?;
    assert!(subject.incidents.find_open(&open.subject).await?.is_some());
    let known = |one: Incident| async move {
        Ok(subject.incidents.list(false, 1000).await?.iter().any(|known| known.id == one.id))
    };
    assert!(PortResult::Ok(known(over.clone()).await?)?, "it has not ended before");
    assert!(subject.incidents.forget_before(later + LEASE).await? >= 1);
    assert!(!PortResult::Ok(known(over.clone()).await?)?);
    assert_eq!(subject.outbox.about(over.id.as_str()).await?.len(), 1, "one still waits");
    deliver_all(subject).await
}

/// The same delivery is stored once, whatever has become of it, and comes back as it was.
pub async fn a_delivery_is_stored_once(subject: &Subject) -> PortResult<()> {
    let now = subject.time.now().await;
    let one = letter(subject, now);
    let other = Dispatch { number: 2, ..one.clone() };
    assert_eq!(subject.outbox.add(std::slice::from_ref(&one)).await?, 1);
    assert_eq!(subject.outbox.add(&[one.clone(), other.clone()]).await?, 1);
    assert_eq!(subject.outbox.about(&one.about).await?, [one.clone(), other]);
    deliver_all(subject).await?;
    assert_eq!(subject.outbox.add(std::slice::from_ref(&one)).await?, 0);
    assert_eq!(subject.outbox.next_due().await?, None);
    Ok(())
}

/// Of many who look one gets a delivery, and it falls due again when that one dies.
pub async fn a_due_delivery_is_taken_by_one(subject: &Subject) -> PortResult<()> {
    let now = subject.time.now().await;
    let one = letter(subject, now + LEASE);
    subject.outbox.add(std::slice::from_ref(&one)).await?;
    assert_eq!(subject.outbox.take_due(now, LEASE, 10).await?, []);
    assert_eq!(subject.outbox.next_due().await?, Some(now + LEASE));
    let taken = at_once(|| {
        let subject = subject.clone();
        async move { subject.outbox.take_due(now + LEASE, LEASE, 10).await }
    });
    let taken: Vec<Dispatch> = taken.await?.into_iter().flatten().collect();
    assert_eq!(taken, [Dispatch { next_at: now + LEASE * 2, ..one }]);
    assert_eq!(subject.outbox.take_due(now + LEASE * 2, LEASE, 10).await?.len(), 1, "it falls due again");
    deliver_all(subject).await
}

/// A later delivery about the same thing is not due while an earlier one waits for the same target; others are.
pub async fn deliveries_about_one_thing_keep_their_order(subject: &Subject) -> PortResult<()> {
    let now = subject.time.now().await;
    let about = incident(subject, &subject.fresh("subject"), now);
    let all = [delivery(&about, 1, "pager"), delivery(&about, 2, "pager"), delivery(&about, 2, "mail")];
    subject.outbox.add(&all).await?;
    let taken = subject.outbox.take_due(now, LEASE, 10).await?;
    let named: Vec<(i32, &str)> = taken.iter().map(|one| (one.number, one.target.as_str())).collect();
    assert_eq!(named.len(), 2, "{named:?}");
    assert!(named.contains(&(1, "pager")) && named.contains(&(2, "mail")), "{named:?}");
    assert_eq!(subject.outbox.take_due(now, LEASE, 10).await?, [], "the first is under way");
    for one in &taken {
        assert!(subject.outbox.keep(one, &ended(one, now)).await?);
    }
    let next = subject.outbox.take_due(now, LEASE, 10).await?;
    assert_eq!(next.iter().map(|one| (one.number, one.target.as_str())).collect::<Vec<_>>(), [(2, "pager")]);
    deliver_all(subject).await
}

/// Who has been too slow, so that somebody else has taken it, changes nothing; what has ended stays as it is.
pub async fn only_who_has_taken_a_delivery_ends_it(subject: &Subject) -> PortResult<()> {
    let now = subject.time.now().await;
    subject.outbox.add(&[letter(subject, now)]).await?;
    let slow = subject.outbox.take_due(now, LEASE, 1).await?.remove(0);
    let quick = subject.outbox.take_due(now + LEASE, LEASE, 1).await?.remove(0);
    assert!(!subject.outbox.keep(&slow, &ended(&slow, now)).await?);
    let failed =
        Dispatch { attempts: 1, error: Some(ODD_TEXT.into()), next_at: now + LEASE * 3, ..quick.clone() };
    assert!(subject.outbox.keep(&quick, &failed).await?);
    assert_eq!(subject.outbox.about(&quick.about).await?, [failed]);
    let again = subject.outbox.take_due(now + LEASE * 3, LEASE, 1).await?.remove(0);
    let given_up = Dispatch { state: DispatchState::GivenUp, ended_at: Some(now), ..again.clone() };
    assert!(subject.outbox.keep(&again, &given_up).await?);
    assert!(!subject.outbox.keep(&given_up, &again).await?, "it has ended");
    assert_eq!(subject.outbox.about(&quick.about).await?, [given_up]);
    assert_eq!(subject.outbox.next_due().await?, None);
    Ok(())
}
