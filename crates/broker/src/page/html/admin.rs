//! The operator's overview.

use std::time::Duration;

use contract::{Incident, InstanceState, OperationCount};
use maud::{Markup, html};

use super::super::admin::{Board, Listing};
use super::super::paths;
use super::super::view::Tone;
use super::{badge, ledger, moment, prose, shell};
use crate::{describe, words};

/// By how soon certificates end: the ends of all bars of the chart but the last.
pub(in crate::page) const HORIZONS: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_hours(7 * 24),
    Duration::from_hours(14 * 24),
    Duration::from_hours(30 * 24),
    Duration::from_hours(60 * 24),
];

/// How the bars are called, and how good it is to be in one.
const BARS: [(&str, Tone); 6] = [
    ("ended", Tone::Bad),
    ("below 7", Tone::Bad),
    ("7 to 13", Tone::Waiting),
    ("14 to 29", Tone::Waiting),
    ("30 to 59", Tone::Good),
    ("60 and more", Tone::Good),
];

/// The step at which operations wait for their users.
const FOR_USERS: &str = "obtain-certificate";

pub(in crate::page) fn board(board: &Board) -> Markup {
    shell(
        "Overview",
        &html! {
            h1 { "Overview" }
            p.also { "As of " (board.now) ". Reload the page for news." }
            (states(board))
            (waiting(board))
            (chart(board))
            (incidents(board))
            (checks(board))
            (ledger::section(&board.limits))
        },
    )
}

fn states(board: &Board) -> Markup {
    html! {
        section aria-labelledby="h-states" {
            div.section-head { h2 #h-states { "Service instances" } p { a href=(paths::ADMIN_INSTANCES) { "List them" } } }
            dl.counts {
                @for state in words::STATES {
                    @let count = board.census.instances.iter().find(|(one, _)| *one == state).map_or(0, |(_, count)| *count);
                    div { dt { (words::state(state)) } dd { (count) } }
                }
            }
        }
    }
}

/// What waits for the operator, what for users, and what goes on by itself.
fn waiting(board: &Board) -> Markup {
    html! {
        section aria-labelledby="h-waiting" {
            h2 #h-waiting { "What waits for whom" }
            div.card {
                h3 { "For you" }
                @if board.breakers.is_empty() { p.also { "Nothing." } }
                @for breaker in &board.breakers {
                    p {
                        strong { (breaker.scope) } ": " (breaker.cause) ". Since " (moment(breaker.since)) ", tried " (breaker.probes)
                        " times, " (breaker.waited) " operations have waited."
                    }
                }
                (operations(board, |group| group.waits_for.is_some()))
            }
            div.card {
                h3 { "For users, who prove their domains" }
                (operations(board, |group| group.waits_for.is_none() && group.step == FOR_USERS))
            }
            div.card {
                h3 { "For nobody: it goes on by itself" }
                (operations(board, |group| group.waits_for.is_none() && group.step != FOR_USERS))
            }
        }
    }
}

fn operations(board: &Board, is_meant: impl Fn(&OperationCount) -> bool) -> Markup {
    let meant = merged(board.census.operations.iter().filter(|group| is_meant(group)));
    html! {
        @if meant.is_empty() { p.also { "No operations." } } @else {
            ul.plain { @for (group, count) in meant {
                li {
                    strong { (count) } " " (describe::kind(group.kind)) "s at " code { (group.step) }
                    @if let Some(scope) = &group.waits_for { ", waiting for " code { (scope) } }
                }
            } }
        }
    }
}

/// Operations that differ only in whether their last try has failed are shown as one line.
fn merged<'a>(groups: impl Iterator<Item = &'a OperationCount>) -> Vec<(&'a OperationCount, u64)> {
    let mut merged: Vec<(&OperationCount, u64)> = Vec::new();
    for group in groups {
        let alike = |one: &OperationCount| {
            (one.kind, &one.step, &one.waits_for) == (group.kind, &group.step, &group.waits_for)
        };
        match merged.iter_mut().find(|(one, _)| alike(one)) {
            Some((_, count)) => *count += group.count,
            None => merged.push((group, group.count)),
        }
    }
    merged
}

