use std::time::Duration;

use contract::Secret;

/// The `tracing` targets that write whole request bodies, private keys among them, below `INFO`. Whoever sets up
/// logging must cap them at `INFO`, whatever the user's filter says.
pub const BODY_LOGGING_TARGETS: &[&str] = &[
    "aws_config",
    "aws_runtime",
    "aws_sdk_cloudfront",
    "aws_sdk_iam",
    "aws_sdk_route53",
    "aws_sdk_s3",
    "aws_sdk_sts",
    "aws_sigv4",
    "aws_smithy_http_client",
    "aws_smithy_runtime",
    "aws_smithy_runtime_api",
    "hyper",
    "hyper_util",
];

/// What this crate has to know about the operator's AWS account.
#[derive(Clone, Debug)]
pub struct AwsSettings {
    /// The bucket of the challenge answers.
    pub bucket: String,
    /// Certificates are kept under the IAM path `/cloudfront/PREFIX/`.
    pub iam_path_prefix: String,
    /// The base name of the origin access controls, which are called `NAME-1`, `NAME-2`, …
    pub control_name: String,
    /// The zone in which the broker may write; `None` when the operator has none.
    pub managed_zone: Option<ZoneSettings>,
    /// The bucket of access logs; `None` when the operator offers none.
    pub log_bucket: Option<String>,
    /// The ARN of the web ACL of the plan that has one; `None` when the operator offers none.
    pub web_acl: Option<String>,
    /// How S3 is asked to encrypt the answers (`AES256`, `aws:kms`); `None` leaves it to the bucket's default.
    pub server_side_encryption: Option<String>,
    /// The region of the bucket; `None` takes the SDK's own setting (`AWS_REGION`, profile), then `us-east-1`.
    /// CloudFront and IAM have no region.
    pub region: Option<String>,
    /// The credentials; `None` lets the SDK find them the way it always does (environment, profile, instance role).
    pub keys: Option<Keys>,
    /// The AWS to talk to instead of the one that the SDK's environment names: several in one process, as in tests.
    pub endpoint: Option<Endpoint>,
    /// Other places than AWS's own for the services, with the credentials as always; of no effect beside `endpoint`.
    pub endpoints: Endpoints,
    /// How many things a page of a list holds at most; `None` leaves it to AWS (100 of most, 1,000 answers, 300 records).
    pub page_size: Option<i32>,
    /// How often one call is tried before its error is handed on.
    pub retries: Retries,
    /// How fast each service is called at most.
    pub rates: Rates,
}

impl AwsSettings {
    /// The defaults, around the one thing that has none.
    pub fn new(bucket: impl Into<String>) -> Self {
        Self {
            bucket: bucket.into(),
            iam_path_prefix: "letsencrypt".to_owned(),
            control_name: "cdn-broker-challenges".to_owned(),
            managed_zone: None,
            log_bucket: None,
            web_acl: None,
            server_side_encryption: None,
            region: None,
            keys: None,
            endpoint: None,
            endpoints: Endpoints::default(),
            page_size: None,
            retries: Retries::default(),
            rates: Rates::default(),
        }
    }
}

/// A hosted zone of Route 53 that belongs to the broker alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneSettings {
    /// The zone's name, with or without its trailing dot.
    pub name: String,
    /// Route 53's id of it, such as `Z2FDTNDATAQYW2`.
    pub id: String,
}

/// The credentials of an AWS user, or of a session.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The access key id.
    pub access_key_id: String,
    /// The secret that belongs to it.
    pub secret_access_key: Secret,
    /// What belongs to both when they are temporary.
    pub session_token: Option<Secret>,
}

/// An AWS under one URL, with the credentials to use there.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The base URL of every service.
    pub url: String,
    /// The access key id; a local AWS tells accounts apart by it.
    pub access_key_id: String,
    /// The secret that belongs to it.
    pub secret_access_key: Secret,
}

/// The URLs at which services are found that are not at AWS's own. Without any, what the SDK's environment and profile say
/// holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// Every service that has none of its own.
    pub all: Option<String>,
    /// CloudFront.
    pub cloudfront: Option<String>,
    /// IAM.
    pub iam: Option<String>,
    /// S3.
    pub s3: Option<String>,
    /// Route 53.
    pub route53: Option<String>,
    /// STS.
    pub sts: Option<String>,
}

/// How the SDK repeats a call that was throttled or lost, in standard mode. It bridges a connection that breaks. Whatever
/// outlasts it is for the caller, who has a deadline and remembers it: a call that is repeated here for half a minute holds
/// a worker, and is lost with the process.
#[derive(Clone, Copy, Debug)]
pub struct Retries {
    /// Tries in all, the first one included. Each takes its turn (see [`Rates`]).
    pub attempts: u32,
    /// The longest pause before the second try; it doubles from try to try, and jitter shortens it.
    pub initial_backoff: Duration,
    /// Where the doubling ends.
    pub max_backoff: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self { attempts: 3, initial_backoff: Duration::from_secs(1), max_backoff: Duration::from_secs(5) }
    }
}

/// The most calls per second that one process makes to each service, with one second's worth at once. When the account is
/// throttled the rate goes down by itself, for all calls together, and comes back slowly.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// AWS publishes none. This only bounds a storm; the account's own rate is found out.
    pub cloudfront: u32,
    /// As for CloudFront.
    pub iam: u32,
    /// S3 takes thousands per prefix.
    pub s3: u32,
    /// What AWS allows an account.
    pub route53: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self { cloudfront: 50, iam: 50, s3: 200, route53: 5 }
    }
}
