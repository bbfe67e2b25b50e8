//! The operator's overview: what there is, what waits for whom, and what is wrong.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use contract::{
    Allowance, Breaker, BreakerStore, Census, CensusStore, CheckRecord, CheckStore, Incident, IncidentStore,
    Instance, InstanceId, KnownLimit, PortResult, Timestamp,
};
use http::{Method, Response, StatusCode};
use osb_core::Request;

use super::{html, paths, replies};
use crate::Service;

/// How many incidents are shown, and how many instances on one page.
const INCIDENTS: u32 = 20;
const INSTANCES: u32 = 50;
/// Of each of the authority's limits, how many places are shown where the least is left.
const ROOMS: u32 = 5;

const ROOT: &str = "/admin";

/// What the overview is made of.
pub struct AdminStores {
    /// Counts what there is.
    pub census: Arc<dyn CensusStore>,
    /// What is wrong.
    pub incidents: Arc<dyn IncidentStore>,
    /// What only the operator can remove.
    pub breakers: Arc<dyn BreakerStore>,
    /// What is looked at from time to time.
    pub checks: Arc<dyn CheckStore>,
    /// What the authority's limits leave.
    pub allowance: Arc<dyn Allowance>,
}

/// Everything on the overview.
pub(super) struct Board {
    pub(super) now: Timestamp,
    pub(super) census: Census,
    pub(super) incidents: Vec<Incident>,
    pub(super) breakers: Vec<Breaker>,
    pub(super) checks: Vec<CheckRecord>,
    pub(super) limits: Vec<KnownLimit>,
}

/// Instances in the order of their ids, each with the link to its page.
pub(super) struct Listing {
    pub(super) rows: Vec<(Instance, Option<String>)>,
    /// The last id, when there are more behind it.
    pub(super) more: Option<String>,
}

/// Whether a request is one for the operator's pages.
pub(crate) fn is_meant(path: &str) -> bool {
    path == ROOT || path == paths::ADMIN_INSTANCES
}

/// The answer to an operator; `None` where no overview is served.
pub(crate) async fn answer(
    service: &Service,
    request: &Request<'_>,
    peer: Option<IpAddr>,
) -> Option<Response<Bytes>> {
    let stores = service.admin()?;
    if let Err(refusal) = service.lets_in(request.headers, peer) {
        return Some(replies::guarded(refusal.into()));
    }
    if !matches!(*request.method, Method::GET | Method::HEAD) {
        return Some(html::not_allowed(&Method::GET));
    }
    let answered = match request.path {
        ROOT => board(service, stores).await.map(|board| html::board(&board)),
        _ => listing(service, after(request.query)).await.map(|listing| html::listing(&listing)),
    };
    Some(match answered {
        Ok(page) => replies::page(StatusCode::OK, &page),
        Err(error) => {
            tracing::error!(%error, "could not show the overview");
            html::unavailable()
        }
    })
}

async fn board(service: &Service, stores: &AdminStores) -> PortResult<Board> {
    let now = service.now();
    let (census, incidents, breakers, checks, limits) = tokio::join!(
        stores.census.census(now, &html::HORIZONS),
        stores.incidents.list(true, INCIDENTS),
        stores.breakers.all(),
        stores.checks.all(),
        stores.allowance.limits(ROOMS),
    );
    Ok(Board {
        now,
        census: census?,
        incidents: incidents?,
        breakers: breakers?,
        checks: checks?,
        limits: limits?,
    })
}

fn after(query: Option<&str>) -> Option<InstanceId> {
    paths::instance(query?.strip_prefix("after=")?)
}

async fn listing(service: &Service, after: Option<InstanceId>) -> PortResult<Listing> {
    let instances = service.list(after, INSTANCES).await?;
    let is_full = instances.len() >= usize::try_from(INSTANCES).unwrap_or(usize::MAX);
    let more = instances.last().filter(|_| is_full).map(|last| last.id.to_string());
    let mut rows = Vec::new();
    for instance in instances {
        let link = service.link(&instance).await?;
        rows.push((instance, link));
    }
    Ok(Listing { rows, more })
}