/// How many of the certificates that are served end when: bars, and the same as a table for who cannot see them.
fn chart(board: &Board) -> Markup {
    let bars = bars(board);
    let most = bars.iter().map(|(count, ..)| *count).max().unwrap_or(0).max(1);
    html! {
        section aria-labelledby="h-chart" {
            h2 #h-chart { "Certificates by days to their end" }
            div.card {
                svg.chart viewBox="0 0 600 180" role="img" aria-labelledby="chart-title" {
                    title #chart-title { "Bars: how many certificates end when; the table below says the same" }
                    @for (x, (count, name, tone)) in (0_u64..).step_by(100).zip(&bars) {
                        @let height = (*count * 120).div_ceil(most);
                        rect.(super::tone_class(*tone)) x=(x + 18) y=(140 - height) width="64" height=(height) rx="4" {}
                        text x=(x + 50) y=(132 - height) text-anchor="middle" { (count) }
                        text.axis x=(x + 50) y="164" text-anchor="middle" { (name) }
                    }
                }
                table {
                    caption.unseen { "Certificates that are served, by days to their end" }
                    thead { tr { th scope="col" { "Days to the end" } th scope="col" { "Certificates" } } }
                    tbody { @for (count, name, _) in &bars { tr { th scope="row" { (name) } td { (count) } } } }
                }
            }
        }
    }
}

/// How many certificates are in each bar: those that end before its end, and not before that of the one to its left.
fn bars(board: &Board) -> [(u64, &'static str, Tone); 6] {
    let within = board.census.expiring.iter().map(|(_, count)| *count).chain([board.census.certificates]);
    let mut before = 0;
    let mut bars = BARS.map(|(name, tone)| (0, name, tone));
    for (bar, count) in bars.iter_mut().zip(within) {
        bar.0 = count.saturating_sub(before);
        before = count;
    }
    bars
}

fn incidents(board: &Board) -> Markup {
    html! {
        section aria-labelledby="h-incidents" {
            h2 #h-incidents { "Open incidents" }
            @if board.incidents.is_empty() { div.card { (badge("badge", Tone::Good, "None")) } }
            @for one in &board.incidents { (incident(one)) }
        }
    }
}

fn incident(one: &Incident) -> Markup {
    html! {
        article.card {
            div.card-head {
                h3 { (one.subject) }
                @if let Some(side) = one.side { (badge("chip", Tone::Bad, side.word())) }
            }
            p { (prose(&one.message)) }
            p.seen { span.label { "Since" } " " span.when { (moment(one.opened_at)) } ", raised " (one.raised) " times, last " span.when { (moment(one.last_at)) } }
            @if !one.affected.is_empty() {
                p.seen { span.label { "Instances" } " " @for id in one.affected.iter().take(10) { code { (id) } " " }
                    @if one.affected.len() > 10 { "and " (one.affected.len() - 10) " more" } }
            }
        }
    }
}

fn checks(board: &Board) -> Markup {
    html! {
        section aria-labelledby="h-checks" {
            h2 #h-checks { "Checks" }
            div.card {
                @if board.checks.is_empty() { p.also { "None has been run." } } @else {
                    ul.plain { @for check in &board.checks {
                        li {
                            @let tone = match check.failures { 0 if check.runs == 0 => Tone::Over, 0 => Tone::Good, _ => Tone::Bad };
                            (badge("chip", tone, match tone { Tone::Over => "not run yet", Tone::Good => "passes", _ => "fails" }))
                            " " strong { (check.name) } ", run " (check.runs) " times, next " (moment(check.next_at))
                            @if let Some(since) = check.failing_since { ", failing since " (moment(since)) " (" (check.failures) " in a row)" }
                        }
                    } }
                }
            }
        }
    }
}

pub(in crate::page) fn listing(listing: &Listing) -> Markup {
    shell(
        "Service instances",
        &html! {
            p { a href="/admin" { "Overview" } }
            h1 { "Service instances" }
            @if listing.rows.is_empty() { p { "There are no more." } }
            @for (instance, link) in &listing.rows {
                @let names = &instance.settings.domains;
                @let text = describe::list(names);
                article.card {
                    div.card-head {
                        h2.row { @match link { Some(link) => a href=(link) { (text) }, None => (text) } }
                        (badge("chip", tone(instance.state), words::state(instance.state)))
                    }
                    p.seen { code { (instance.id) } " in the organization " code { (instance.request.organization) } }
                }
            }
            @if let Some(more) = &listing.more { p { a href=(paths::admin_instances(more)) { "More" } } }
        },
    )
}

fn tone(state: InstanceState) -> Tone {
    match state {
        InstanceState::Ready => Tone::Good,
        InstanceState::Provisioning | InstanceState::Deprovisioning => Tone::Busy,
        InstanceState::ProvisionFailed | InstanceState::DeprovisionFailed => Tone::Bad,
        InstanceState::Gone => Tone::Over,
    }
}
