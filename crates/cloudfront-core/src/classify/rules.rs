//! What follows from each refusal of AWS, as a table with reasons. `docs/RETRIES.md` shows it.

use contract::{ErrorRule, Obstacle, Reach, Remedy, Upstream};

const RETRY: Remedy = Remedy::Retry { after: None };

/// What is to be done about one kind of refusal.
pub(super) struct Rule {
    /// The error codes it is about.
    codes: &'static [&'static str],
    /// What the message must contain, for codes that stand for several things.
    says: &'static str,
    pub(super) remedy: Remedy,
    stops: Stops,
    /// What the tenant can do, where there is something.
    pub(super) for_tenant: Option<&'static str>,
    reason: &'static str,
}

/// What else a refusal stops that is for the operator to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stops {
    /// Nothing: it is about the one thing that was refused.
    Nothing,
    /// Calls of the same service that do the same.
    SameKind,
    /// Every call of the same service.
    Service,
    /// Every call with the same credentials, whatever the service.
    Account,
}

/// The first rule that fits a refusal with this code and message; `None` leaves it to the HTTP status.
pub(super) fn find(code: &str, message: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.fits(code, message))
}

/// The table, for people, with what is decided without it at the end.
pub(crate) fn shown() -> Vec<ErrorRule> {
    let other = |error: &str, remedy, stops, reason| ErrorRule {
        error: error.to_owned(),
        remedy,
        stops: Some(stops).filter(|stops| *stops != Stops::Nothing).map(Stops::words),
        for_tenant: None,
        reason,
    };
    let by_kind = [
        other(
            "another code with HTTP 429 or 5xx, a timeout, a connection that breaks",
            RETRY,
            Stops::Nothing,
            "nothing is known about the effect of the call; every call bears to be repeated",
        ),
        other(
            "another code with HTTP 401 or 403",
            Remedy::AwaitOperator,
            Stops::SameKind,
            "a permission is missing for this action, whatever AWS calls it",
        ),
        other(
            "no credentials, or none that can be read",
            Remedy::AwaitOperator,
            Stops::Account,
            "nothing was sent; a credential service that is only late is tried again",
        ),
        other(
            "not sent, because it is not its turn",
            RETRY,
            Stops::Nothing,
            "a throttled account slows down together; the call is made when there is a turn for it",
        ),
        other("anything else", Remedy::GiveUp, Stops::Nothing, "the same request is refused again"),
    ];
    RULES.iter().map(Rule::shown).chain(by_kind).collect()
}

/// Whether a code means that the account is called too fast.
pub(crate) fn is_throttle(code: &str) -> bool {
    THROTTLES.contains(&code)
}

/// The codes that mean that the account is called too fast.
const THROTTLES: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "PriorRequestNotComplete",
    "SlowDown",
];

