//! What lies in the database and does not go with the environment. It would be met one by one, by somebody's work.

use contract::{KeyStanding, PortResult, SealedStore};
use store::Store;

/// What to do about a key that is missing.
pub(crate) const KEYS_CURE: &str = "put the key back behind the first one in DATABASE_ENCRYPTION_KEYS, in every broker; until then what needs it waits";

/// The names of keys that something is sealed under, and that the environment lacks.
pub(crate) async fn missing_keys(store: &Store) -> PortResult<Vec<String>> {
    let keys = store.keys().await?.into_iter();
    Ok(keys.filter(|key| key.standing == KeyStanding::Missing).map(|key| key.name).collect())
}

/// Says so when a broker starts, which serves all the same: most of what it is asked for needs none of it.
pub(crate) async fn warn(store: &Store) {
    match missing_keys(store).await {
        Ok(names) => {
            for name in names {
                tracing::warn!(
                    "something in the database is sealed with the key {name:?}, which is missing: {KEYS_CURE}"
                );
            }
        }
        Err(error) => tracing::warn!(%error, "could not look whether the database goes with the environment"),
    }
}
