//! The user of one instance of a real broker.

use std::collections::BTreeSet;

use anyhow::ensure;
use http::Method;
use serde_json::{Value, json};

use crate::house::{Answer, House, PLAN_ID, SERVICE_ID, provision_body};
use crate::wishes::{Ended, Heard, Memory, Shape, Wish};

/// A user, and what must follow from what they have done.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) who: usize,
    pub(crate) memory: Memory,
    /// The names that answered visitors at the last look.
    pub(crate) up: BTreeSet<String>,
    /// What was accepted last, and whether it was a deletion; unknown when an answer was lost since.
    last: Option<(String, bool)>,
}

impl User {
    pub(crate) fn new(who: usize) -> Self {
        Self { who, memory: Memory::new(who), up: BTreeSet::new(), last: None }
    }

    pub(crate) fn id(&self) -> String {
        format!("3f1c9a52-0000-4000-8000-00000000020{}", self.who)
    }

    fn url(&self) -> String {
        format!("/v2/service_instances/{}", self.id())
    }

    pub(crate) async fn provision(&self, house: &House, wish: &Wish) -> anyhow::Result<Answer> {
        let body = provision_body(&wish.parameters(self.who));
        house.call(Method::PUT, &format!("{}?accepts_incomplete=true", self.url()), Some(&body)).await
    }

    pub(crate) async fn update(&self, house: &House, parameters: Value) -> anyhow::Result<Answer> {
        let body = json!({"service_id": SERVICE_ID, "plan_id": PLAN_ID, "parameters": parameters});
        house.call(Method::PATCH, &format!("{}?accepts_incomplete=true", self.url()), Some(&body)).await
    }

    pub(crate) async fn deprovision(&self, house: &House) -> anyhow::Result<Answer> {
        house.deprovision(&self.id()).await
    }

    /// Notes what an answer says, or that it was lost.
    pub(crate) fn hear(&mut self, answer: Option<&Answer>, deletes: bool) -> anyhow::Result<Option<Heard>> {
        let Some(answer) = answer else {
            self.last = None;
            return Ok(None);
        };
        ensure!(answer.status.as_u16() < 500, "{answer:?}");
        let heard = Heard { status: answer.status.as_u16(), operation: answer.text("operation").to_owned() };
        if answer.status == 202 {
            self.last = Some((heard.operation.clone(), deletes));
        }
        Ok(Some(heard))
    }

    /// What the broker says of the last operation.
    pub(crate) async fn poll(&self, house: &House) -> anyhow::Result<Answer> {
        let answer = house.poll(&self.id()).await?;
        ensure!([200, 404, 410].contains(&answer.status.as_u16()), "{answer:?}");
        Ok(answer)
    }

    /// Compares what the broker shows with what the user remembers, if nothing runs. Answers whether nothing does.
    pub(crate) async fn look(&mut self, house: &House) -> anyhow::Result<bool> {
        let polled = self.poll(house).await?;
        if polled.text("state") == "in progress" {
            return Ok(false);
        }
        // Nothing that this life lets go wrong lasts as long as a broker is patient.
        ensure!(polled.text("state") != "failed", "{polled:?}");
        let shown = house.call(Method::GET, &self.url(), None).await?;
        let shape = match shown.status.as_u16() {
            200 => Some(shape(&shown.body["parameters"])),
            404 | 410 => None,
            _ => anyhow::bail!("{shown:?}"),
        };
        let ended = self.last.as_ref().map(|(id, was_deprovision)| Ended {
            id,
            succeeded: polled.text("state") == "succeeded",
            was_deprovision: *was_deprovision,
        });
        self.memory.at_rest(shape, ended.as_ref());
        Ok(true)
    }
}

fn shape(parameters: &Value) -> Shape {
    let domains = parameters["domain"].as_str().unwrap_or_default().split(',');
    Shape {
        names: domains.map(str::to_owned).collect(),
        path: parameters["path"].as_str().unwrap_or_default().to_owned(),
    }
}