/// Every refusal that is not decided by its HTTP status alone, in the order of precedence.
const RULES: &[Rule] = &[
    rule(THROTTLES, RETRY, "too fast for the account; the whole process slows down"),
    rule(&["RequestTimeout"], RETRY, "the connection was too slow for S3, not the request wrong"),
    rule(
        &["ConcurrentModification", "OperationAborted", "PreconditionFailed", "InvalidIfMatchVersion"],
        RETRY,
        "somebody else changed the same thing at the same time; it is read again",
    ),
    rule(
        &["TooManyInvalidationsInProgress"],
        RETRY,
        "invalidations end within minutes and make room for the next",
    ),
    rule(
        &["DistributionNotDisabled", "ResourceNotDisabled", "ResourceInUse"],
        RETRY,
        "an earlier change has still to reach every edge",
    ),
    rule(
        &["DeleteConflict"],
        RETRY,
        "IAM lets a certificate go some minutes after the last edge has; others have seen a quarter of an hour",
    ),
    rule(
        &[
            "TooManyDistributionsAssociatedToOriginAccessControl",
            "InvalidOriginAccessControl",
            "NoSuchOriginAccessControl",
        ],
        RETRY,
        "one control is full or gone; the next attempt takes another",
    ),
    rule(
        &["InvalidViewerCertificate"],
        RETRY,
        "the same code and text for a certificate that is not known yet and for one that never will be: the deadline decides",
    )
    .says("doesn't exist"),
    rule(
        &["InvalidViewerCertificate"],
        Remedy::GiveUp,
        "the certificate does not fit the names: the same one never will",
    ),
    rule(&["IllegalUpdate"], RETRY, "an earlier change of the certificate is not everywhere yet")
        .says("only one viewer certificate change"),
    rule(&["IllegalUpdate"], Remedy::GiveUp, "something that never changes was to be changed"),
    rule(&["CNAMEAlreadyExists"], Remedy::AwaitTenant, "only its owner can change a DNS record")
        .says("dns record")
        .tells(POINTS_ELSEWHERE),
    rule(&["CNAMEAlreadyExists"], Remedy::AwaitTenant, "only its owner can take a name off another distribution")
        .tells(SERVED_ELSEWHERE),
    rule(&["NoSuchDistribution"], Remedy::StartOver, "the distribution was removed behind our back"),
    rule(
        &[
            "AuthFailure",
            "ExpiredToken",
            "ExpiredTokenException",
            "IncompleteSignature",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidToken",
            "MissingAuthenticationToken",
            "RequestExpired",
            "RequestTimeTooSkewed",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        ],
        Remedy::AwaitOperator,
        "AWS does not believe who we are: all services share the credentials, and the clock that they are signed by",
    )
    .stops(Stops::Account),
    rule(
        &["OptInRequired", "AllAccessDisabled", "AuthorizationHeaderMalformed"],
        Remedy::AwaitOperator,
        "the account has no use of this service, or the region is wrong",
    )
    .stops(Stops::Service),
    rule(
        &["AccessDenied", "AccessDeniedException", "NotAuthorized", "UnauthorizedOperation"],
        Remedy::AwaitOperator,
        "permissions are granted per action: that deleting is denied says nothing about reading",
    )
    .stops(Stops::SameKind),
    rule(
        &[
            "EntityLimitExceeded",
            "LimitExceeded",
            "TooManyCertificates",
            "TooManyDistributions",
            "TooManyOriginAccessControls",
        ],
        Remedy::AwaitOperator,
        "a quota of the account that the operator can have raised; what is there can still be changed and deleted",
    )
    .stops(Stops::SameKind),
    rule(
        &["TooManyDistributionCNAMEs"],
        Remedy::AwaitOperator,
        "a quota per distribution: other distributions have room",
    ),
    rule(
        &["InvalidWebACLId"],
        Remedy::AwaitOperator,
        "the operator's web ACL; instances of the other plan do not need it",
    ),
    rule(&["NoSuchHostedZone"], Remedy::AwaitOperator, "the zone that the operator set up is gone")
        .stops(Stops::Service),
    rule(
        &["InvalidDomainName"],
        Remedy::AwaitOperator,
        "Route 53 does not take this one name of the operator's zone",
    ),
    rule(
        &[
            "IllegalLocationConstraintException",
            "KMS.DisabledException",
            "KMS.KMSInvalidStateException",
            "KMS.NotFoundException",
            "NoSuchBucket",
            "PermanentRedirect",
        ],
        Remedy::AwaitOperator,
        "the bucket that the operator set up, its region or its key",
    )
    .stops(Stops::Service),
    rule(&["InvalidOrigin", "NoSuchOrigin"], Remedy::GiveUp, "the tenant's parameter")
        .tells("CloudFront does not accept this `origin`."),
    rule(&["InvalidRelativePath"], Remedy::GiveUp, "the tenant's parameter")
        .tells("CloudFront does not accept this `path`."),
    rule(&["TooManyHeadersInForwardedValues"], Remedy::GiveUp, "the tenant's parameter")
        .tells("CloudFront cannot forward that many `headers`."),
    rule(&["TooManyCookieNamesInWhiteList"], Remedy::GiveUp, "the tenant's parameter")
        .tells("CloudFront cannot forward that many `cookies`."),
    rule(&["NoSuchCachePolicy"], Remedy::GiveUp, "the tenant's parameter: AWS has withdrawn a policy of its own")
        .tells("CloudFront does not offer this `cache_policy` any more."),
    rule(
        &["NoSuchOriginRequestPolicy"],
        Remedy::GiveUp,
        "the tenant's parameter: AWS has withdrawn a policy of its own",
    )
    .tells("CloudFront does not offer this `origin_request_policy` any more."),
    rule(&["InvalidErrorCode", "InvalidResponseCode"], Remedy::GiveUp, "the tenant's parameter")
        .tells("CloudFront does not accept these `error_responses`."),
    rule(&["InvalidTTLOrder"], Remedy::GiveUp, "the tenant's parameter")
        .tells("CloudFront does not accept this `default_ttl`."),
    rule(&["InvalidMinimumProtocolVersion"], Remedy::GiveUp, "the tenant's parameter")
        .tells("CloudFront does not accept this `minimum_tls`."),
    rule(&["BatchTooLarge"], Remedy::GiveUp, "the tenant's parameter")
        .tells("CloudFront does not take that many paths to `invalidate` at once."),
    rule(
        &[
            "InvalidArgument",
            "InconsistentQuantities",
            "MissingBody",
            "InvalidProtocolSettings",
            "InvalidTagging",
            "InvalidDomainNameForOriginAccessControl",
            "IllegalOriginAccessConfiguration",
            "InvalidDefaultRootObject",
            "TooManyOrigins",
            "TooManyCacheBehaviors",
            "EntitySizeLimitExceeded",
            "NoSuchResponseHeadersPolicy",
            "NoSuchResource",
            "EntityNotFound",
            "MalformedCertificate",
            "KeyPairMismatch",
            "InvalidInput",
        ],
        Remedy::GiveUp,
        "what we sent is not what the API takes: a defect, or a rule of AWS's that is new",
    ),
    rule(
        &["DistributionAlreadyExists", "EntityAlreadyExists"],
        Remedy::GiveUp,
        "an earlier call's own is adopted before this is asked; what is left is somebody else's",
    ),
];

