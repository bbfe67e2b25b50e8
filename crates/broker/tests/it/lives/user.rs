//! The user of one instance, and the platform between them and the broker.

use std::collections::BTreeSet;

use contract::{DomainName, Instance, InstanceState, Operation, OperationKind, OperationState};
use http::Method;
use serde_json::{Value, json};

use super::wishes::{Ended, Heard, Memory, Shape, Wish};
use crate::harness::{Answer, Bench, provision_body};

/// A user, and what must follow from what they have done.
#[derive(Debug)]
pub(super) struct User {
    who: usize,
    pub(super) memory: Memory,
    /// What is served.
    pub(super) served: BTreeSet<String>,
}

impl User {
    pub(super) fn new(who: usize) -> Self {
        Self { who, memory: Memory::new(who), served: BTreeSet::new() }
    }

    pub(super) fn id(&self) -> String {
        format!("9a4b0c1e-0000-4000-8000-00000000001{}", self.who)
    }

    fn path(&self) -> String {
        format!("/v2/service_instances/{}", self.id())
    }

    pub(super) async fn provision(&self, bench: &Bench, wish: &Wish) -> Answer {
        let wish = Wish { purge: false, ..wish.clone() };
        let body = provision_body(&wish.parameters(self.who));
        bench.call(Method::PUT, &format!("{}?accepts_incomplete=true", self.path()), Some(body)).await
    }

    pub(super) async fn update(&self, bench: &Bench, wish: &Wish) -> Answer {
        self.patch(bench, wish.parameters(self.who)).await
    }

    pub(super) async fn look(&self, bench: &Bench) -> Answer {
        self.patch(bench, json!({})).await
    }

    async fn patch(&self, bench: &Bench, parameters: Value) -> Answer {
        let body =
            json!({"service_id": broker::SERVICE_ID, "plan_id": broker::PLAN_ID, "parameters": parameters});
        bench.call(Method::PATCH, &format!("{}?accepts_incomplete=true", self.path()), Some(body)).await
    }

    pub(super) async fn deprovision(&self, bench: &Bench) -> Answer {
        let (service, plan) = (broker::SERVICE_ID, broker::PLAN_ID);
        let query = format!("accepts_incomplete=true&service_id={service}&plan_id={plan}");
        bench.call(Method::DELETE, &format!("{}?{query}", self.path()), None).await
    }

    pub(super) async fn poll(&self, bench: &Bench) -> [Answer; 2] {
        let last = bench.call(Method::GET, &format!("{}/last_operation", self.path()), None).await;
        [last, bench.call(Method::GET, &self.path(), None).await]
    }

    /// Compares what the store says with what the user remembers.
    pub(super) fn at_rest(&mut self, instance: Option<&Instance>, latest: Option<&Operation>) {
        let there = instance.filter(|one| one.state != InstanceState::Gone);
        let ended = latest.map(|latest| Ended {
            id: latest.id.as_str(),
            succeeded: latest.state == OperationState::Succeeded,
            was_deprovision: latest.kind == OperationKind::Deprovision,
        });
        self.memory.at_rest(there.map(shape), ended.as_ref());
    }
}

pub(super) fn heard(answer: &Answer) -> Heard {
    Heard { status: answer.status.as_u16(), operation: answer.text("operation").to_owned() }
}

fn shape(instance: &Instance) -> Shape {
    let settings = &instance.settings;
    Shape { names: texts(&settings.domains), path: settings.origin.path.clone() }
}

pub(super) fn texts<'a>(names: impl IntoIterator<Item = &'a DomainName>) -> BTreeSet<String> {
    names.into_iter().map(|name| name.as_str().to_owned()).collect()
}
