//! A year of five hundred instances with the real issuer, which speaks to a scripted authority over HTTP: none ever expires,
//! each has one certificate outside of the swap, and the authority's orders come evenly. The broker's planner and worker
//! are the real ones; what lies around them is faked, so that a year passes in a minute.

mod broker_for_a_year;

/// The authority of acme-core's own tests.
#[expect(dead_code, reason = "this test needs a part of what it can do")]
#[path = "../../../crates/acme-core/tests/it/support/scripted/mod.rs"]
mod scripted;

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{CertificateState, Clock, InstanceState, InstanceStore, Timestamp};

use broker_for_a_year::Year;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const WEEKS: u32 = 52;

/// So many instances with certificates that live so many days. Few are of the shortest kind: each of those is renewed two
/// or three times a week, and every renewal is half a dozen requests.
const KINDS: [(u32, u32); 3] = [(420, 90), (70, 45), (10, 6)];
/// Three times as many orders in an hour as there would be if the windows in which certificates are renewed, a fiftieth
/// of a life, were filled evenly by those that were made together.
const MOST_ORDERS_AN_HOUR: u32 = 3 * (420 * 50 / (90 * 24) + 70 * 50 / (45 * 24) + 10 * 50 / (6 * 24));

#[tokio::test(flavor = "multi_thread")]
async fn a_year_of_five_hundred_instances_at_an_authority() {
    let year = Year::begin(&KINDS).await;
    let start = year.world.clock.now();
    for week in 1..=WEEKS {
        year.pass_until(start + week * 7 * DAY).await;
        check_vault(&year).await;
    }
    let mut by_hour = BTreeMap::new();
    for (id, days) in &year.instances {
        for renewed in lives(&year, id, *days).await {
            *by_hour.entry(renewed.since(start).as_secs() / HOUR.as_secs()).or_insert(0_u32) += 1;
        }
    }
    let (renewals, most) =
        (by_hour.values().sum::<u32>(), by_hour.values().max().copied().unwrap_or_default());
    let expected: u32 = KINDS.iter().map(|(count, days)| count * expected_renewals(*days)).sum();
    report(&year, renewals, most);
    assert!(renewals >= expected, "{renewals} of at least {expected}");
    assert!(renewals <= expected + expected / 10, "{renewals} of about {expected}: some came too often");
    assert!(most <= MOST_ORDERS_AN_HOUR, "{most} in one hour");
    let asked = |endpoint| year.authority.asked(endpoint);
    let issued = renewals as usize + year.instances.len();
    assert_eq!(
        asked(scripted::Endpoint::Finalize),
        issued,
        "one certificate for each order, and one order for each"
    );
    assert_eq!(asked(scripted::Endpoint::NewOrder), issued);
    assert_eq!(year.world.alerts.raised(), [], "nobody had to be told anything");
    assert_eq!(year.world.cdn.names_without_certificate(), None);
}

#[expect(clippy::print_stdout, reason = "this is what the test is asked for")]
fn report(year: &Year, renewals: u32, most: u32) {
    println!(
        "a year of {} instances at an authority: {renewals} renewals, {:.2} an hour on average, at most {most} in one \
         hour; {} requests",
        year.instances.len(),
        f64::from(renewals) / f64::from(WEEKS * 7 * 24),
        year.authority.asked_at_all(),
    );
}

/// Outside of a swap there is one certificate for each instance, and nothing else in the vault.
async fn check_vault(year: &Year) {
    year.pass_until_idle().await;
    assert_eq!(year.world.vault.kept().len(), year.instances.len());
}

/// When the certificate of an instance was renewed: each time well before its end, and the last one is served and alive.
async fn lives(year: &Year, id: &contract::InstanceId, days: u32) -> Vec<Timestamp> {
    assert_eq!(year.world.store.find(id).await.unwrap().unwrap().state, InstanceState::Ready, "{id}");
    let certificates = year.certificates(id).await;
    let facts: Vec<_> = certificates.iter().map(|one| one.facts.clone().unwrap()).collect();
    for (pair, old) in facts.windows(2).zip(&certificates) {
        let left = pair[0].not_after.since(pair[1].not_before);
        assert!(left > days * DAY / 4, "{id}: renewed with {left:?} left");
        assert_eq!(old.state, CertificateState::Removed, "{id}");
    }
    assert_eq!(certificates.last().unwrap().state, CertificateState::Live, "{id}");
    assert!(facts.last().unwrap().not_after > year.world.clock.now(), "{id}");
    facts.iter().skip(1).map(|one| one.not_before).collect()
}

/// How often a certificate of so many days is renewed in a year, at least: each one as late as its window allows, and an
/// hour later for the swap.
fn expected_renewals(days: u32) -> u32 {
    let life = days * DAY;
    let used = if days < 10 { life / 2 } else { life / 3 * 2 };
    let longest = used + life / 50 + HOUR;
    u32::try_from((WEEKS * 7 * DAY).as_secs() / longest.as_secs()).unwrap_or(u32::MAX)
}
