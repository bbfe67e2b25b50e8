use contract::Remedy;

const RETRY: Remedy = Remedy::Retry { after: None };

/// What is to be done about one kind of refusal.
pub(super) struct Rule {
    /// The error codes it is about.
    codes: &'static [&'static str],
    /// What the message must contain, for codes that stand for several things.
    says: &'static str,
    pub(super) remedy: Remedy,
    /// What the tenant can do, where there is something.
    pub(super) for_tenant: Option<&'static str>,
}

/// The first rule that fits a refusal with this code and message; `None` leaves it to the HTTP status.
pub(super) fn find(code: &str, message: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.fits(code, message))
}

/// Every refusal that is not decided by its HTTP status alone, in the order of precedence.
const RULES: &[Rule] = &[
    // Too fast, or at the same time as somebody else.
    rule(
        &[
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "RequestThrottled",
            "RequestLimitExceeded",
            "TooManyRequestsException",
            "PriorRequestNotComplete",
            "SlowDown",
            "RequestTimeout",
            "ConcurrentModification",
            "OperationAborted",
            "PreconditionFailed",
            "InvalidIfMatchVersion",
            "TooManyInvalidationsInProgress",
        ],
        RETRY,
    ),
    // Not yet: an earlier change has still to reach every edge.
    rule(&["DistributionNotDisabled", "DeleteConflict", "ResourceInUse"], RETRY),
    // One control is full or gone; the next attempt takes another.
    rule(
        &[
            "TooManyDistributionsAssociatedToOriginAccessControl",
            "InvalidOriginAccessControl",
            "NoSuchOriginAccessControl",
        ],
        RETRY,
    ),
    // The same code and text for a certificate that is not known yet and for one that never will be: the caller has
    // the deadline.
    rule(&["InvalidViewerCertificate"], RETRY).says("doesn't exist"),
    rule(&["IllegalUpdate"], RETRY).says("only one viewer certificate change"),
    rule(&["CNAMEAlreadyExists"], Remedy::AwaitTenant).says("dns record").tells(POINTS_ELSEWHERE),
    rule(&["CNAMEAlreadyExists"], Remedy::AwaitTenant).tells(SERVED_ELSEWHERE),
    rule(&["NoSuchDistribution"], Remedy::StartOver),
    // Who we are, and what we may.
    rule(
        &[
            "AccessDenied",
            "AccessDeniedException",
            "AllAccessDisabled",
            "AuthFailure",
            "AuthorizationHeaderMalformed",
            "ExpiredToken",
            "ExpiredTokenException",
            "IncompleteSignature",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidToken",
            "MissingAuthenticationToken",
            "NotAuthorized",
            "OptInRequired",
            "RequestExpired",
            "RequestTimeTooSkewed",
            "SignatureDoesNotMatch",
            "UnauthorizedOperation",
            "UnrecognizedClientException",
        ],
        Remedy::AwaitOperator,
    ),
    // Quotas that the operator can have raised.
    rule(
        &[
            "EntityLimitExceeded",
            "LimitExceeded",
            "TooManyCertificates",
            "TooManyDistributionCNAMEs",
            "TooManyDistributions",
            "TooManyOriginAccessControls",
        ],
        Remedy::AwaitOperator,
    ),
    // The zone that the operator set up.
    rule(&["NoSuchHostedZone", "InvalidDomainName"], Remedy::AwaitOperator),
    // The bucket that the operator set up, and its key.
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
    ),
    rule(&["InvalidOrigin"], Remedy::GiveUp).tells("CloudFront does not accept this `origin`."),
    rule(&["InvalidRelativePath"], Remedy::GiveUp).tells("CloudFront does not accept this `path`."),
    rule(&["TooManyHeadersInForwardedValues"], Remedy::GiveUp)
        .tells("CloudFront cannot forward that many `headers`."),
    rule(&["TooManyCookieNamesInWhiteList"], Remedy::GiveUp)
        .tells("CloudFront cannot forward that many `cookies`."),
];

const SERVED_ELSEWHERE: &str = "One of the domains is already attached to another CloudFront distribution. Detach it \
    there, or delete that distribution; this service goes on by itself afterwards.";

const POINTS_ELSEWHERE: &str = "The DNS record of one of the domains points to another CloudFront distribution, which \
    keeps CloudFront from attaching it here. Point the record to the host name of this service, or remove it; this \
    service goes on by itself afterwards.";

const fn rule(codes: &'static [&'static str], remedy: Remedy) -> Rule {
    Rule { codes, says: "", remedy, for_tenant: None }
}

impl Rule {
    const fn says(self, text: &'static str) -> Self {
        Self { says: text, ..self }
    }

    const fn tells(self, tenant: &'static str) -> Self {
        Self { for_tenant: Some(tenant), ..self }
    }

    fn fits(&self, code: &str, message: &str) -> bool {
        self.codes.contains(&code) && message.to_ascii_lowercase().contains(self.says)
    }
}
