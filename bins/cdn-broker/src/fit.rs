//! What lies in the database and does not go with the environment. It would be met one by one, by somebody's work.

use contract::{KeyStanding, PortResult, SealedStore};
use osb_core::Catalog;
use store::{PlanUse, Store};

/// What to do about a key that is missing.
pub(crate) const KEYS_CURE: &str = "put the key back behind the first one in DATABASE_ENCRYPTION_KEYS, in every broker; until then what needs it waits";

/// The names of keys that something is sealed under, and that the environment lacks.
pub(crate) async fn missing_keys(store: &Store) -> PortResult<Vec<String>> {
    let keys = store.keys().await?.into_iter();
    Ok(keys.filter(|key| key.standing == KeyStanding::Missing).map(|key| key.name).collect())
}

/// What to do about a plan that is missing.
pub(crate) const PLANS_CURE: &str = "put the plan back with \"retired\": true, so that its instances can be changed and deleted \
                                     (docs/CATALOG.md, \"Taking a plan out of service\")";

/// The plans that instances have and the catalog lacks, a few words each.
pub(crate) async fn missing_plans(store: &Store, catalog: &Catalog) -> PortResult<Vec<String>> {
    let plans = store.plans_in_use().await?.into_iter();
    let missing = plans.filter(|plan| catalog.plan(&plan.service_id, &plan.plan_id).is_none());
    Ok(missing.map(|plan| in_words(&plan)).collect())
}

fn in_words(PlanUse { service_id, plan_id, instances }: &PlanUse) -> String {
    let noun = if *instances == 1 { "instance has" } else { "instances have" };
    format!("{instances} service {noun} the plan {plan_id} of the service {service_id}")
}

/// Says so when a broker starts, which serves all the same: most of what it is asked for needs none of it.
pub(crate) async fn warn(store: &Store, catalog: &Catalog) {
    match missing_plans(store, catalog).await {
        Ok(plans) => {
            for plan in plans {
                tracing::warn!("{plan}, which the catalog lacks: {PLANS_CURE}");
            }
        }
        Err(error) => tracing::warn!(%error, "could not look whether the database goes with the catalog"),
    }
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
