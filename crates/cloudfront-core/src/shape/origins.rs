use aws_sdk_cloudfront::error::BuildError;
use aws_sdk_cloudfront::types::{
    CustomOriginConfig, Origin, OriginProtocolPolicy, OriginSslProtocols, Origins, S3OriginConfig,
    SslProtocol,
};
use contract::DistributionSpec;

use super::{Place, count};
use crate::folder::folder;

/// Our name for the user's origin within a distribution.
pub(super) const CONTENT: &str = "origin";
/// Our name for the challenge bucket within a distribution.
pub(super) const CHALLENGES: &str = "challenges";

/// The two origins of a new distribution.
pub(super) fn fresh(spec: &DistributionSpec, place: Place<'_>) -> Result<Origins, BuildError> {
    list(vec![content(spec)?, challenges(spec, place)?])
}

/// The origins after a change: our fields of our two origins, everything else as it was.
pub(super) fn changed(
    current: Option<&Origins>,
    spec: &DistributionSpec,
    place: Place<'_>,
) -> Result<Origins, BuildError> {
    let mut origins = current.map_or_else(Vec::new, |origins| origins.items.clone());
    match origins.iter_mut().find(|origin| origin.id == CONTENT) {
        Some(origin) => change_content(origin, spec),
        None => origins.push(content(spec)?),
    }
    match origins.iter_mut().find(|origin| origin.id == CHALLENGES) {
        Some(origin) => change_challenges(origin, spec, place),
        None => origins.push(challenges(spec, place)?),
    }
    list(origins)
}

/// The user's origin: TLS 1.2 only, or plain HTTP by the user's own wish.
fn content(spec: &DistributionSpec) -> Result<Origin, BuildError> {
    let tls = OriginSslProtocols::builder().quantity(1).items(SslProtocol::TlSv12).build()?;
    let custom = CustomOriginConfig::builder()
        .http_port(80)
        .https_port(443)
        .origin_protocol_policy(protocol(spec))
        .origin_ssl_protocols(tls)
        .origin_read_timeout(30)
        .origin_keepalive_timeout(5)
        .build()?;
    Origin::builder()
        .id(CONTENT)
        .domain_name(spec.origin.domain.as_str())
        .origin_path(&spec.origin.path)
        .custom_origin_config(custom)
        .build()
}

/// The instance's folder of the challenge bucket. The empty identity says that the access control is used instead.
fn challenges(spec: &DistributionSpec, place: Place<'_>) -> Result<Origin, BuildError> {
    Origin::builder()
        .id(CHALLENGES)
        .domain_name(place.bucket_host)
        .origin_path(challenge_path(spec))
        .origin_access_control_id(place.control)
        .s3_origin_config(S3OriginConfig::builder().origin_access_identity("").build())
        .build()
}

fn change_content(origin: &mut Origin, spec: &DistributionSpec) {
    spec.origin.domain.as_str().clone_into(&mut origin.domain_name);
    origin.origin_path = Some(spec.origin.path.clone());
    if let Some(custom) = &mut origin.custom_origin_config {
        custom.origin_protocol_policy = protocol(spec);
    }
}

fn change_challenges(origin: &mut Origin, spec: &DistributionSpec, place: Place<'_>) {
    place.bucket_host.clone_into(&mut origin.domain_name);
    origin.origin_path = Some(challenge_path(spec));
    origin.origin_access_control_id = Some(place.control.to_owned());
}

fn protocol(spec: &DistributionSpec) -> OriginProtocolPolicy {
    if spec.origin.insecure { OriginProtocolPolicy::HttpOnly } else { OriginProtocolPolicy::HttpsOnly }
}

fn challenge_path(spec: &DistributionSpec) -> String {
    format!("/{}", folder(&spec.instance))
}

fn list(items: Vec<Origin>) -> Result<Origins, BuildError> {
    Origins::builder().quantity(count(&items)).set_items(Some(items)).build()
}
