//! What takes over the instances of an earlier broker.

use std::sync::Arc;
use std::time::Duration;

use acme_core::ChainReader;
use broker::{ImportSettings, Importer};
use cloudfront_core::{AwsSettings, Rates};
use contract::LegacyBroker;

use super::{Built, build_on, nobody_counts, notifier, pace, store};
use crate::config::Config;

/// An importer that calls each AWS service at most `rate` times a second.
pub(crate) async fn importer(
    config: &Config,
    broker: LegacyBroker,
    (rate, spread, looks): (u32, Duration, bool),
) -> anyhow::Result<Importer> {
    let store = store(config).await?;
    let rates = Rates { cloudfront: rate, iam: rate, ..config.aws.rates };
    let aws = AwsSettings { rates, ..config.aws.clone() };
    let notifier = notifier(config, store.clone())?;
    let pace = pace(config);
    let built = build_on(config, &aws, store.clone(), notifier, nobody_counts(), &pace).await?;
    let Built { ports, .. } = built;
    let default_origin = config.service.default_origin.clone();
    let services = &config.service.offering.catalog.services;
    let plans = services.iter().flat_map(|service| service.plans.iter().map(|plan| (&service.id, &plan.id)));
    let offered = plans.map(|(service, plan)| (service.clone(), plan.clone())).collect();
    let settings = ImportSettings { broker, default_origin, spread, looks, offered };
    Ok(Importer::new(ports, store, Arc::new(ChainReader), settings))
}
