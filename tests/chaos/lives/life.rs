//! One life on the real parts, and what is looked at after each of its steps.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, ensure};
use sandbox::aws::{Adjustment, DistributionState, Fault, FaultKind, FaultMoment};
use sandbox::wait_for;
use serde_json::json;

use super::draw::Step;
use super::user::User;
use crate::house::{Answer, BOUND, House, names_never_without_certificate, nothing_left, records_in};
use crate::journal::one_of_each;
use crate::tally::Tally;
use crate::wishes::{INSTANCES, NAMES};

/// How long to wait for a call to AWS that may never come.
const LULL: Duration = Duration::from_secs(2);

/// How it is when nothing goes wrong.
const CALM: Adjustment = Adjustment {
    deploy_ms: Some(300),
    iam_propagation_ms: Some(100),
    iam_release_ms: Some(100),
    certificate_quota: Some(20),
    distribution_quota: Some(20),
    rules: None,
    answer_after_ms: None,
};

pub(super) struct Life<'a> {
    house: House,
    users: Vec<User>,
    tally: &'a Tally,
}

impl<'a> Life<'a> {
    pub(super) async fn begin(tally: &'a Tally) -> anyhow::Result<Self> {
        let mut house = House::without_broker(|_| {}).await?;
        house.sandbox.aws().adjust(&CALM);
        let settings = house.hasty_settings("1s")?;
        house.add_broker(&settings).await?;
        Ok(Self { house, users: (0..INSTANCES).map(User::new).collect(), tally })
    }

    pub(super) async fn live(&mut self, step: &Step) -> anyhow::Result<()> {
        let lived = async {
            self.happen(step).await?;
            self.look().await.map(drop)
        };
        let lived = lived.await;
        lived.with_context(|| format!("{step:?}\n{}", self.house.last_words()))
    }

    /// Everybody leaves, and nothing is left.
    pub(super) async fn end(mut self) -> anyhow::Result<()> {
        let ended = async {
            self.settle().await?;
            for who in 0..INSTANCES {
                self.deprovision(who, false).await?;
            }
            self.settle().await?;
            nothing_left(&self.house.sandbox.aws().state())
        };
        let ended = ended.await;
        ended.with_context(|| format!("at the end\n{}", self.house.last_words()))
    }

    async fn happen(&mut self, step: &Step) -> anyhow::Result<()> {
        match step {
            Step::Provision(who, wish, killed) => {
                let answer = self.asked("provision", self.users[*who].provision(&self.house, wish), *killed);
                let answer = answer.await?;
                self.back_again(*killed).await?;
                let user = &mut self.users[*who];
                let heard = user.hear(answer.as_ref(), false)?;
                user.memory.has_asked(wish, heard.as_ref());
            }
            Step::Update(who, wish, killed) => {
                let parameters = wish.parameters(*who);
                let answer =
                    self.asked("update", self.users[*who].update(&self.house, parameters), *killed).await?;
                self.back_again(*killed).await?;
                let user = &mut self.users[*who];
                let heard = user.hear(answer.as_ref(), false)?;
                user.memory.has_changed(wish, heard.as_ref());
            }
            Step::Look(who) => {
                self.tally.count("actions", "look", 1);
                let answer = self.users[*who].update(&self.house, json!({})).await?;
                ensure!(answer.status.as_u16() < 500, "{answer:?}");
            }
            Step::Deprovision(who, killed) => self.deprovision(*who, *killed).await?,
            Step::Prove => self.prove().await?,
            Step::Work(calls) => self.some_calls(*calls).await,
            Step::Kill => self.kill().await?,
            Step::KillAt(nth, when) => self.kill_at(*nth, *when).await?,
            Step::Settle => self.settle().await?,
            other => self.arrange(other),
        }
        Ok(())
    }
}

/// What users do.
impl Life<'_> {
    /// Asks, and perhaps kills the process at the same time: then the answer may be lost, and what was asked for be done.
    async fn asked(
        &self,
        action: &str,
        asking: impl Future<Output = anyhow::Result<Answer>>,
        killed: bool,
    ) -> anyhow::Result<Option<Answer>> {
        self.tally.count("actions", action, 1);
        if !killed {
            return asking.await.map(Some);
        }
        self.tally.count("deaths", "killed while it was asked", 1);
        let signal = async { self.house.brokers[0].kill_soon() };
        let (answer, killed) = tokio::join!(asking, signal);
        killed?;
        Ok(answer.ok())
    }

    /// Starts the process again, if it was killed.
    async fn back_again(&mut self, killed: bool) -> anyhow::Result<()> {
        if killed { self.house.brokers[0].restart().await } else { Ok(()) }
    }

    async fn deprovision(&mut self, who: usize, killed: bool) -> anyhow::Result<()> {
        let answer = self.asked("deprovision", self.users[who].deprovision(&self.house), killed).await?;
        self.back_again(killed).await?;
        self.users[who].hear(answer.as_ref(), true)?;
        self.users[who].memory.has_deleted();
        Ok(())
    }

    async fn prove(&self) -> anyhow::Result<()> {
        for user in &self.users {
            let polled = user.poll(&self.house).await?;
            for (name, value) in records_in(polled.text("description")) {
                self.house.sandbox.dns().set_txt(&name, vec![value])?;
            }
        }
        Ok(())
    }
}

