//! The pages, in a real browser: what a person sees, and what nobody may see.

mod admin;
mod axe;
mod browser;
mod expired;
mod shots;
mod sign_on;
mod strangers;
mod user;

use anyhow::{Context, ensure};
use sandbox::wait_for;
use serde_json::json;

use crate::house::{BOUND, House};

const ID: &str = "3f1c9a52-0000-4000-8000-000000000091";
const WWW: &str = "www.example.gov";

impl House {
    /// Asks for domains and gives the link that the platform shows.
    async fn asked_for_a_page(&self, id: &str, domains: &str) -> anyhow::Result<String> {
        let accepted = self.provision(id, json!({"domain": domains})).await?;
        ensure!(accepted.status == 202, "{accepted:?}");
        let link = accepted.text("dashboard_url").to_owned();
        ensure!(link.starts_with(&self.origin()?), "{accepted:?}");
        // What is to be done is known as soon as the order is placed.
        self.records(id, domains.split(',').count()).await?;
        Ok(link)
    }

    /// Where browsers find the broker.
    fn origin(&self) -> anyhow::Result<String> {
        Ok(self.brokers.first().context("no broker runs")?.url())
    }

    /// Waits for something of a page, and quotes the brokers when it does not come.
    async fn shows<F>(&self, what: &str, look: impl FnMut() -> F) -> anyhow::Result<()>
    where
        F: Future<Output = anyhow::Result<Option<()>>>,
    {
        wait_for(what, BOUND, look).await.with_context(|| self.last_words())
    }
}
