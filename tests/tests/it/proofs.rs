//! Every way to prove a domain, with nothing but DNS and `Host` deciding who is asked: Pebble looks through real sockets.

mod everybodys_own;
mod ways;
mod wrong;

use anyhow::{Context, ensure};
use http::Method;
use sandbox::{MANAGED_ZONE, Proofs, wait_for};
use serde_json::json;

use crate::house::{Answer, BOUND, House, provision_body};

/// A house whose operator has set up everything, with a broker on SQLite.
async fn house() -> anyhow::Result<House> {
    let mut house = House::without_broker(|settings| {
        settings.aws.route53_sync = SYNC;
        // As Let's Encrypt does: what was proven under the account is given again to whoever uses it.
        settings.authority.authorization_reuse_percent = 100;
    })
    .await?;
    let mut settings = house.hasty_settings("45s")?;
    settings.proofs = Proofs::ALL;
    house.add_broker(&settings).await?;
    Ok(house)
}

const SYNC: std::time::Duration = std::time::Duration::from_millis(200);

/// What `cf service` shows while a proof is awaited.
struct Shown {
    text: String,
}

impl Shown {
    /// The label of a domain, which stands beside it where there are several, and in each way where there is one.
    fn label(&self, domain: &str) -> anyhow::Result<String> {
        let beside = self.text.lines().find(|line| line.starts_with(domain) && line.contains("LABEL = "));
        let found = match beside {
            Some(line) => line.split_once("LABEL = ").map(|(_, label)| label),
            None => self
                .text
                .split_once("/.well-known/acme-challenge/*` to `")
                .and_then(|(_, target)| {
                    target.split_once("/*`").and_then(|(target, _)| target.rsplit_once('/'))
                })
                .map(|(_, label)| label),
        };
        let label = found.with_context(|| format!("no label of {domain} in:\n{}", self.text))?;
        ensure!(label.len() == 26, "`{label}` in:\n{}", self.text);
        Ok(label.to_owned())
    }

    /// What a managed name is a CNAME to.
    fn managed_target(&self, domain: &str) -> anyhow::Result<String> {
        ensure!(self.text.contains(&format!(".{MANAGED_ZONE}.`")), "{}", self.text);
        Ok(format!("{}.{MANAGED_ZONE}", self.label(domain)?))
    }

    /// What `_acme-challenge.DOMAIN` is a CNAME to.
    fn delegation(&self, domain: &str) -> anyhow::Result<String> {
        Ok(format!("_acme-challenge.{}", self.managed_target(domain)?))
    }
}

impl House {
    async fn provision_for(&self, organization: &str, id: &str, domains: &str) -> anyhow::Result<Answer> {
        let mut body = provision_body(&json!({"domain": domains}));
        body["organization_guid"] = json!(organization);
        let path = format!("/v2/service_instances/{id}?accepts_incomplete=true");
        self.call(Method::PUT, &path, Some(&body)).await
    }

    /// Asks for domains and waits until the ways to prove them are shown.
    async fn asked(&self, organization: &str, id: &str, domains: &str) -> anyhow::Result<Shown> {
        let accepted = self.provision_for(organization, id, domains).await?;
        ensure!(accepted.status == 202, "{accepted:?}");
        self.shown(id, "do one of the following").await
    }

    /// Waits until the description of the running operation holds a text.
    async fn shown(&self, id: &str, part: &str) -> anyhow::Result<Shown> {
        let what = format!("the text of {id} to say `{part}`");
        let shown = wait_for(&what, BOUND, || async {
            let answer = self.poll(id).await?;
            ensure!(answer.text("state") == "in progress", "{answer:?}");
            let text = answer.text("description").to_owned();
            Ok(text.contains(part).then_some(Shown { text }))
        });
        match shown.await {
            Ok(shown) => Ok(shown),
            Err(error) => Err(error.context(format!("{:?}\n{}", self.poll(id).await?, self.last_words()))),
        }
    }

    /// The host name of an instance's distribution, as its last operation says it.
    async fn target_of(&self, id: &str) -> anyhow::Result<String> {
        let answer = self.poll(id).await?;
        let words = answer.text("description").split_whitespace();
        let host =
            words.map(|word| word.trim_matches(['.', '`'])).find(|word| word.ends_with(".cloudfront.net"));
        Ok(host.with_context(|| format!("{answer:?}"))?.to_owned())
    }

    /// Waits until the name is served over HTTPS with a certificate of its own.
    async fn served(&self, name: &str) -> anyhow::Result<()> {
        wait_for(&format!("https://{name}/ to be served"), BOUND, || async {
            match self.sandbox.visit(name, "/").await {
                Ok(visit) if visit.status == 200 => Ok(Some(())),
                Ok(_) | Err(_) => Ok(None),
            }
        })
        .await
    }

    /// Pebble's log shows no challenge that failed: nobody wastes an attempt.
    fn no_failed_challenge(&self) -> anyhow::Result<()> {
        let failed = self.sandbox.authority().failed_challenges()?;
        ensure!(failed == 0, "{failed} failed challenges:\n{}", self.sandbox.authority().log()?);
        Ok(())
    }
}
