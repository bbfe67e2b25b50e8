//! What a deleted instance must not leave behind.

use anyhow::ensure;
use sandbox::Sandbox;
use sandbox::aws::AwsState;

/// Sees that the account is empty: no distribution, no certificate, no challenge object, no record. An origin access control may
/// stay, because all distributions share it.
pub(super) fn none(sandbox: &Sandbox) -> anyhow::Result<()> {
    let left = list(&sandbox.aws().state());
    ensure!(left.is_empty(), "left behind in the cloud: {}", left.join(", "));
    Ok(())
}

fn list(state: &AwsState) -> Vec<String> {
    let distributions = state.distributions.iter().map(|one| format!("distribution {}", one.id));
    let certificates = state.certificates.iter().map(|one| format!("certificate {}", one.name));
    let objects = state
        .buckets
        .iter()
        .flat_map(|bucket| bucket.keys.iter().map(move |key| format!("object {}/{key}", bucket.name)));
    let records = state
        .hosted_zones
        .iter()
        .flat_map(|zone| zone.records.iter().map(|record| format!("record {} {}", record.name, record.kind)));
    distributions.chain(certificates).chain(objects).chain(records).collect()
}

#[cfg(test)]
mod tests {
    use sandbox::aws::{BucketState, ControlState};

    use super::*;

    #[test]
    fn a_shared_control_is_no_leftover_and_an_object_is_one() {
        let mut state = AwsState::default();
        state
            .origin_access_controls
            .push(ControlState { id: "E1".to_owned(), name: "cdn-broker-1".to_owned() });
        state.buckets.push(BucketState { name: "challenges".to_owned(), keys: Vec::new() });
        assert!(list(&state).is_empty());
        state.buckets[0].keys.push("a/token".to_owned());
        assert_eq!(list(&state), ["object challenges/a/token"]);
    }
}
