//! What each stage does. A stage may be done twice, and its answer may be lost.

use std::time::Duration;

use contract::{DomainName, PortResult, Side, VisitAnswer, VisitQuestion, durable_label};
use serde_json::{Value, json};

use super::api::{Answer, Offer};
use super::end_to_end::EndToEnd;
use super::memory::{Home, Kind, Run, Stage};
use super::{CanaryZone, ORGANIZATION};

/// How soon to look again.
const SOON: Duration = Duration::from_secs(15);
/// The two times that a change goes between, in seconds: the canary's content is nobody's concern.
const TIMES: [u32; 2] = [60, 61];

/// What a stage has come to.
pub(super) enum Seen {
    /// It is done.
    Done,
    /// Not yet: what there is instead, and when to look again.
    NotYet(String, Duration),
    /// It failed, probably on that side.
    Failed(Side, String),
}

impl EndToEnd {
    pub(super) async fn do_stage(&self, run: &mut Run, zone: &CanaryZone, runs: u32) -> PortResult<Seen> {
        match run.stage {
            Stage::Provision => self.provision(run, zone).await,
            Stage::Change => self.change(run, runs).await,
            Stage::Provisioned | Stage::Changed | Stage::Deleted => self.follow(run).await,
            Stage::Point => self.point(run, zone).await,
            Stage::Visit => self.visit(run).await,
            Stage::Delete => self.delete(run).await,
            Stage::Clear => clear(run, zone).await,
        }
    }

    /// The proof is there before anything is asked for, and stays for as long as the instance does: renewals go by it.
    async fn provision(&self, run: &mut Run, zone: &CanaryZone) -> PortResult<Seen> {
        let name = &run.home.name;
        let target = format!("_acme-challenge.{}.{}", durable_label(ORGANIZATION, name), zone.apex);
        zone.zone.point(&format!("_acme-challenge.{name}."), &target).await?;
        let parameters = self.parameters(run);
        let asked = match self.offer().await {
            Ok(offer) => self.api.provision(&run.home.instance, &offer, &parameters).await,
            Err(why) => Err(why),
        };
        Ok(accepted(run, asked, &[200, 201, 202]))
    }

    fn parameters(&self, run: &Run) -> Value {
        let name = run.home.name.as_str();
        let domains = match run.kind {
            Kind::Whole => name.to_owned(),
            // The throw-away distributions of other checks have names below it.
            Kind::Settle | Kind::Visit => format!("{name},*.{name}"),
        };
        match &self.ports.settings.origin {
            Some(origin) => json!({ "domain": domains, "origin": origin.as_str() }),
            None => json!({ "domain": domains }),
        }
    }

    async fn change(&self, run: &mut Run, runs: u32) -> PortResult<Seen> {
        let time = TIMES[(runs % 2) as usize];
        let asked = match self.offer().await {
            Ok(offer) => {
                let wanted = json!({ "default_ttl": time });
                self.api.change(&run.home.instance, &offer, &wanted).await
            }
            Err(why) => Err(why),
        };
        if let Ok(answer) = &asked
            && answer.status == 422
            && answer.text("error") == "ConcurrencyError"
        {
            return Ok(Seen::NotYet(answer.told(), SOON));
        }
        Ok(accepted(run, asked, &[200, 202]))
    }

    /// Follows whatever runs on the instance to its end.
    async fn follow(&self, run: &Run) -> PortResult<Seen> {
        let is_end = run.stage == Stage::Deleted;
        Ok(match self.api.last_operation(&run.home.instance, run.operation.as_deref()).await {
            Err(why) => Seen::Failed(Side::Us, why),
            Ok(answer) if matches!(answer.status, 404 | 410) && is_end => Seen::Done,
            Ok(answer) if answer.status != 200 => Seen::Failed(Side::Us, answer.told()),
            Ok(answer) => match answer.text("state") {
                "succeeded" => Seen::Done,
                "in progress" => Seen::NotYet(first_line(&answer), SOON),
                _ => Seen::Failed(Side::Us, answer.text("description").to_owned()),
            },
        })
    }

    async fn point(&self, run: &Run, zone: &CanaryZone) -> PortResult<Seen> {
        let instance = self.ports.instances.find(&run.home.instance).await?;
        let Some(host) = instance.and_then(|instance| instance.distribution_domain) else {
            return Ok(Seen::Failed(Side::Us, "the instance has no host name at the CDN".to_owned()));
        };
        let name = &run.home.name;
        zone.zone.point(&format!("{name}."), &host).await?;
        if run.kind != Kind::Whole {
            zone.zone.point(&format!("*.{name}."), &host).await?;
        }
        Ok(Seen::Done)
    }

    async fn visit(&self, run: &Run) -> PortResult<Seen> {
        let name = &run.home.name;
        let host = name.to_string();
        let question = VisitQuestion { at: host.clone(), host, path: "/".to_owned(), secure: true };
        Ok(match self.ports.visitor.ask(&question).await {
            // Name servers and edges take their time; after the patience of the stage it is a failure.
            Err(error) => Seen::NotYet(error.to_string(), SOON),
            Ok(answer) => self.judge(name, &answer),
        })
    }

    fn judge(&self, name: &DomainName, answer: &VisitAnswer) -> Seen {
        let Some(facts) = &answer.certificate else {
            return Seen::NotYet(format!("{name} presents a certificate that cannot be read"), SOON);
        };
        if !facts.names.contains(name) {
            let names: Vec<&str> = facts.names.iter().map(DomainName::as_str).collect();
            return Seen::NotYet(format!("{name} presents a certificate for {}", names.join(", ")), SOON);
        }
        if facts.not_after <= self.ports.clock.now() {
            return Seen::Failed(
                Side::Us,
                format!("the certificate of {name} ran out on {}", facts.not_after),
            );
        }
        if answer.status >= 500 || answer.status == 421 {
            return Seen::NotYet(format!("https://{name}/ answers with {}", answer.status), SOON);
        }
        Seen::Done
    }

    async fn delete(&self, run: &mut Run) -> PortResult<Seen> {
        let asked = match self.offer().await {
            Ok(offer) => self.api.delete(&run.home.instance, &offer).await,
            Err(why) => Err(why),
        };
        Ok(accepted(run, asked, &[200, 202, 410]))
    }

    async fn offer(&self) -> Result<Offer, String> {
        self.api.offer().await
    }
}

async fn clear(run: &Run, zone: &CanaryZone) -> PortResult<Seen> {
    let Home { name, .. } = &run.home;
    for owner in [format!("_acme-challenge.{name}."), format!("{name}."), format!("*.{name}.")] {
        zone.zone.release(&owner).await?;
    }
    Ok(Seen::Done)
}

fn accepted(run: &mut Run, asked: Result<Answer, String>, statuses: &[u16]) -> Seen {
    match asked {
        Err(why) => Seen::Failed(Side::Us, why),
        Ok(answer) if statuses.contains(&answer.status) => {
            run.operation = answer.body["operation"].as_str().map(str::to_owned);
            Seen::Done
        }
        Ok(answer) => Seen::Failed(Side::Us, answer.told()),
    }
}

fn first_line(answer: &Answer) -> String {
    answer.text("description").lines().next().unwrap_or_default().to_owned()
}
