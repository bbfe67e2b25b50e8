//! A summary of the account, for tests and for people.

use serde::{Deserialize, Serialize};

use super::cloudfront::Distribution;
use super::route53::HostedZone;
use super::world::World;

/// What is in the account now. It holds no secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsState {
    /// The distributions, in the order of their creation.
    pub distributions: Vec<DistributionState>,
    /// The server certificates, in the order of their upload.
    pub certificates: Vec<CertificateState>,
    /// The origin access controls, in the order of their creation.
    pub origin_access_controls: Vec<ControlState>,
    /// The buckets, by name.
    pub buckets: Vec<BucketState>,
    /// The hosted zones, in the order of their creation.
    #[serde(default)]
    pub hosted_zones: Vec<HostedZoneState>,
}

/// One distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistributionState {
    /// The id, `E` and 13 capitals or digits.
    pub id: String,
    /// The caller reference it was created with.
    pub reference: String,
    /// The name below `cloudfront.net`.
    pub domain: String,
    /// The alternate domain names (aliases) that were asked for last.
    pub names: Vec<String>,
    /// The IAM server certificate id, if it has one.
    pub certificate_id: Option<String>,
    /// Whether it accepts viewers.
    pub enabled: bool,
    /// `InProgress` or `Deployed`.
    pub status: String,
    /// The domain of the origin of the default behaviour.
    pub origin: String,
    /// The tags, in the order in which they were set.
    pub tags: Vec<(String, String)>,
}

/// One server certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateState {
    /// The id, `ASCA` and 17 capitals or digits.
    pub id: String,
    /// The name it was uploaded under.
    pub name: String,
    /// The path, such as `/cloudfront/letsencrypt/`.
    pub path: String,
    /// The DNS names it is for.
    pub names: Vec<String>,
}

/// One origin access control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlState {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
}

/// One bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketState {
    /// The name.
    pub name: String,
    /// The keys of its objects, sorted.
    pub keys: Vec<String>,
}

/// One hosted zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostedZoneState {
    /// The id, `Z` and 20 capitals or digits.
    pub id: String,
    /// The account it belongs to.
    pub account: String,
    /// The name, without the final dot.
    pub name: String,
    /// The records that were asked for last, without the NS and SOA that every zone has.
    pub records: Vec<RecordState>,
}

/// One record set of a hosted zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordState {
    /// The name, without the final dot.
    pub name: String,
    /// The type, such as `TXT`.
    pub kind: String,
    /// The values as they were sent: texts in quotation marks. An alias has none.
    pub values: Vec<String>,
}

pub(super) fn summary(world: &World) -> AwsState {
    let now = world.clock.now();
    let certificates = world.iam.certificates.iter().map(|certificate| CertificateState {
        id: certificate.id.clone(),
        name: certificate.name.clone(),
        path: certificate.path.clone(),
        names: certificate.facts.names.clone(),
    });
    let controls = world.cloudfront.controls.iter();
    let controls =
        controls.map(|control| ControlState { id: control.id.clone(), name: control.name().to_owned() });
    let buckets = world.s3.0.iter().map(|(name, bucket)| BucketState {
        name: name.clone(),
        keys: bucket.objects.keys().cloned().collect(),
    });
    AwsState {
        distributions: world.cloudfront.distributions.iter().map(|found| distribution(found, now)).collect(),
        certificates: certificates.collect(),
        origin_access_controls: controls.collect(),
        buckets: buckets.collect(),
        hosted_zones: world.route53.zones.iter().map(hosted_zone).collect(),
    }
}

fn hosted_zone(zone: &HostedZone) -> HostedZoneState {
    let plain = |name: &str| name.trim_end_matches('.').to_owned();
    let own =
        zone.record_sets().filter(|set| set.name != zone.name || !["NS", "SOA"].contains(&set.kind.as_str()));
    let records = own.map(|set| RecordState {
        name: plain(&set.name),
        kind: set.kind.clone(),
        values: set.values().to_vec(),
    });
    HostedZoneState {
        id: zone.id.clone(),
        account: zone.account.clone(),
        name: plain(&zone.name),
        records: records.collect(),
    }
}

fn distribution(found: &Distribution, now: i64) -> DistributionState {
    let config = found.config();
    let target = config.text_at("DefaultCacheBehavior/TargetOriginId");
    let origin = config.items_at("Origins").iter().find(|origin| origin.text_at("Id") == target);
    DistributionState {
        id: found.id.clone(),
        reference: config.text_at("CallerReference").to_owned(),
        domain: found.domain.clone(),
        names: found.aliases(),
        certificate_id: found.certificate_id().map(str::to_owned),
        enabled: found.enabled(),
        status: found.status(now).to_owned(),
        origin: origin.map_or("", |origin| origin.text_at("DomainName")).to_owned(),
        tags: found.tags.clone(),
    }
}
