//! What is there and belongs to no instance that lives: left behind by this store, or not its own.
//!
//! A thing is provably this store's when its name, which nobody can change, is one that this store has given: the store
//! keeps a row for every name before it is used, and never deletes it.

use std::time::Duration;

use contract::{
    CertificateRecord, DistributionId, InstanceId, KeptCertificate, ListedDistribution, PortResult, Timestamp,
};

use super::case::Case;
use crate::names;
use crate::ports::Ports;

/// What is younger than this is not spoken of: somebody may be about to write it down.
const YOUNG: Duration = Duration::from_hours(1);

/// What a stranger is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing of anybody's concern here: needed, in work, too young to tell, gone by now, or nothing like ours.
    Fine,
    /// Made by this store for an instance, and needed by none.
    Orphan(InstanceId),
    /// Of our form, and not known here.
    Unknown,
}

/// Looks at a distribution that no instance claims. What it says about itself leads to the row; the reference, which was
/// given when it was made, is the proof.
pub(super) async fn distribution(
    ports: &Ports,
    listed: &ListedDistribution,
    now: Timestamp,
) -> PortResult<Verdict> {
    let Some(instance) = &listed.instance else { return Ok(Verdict::Fine) };
    let id = &listed.distribution.id;
    let Some(found) = ports.cdn.examine(id).await? else { return Ok(Verdict::Fine) };
    if found.distribution.enabled && now.since(found.changed_at) < YOUNG {
        return Ok(Verdict::Fine);
    }
    let (Some(reference), Some(case)) = (found.reference, Case::read(ports, instance).await?) else {
        return Ok(Verdict::Unknown);
    };
    if !names::is_distribution_of(&reference, &case.instance) {
        return Ok(Verdict::Unknown);
    }
    let is_current = case.instance.reference == reference || is_its(&case, id);
    let is_needed = case.is_alive() && (is_current || case.is_busy());
    Ok(if is_needed { Verdict::Fine } else { Verdict::Orphan(case.instance.id) })
}

fn is_its(case: &Case, id: &DistributionId) -> bool {
    case.instance.distribution.as_ref() == Some(id)
}

/// Looks at a certificate that no instance claims.
pub(super) async fn certificate(
    ports: &Ports,
    kept: &KeptCertificate,
    now: Timestamp,
) -> PortResult<Verdict> {
    if now.since(kept.since) < YOUNG || !names::has_our_form(&kept.name) {
        return Ok(Verdict::Fine);
    }
    let Some(record) = ports.certificates.named(&kept.name).await? else { return Ok(Verdict::Unknown) };
    if is_needed(ports, &record).await? || ports.sweeps.knows(&kept.name).await? {
        return Ok(Verdict::Fine);
    }
    Ok(Verdict::Orphan(record.instance))
}

async fn is_needed(ports: &Ports, record: &CertificateRecord) -> PortResult<bool> {
    let case = Case::read(ports, &record.instance).await?;
    Ok(case.is_none_or(|case| case.needs(record) || case.is_busy()))
}

/// Looks at a folder of answers of an instance that had gone when it was looked at.
pub(super) async fn folder(
    ports: &Ports,
    instance: &InstanceId,
    changed_at: Timestamp,
    now: Timestamp,
) -> PortResult<Verdict> {
    let case = Case::read(ports, instance).await?;
    let is_left_behind = case.is_some_and(|case| !case.is_alive()) && now.since(changed_at) >= YOUNG;
    Ok(if is_left_behind { Verdict::Orphan(instance.clone()) } else { Verdict::Fine })
}
