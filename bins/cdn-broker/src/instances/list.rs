use broker::json;
use contract::{DomainName, Instance, InstanceState, InstanceStore};

use super::{ListArgs, words};
use crate::cli::print;
use crate::config::Config;
use crate::{OK, wire};

/// How many instances are read at once: the first are printed while the others are still in the database.
const PAGE: u32 = 500;

/// Asks the database alone, and keeps one page in memory.
pub(super) async fn run(config: &Config, arguments: &ListArgs) -> anyhow::Result<u8> {
    let store = wire::store(config).await?;
    if !arguments.json {
        print(&row(["ID", "STATE", "DISTRIBUTION", "DOMAINS"]));
    }
    let mut after = None;
    loop {
        let page = store.list(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(OK) };
        after = Some(last.id.clone());
        let wanted = page.iter().filter(|instance| arguments.wants(instance.state));
        let lines: Vec<String> = wanted.map(|instance| arguments.line(instance)).collect();
        if !lines.is_empty() {
            print(&lines.join("\n"));
        }
    }
}

impl ListArgs {
    fn wants(&self, state: InstanceState) -> bool {
        match self.state {
            Some(wanted) => wanted == state,
            None => self.all || state != InstanceState::Gone,
        }
    }

    fn line(&self, instance: &Instance) -> String {
        if self.json {
            return json::instance(instance).to_string();
        }
        let distribution = instance.distribution.as_ref().map_or("-", |id| id.as_str());
        let domains = shortened(&instance.settings.domains);
        row([instance.id.as_str(), words::state(instance.state), distribution, &domains])
    }
}

/// Fixed widths, because nobody has seen the lines to come: those of a GUID, of the longest state, of an id of CloudFront.
fn row([id, state, distribution, domains]: [&str; 4]) -> String {
    format!("{id:36}  {state:18}  {distribution:14}  {domains}")
}

/// The first domain, and how many more there are: a hundred would fit no terminal.
fn shortened(domains: &[DomainName]) -> String {
    match domains {
        [] => String::new(),
        [one] => one.to_string(),
        [first, more @ ..] => format!("{first} and {} more", more.len()),
    }
}
