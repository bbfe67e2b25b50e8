use std::sync::Arc;

use contract::{Clock, PortResult};
use diesel::r2d2::{NopErrorHandler, Pool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout, timeout_at};

use crate::db::{Connections, Db, PATIENCE};
use crate::error::StoreError;
use crate::sealing::{Sealer, SealingKey};
use crate::target::Target;

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
            0 => Err(StoreError::Settings("the pool must have at least one connection".to_owned())),
            _ => Ok(()),
        }
    }
}

/// The database behind the storage ports. Clones share one pool of connections.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// What the queries use besides a connection.
pub(crate) struct Inner {
    pool: Pool<Connections>,
    /// One permit for each connection: who waits for one does so without a thread.
    permits: Arc<Semaphore>,
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
        let size = settings.pool_size;
        let mut first = connect(&target).await?;
        let pool = spawn_blocking(move || {
            first.migrate()?;
            pool(target, size)
        });
        let permits = Arc::new(Semaphore::new(size.try_into().unwrap_or(Semaphore::MAX_PERMITS)));
        Ok(Self { inner: Arc::new(Inner { pool: pool.await??, permits, sealer, clock }) })
    }

    /// Runs `work` with a connection, on a thread where it may block. Once begun it runs to its end, even if nobody
    /// waits for it any more, so no transaction is ever left half done.
    pub(crate) async fn run<T, W>(&self, doing: &'static str, work: W) -> PortResult<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut Db, &Inner) -> Result<T, StoreError> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        let deadline = Instant::now() + PATIENCE;
        let permit = self.inner.permit(deadline).await.map_err(|error| error.while_doing(doing))?;
        let call = spawn_blocking(move || {
            let _permit = permit;
            let left = deadline.saturating_duration_since(Instant::now());
            let connection = inner.pool.get_timeout(left);
            let mut pooled = connection.map_err(|error| StoreError::Unreachable(error.to_string()))?;
            pooled.run(|db| work(db, &inner))
        });
        call.await.map_err(StoreError::from).flatten().map_err(|error| error.while_doing(doing))
    }
}

impl Inner {
    async fn permit(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, StoreError> {
        let permit = timeout_at(deadline, Arc::clone(&self.permits).acquire_owned()).await;
        // The semaphore is never closed.
        permit.ok().and_then(Result::ok).ok_or_else(|| {
            StoreError::Unreachable(format!("no connection was free for {} seconds", PATIENCE.as_secs()))
        })
    }
}

/// The first connection is opened outside the pool, which would hide the cause and try again for long.
async fn connect(target: &Target) -> Result<Db, StoreError> {
    let target = target.clone();
    let connected = timeout(PATIENCE, spawn_blocking(move || Db::connect(&target))).await;
    connected
        .map_err(|_| StoreError::Unreachable(format!("no answer within {} seconds", PATIENCE.as_secs())))??
}

fn pool(target: Target, size: u32) -> Result<Pool<Connections>, StoreError> {
    Pool::builder()
        .max_size(size)
        .min_idle(Some(1))
        .connection_timeout(PATIENCE)
        // Whoever waits for a connection gets the error; the pool's own thread need not log it as well.
        .error_handler(Box::new(NopErrorHandler))
        .build(Connections { target })
        .map_err(|error| StoreError::Unreachable(error.to_string()))
}
