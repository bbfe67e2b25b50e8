use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use contract::{Clock, PortResult};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::db::Db;
use crate::error::StoreError;
use crate::sealing::{Sealer, SealingKey};
use crate::target::Target;
use crate::threads::Threads;

/// Which database is used, and how.
#[derive(Clone)]
pub struct StoreSettings {
    /// `sqlite://FILE`, with an absolute or a relative path, or `postgres://…` as libpq takes it.
    pub url: String,
    /// The keys that private keys are sealed with at rest; the first seals, all open. Never empty.
    pub keys: Vec<SealingKey>,
    /// The greatest number of connections held at once; at least 1.
    pub pool_size: u32,
}

impl StoreSettings {
    /// Finds what cannot work, without touching the database. The same check is made when it is opened.
    ///
    /// Errors: [`StoreError::Settings`].
    pub fn check(&self) -> Result<(), StoreError> {
        Target::parse(&self.url)?;
        Sealer::new(&self.keys)?;
        match self.pool_size {
            0 => Err(StoreError::Settings("there must be at least one connection".to_owned())),
            _ => Ok(()),
        }
    }
}

/// The database behind the storage ports. Clones share its connections.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// What the queries use besides a connection.
pub(crate) struct Inner {
    threads: Threads,
    pub(crate) sealer: Sealer,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Store {
    /// Opens the database, makes it if it is a file that does not exist yet, and brings its tables to the shape of
    /// this version. `clock` says when operations fall due.
    ///
    /// Errors: [`StoreError::Settings`] before anything is touched; [`StoreError::Unreachable`] within five seconds;
    /// [`StoreError::Migrations`].
    pub async fn open(settings: &StoreSettings, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        settings.check()?;
        let target = Target::parse(&settings.url)?;
        let sealer = Sealer::new(&settings.keys)?;
        let mut first = connect(&target).await?;
        let migrated = spawn_blocking(move || first.migrate().map(|_| first)).await;
        let first = migrated.map_err(|_| StoreError::BrokenOff)??;
        Self::on(target, first, settings.pool_size.try_into().unwrap_or(usize::MAX), sealer, clock)
    }

    /// On a connection that is open, and at most so many.
    pub(crate) fn on(
        target: Target,
        first: Db,
        most: usize,
        sealer: Sealer,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let threads = Threads::start(target, first, most)
            .map_err(|error| StoreError::Settings(format!("there is no thread for it: {error}")))?;
        Ok(Self { inner: Arc::new(Inner { threads, sealer, clock }) })
    }

    /// How the connections are used at this moment.
    pub(crate) fn usage(&self) -> contract::Pool {
        self.inner.threads.usage()
    }

    /// What seals and opens.
    pub(crate) fn sealer(&self) -> &Sealer {
        &self.inner.sealer
    }

    /// Runs `work` with a connection, on a thread where it may block. Once begun it runs to its end, even if nobody
    /// waits for it any more, so no transaction is ever left half done. What has not begun in time never does.
    pub(crate) async fn run<T, W>(&self, doing: &'static str, work: W) -> PortResult<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut Db, &Inner) -> Result<T, StoreError> + Send + 'static,
    {
        let (tell, mut told) = oneshot::channel();
        let inner = Arc::clone(&self.inner);
        let turn = Turn::default();
        let of_thread = turn.clone();
        self.inner.threads.submit(Box::new(move |line, is_done| {
            if of_thread.take() {
                let outcome = line.run(|db| work(db, &inner));
                is_done();
                let _ = tell.send(outcome);
            }
        }));
        let answer = match timeout(PATIENCE, &mut told).await {
            Err(_) if turn.take() => Ok(Err(StoreError::Unreachable(busy()))),
            Err(_) => told.await,
            Ok(answer) => answer,
        };
        answer.unwrap_or(Err(StoreError::BrokenOff)).map_err(|error| error.while_doing(doing))
    }
}

/// Whose turn it is: of the thread that would begin and the caller who would give up, the first one has it.
#[derive(Clone, Default)]
struct Turn(Arc<AtomicBool>);

impl Turn {
    /// Takes it; `false` when the other one has.
    fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// How long a caller waits for a connection before the database counts as unreachable.
const PATIENCE: Duration = Duration::from_secs(4);

fn busy() -> String {
    format!("no connection was free for {} seconds", PATIENCE.as_secs())
}

/// The first connection is opened under a time limit of its own, whatever the database does.
pub(crate) async fn connect(target: &Target) -> Result<Db, StoreError> {
    let target = target.clone();
    let connected = timeout(PATIENCE, spawn_blocking(move || Db::connect(&target))).await;
    let silent = || StoreError::Unreachable(format!("no answer within {} seconds", PATIENCE.as_secs()));
    connected.map_err(|_| silent())?.map_err(|_| StoreError::BrokenOff)?
}
