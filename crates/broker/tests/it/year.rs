//! A year of five hundred instances, all made at the same moment: none ever expires, each has one certificate outside of
//! the swap, and the authority's orders come evenly.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use broker::{Chores, Pace, Ports, WorkSettings, Worker};
use contract::{
    CertificateRecord, CertificateState, Clock, InstanceId, InstanceState, Randomness, Timestamp,
};
use http::Method;

use crate::harness::{Bench, provision_body};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// So many instances with certificates that live so many days, and at most so many orders in one hour: three times what
/// there would be if the windows in which they are renewed, a fiftieth of a life, were filled evenly.
const KINDS: [(u32, u32); 3] = [(420, 90), (70, 45), (10, 6)];
const MOST_ORDERS_AN_HOUR: u32 = 3 * (420 * 50 / (90 * 24) + 70 * 50 / (45 * 24) + 10 * 50 / (6 * 24));

/// Chance that is the same in every run (the generator `SplitMix64`).
struct Chance(Mutex<u64>);

impl Randomness for Chance {
    fn bytes(&self) -> [u8; 16] {
        let mut state = self.0.lock().unwrap();
        let mut next = || {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        };
        (u128::from(next()) << 64 | u128::from(next())).to_be_bytes()
    }
}

struct Year {
    bench: Bench,
    ports: Ports,
    worker: Worker,
    chores: Chores,
    instances: Vec<(InstanceId, u32)>,
}

impl Year {
    /// All instances are asked for at once.
    async fn begin() -> Self {
        // The CDN takes minutes; asking it every few seconds for a year would show nothing more.
        let pace = Pace { deployment_poll: Duration::from_mins(5), ..Pace::default() };
        let bench = Bench { pace: pace.clone(), ..Bench::new() };
        let ports = Ports { randomness: std::sync::Arc::new(Chance(Mutex::new(2026))), ..bench.ports() };
        let worker = Worker::new(ports.clone(), WorkSettings { pace, ..WorkSettings::default() });
        let chores = Chores::new(ports.clone(), worker.bell());
        let mut year = Self { bench, ports, worker, chores, instances: Vec::new() };
        year.bench.world.issuer.advises_for(14 * DAY);
        for (count, days) in KINDS {
            for number in 0..count {
                year.provision(&format!("{days}-{number:03}"), days).await;
            }
        }
        year
    }

    async fn provision(&mut self, id: &str, days: u32) {
        let name = format!("www.site-{id}.example");
        let domain = contract::DomainName::parse(&name).unwrap();
        self.bench.world.issuer.prove(&domain);
        self.bench.world.issuer.certificates_live(&domain, days * DAY);
        let path = format!("/v2/service_instances/{id}?accepts_incomplete=true");
        let body = provision_body(&serde_json::json!({"domain": name}));
        let answer = self.bench.call(Method::PUT, &path, Some(body)).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        self.instances.push((InstanceId::new(id), days));
    }

    /// Lets time pass until `end`, from one thing that is due to the next.
    async fn pass_until(&self, end: Timestamp) {
        let clock = &self.bench.world.clock;
        while clock.now() < end {
            self.chores.run_due().await.unwrap();
            self.worker.run_due().await.unwrap();
            let due = [
                self.ports.queue.next_due().await.unwrap(),
                self.ports.renewals.next_check().await.unwrap(),
                self.ports.sweeps.next_try().await.unwrap(),
            ];
            let next = due.into_iter().flatten().min().unwrap_or(end);
            clock.set(next.max(clock.now() + Duration::from_millis(1)).min(end));
        }
    }

    /// Lets time pass until nothing is in the middle of a swap.
    async fn pass_until_idle(&self) {
        for _ in 0..1000 {
            let work = self.ports.queue.next_due().await.unwrap();
            let left_behind = self.ports.sweeps.next_try().await.unwrap();
            if work.is_none() && left_behind.is_none() {
                return;
            }
            self.pass_until(self.bench.world.clock.now() + Duration::from_mins(1)).await;
        }
        panic!("there is always something in the middle of a swap");
    }

    /// Outside of a swap there is one certificate for each instance, and nothing else in the vault.
    async fn check_vault(&self) {
        self.pass_until_idle().await;
        assert_eq!(self.bench.world.vault.kept().len(), self.instances.len());
    }

    async fn certificates(&self, id: &InstanceId) -> Vec<CertificateRecord> {
        self.ports.certificates.of_instance(id, 1).await.unwrap()
    }

    /// Each certificate was replaced well before its end, and the last one is served and alive.
    async fn check_life(&self, id: &InstanceId, days: u32) {
        let found = self.ports.instances.find(id).await.unwrap().unwrap();
        assert_eq!(found.state, InstanceState::Ready, "{id}");
        let certificates = self.certificates(id).await;
        for pair in certificates.windows(2) {
            let (old, new) = (pair[0].facts.as_ref().unwrap(), pair[1].facts.as_ref().unwrap());
            let left = old.not_after.since(new.not_before);
            assert!(left > days * DAY / 4, "{id}: renewed with {left:?} left");
            assert_eq!(pair[0].state, CertificateState::Removed, "{id}");
        }
        let last = certificates.last().unwrap();
        assert_eq!(last.state, CertificateState::Live, "{id}");
        assert!(last.facts.as_ref().unwrap().not_after > self.bench.world.clock.now(), "{id}");
    }

    /// How many renewals there were in each hour, by the hour.
    async fn renewals_by_hour(&self, start: Timestamp) -> BTreeMap<u64, u32> {
        let mut hours = BTreeMap::new();
        for (id, _) in &self.instances {
            for certificate in self.certificates(id).await.iter().skip(1) {
                let issued = certificate.facts.as_ref().unwrap().not_before;
                *hours.entry(issued.since(start).as_secs() / HOUR.as_secs()).or_default() += 1;
            }
        }
        hours
    }
}

#[tokio::test]
async fn a_year_of_five_hundred_instances() {
    let year = Year::begin().await;
    let start = year.bench.world.clock.now();
    for week in 1..=52 {
        year.pass_until(start + week * 7 * DAY).await;
        year.check_vault().await;
    }
    for (id, days) in &year.instances {
        year.check_life(id, *days).await;
    }
    let hours = year.renewals_by_hour(start).await;
    let (renewals, most) = (hours.values().sum::<u32>(), hours.values().max().copied().unwrap_or_default());
    println!(
        "a year of {} instances: {renewals} renewals, {:.2} an hour on average, at most {most} in one hour",
        year.instances.len(),
        f64::from(renewals) / (364.0 * 24.0)
    );
    let expected: u32 = KINDS.iter().map(|(count, days)| count * expected_renewals(*days)).sum();
    assert!(renewals >= expected, "{renewals} of at least {expected}");
    assert!(
        renewals <= expected + expected / 10,
        "{renewals} of about {expected}: some were renewed too often"
    );
    assert!(most <= MOST_ORDERS_AN_HOUR, "{most} in one hour");
    assert_eq!(year.bench.world.alerts.raised(), [], "nobody had to be told anything");
    assert_eq!(year.bench.world.cdn.names_without_certificate(), None);
}

/// How often a certificate of so many days is renewed in a year, at least: each one as late as its window allows, and an
/// hour later for the swap.
fn expected_renewals(days: u32) -> u32 {
    let life = days * DAY;
    let used = if days < 10 { life / 2 } else { life / 3 * 2 };
    let longest = used + life / 50 + HOUR;
    u32::try_from((364 * DAY).as_secs() / longest.as_secs()).unwrap_or(u32::MAX)
}
