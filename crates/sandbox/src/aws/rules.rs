//! Rules that AWS does not have today and may have tomorrow, or had once: a test, or a demo, changes them while the cloud
//! runs.

use serde::{Deserialize, Serialize};

/// A rule that is not that of today's AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// CloudFront makes no distribution without a certificate.
    CertificateFromTheStart,
    /// CloudFront answers a caller reference that it knows with the distribution that has it, as it was documented once.
    ReferencesReplay,
    /// CloudFront takes names without a certificate, as it did until April 2019.
    NamesWithoutCertificate,
    /// CloudFront takes a name only when the certificate that covers it is deployed already: what it refused in April 2019
    /// to a broker that named its distributions first, it refuses here to one that gives name and certificate together.
    NamesAfterCertificate,
    /// CloudFront takes names only with a certificate that lives for 47 days or less.
    ShortCertificates,
    /// CloudFront takes an update whose `If-Match` is not the newest.
    StaleTagsPass,
    /// An invalidation needs an `If-Match` with the newest `ETag` of its distribution.
    InvalidationsNeedTag,
    /// CloudFront deletes distributions that are enabled, or not deployed.
    DeletesAnything,
    /// CloudFront deletes distributions that are disabled, and not yet everywhere.
    DeletesEarly,
    /// CloudFront deletes no distribution before it has been disabled for a year.
    DeletesLate,
    /// CloudFront disables no distribution by an update.
    UpdatesDisableNothing,
    /// CloudFront makes no distribution that is disabled from the start.
    EnabledFromTheStart,
    /// CloudFront leaves a certificate where it is attached until there is another one in its place.
    CertificatesStay,
    /// The edge answers requests for names that it does not know.
    UnknownHostsServed,
    /// The edge presents its own certificate for every name.
    OwnCertificateOnly,
    /// IAM takes no certificates for CloudFront any more.
    UploadsRefused,
    /// IAM gives certificates back changed.
    CertificatesGarbled,
    /// IAM takes a second certificate under the same name in the place of the first.
    UploadsReplace,
    /// IAM lists all certificates whatever their path.
    PathsIgnored,
    /// IAM deletes certificates that CloudFront uses.
    DeletesWhatIsUsed,
    /// S3 stores an object only on a condition: `If-Match` or `If-None-Match`.
    ObjectsNeedTag,
    /// S3 forgets the headers that an object was stored with.
    HeadersForgotten,
    /// S3 lists objects only some time after they were put.
    ListsLag,
    /// S3 keeps objects that were deleted.
    RemovalsKept,
}
