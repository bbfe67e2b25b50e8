//! What the owner of domains does in the world, and how much of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context, ensure};
use http::{Request, StatusCode};
use http_body_util::Full;
use sandbox::hosts::{Site, SiteRule};
use sandbox::{Client, Sandbox};

use crate::instructions::txt_records;
use crate::ui;
use crate::ways::{Alias, Redirect, Ways};

/// How an owner proves a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The name itself is an alias of a name of the broker's.
    Managed,
    /// The present site redirects challenges with a status, to the broker's HTTPS or not.
    Redirected { status: u16, secure: bool },
    /// The name of challenges is an alias of a name of the broker's.
    Delegated,
    /// A TXT record.
    Direct,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Managed => "a CNAME of the domain itself",
            Self::Redirected { .. } => "a redirect",
            Self::Delegated => "a CNAME of the name of its challenges",
            Self::Direct => "a TXT record",
        }
    }
}

/// An owner, and what he has done.
pub(super) struct Owner {
    client: Client,
    sites: Vec<(String, Arc<Site>)>,
    records: BTreeSet<String>,
}

impl Owner {
    /// Somebody who has not done anything yet, and has sites already where he will redirect.
    pub(super) async fn new(sandbox: &Sandbox, domains: &[(&str, Way)]) -> anyhow::Result<Self> {
        let mut sites = Vec::new();
        for (domain, way) in domains {
            if matches!(way, Way::Redirected { .. }) {
                sites.push(((*domain).to_owned(), sandbox.site(domain).await?));
            }
        }
        Ok(Self { client: Client::trusting("")?, sites, records: BTreeSet::new() })
    }

    /// How many DNS records he has set.
    pub(super) fn dns_changes(&self) -> usize {
        self.records.len()
    }

    /// Does what the broker's text says about a domain, in one of the ways that it offers.
    pub(super) fn prove(
        &mut self,
        sandbox: &Sandbox,
        text: &str,
        domain: &str,
        way: Way,
    ) -> anyhow::Result<()> {
        let lacking = || format!("the instructions do not offer {} for {domain}:\n{text}", way.name());
        let ways = Ways::of(text, domain).with_context(lacking)?;
        match way {
            Way::Managed => self.alias(sandbox, &ways.managed().with_context(lacking)?),
            Way::Delegated => self.alias(sandbox, &ways.delegated().with_context(lacking)?),
            Way::Direct => self.txt(sandbox, text, domain).with_context(lacking),
            Way::Redirected { status, secure } => {
                let redirect = ways.redirected().with_context(lacking)?;
                let (plain, https) = (sandbox.challenge_url(), sandbox.secure_challenge_url());
                // The broker answers under the same name over HTTPS too.
                let to = if secure { redirect.to.replace(&plain, &https) } else { redirect.to };
                self.redirect(domain, status, &Redirect { to, ..redirect })
            }
        }
    }

    /// Points names that do not lead to the CDN yet there.
    pub(super) fn point(&mut self, sandbox: &Sandbox, domain: &str, target: &str) -> anyhow::Result<()> {
        self.alias(sandbox, &Alias { name: domain.to_owned(), target: target.to_owned() })
    }

    /// Asks each present site for its front page.
    pub(super) async fn sites_serve(&self) -> anyhow::Result<()> {
        for (host, site) in &self.sites {
            let request = Request::get(format!("http://{}/", site.http())).header("host", host.as_str());
            let answer = self.client.send(request.body(Full::default())?).await?;
            let page = String::from_utf8_lossy(answer.body());
            let serves = answer.status() == StatusCode::OK && page.contains("The present site");
            ensure!(serves, "the present site of {host} answers {}: {page}", answer.status());
        }
        Ok(())
    }

    /// Says what the present sites were asked for.
    pub(super) fn tell_of_sites(&self) {
        for (host, site) in &self.sites {
            let hits = site.hits();
            let pages = hits.iter().filter(|hit| hit.path == "/").count();
            let challenges = hits.len() - pages;
            ui::line(&format!(
                "  meanwhile the present site of {host} showed its page {pages} times and redirected {challenges} times"
            ));
        }
    }

    fn redirect(&self, domain: &str, status: u16, redirect: &Redirect) -> anyhow::Result<()> {
        let (_, site) = self.sites.iter().find(|(host, _)| host == domain).context("there is no site")?;
        site.set_rules(vec![SiteRule::challenges_to(status, redirect.to.trim_end_matches('/'))])?;
        ui::line(&format!("  {}* redirects ({status}) to\n    {}*", redirect.from, redirect.to));
        Ok(())
    }

    /// An apex cannot be an alias: providers put the addresses of the target there (ALIAS, ANAME).
    fn alias(&mut self, sandbox: &Sandbox, alias: &Alias) -> anyhow::Result<()> {
        let (name, target) = (alias.name.trim_end_matches('.'), alias.target.trim_end_matches('.'));
        let is_apex = name.matches('.').count() == 1;
        let kind = if is_apex { "ALIAS" } else { "CNAME" };
        if is_apex {
            sandbox.dns().everywhere().set_flattened(name, target)?;
        } else {
            sandbox.dns().set_cname(name, target)?;
        }
        self.note(format!("{name} {kind} {target}"));
        Ok(())
    }

    fn txt(&mut self, sandbox: &Sandbox, text: &str, domain: &str) -> anyhow::Result<()> {
        let name = format!("_acme-challenge.{domain}");
        let record = txt_records(text).into_iter().find(|record| record.is_named(&name));
        let record = record.context("there is no TXT record")?;
        sandbox.dns().add_txt(&record.name, &record.value)?;
        self.note(format!("{name} TXT \"{}\"", record.value));
        Ok(())
    }

    fn note(&mut self, record: String) {
        if !self.records.contains(&record) {
            ui::line(&format!("  {record}"));
            self.records.insert(record);
        }
    }
}
