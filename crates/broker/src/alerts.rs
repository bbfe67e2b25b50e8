//! Who tells the operator: every alert goes to the log, becomes an incident in the store, and from there to the targets.
//!
//! What is raised again about the same subject is the same incident. What has become of an incident is stored together
//! with its deliveries, one for each target; any broker on the database delivers them (`post.rs`), in order. What is over
//! without anybody having said so is found by looking (`upkeep.rs`).

mod post;
pub(crate) mod subject;
#[cfg(test)]
mod tests;
mod upkeep;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use contract::{
    Alert, Alerts, Clock, Dispatch, Incident, IncidentId, IncidentStore, Messenger, Notice, Outbox,
    PortError, PortResult, Randomness, Remedy, Report, Timestamp, Turn,
};
use tokio::sync::Notify;

/// How long raising an alert may take at most; what is not stored by then is stored later.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a change is computed anew because somebody else's came in between.
const ATTEMPTS: u32 = 8;
/// How many alerts are remembered that could not be stored. They are in the log, whatever becomes of them.
const MOST_UNSAVED: usize = 256;

/// Keeps incidents and tells of them, and how long one try to deliver may take. A clone is the same.
#[derive(Clone)]
pub struct Notifier(Arc<Inner>, Duration);

struct Inner {
    incidents: Arc<dyn IncidentStore>,
    outbox: Arc<dyn Outbox>,
    messengers: Vec<Arc<dyn Messenger>>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    unsaved: Mutex<VecDeque<Event>>,
    bell: Notify,
}

/// Something that was said, and when.
#[derive(Clone, Debug)]
struct Event {
    alert: Alert,
    is_over: bool,
    at: Timestamp,
}

impl Notifier {
    /// A notifier that keeps incidents in `incidents`, what is to be delivered in `outbox`, and has it delivered by
    /// `messengers`. Without any, alerts are in the log and in the store only.
    pub fn new(
        incidents: Arc<dyn IncidentStore>,
        outbox: Arc<dyn Outbox>,
        messengers: Vec<Arc<dyn Messenger>>,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        let (unsaved, bell) = (Mutex::default(), Notify::new());
        let inner = Inner { incidents, outbox, messengers, clock, randomness, unsaved, bell };
        Self(Arc::new(inner), post::TRY)
    }

