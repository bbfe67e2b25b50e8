use std::time::Duration;

use async_trait::async_trait;

use super::{MemoryStore, State};
use crate::{Dispatch, DispatchState, Incident, IncidentStore, Outbox, PortResult, Timestamp};

#[async_trait]
impl IncidentStore for MemoryStore {
    async fn find_open(&self, subject: &str) -> PortResult<Option<Incident>> {
        self.call("incidents.find_open", |state, _| Ok(state.open_incident(subject).cloned())).await
    }

    async fn open(&self, incident: &Incident, deliveries: &[Dispatch]) -> PortResult<bool> {
        self.call("incidents.open", |state, _| {
            if state.open_incident(&incident.subject).is_some() {
                return Ok(false);
            }
            state.incidents.push(incident.clone());
            state.send(deliveries);
            Ok(true)
        })
        .await
    }

    async fn change(&self, seen: &Incident, next: &Incident, deliveries: &[Dispatch]) -> PortResult<bool> {
        self.call("incidents.change", |state, _| {
            let is_seen = |one: &&mut Incident| (&one.id, one.version) == (&seen.id, seen.version);
            let Some(known) = state.incidents.iter_mut().find(is_seen) else { return Ok(false) };
            *known = Incident { version: seen.version + 1, ..next.clone() };
            state.send(deliveries);
            Ok(true)
        })
        .await
    }

    async fn list(&self, only_open: bool, most: u32) -> PortResult<Vec<Incident>> {
        self.call("incidents.list", |state, _| {
            let wanted = state.incidents.iter().filter(|one| !only_open || one.closed_at.is_none());
            let mut wanted: Vec<Incident> = wanted.cloned().collect();
            wanted.sort_by(|one, other| (other.opened_at, &other.id).cmp(&(one.opened_at, &one.id)));
            wanted.truncate(most as usize);
            Ok(wanted)
        })
        .await
    }

    async fn forget_before(&self, moment: Timestamp) -> PortResult<usize> {
        self.call("incidents.forget_before", |state, _| {
            let before = state.incidents.len() + state.deliveries.len();
            state.incidents.retain(|one| one.closed_at.is_none_or(|closed| closed >= moment));
            state.deliveries.retain(|one| one.ended_at.is_none_or(|ended| ended >= moment));
            Ok(before - state.incidents.len() - state.deliveries.len())
        })
        .await
    }
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn add(&self, deliveries: &[Dispatch]) -> PortResult<usize> {
        self.call("outbox.add", |state, _| Ok(state.send(deliveries))).await
    }

    async fn take_due(&self, now: Timestamp, put_off: Duration, most: u32) -> PortResult<Vec<Dispatch>> {
        self.call("outbox.take_due", |state, _| {
            let mut due: Vec<usize> =
                (0..state.deliveries.len()).filter(|place| state.is_due(*place, now)).collect();
            due.sort_by_key(|place| state.deliveries.get(*place).map(|one| one.next_at));
            due.truncate(most as usize);
            let mut taken = Vec::new();
            for place in due {
                if let Some(delivery) = state.deliveries.get_mut(place) {
                    delivery.next_at = now + put_off;
                    taken.push(delivery.clone());
                }
            }
            Ok(taken)
        })
        .await
    }

    async fn keep(&self, seen: &Dispatch, next: &Dispatch) -> PortResult<bool> {
        self.call("outbox.keep", |state, _| {
            let is_seen = |one: &&mut Dispatch| {
                is_the_same(one, seen) && one.next_at == seen.next_at && one.state == DispatchState::Waiting
            };
            let known = state.deliveries.iter_mut().find(is_seen);
            Ok(known.map(|known| *known = next.clone()).is_some())
        })
        .await
    }

    async fn next_due(&self) -> PortResult<Option<Timestamp>> {
        self.call("outbox.next_due", |state, _| {
            let waiting = state.deliveries.iter().filter(|one| one.state == DispatchState::Waiting);
            Ok(waiting.map(|one| one.next_at).min())
        })
        .await
    }

    async fn about(&self, about: &str) -> PortResult<Vec<Dispatch>> {
        self.call("outbox.about", |state, _| {
            Ok(state.deliveries.iter().filter(|one| one.about == about).cloned().collect())
        })
        .await
    }
}

impl State {
    fn open_incident(&self, subject: &str) -> Option<&Incident> {
        self.incidents.iter().find(|one| one.subject == subject && one.closed_at.is_none())
    }

    fn send(&mut self, deliveries: &[Dispatch]) -> usize {
        let before = self.deliveries.len();
        for delivery in deliveries {
            if !self.deliveries.iter().any(|one| is_the_same(one, delivery)) {
                self.deliveries.push(delivery.clone());
            }
        }
        self.deliveries.len() - before
    }

    fn is_due(&self, place: usize, now: Timestamp) -> bool {
        let waits = |one: &&Dispatch| one.state == DispatchState::Waiting;
        let due = self.deliveries.get(place).filter(waits).filter(|one| one.next_at <= now);
        due.is_some_and(|due| {
            let mut earlier = self.deliveries.iter().filter(waits).filter(|one| one.number < due.number);
            !earlier.any(|one| (&one.about, &one.target) == (&due.about, &due.target))
        })
    }
}

fn is_the_same(one: &Dispatch, other: &Dispatch) -> bool {
    (&one.about, one.number, &one.target) == (&other.about, other.number, &other.target)
}
