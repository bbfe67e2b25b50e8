//! Targets that hang, or answer with an error, for a day: with the real runner of deliveries, on both databases, by a clock that
//! is moved by hand.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use broker::Notifier;
use contract::testing::{ManualClock, SequentialRandomness};
use contract::{
    Alert, Alerts, Dispatch, DispatchState, IncidentStore, Messenger, Notice, Outbox, Parcel, PortError,
    PortResult, Remedy, Side, Turn,
};
use sandbox::Postgres;
use store::{SealingKey, Store, StoreSettings};

const QUARTER: Duration = Duration::from_mins(15);
/// So many quarters of an hour are 23 hours; a delivery is given up after 24.
const NEARLY_A_DAY: usize = 23 * 4;

/// What a target does with what it is given.
#[derive(Clone, Copy)]
enum Manners {
    /// It takes it.
    Takes,
    /// It says nothing.
    Hangs,
    /// It answers with an error of its server.
    Fails,
}

/// A target that has such manners until it is mended.
struct Target {
    name: &'static str,
    manners: Manners,
    is_mended: AtomicBool,
    got: Mutex<Vec<(String, Turn)>>,
}

#[async_trait]
impl Messenger for Target {
    fn target(&self) -> &'static str {
        self.name
    }

    fn takes(&self, notice: &Notice) -> bool {
        matches!(notice, Notice::Incident(_))
    }

    async fn deliver(&self, parcel: &Parcel) -> PortResult<()> {
        match self.manners {
            _ if self.is_mended.load(Ordering::SeqCst) => {}
            Manners::Takes => {}
            Manners::Hangs => return std::future::pending().await,
            Manners::Fails => {
                return Err(PortError::new("post", Remedy::Retry { after: None }, "status 500"));
            }
        }
        let Notice::Incident(report) = &parcel.notice else { unreachable!("it takes no letters") };
        self.got.lock().unwrap().push((report.subject.clone(), report.turn));
        Ok(())
    }
}

impl Target {
    fn new(name: &'static str, manners: Manners) -> Arc<Self> {
        Arc::new(Self { name, manners, is_mended: AtomicBool::new(false), got: Mutex::default() })
    }

    fn turns(&self, subject: &str) -> Vec<Turn> {
        let got = self.got.lock().unwrap();
        got.iter().filter(|(of, _)| of == subject).map(|(_, turn)| *turn).collect()
    }
}

struct Post {
    store: Arc<Store>,
    clock: ManualClock,
    notifier: Notifier,
    targets: [Arc<Target>; 3],
}

impl Post {
    async fn open(url: &str) -> anyhow::Result<Self> {
        let clock = ManualClock::new();
        let keys = vec![SealingKey::new("test", [7; 32])?];
        let settings = StoreSettings { url: url.to_owned(), keys, pool_size: 2 };
        let store = Arc::new(Store::open(&settings, Arc::new(clock.clone())).await?);
        let targets = [
            Target::new("webhook", Manners::Hangs),
            Target::new("email", Manners::Fails),
            Target::new("log", Manners::Takes),
        ];
        let messengers = targets.iter().map(|target| Arc::<Target>::clone(target) as Arc<dyn Messenger>);
        let notifier = Notifier::new(
            store.clone(),
            store.clone(),
            messengers.collect(),
            Arc::new(clock.clone()),
            Arc::new(SequentialRandomness::default()),
        );
        // As in life, but that nobody wants to wait three quarters of a minute for each try.
        let notifier = notifier.with_patience(Duration::from_millis(20));
        Ok(Self { store, clock, notifier, targets })
    }

    /// Lets so many quarters of an hour pass, in each of which the runner looks.
    async fn pass(&self, quarters: usize) -> anyhow::Result<()> {
        for _ in 0..quarters {
            self.clock.advance(QUARTER);
            self.notifier.post_due().await?;
        }
        Ok(())
    }

    /// What has become of the first message about a subject, by target.
    async fn first(&self, subject: &str) -> anyhow::Result<Vec<(String, DispatchState)>> {
        let incidents = self.store.list(false, 10).await?;
        let incident =
            incidents.into_iter().find(|one| one.subject == subject).context("no such incident")?;
        let mut all: Vec<Dispatch> = self.store.about(incident.id.as_str()).await?;
        all.retain(|one| one.number == 1);
        all.sort_by(|a, b| a.target.cmp(&b.target));
        Ok(all.into_iter().map(|one| (one.target, one.state)).collect())
    }
}

fn raised(subject: &str) -> Alert {
    Alert::new(subject, "no room").on(Side::Aws)
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_that_hang_or_fail_for_a_day_on_sqlite() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    a_day(&format!("sqlite://{}", folder.path().join("broker.sqlite").display())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_that_hang_or_fail_for_a_day_on_postgres() -> anyhow::Result<()> {
    let server = Postgres::start().await?;
    a_day(&server.database("day").await?).await
}

async fn a_day(url: &str) -> anyhow::Result<()> {
    let post = Post::open(url).await?;
    let [hangs, fails, takes] = &post.targets;

    // Whoever is well hears of everything at once; the others delay nobody.
    post.notifier.raise(raised("short")).await;
    post.notifier.post_due().await?;
    assert_eq!(takes.turns("short"), [Turn::Opened]);
    post.pass(NEARLY_A_DAY / 2).await?;
    post.notifier.resolve(Alert::new("short", "room again")).await;
    post.notifier.post_due().await?;
    assert_eq!(takes.turns("short"), [Turn::Opened, Turn::Resolved]);
    post.pass(NEARLY_A_DAY / 2).await?;
    assert_eq!((hangs.turns("short"), fails.turns("short")), (vec![], vec![]));

    // Mended within a day: each hears of it once, in order.
    for target in [hangs, fails] {
        target.is_mended.store(true, Ordering::SeqCst);
    }
    post.pass(2).await?;
    for target in &post.targets {
        assert_eq!(target.turns("short"), [Turn::Opened, Turn::Resolved], "{}", target.name);
    }

    // Away for longer: it is given up, and that is known; what comes afterwards comes.
    for target in [hangs, fails] {
        target.is_mended.store(false, Ordering::SeqCst);
    }
    post.notifier.raise(raised("long")).await;
    post.pass(NEARLY_A_DAY + 6).await?;
    let states = [
        ("email", DispatchState::GivenUp),
        ("log", DispatchState::Delivered),
        ("webhook", DispatchState::GivenUp),
    ];
    assert_eq!(post.first("long").await?, states.map(|(target, state)| (target.to_owned(), state)));
    for target in [hangs, fails] {
        target.is_mended.store(true, Ordering::SeqCst);
    }
    post.notifier.raise(raised("next")).await;
    post.notifier.post_due().await?;
    for target in &post.targets {
        assert_eq!(target.turns("next"), [Turn::Opened], "{}", target.name);
    }
    assert_eq!(takes.turns("long"), [Turn::Opened]);
    Ok(())
}
