//! The steps with a throw-away answer to a challenge.

use contract::{Canary, InstanceId, PortResult, VisitAnswer, VisitQuestion};

use super::refusal::Said;
use super::steps::{SLOW, Seen};
use super::walk::Walk;
use super::walker::ContractCheck;
use crate::folder::{CHALLENGE_PATH, key};

impl ContractCheck {
    /// The answer goes into the folder of the canary, whose distribution leads to it, or into one of its own.
    pub(super) async fn put(&self, walk: &mut Walk, canary: Option<&Canary>) -> PortResult<Seen> {
        let folder = canary.map_or_else(|| format!("canary-{}", walk.id), |one| one.instance.to_string());
        walk.things.answer.get_or_insert((folder, walk.id.clone()));
        Ok(match self.bench.put(&answer_key(walk), &walk.id).await? {
            Said::Yes(()) => Seen::Holds,
            Said::No(refusal) => Seen::broken(&refusal),
        })
    }

    pub(super) async fn find_answer(&self, walk: &Walk) -> PortResult<Seen> {
        self.put_again(walk).await?;
        if self.bench.has(&answer_key(walk)).await? {
            return Ok(Seen::Holds);
        }
        Ok(Seen::Broken("it does not".to_owned()))
    }

    /// A renewal of the canary clears its folder when it has ended; before another try the answer is put there anew.
    async fn put_again(&self, walk: &Walk) -> PortResult<()> {
        if walk.tries > 0 {
            self.bench.put(&answer_key(walk), &walk.id).await?;
        }
        Ok(())
    }

    pub(super) async fn read_answer(&self, walk: &Walk, canary: Option<&Canary>) -> PortResult<Seen> {
        self.put_again(walk).await?;
        Ok(match self.ask_canary(walk, canary).await? {
            Err(saw) => Seen::NotYet(saw, SLOW),
            Ok(answer) if answer.status == 200 && answer.body == walk.id.as_bytes() => Seen::Holds,
            Ok(answer) => Seen::Broken(format!("{} answers with {}", asked_for(canary), answer.status)),
        })
    }

    pub(super) async fn compare_headers(&self, walk: &Walk, canary: Option<&Canary>) -> PortResult<Seen> {
        let answer = match self.ask_canary(walk, canary).await? {
            Err(saw) => return Ok(Seen::NotYet(saw, SLOW)),
            Ok(answer) => answer,
        };
        let header = |name: &str| answer.headers.get(name).map(String::as_str).unwrap_or_default();
        let (kind, cache) = (header("content-type"), header("cache-control"));
        if (kind, cache) == ("application/octet-stream", "no-store") {
            return Ok(Seen::Holds);
        }
        Ok(Seen::Broken(format!("it comes with the type `{kind}` and the Cache-Control `{cache}`")))
    }

    pub(super) async fn withdraw(&self, walk: &mut Walk) -> PortResult<Seen> {
        if let Said::No(refusal) = self.bench.withdraw(&answer_key(walk)).await? {
            return Ok(Seen::broken(&refusal));
        }
        if self.bench.has(&answer_key(walk)).await? {
            return Ok(Seen::Broken("it is still listed".to_owned()));
        }
        walk.things.answer = None;
        Ok(Seen::Holds)
    }

    async fn ask_canary(
        &self,
        walk: &Walk,
        canary: Option<&Canary>,
    ) -> PortResult<Result<VisitAnswer, String>> {
        let Some(canary) = canary else { return Ok(Err("the canary is gone".to_owned())) };
        let path = format!("/{CHALLENGE_PATH}/{}", walk.id);
        let (at, host) = (canary.host.clone(), canary.name.to_string());
        let answer = self.edge.ask(&VisitQuestion { at, host, path, secure: false }).await;
        Ok(answer.map_err(|error| error.to_string()))
    }
}

fn asked_for(canary: Option<&Canary>) -> String {
    canary.map_or_else(String::new, |canary| format!("http://{}/{CHALLENGE_PATH}/...", canary.name))
}

/// The key of the walk's answer.
pub(super) fn answer_key(walk: &Walk) -> String {
    let (folder, token) = walk.things.answer.clone().unwrap_or_default();
    key(&InstanceId::new(folder), &token)
}
