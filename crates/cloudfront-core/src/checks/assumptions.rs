//! The rules of AWS that the broker stands on, in words for the operator who reads that one of them has changed.

use super::plan::Assumption;

pub(super) const REFERENCE_IS_UNIQUE: Assumption = Assumption {
    name: "reference-is-unique",
    rule: "CloudFront refuses a caller reference that was used, and names its distribution.",
    relied_on: "A creation whose answer was lost is found again by it; without it there would be a second distribution.",
};

pub(super) const UNKNOWN_HOST_IS_REFUSED: Assumption = Assumption {
    name: "unknown-host-is-refused",
    rule: "The edge refuses requests for a host that is on no distribution.",
    relied_on: "No domain is served, and none is proven through the CDN, before the broker has named it there.",
};

pub(super) const INVALIDATION_WITHOUT_TAG: Assumption = Assumption {
    name: "invalidation-without-tag",
    rule: "CloudFront takes an invalidation without an ETag.",
    relied_on: "Updates with the parameter invalidate ask for one (step invalidate-cache).",
};

pub(super) const EDGE_PRESENTS_CERTIFICATE: Assumption = Assumption {
    name: "edge-presents-certificate",
    rule: "When a change is deployed, the edge presents the new certificate for the new name.",
    relied_on: "Users are told then that their domain is served over HTTPS, and the certificate before is removed.",
};

pub(super) const DELETE_NEEDS_DISABLED: Assumption = Assumption {
    name: "delete-needs-disabled",
    rule: "CloudFront does not delete a distribution that is enabled.",
    relied_on: "A distribution that serves is safe from a deletion by mistake.",
};

pub(super) const DISABLE: Assumption = Assumption {
    name: "disable",
    rule: "CloudFront disables a distribution by an update.",
    relied_on: "Deleting a service instance begins with it (step disable).",
};

pub(super) const DELETE_NEEDS_DEPLOYED: Assumption = Assumption {
    name: "delete-needs-deployed",
    rule: "CloudFront does not delete a distribution before it is disabled everywhere.",
    relied_on: "The step delete-distribution comes after await-disabled, and is tried again when it comes too early.",
};

pub(super) const DELETE: Assumption = Assumption {
    name: "delete",
    rule: "CloudFront deletes a distribution that is disabled everywhere.",
    relied_on: "Deleting a service instance ends with it (step delete-distribution).",
};

pub(super) const UPLOAD: Assumption = Assumption {
    name: "upload",
    rule: "IAM takes a certificate with its key and chain below the path /cloudfront/.",
    relied_on: "Every certificate goes there (step store-certificate).",
};

pub(super) const NAME_IS_UNIQUE: Assumption = Assumption {
    name: "name-is-unique",
    rule: "IAM refuses a second certificate under the same name (EntityAlreadyExists).",
    relied_on: "An upload whose answer was lost is found again by its name: there is never a second copy.",
};

pub(super) const LIST_BY_PATH: Assumption = Assumption {
    name: "list-by-path",
    rule: "IAM lists the certificates of a path at once, and those of no other path with them.",
    relied_on: "The comparison of store and account goes by that list; a certificate of somebody else must not be in it.",
};

pub(super) const READ_BACK: Assumption = Assumption {
    name: "read-back",
    rule: "IAM gives a certificate back as it was uploaded.",
    relied_on: "A certificate that is there already is adopted only when it is the same.",
};

pub(super) const CREATE_DISABLED: Assumption = Assumption {
    name: "create-disabled",
    rule: "CloudFront makes a distribution that is disabled.",
    relied_on: "Only this check does that, to see certificates come and go without serving anything.",
};

pub(super) const PROPAGATION: Assumption = Assumption {
    name: "propagation",
    rule: "CloudFront knows a certificate within twenty minutes of its upload.",
    relied_on: "The step attach-certificate tries again for hours, and users wait for it.",
};

pub(super) const USED_CERTIFICATE_IS_KEPT: Assumption = Assumption {
    name: "used-certificate-is-kept",
    rule: "IAM does not delete a certificate that a distribution uses (DeleteConflict).",
    relied_on: "What serves is safe when a removal comes too early; removals are tried again until it lets go.",
};

pub(super) const DETACH: Assumption = Assumption {
    name: "detach",
    rule: "CloudFront takes its own certificate in the place of another by an update.",
    relied_on: "Only this check does that, to see that the certificate is let go of.",
};

pub(super) const RELEASE: Assumption = Assumption {
    name: "release",
    rule: "IAM deletes a certificate within six hours after no distribution uses it any more.",
    relied_on: "Certificates that were replaced make room for others by it (sweeps); the account holds only so many.",
};

pub(super) const PUT: Assumption = Assumption {
    name: "put",
    rule: "S3 takes an answer to a challenge with its type and its Cache-Control, on no condition.",
    relied_on: "Renewals through the CDN put their answers there; without it certificates run out in weeks.",
};

pub(super) const LIST: Assumption = Assumption {
    name: "list",
    rule: "S3 lists an answer at once after it was put.",
    relied_on: "What an instance leaves behind is found by it and removed (step withdraw-proofs).",
};

pub(super) const CLOUDFRONT_READS: Assumption = Assumption {
    name: "cloudfront-reads",
    rule: "CloudFront reads an answer from the bucket and serves it below /.well-known/acme-challenge/.",
    relied_on: "Renewals through the CDN are proven so; the bucket's policy and the origin access control allow it.",
};

pub(super) const HEADERS: Assumption = Assumption {
    name: "headers",
    rule: "An answer is served with the type and the Cache-Control that it was put with.",
    relied_on: "No edge may keep an answer, or the next one of the same name would be an old one.",
};

pub(super) const REMOVE: Assumption = Assumption {
    name: "remove",
    rule: "S3 removes an answer, and lists it no more.",
    relied_on: "No proof lies about when an operation has ended (step withdraw-proofs).",
};

pub(super) const CREATE_WITHOUT_NAMES: Assumption = Assumption {
    name: "create-without-names",
    rule: "CloudFront makes a distribution without names and without a certificate.",
    relied_on: "Every new service instance begins with one (step create-distribution): its host name is known before \
                its certificate is.",
};

pub(super) const NAME_NEEDS_CERTIFICATE: Assumption = Assumption {
    name: "name-needs-certificate",
    rule: "CloudFront refuses a name without a certificate that covers it.",
    relied_on: "A domain is proven, and its certificate obtained, before the CDN is told its name: the order of the \
                steps, the methods of proof and what users read follow from it.",
};

pub(super) const NAME_WITH_CERTIFICATE: Assumption = Assumption {
    name: "name-with-certificate",
    rule: "CloudFront takes a name and a certificate that covers it in one update.",
    relied_on: "Every provision, and every update that adds a domain, hands over both so (step attach-certificate). \
                While this is refused no new domain can be served; what is served stays.",
};

pub(super) const STALE_TAG_IS_REFUSED: Assumption = Assumption {
    name: "stale-tag-is-refused",
    rule: "CloudFront refuses an update whose If-Match is not the newest ETag.",
    relied_on: "Brokers that work side by side, and a worker that has lost its lease, are kept by it from undoing \
                each other's changes.",
};

pub(super) const DEPLOYMENT: Assumption = Assumption {
    name: "deployment",
    rule: "A change of a distribution is deployed within an hour.",
    relied_on: "Provisions, renewals and deletions wait for it (steps await-deployment, await-disabled), and give up \
                after hours.",
};
