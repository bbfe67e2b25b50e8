use std::fmt::Write as _;

use broker::json;
use contract::{DomainName, Instance, InstanceState, InstanceStore};
use store::Store;

use super::{ListArgs, words};
use crate::config::Config;
use crate::output::{Frame, Layout, Screen, head, print_or_stop, tinted, watch};
use crate::{OK, wire};

/// How many instances are read at first: a screenful, so that somebody who waits sees them at once.
const FIRST: u32 = 50;

/// How many are read at once after that: those before are printed while the others are still in the database.
const PAGE: u32 = 500;

/// How wide a terminal is that has room for the distribution too.
const WIDE: usize = 100;

/// Asks the database alone, and keeps one page in memory.
pub(super) async fn run(config: &Config, arguments: &ListArgs) -> anyhow::Result<u8> {
    let store = wire::store(config).await?;
    let screen = Screen::out();
    if !arguments.watch {
        pages(&store, arguments, screen, print_or_stop).await?;
        return Ok(OK);
    }
    watch(async || {
        let mut text = String::new();
        let enough = screen.height.unwrap_or(usize::MAX);
        let mut lines = 0;
        pages(&store, arguments, screen, |page| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{page}");
            lines += page.lines().count();
            lines <= enough
        })
        .await?;
        Ok(Frame { text, ended: None })
    })
    .await
}

/// Hands out the list page by page, until nobody wants more.
async fn pages(
    store: &Store,
    arguments: &ListArgs,
    screen: Screen,
    mut print: impl FnMut(&str) -> bool,
) -> anyhow::Result<()> {
    let mut writer = Writer { arguments, screen, layout: None };
    let (mut after, mut limit) = (None, FIRST);
    loop {
        let page = store.list(after, limit).await?;
        let wanted: Vec<&Instance> = page.iter().filter(|one| arguments.wants(one.state)).collect();
        let lines = writer.lines(&wanted, page.is_empty());
        if !lines.is_empty() && !print(&lines.join("\n")) {
            return Ok(());
        }
        let Some(last) = page.last() else { return Ok(()) };
        (after, limit) = (Some(last.id.clone()), PAGE);
    }
}

/// Lays the table out by the first page of it.
struct Writer<'a> {
    arguments: &'a ListArgs,
    screen: Screen,
    layout: Option<Layout<4>>,
}

impl Writer<'_> {
    /// The lines of a page. The names of the columns come with the first instance that is wanted, or at the end.
    fn lines(&mut self, page: &[&Instance], is_last: bool) -> Vec<String> {
        if self.arguments.json {
            return page.iter().map(|instance| json::instance(instance).to_string()).collect();
        }
        let mut rows: Vec<[String; 4]> = page.iter().map(|instance| self.row(instance)).collect();
        if self.layout.is_none() && (!rows.is_empty() || is_last) {
            rows.insert(0, self.fitted(head(["ID", "STATE", "DISTRIBUTION", "DOMAINS"])));
        }
        if rows.is_empty() {
            return Vec::new();
        }
        let layout = *self.layout.get_or_insert_with(|| Layout::of(&rows, self.screen));
        rows.iter().map(|row| layout.line(row)).collect()
    }

    fn row(&self, instance: &Instance) -> [String; 4] {
        let distribution = instance.distribution.as_ref().map_or("-", |id| id.as_str());
        self.fitted([
            instance.id.to_string(),
            tinted(words::state(instance.state)).into_owned(),
            distribution.to_owned(),
            shortened(&instance.settings.domains),
        ])
    }

    /// A narrow terminal has no room for the distribution: its column is empty at the end, where it takes none.
    fn fitted(&self, [id, state, distribution, domains]: [String; 4]) -> [String; 4] {
        match self.screen.width {
            Some(width) if width < WIDE => [id, state, domains, String::new()],
            _ => [id, state, distribution, domains],
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
}

/// The first domain, and how many more there are: a hundred would fit no terminal.
fn shortened(domains: &[DomainName]) -> String {
    match domains {
        [] => String::new(),
        [one] => one.to_string(),
        [first, more @ ..] => format!("{first} and {} more", more.len()),
    }
}
