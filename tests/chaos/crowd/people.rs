//! The users of a crowd: each asks for an instance, proves its names, and has it changed or deleted. They ask again when
//! nobody answers, as a platform does, and believe everything that they are told.

use anyhow::{Context, bail, ensure};
use http::Method;
use proptest::prelude::*;
use sandbox::wait_for;
use serde_json::{Value, json};

use crate::crowd::town::Street;
use crate::house::{Answer, BOUND, PLAN_ID, SERVICE_ID, provision_body, records_in};
use crate::tally::{Tally, say};

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It serves.
    Served,
    /// Its settings are changed, and it serves.
    Changed,
    /// It gets another name, and serves.
    Extended,
    /// It has served, and is deleted.
    Deleted,
    /// It is deleted when its user has been asked about so often.
    GivenUp(u8),
}

impl Fate {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Changed => "changed",
            Self::Extended => "extended by a name",
            Self::Deleted => "served and deleted",
            Self::GivenUp(_) => "deleted while it was made",
        }
    }

    pub(crate) fn is_gone(self) -> bool {
        matches!(self, Self::Deleted | Self::GivenUp(_))
    }
}

pub(crate) fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        3 => Just(Fate::Served),
        3 => Just(Fate::Changed),
        3 => Just(Fate::Extended),
        2 => Just(Fate::Deleted),
        2 => (0..30_u8).prop_map(Fate::GivenUp),
    ]
}

/// What somebody does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Ask,
    Wait,
    Change,
    WaitForChange,
    Delete,
    WaitForEnd,
    Done,
}

#[derive(Debug)]
pub(crate) struct Person {
    number: usize,
    pub(crate) fate: Fate,
    stage: Stage,
    polls: u8,
}

/// Everybody gets what they want, or one of them hears what must not be said.
pub(crate) async fn live(street: &Street<'_>, people: &mut [Person], tally: &Tally) -> anyhow::Result<()> {
    let mut turn = 0;
    let mut done = 0;
    while done < people.len() {
        // A pass over all of them, and a pause that leaves the brokers some time for their work.
        for person in people.iter_mut() {
            turn += 1;
            let step = person.step(street, turn, tally).await;
            step.with_context(|| format!("{} as {:?}", person.id(), person.fate))?;
        }
        let now = people.iter().filter(|person| person.stage == Stage::Done).count();
        if now / 10 > done / 10 {
            say(&format!("chaos: {now} of {} have what they want", people.len()));
        }
        done = now;
        wait_for("a breath", BOUND, breath()).await?;
    }
    Ok(())
}

/// A condition that is true at the second look.
fn breath() -> impl FnMut() -> std::future::Ready<anyhow::Result<Option<()>>> {
    let mut looks = 0;
    move || {
        looks += 1;
        std::future::ready(Ok((looks > 2).then_some(())))
    }
}

impl Person {
    pub(crate) fn new(number: usize, fate: Fate) -> Self {
        Self { number, fate, stage: Stage::Ask, polls: 0 }
    }

    pub(crate) fn id(&self) -> String {
        format!("3f1c9a52-0000-4000-8000-0000000{:05}", self.number)
    }

    /// What is served at the end.
    pub(crate) fn names(&self) -> Vec<String> {
        match self.fate {
            Fate::Extended => vec![format!("also{}.example.gov", self.number), self.first_name()],
            _ => vec![self.first_name()],
        }
    }

