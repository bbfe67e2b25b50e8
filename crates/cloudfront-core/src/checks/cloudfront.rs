//! The steps with a throw-away distribution.

use contract::{Canary, DomainName, PortResult, Serving, VisitQuestion};

use super::bench::with_name;
use super::plan::Step;
use super::refusal::Said;
use super::steps::{SLOW, Seen};
use super::walk::{Things, Walk};
use super::walker::ContractCheck;
use crate::cdn::read::{Found, existing_id};

/// What CloudFront answers to a stale or missing `ETag`.
const STALE: [&str; 2] = ["PreconditionFailed", "InvalidIfMatchVersion"];
/// What it answers to a change that it may take a moment later.
const PASSING: [&str; 3] = ["PreconditionFailed", "InvalidIfMatchVersion", "CNAMEAlreadyExists"];

impl ContractCheck {
    /// A walk whose process died finds here what that process had made.
    pub(super) async fn create(&self, walk: &mut Walk, enabled: bool) -> PortResult<Seen> {
        if walk.things.distribution.is_some() {
            return Ok(Seen::Holds);
        }
        let made = match self.bench.create(&Self::reference(walk), &self.spec(walk, None), enabled).await? {
            Said::Yes(made) => made,
            Said::No(refusal) => match self.made_before(walk, &refusal.to_string()).await? {
                Some(made) => made,
                None => return Ok(Seen::broken(&refusal)),
            },
        };
        walk.things.distribution = Some(made.distribution.id.to_string());
        walk.things.host = Some(made.distribution.domain);
        Ok(Seen::Holds)
    }

    async fn made_before(&self, walk: &Walk, refusal: &str) -> PortResult<Option<Found>> {
        let Some(id) = existing_id(refusal) else { return Ok(None) };
        let found = self.bench.read(id.as_str()).await?;
        Ok(found.filter(|found| found.config.caller_reference == Self::reference(walk).as_str()))
    }

    pub(super) async fn create_again(&self, walk: &Walk) -> PortResult<Seen> {
        let known = walk.things.distribution.as_deref();
        Ok(match self.bench.create(&Self::reference(walk), &self.spec(walk, None), true).await? {
            Said::Yes(_) => Seen::Broken("the same reference is taken once more".to_owned()),
            Said::No(refusal) if refusal.code != "DistributionAlreadyExists" => Seen::refused(&refusal, &[]),
            Said::No(refusal) => {
                let named = existing_id(&refusal.message);
                if named.as_ref().map(contract::DistributionId::as_str) == known {
                    Seen::Holds
                } else {
                    Seen::Broken(format!("the refusal does not name the distribution ({refusal})"))
                }
            }
        })
    }

    pub(super) async fn name_alone(&self, walk: &Walk) -> PortResult<Seen> {
        let Some(found) = self.distribution(walk).await? else { return Ok(lost()) };
        let name = walk.alias().unwrap_or_else(|| format!("canary-{}.example.com", walk.id));
        let sent = self.bench.update(&found, &found.tag, with_name(&found.config, &name)?).await?;
        Ok(match sent {
            Said::Yes(_) => Seen::Broken(format!("{name} is taken without a certificate")),
            Said::No(refusal) => Seen::refused(&refusal, &["InvalidViewerCertificate"]),
        })
    }

    pub(super) async fn await_deployed(&self, walk: &mut Walk) -> PortResult<Seen> {
        if walk.things.distribution.is_none() {
            return Ok(Seen::Holds);
        }
        if walk.step == Step::FirstDeployment {
            self.lead(walk).await?;
        }
        let Some(found) = self.distribution(walk).await? else { return Ok(lost()) };
        if found.distribution.deployed {
            return Ok(Seen::Holds);
        }
        Ok(Seen::NotYet("the change is still in progress".to_owned(), SLOW))
    }

    pub(super) async fn ask_for_unknown(&self, walk: &Walk) -> PortResult<Seen> {
        let host = format!("canary-{}.invalid", walk.id.get(..16).unwrap_or_default());
        let question = VisitQuestion { at: at(walk), host, path: "/".to_owned(), secure: false };
        Ok(match self.edge.ask(&question).await {
            // Before a name server knows the new host name, nobody answers.
            Err(error) => Seen::NotYet(error.to_string(), SLOW),
            Ok(answer) => {
                let server = answer.headers.get("server").map(String::as_str).unwrap_or_default();
                if matches!(answer.status, 403 | 421) && server.eq_ignore_ascii_case("cloudfront") {
                    Seen::Holds
                } else {
                    Seen::Broken(format!("it is answered with {} by `{server}`", answer.status))
                }
            }
        })
    }

    pub(super) async fn name_and_certificate(
        &self,
        walk: &mut Walk,
        canary: Option<&Canary>,
    ) -> PortResult<Seen> {
        let name = walk.alias().and_then(|alias| DomainName::parse(&alias).ok());
        let (Some(canary), Some(name)) = (canary, name) else {
            return Ok(Seen::NotYet("the canary is gone".to_owned(), SLOW));
        };
        let Some(found) = self.distribution(walk).await? else { return Ok(lost()) };
        let serving = Serving { names: vec![name], certificate: canary.stored.clone() };
        let wanted = self.bench.changed(&found, &self.spec(walk, Some(serving)))?;
        walk.fingerprint = Some(canary.bundle.facts.fingerprint.clone());
        if wanted == found.config {
            return Ok(Seen::Holds);
        }
        Ok(match self.bench.update(&found, &found.tag, wanted).await? {
            Said::Yes(_) => {
                walk.stale_tag = Some(found.tag);
                Seen::Holds
            }
            // A race with somebody who tidies up, or a record that is not seen everywhere yet; the next look tells.
            Said::No(refusal) if PASSING.contains(&refusal.code.as_str()) => {
                Seen::NotYet(format!("it is refused ({refusal})"), SLOW)
            }
            Said::No(refusal) => Seen::broken(&refusal),
        })
    }