/// What goes wrong.
impl Life<'_> {
    async fn kill(&mut self) -> anyhow::Result<()> {
        self.tally.count("deaths", "killed", 1);
        self.house.brokers[0].restart().await
    }

    async fn kill_at(&mut self, nth: u32, when: FaultMoment) -> anyhow::Result<()> {
        let faults = self.house.sandbox.aws().faults();
        faults.add(Fault { op: "*".to_owned(), nth, when, kind: FaultKind::Hold });
        let held = tokio::time::timeout(LULL, faults.reached()).await.is_ok();
        self.tally.count("deaths", if held { "killed at a call" } else { "killed before a call" }, 1);
        self.house.brokers[0].kill().await?;
        self.house.sandbox.aws().faults().release();
        self.house.brokers[0].restart().await
    }

    fn arrange(&self, step: &Step) {
        let aws = self.house.sandbox.aws();
        match step {
            Step::Fault(op, when, kind, times) => {
                for nth in 1..=*times {
                    aws.faults().add(Fault { op: (*op).to_owned(), nth, when: *when, kind: *kind });
                }
                let kind = format!("{kind:?} {when:?}").to_lowercase();
                self.tally.count("faults", kind, 1);
            }
            Step::Lag(deploy, show) => aws.adjust(&Adjustment {
                deploy_ms: Some(*deploy),
                iam_propagation_ms: Some(*show),
                ..Adjustment::default()
            }),
            Step::Later(seconds) => aws.advance(Duration::from_secs(*seconds)),
            Step::Room(distributions, certificates) => {
                self.tally.count("faults", "quota reached", 1);
                aws.adjust(&Adjustment {
                    distribution_quota: Some(*distributions),
                    certificate_quota: Some(*certificates),
                    ..Adjustment::default()
                });
            }
            Step::Occupied(who, name) => {
                self.tally.count("faults", "name in use elsewhere", 1);
                aws.hold_elsewhere(NAMES[*who][*name]);
            }
            _ => {}
        }
    }

    async fn some_calls(&self, count: usize) {
        let aws = self.house.sandbox.aws();
        let enough = aws.calls() + count;
        // Nobody calling is no mistake.
        drop(wait_for("calls", LULL, || async { Ok((aws.calls() >= enough).then_some(())) }).await);
        aws.faults().release();
    }

    /// Everything works again, and is given its time.
    async fn settle(&mut self) -> anyhow::Result<()> {
        let aws = self.house.sandbox.aws();
        aws.adjust(&CALM);
        for name in NAMES.as_flattened() {
            aws.let_go_elsewhere(name);
        }
        let mut looks = 0;
        let deadline = tokio::time::Instant::now() + BOUND;
        while !self.is_at_rest().await? {
            looks += 1;
            ensure!(
                tokio::time::Instant::now() < deadline,
                "no rest after {looks} looks: {}",
                self.report().await
            );
            self.house.sandbox.aws().faults().clear();
            self.prove().await?;
            self.some_calls(2).await;
        }
        Ok(())
    }

    async fn is_at_rest(&mut self) -> anyhow::Result<bool> {
        if !self.look().await? {
            return Ok(false);
        }
        let state = self.house.sandbox.aws().state();
        Ok(state.distributions.iter().all(|one| one.status == "Deployed" && self.is_as_known(one))
            && state.certificates.len() == state.distributions.len())
    }

    async fn report(&self) -> String {
        let mut polled = Vec::new();
        for user in &self.users {
            polled.push(user.poll(&self.house).await.map(|answer| answer.body));
        }
        format!("{polled:?} {:?}", self.house.sandbox.aws().state())
    }
}

/// What is looked at.
impl Life<'_> {
    /// Whether what AWS has is what its user sees.
    fn is_as_known(&self, distribution: &DistributionState) -> bool {
        let own = self.users.iter().find(|user| distribution.reference.contains(&user.id()));
        own.is_some_and(|user| user.memory.keeps() == distribution.names.iter().cloned().collect())
    }

    /// What must be true after every step. Answers whether nothing runs any more.
    async fn look(&mut self) -> anyhow::Result<bool> {
        names_never_without_certificate(&self.house)?;
        one_of_each(&self.house.sandbox.aws().journal())?;
        let mut nothing_runs = true;
        let mut users = std::mem::take(&mut self.users);
        for user in &mut users {
            self.visit(user).await?;
            nothing_runs &= user.look(&self.house).await?;
        }
        self.users = users;
        Ok(nothing_runs)
    }

    /// Names that answered at the last look, and that nobody has asked to go, answer still.
    async fn visit(&self, user: &mut User) -> anyhow::Result<()> {
        let state = self.house.sandbox.aws().state();
        let mut own = state.distributions.iter().filter(|one| one.reference.contains(&user.id()));
        let distribution = own.next();
        ensure!(own.next().is_none(), "two distributions: {state:?}");
        let must = &user.up & &user.memory.keeps();
        let shown: BTreeSet<String> = distribution.iter().flat_map(|one| one.names.clone()).collect();
        user.up.clear();
        for name in &must | &shown {
            if let Some(distribution) = distribution {
                self.house.sandbox.dns().set_cname(&name, &distribution.domain)?;
            }
            let visit = self.house.sandbox.visit(&name, "/").await;
            let is_up = visit.as_ref().is_ok_and(|visit| visit.status == 200);
            ensure!(is_up || !must.contains(&name), "{name} was served, and now it is not: {visit:?}");
            if is_up {
                user.up.insert(name);
            }
        }
        Ok(())
    }
}