    /// The same, which leaves a target so long for one delivery.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self(self.0, patience)
    }

    /// Stores what was said, and says whether something has become of an incident. If it cannot be stored it is tried
    /// again later, in the order in which things were said.
    async fn keep(&self, event: Event) -> Option<bool> {
        if self.unsaved().is_empty() {
            match tokio::time::timeout(PATIENCE, self.store(&event)).await {
                Ok(Ok(has_changed)) => return Some(has_changed),
                Ok(Err(error)) => tracing::error!(%error, "could not keep an incident; it is tried again"),
                Err(_) => tracing::error!("the database is too slow to keep an incident; it is tried again"),
            }
        }
        let mut unsaved = self.unsaved();
        if unsaved.len() < MOST_UNSAVED {
            unsaved.push_back(event);
        }
        None
    }

    /// Stores what could not be stored when it was said.
    async fn keep_unsaved(&self) -> PortResult<()> {
        loop {
            let Some(event) = self.unsaved().front().cloned() else { return Ok(()) };
            self.store(&event).await?;
            self.unsaved().pop_front();
        }
    }

    /// `true` when something has become of an incident.
    async fn store(&self, event: &Event) -> PortResult<bool> {
        for _ in 0..ATTEMPTS {
            let seen = self.0.incidents.find_open(&event.alert.subject).await?;
            let done = match (seen, event.is_over) {
                (None, true) => return Ok(false),
                (None, false) => self.open(event).await?.then_some(true),
                (Some(seen), true) => self.close(&seen, event).await?.then_some(true),
                (Some(seen), false) => self.fold(&seen, event).await?,
            };
            if let Some(has_changed) = done {
                if has_changed {
                    self.0.bell.notify_one();
                }
                return Ok(has_changed);
            }
        }
        Err(PortError::new("keep an incident", Remedy::Retry { after: None }, "others keep changing it"))
    }

    async fn open(&self, event: &Event) -> PortResult<bool> {
        let Event { alert, at, .. } = event;
        let incident = Incident {
            id: self.fresh_id(),
            subject: alert.subject.clone(),
            message: alert.message.clone(),
            side: alert.side,
            affected: alert.affected.clone(),
            opened_at: *at,
            last_at: *at,
            raised: 1,
            turns: 1,
            closed_at: None,
            version: 1,
        };
        self.0.incidents.open(&incident, &self.deliveries(&incident, Turn::Opened, *at)).await
    }

    /// Once more the same. `None` when somebody else has changed it meanwhile.
    async fn fold(&self, seen: &Incident, event: &Event) -> PortResult<Option<bool>> {
        let Event { alert, at, .. } = event;
        let is_worse = alert.is_worse && alert.message != seen.message;
        let affected = if alert.affected.is_empty() { &seen.affected } else { &alert.affected };
        let next = Incident {
            message: alert.message.clone(),
            side: alert.side.or(seen.side),
            affected: affected.clone(),
            last_at: *at,
            raised: seen.raised.saturating_add(1),
            turns: seen.turns.saturating_add(i32::from(is_worse)),
            ..seen.clone()
        };
        let told = if is_worse { self.deliveries(&next, Turn::Worsened, *at) } else { Vec::new() };
        Ok(self.0.incidents.change(seen, &next, &told).await?.then_some(is_worse))
    }

    async fn close(&self, seen: &Incident, event: &Event) -> PortResult<bool> {
        let (message, turns) = (event.alert.message.clone(), seen.turns.saturating_add(1));
        let next = Incident { message, turns, closed_at: Some(event.at), ..seen.clone() };
        self.0.incidents.change(seen, &next, &self.deliveries(&next, Turn::Resolved, event.at)).await
    }

    fn deliveries(&self, incident: &Incident, turn: Turn, at: Timestamp) -> Vec<Dispatch> {
        let notice = Notice::Incident(Report {
            turn,
            subject: incident.subject.clone(),
            message: incident.message.clone(),
            side: incident.side,
            affected: incident.affected.clone(),
            opened_at: incident.opened_at,
            at,
        });
        let targets = self.0.messengers.iter().filter(|messenger| messenger.takes(&notice));
        let to =
            |target: &str| Dispatch::new(incident.id.as_str(), incident.turns, target, notice.clone(), at);
        targets.map(|messenger| to(messenger.target())).collect()
    }

    fn fresh_id(&self) -> IncidentId {
        let bytes = self.0.randomness.bytes();
        IncidentId::new(bytes.iter().fold(String::with_capacity(32), |id, b| id + &format!("{b:02x}")))
    }

    fn unsaved(&self) -> std::sync::MutexGuard<'_, VecDeque<Event>> {
        self.0.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Alerts for Notifier {
    async fn raise(&self, alert: Alert) {
        let (operation, instance) = subject::ids(&alert.subject);
        tracing::error!(
            alert.subject = %alert.subject, operation.id = operation.as_ref().map(display),
            instance.id = instance.as_ref().map(display), "ALERT: {}", alert.message
        );
        self.keep(Event { alert, is_over: false, at: self.0.clock.now() }).await;
    }

    /// What nobody was told of is not told to be over.
    async fn resolve(&self, alert: Alert) {
        let event = Event { alert: alert.clone(), is_over: true, at: self.0.clock.now() };
        if self.keep(event).await != Some(false) {
            let (operation, instance) = subject::ids(&alert.subject);
            tracing::warn!(
                alert.subject = %alert.subject, operation.id = operation.as_ref().map(display),
                instance.id = instance.as_ref().map(display), "RESOLVED: {}", alert.message
            );
        }
    }
}