    /// CloudFront refuses a name that leads to another distribution, and all names below the canary's lead to its own. While
    /// the first deployment is waited for, the world gets to know the record.
    async fn lead(&self, walk: &mut Walk) -> PortResult<()> {
        let (Some(zone), Some(name), Some(host)) = (&self.zone, walk.alias(), walk.things.host.clone())
        else {
            return Ok(());
        };
        if !walk.led {
            let owner = format!("{name}.");
            walk.things.record = Some(owner.clone());
            zone.point(&owner, &host).await?;
            walk.led = true;
        }
        Ok(())
    }

    /// The configuration stays as it is, so that nothing is lost should it be taken.
    pub(super) async fn send_stale_tag(&self, walk: &Walk) -> PortResult<Seen> {
        let Some(found) = self.distribution(walk).await? else { return Ok(lost()) };
        // A tag that was never given does as well as an old one.
        let stale = walk.stale_tag.clone().unwrap_or_else(|| "E2CANARY0STALE".to_owned());
        let sent = self.bench.update(&found, &stale, found.config.clone()).await?;
        Ok(match sent {
            Said::Yes(_) => Seen::Broken("it is taken".to_owned()),
            Said::No(refusal) => Seen::refused(&refusal, &STALE),
        })
    }

    pub(super) async fn invalidate(&self, walk: &Walk) -> PortResult<Seen> {
        let Some(id) = &walk.things.distribution else { return Ok(lost()) };
        Ok(match self.bench.invalidate(id, &Self::reference(walk)).await? {
            Said::Yes(()) => Seen::Holds,
            Said::No(refusal) => Seen::broken(&refusal),
        })
    }

    pub(super) async fn ask_for_name(&self, walk: &Walk) -> PortResult<Seen> {
        let (Some(host), Some(expected)) = (walk.alias(), &walk.fingerprint) else { return Ok(lost()) };
        let question = VisitQuestion { at: at(walk), host, path: "/".to_owned(), secure: true };
        Ok(match self.edge.ask(&question).await {
            Err(error) => Seen::NotYet(error.to_string(), SLOW),
            Ok(answer) => match answer.certificate {
                Some(facts) if facts.fingerprint == *expected => Seen::Holds,
                Some(facts) => {
                    Seen::NotYet(format!("it presents a certificate for {}", shown(&facts.names)), SLOW)
                }
                None => Seen::NotYet("it presents a certificate that cannot be read".to_owned(), SLOW),
            },
        })
    }

    /// Deletes a distribution that serves, or that is not disabled everywhere. Should it work, nothing is lost.
    pub(super) async fn delete_too_early(&self, walk: &mut Walk) -> PortResult<Seen> {
        if walk.things.distribution.is_none() {
            walk.left_out.push(walk.step);
            return Ok(Seen::Holds);
        }
        let Some(found) = self.distribution(walk).await? else { return Ok(lost()) };
        let is_early = if walk.step == Step::DeleteEnabled {
            found.distribution.enabled
        } else {
            !found.distribution.deployed
        };
        if !is_early {
            // It went faster than we did: there is nothing to be seen this time.
            walk.left_out.push(walk.step);
            return Ok(Seen::Holds);
        }
        Ok(match self.bench.delete(&found).await? {
            Said::Yes(()) => {
                walk.things.distribution = None;
                Seen::Spent("it is deleted".to_owned())
            }
            Said::No(refusal) => Seen::refused(&refusal, &["DistributionNotDisabled"]),
        })
    }

    pub(super) async fn disable(&self, walk: &Walk) -> PortResult<Seen> {
        let Some(found) = self.distribution(walk).await? else { return Ok(Seen::Holds) };
        if !found.distribution.enabled {
            return Ok(Seen::Holds);
        }
        let disabled = crate::shape::disabled(&found.config);
        Ok(match self.bench.update(&found, &found.tag, disabled).await? {
            Said::Yes(_) => Seen::Holds,
            Said::No(refusal) if STALE.contains(&refusal.code.as_str()) => {
                Seen::NotYet(refusal.to_string(), SLOW)
            }
            Said::No(refusal) => Seen::broken(&refusal),
        })
    }

    pub(super) async fn delete(&self, walk: &mut Walk) -> PortResult<Seen> {
        if let Some(found) = self.distribution(walk).await?
            && let Said::No(refusal) = self.bench.delete(&found).await?
        {
            return Ok(Seen::NotYet(format!("it is refused ({refusal})"), SLOW));
        }
        walk.things.distribution = None;
        self.release_record(&mut walk.things).await?;
        Ok(Seen::Holds)
    }

    pub(super) async fn release_record(&self, things: &mut Things) -> PortResult<()> {
        if let (Some(zone), Some(owner)) = (&self.zone, &things.record) {
            zone.release(owner).await?;
        }
        things.record = None;
        Ok(())
    }

    pub(super) async fn distribution(&self, walk: &Walk) -> PortResult<Option<Found>> {
        match &walk.things.distribution {
            Some(id) => self.bench.read(id).await,
            None => Ok(None),
        }
    }
}

/// Somebody has deleted what the walk works with, or it never came about.
pub(super) fn lost() -> Seen {
    Seen::Broken("the throw-away distribution is gone".to_owned())
}

fn at(walk: &Walk) -> String {
    walk.things.host.clone().unwrap_or_default()
}

fn shown(names: &[DomainName]) -> String {
    names.iter().map(DomainName::as_str).collect::<Vec<_>>().join(", ")
}