    pub(crate) fn path(&self) -> &'static str {
        if self.fate == Fate::Changed { "/changed" } else { "" }
    }

    /// How many certificates it takes.
    pub(crate) fn certificates(&self) -> usize {
        if self.fate == Fate::Extended { 2 } else { 1 }
    }

    fn first_name(&self) -> String {
        format!("www{}.example.gov", self.number)
    }

    fn url(&self) -> String {
        format!("/v2/service_instances/{}", self.id())
    }

    async fn step(&mut self, street: &Street<'_>, turn: usize, tally: &Tally) -> anyhow::Result<()> {
        match self.stage {
            Stage::Ask => {
                let body = provision_body(&json!({"domain": self.first_name()}));
                self.request(street, turn, Method::PUT, "", Some(&body), Stage::Wait, tally).await
            }
            Stage::Change => {
                let body = json!({"service_id": SERVICE_ID, "plan_id": PLAN_ID, "parameters": self.change()});
                self.request(street, turn, Method::PATCH, "", Some(&body), Stage::WaitForChange, tally).await
            }
            Stage::Delete => {
                let query = format!("&service_id={SERVICE_ID}&plan_id={PLAN_ID}");
                self.request(street, turn, Method::DELETE, &query, None, Stage::WaitForEnd, tally).await
            }
            Stage::Wait | Stage::WaitForChange | Stage::WaitForEnd => self.poll(street, turn, tally).await,
            Stage::Done => Ok(()),
        }
    }

    fn change(&self) -> Value {
        if self.fate == Fate::Extended {
            json!({"domains": self.names()})
        } else {
            json!({"path": self.path()})
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a request has so many parts")]
    async fn request(
        &mut self,
        street: &Street<'_>,
        turn: usize,
        method: Method,
        query: &str,
        body: Option<&Value>,
        next: Stage,
        tally: &Tally,
    ) -> anyhow::Result<()> {
        let url = format!("{}?accepts_incomplete=true{query}", self.url());
        let action = method.to_string();
        let Some(answer) = street.ask(turn, method, &url, body).await? else {
            tally.count("actions", format!("{action} that nobody answered"), 1);
            return Ok(());
        };
        // A request whose answer was lost is repeated, and may have been done meanwhile.
        let is_done = answer.status == 410 && next == Stage::WaitForEnd;
        ensure!(is_done || [200, 202].contains(&answer.status.as_u16()), "{action}: {answer:?}");
        tally.count("actions", action, 1);
        self.stage = next;
        Ok(())
    }

    async fn poll(&mut self, street: &Street<'_>, turn: usize, tally: &Tally) -> anyhow::Result<()> {
        let url = format!("{}/last_operation", self.url());
        let Some(answer) = street.ask(turn, Method::GET, &url, None).await? else {
            tally.count("actions", "poll that nobody answered", 1);
            return Ok(());
        };
        tally.count("actions", "poll", 1);
        self.polls = self.polls.saturating_add(1);
        match answer.text("state") {
            "in progress" => self.do_as_told(street, &answer),
            "succeeded" => {
                tally.count("outcomes", "operation succeeded", 1);
                self.go_on(street)
            }
            _ if answer.status == 410 && self.stage == Stage::WaitForEnd => {
                self.stage = Stage::Done;
                Ok(())
            }
            _ => bail!("{answer:?}"),
        }
    }

    /// Sets the records that the instructions name, or loses patience.
    fn do_as_told(&mut self, street: &Street<'_>, answer: &Answer) -> anyhow::Result<()> {
        if let (Fate::GivenUp(polls), Stage::Wait) = (self.fate, self.stage)
            && self.polls > polls
        {
            self.stage = Stage::Delete;
            return Ok(());
        }
        for (name, value) in records_in(answer.text("description")) {
            street.house.sandbox.dns().set_txt(&name, vec![value])?;
        }
        Ok(())
    }

    fn go_on(&mut self, street: &Street<'_>) -> anyhow::Result<()> {
        self.stage = match (self.stage, self.fate) {
            (Stage::Wait, Fate::Changed | Fate::Extended) => Stage::Change,
            (Stage::Wait, Fate::Deleted | Fate::GivenUp(_)) => Stage::Delete,
            _ => Stage::Done,
        };
        if self.stage == Stage::Done && !self.fate.is_gone() {
            self.point_the_names(street)?;
        }
        Ok(())
    }

    fn point_the_names(&self, street: &Street<'_>) -> anyhow::Result<()> {
        let state = street.house.sandbox.aws().state();
        let mut own = state.distributions.iter().filter(|one| one.reference.contains(&self.id()));
        let domain = &own.next().context("no distribution")?.domain;
        self.names().iter().try_for_each(|name| street.house.sandbox.dns().set_cname(name, domain))
    }
}