const SERVED_ELSEWHERE: &str = "One of the domains is already attached to another CloudFront distribution. Detach it \
    there, or delete that distribution; this service goes on by itself afterwards.";

const POINTS_ELSEWHERE: &str = "The DNS record of one of the domains points to another CloudFront distribution, which \
    keeps CloudFront from attaching it here. Point the record to the host name of this service, or remove it; this \
    service goes on by itself afterwards.";

const fn rule(codes: &'static [&'static str], remedy: Remedy, reason: &'static str) -> Rule {
    Rule { codes, says: "", remedy, stops: Stops::Nothing, for_tenant: None, reason }
}

impl Rule {
    const fn says(self, text: &'static str) -> Self {
        Self { says: text, ..self }
    }

    const fn tells(self, tenant: &'static str) -> Self {
        Self { for_tenant: Some(tenant), ..self }
    }

    const fn stops(self, stops: Stops) -> Self {
        Self { stops, ..self }
    }

    fn fits(&self, code: &str, message: &str) -> bool {
        self.codes.contains(&code) && message.to_ascii_lowercase().contains(self.says)
    }

    /// What else it stops, when the call was one of `upstream`.
    pub(super) fn obstacle(&self, upstream: Upstream) -> Option<Obstacle> {
        self.stops.at(upstream)
    }

    fn shown(&self) -> ErrorRule {
        let says = if self.says.is_empty() { String::new() } else { format!(" with \"{}\"", self.says) };
        ErrorRule {
            error: format!("`{}`{says}", self.codes.join("`, `")),
            remedy: self.remedy,
            stops: Some(self.stops).filter(|stops| *stops != Stops::Nothing).map(Stops::words),
            for_tenant: self.for_tenant,
            reason: self.reason,
        }
    }
}

impl Stops {
    pub(super) fn at(self, upstream: Upstream) -> Option<Obstacle> {
        match self {
            Self::Nothing => None,
            Self::SameKind => Some(Obstacle { upstream, reach: Reach::SameKind }),
            Self::Service => Some(Obstacle { upstream, reach: Reach::Everything }),
            Self::Account => Some(Obstacle { upstream: Upstream::Account, reach: Reach::Everything }),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Nothing => "nothing else",
            Self::SameKind => "the same action of the service",
            Self::Service => "the service",
            Self::Account => "every service of the account",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row behind one that takes everything it is about would never be read.
    #[test]
    fn no_row_hides_another() {
        for (index, rule) in RULES.iter().enumerate() {
            for code in rule.codes {
                let before = RULES[..index].iter().find(|one| one.codes.contains(code));
                assert!(before.is_none_or(|one| !one.says.is_empty()), "{code} is decided twice");
            }
        }
    }

    #[test]
    fn only_what_the_operator_can_remove_stops_others_and_every_row_says_why() {
        for rule in RULES {
            let is_the_operators = rule.remedy == Remedy::AwaitOperator;
            assert!(is_the_operators || rule.stops == Stops::Nothing, "{:?}", rule.codes);
            assert!(rule.reason.len() > 10, "{:?}", rule.codes);
        }
    }
}
