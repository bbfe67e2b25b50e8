use std::net::{IpAddr, SocketAddr};

use acme_core::{AcmeSettings, DurableFirst, EdgeMark, ExternalAccount, Limits, ProbeSettings};
use broker::PlatformSettings;
use cloudfront_core::{AwsSettings, Endpoints, Keys};
use contract::Secret;
use url::Url;

use super::Reader;

pub(super) fn acme(reader: &mut Reader<'_>) -> Option<AcmeSettings> {
    let email = reader.required("EMAIL");
    let url = reader.required("ACME_URL");
    let roots = root_file(reader, "ACME_ROOT_CA");
    let external_account = external_account(reader);
    let durable_first = durable_first(reader);
    let limits = limits(reader, url.as_deref().unwrap_or_default());
    let settings = AcmeSettings {
        contact_email: Some(email?),
        root_certificates_pem: roots?,
        external_account: external_account?,
        profile: reader.optional("ACME_PROFILE"),
        durable_first: durable_first?,
        limits: limits?,
        ..AcmeSettings::new(url?)
    };
    if let Err(reason) = settings.check() {
        reader.mistake("ACME_URL", format!("or a setting beside it cannot be used: {reason}"));
        return None;
    }
    Some(settings)
}

/// Whether orders wait for durable proofs: as `ACME_PROFILE` tells, unless `ACME_DURABLE_FIRST` says otherwise.
fn durable_first(reader: &mut Reader<'_>) -> Option<DurableFirst> {
    reader.parsed("ACME_DURABLE_FIRST", |text| match text {
        "by-profile" => Ok(DurableFirst::ByProfile),
        "always" => Ok(DurableFirst::Always),
        "never" => Ok(DurableFirst::Never),
        _ => Err("durable proofs come first `always`, `never`, or `by-profile`"),
    })
}

/// What the authority allows: as its directory's host tells, unless `ACME_LIMITS` says otherwise.
fn limits(reader: &mut Reader<'_>, directory: &str) -> Option<Limits> {
    reader.parsed("ACME_LIMITS", |text| match text {
        "by-directory" => Ok(Limits::of_directory(directory)),
        "letsencrypt" => Ok(Limits::lets_encrypt()),
        "letsencrypt-staging" => Ok(Limits::lets_encrypt_staging()),
        "none" => Ok(Limits::none()),
        _ => Err("the limits are those of `letsencrypt` or `letsencrypt-staging`, `none`, or `by-directory`"),
    })
}

/// The content of the file that a variable names. The inner `None` means that the system's roots are to be used.
#[expect(
    clippy::option_option,
    reason = "the outer one says whether a mistake was noted, as everywhere here"
)]
pub(super) fn root_file(reader: &mut Reader<'_>, name: &str) -> Option<Option<String>> {
    let Some(path) = reader.optional(name) else { return Some(None) };
    match std::fs::read_to_string(&path) {
        Ok(pem) => Some(Some(pem)),
        Err(reason) => {
            reader.mistake(name, format!("names the file `{path}`, which cannot be read: {reason}"));
            None
        }
    }
}

#[expect(
    clippy::option_option,
    reason = "the outer one says whether a mistake was noted, as everywhere here"
)]
fn external_account(reader: &mut Reader<'_>) -> Option<Option<ExternalAccount>> {
    match (reader.optional("ACME_EAB_KID"), reader.optional("ACME_EAB_HMAC_KEY")) {
        (None, None) => Some(None),
        (Some(key_id), Some(key)) => Some(Some(ExternalAccount { key_id, hmac_key: Secret::new(key) })),
        (Some(_), None) => {
            reader.mistake("ACME_EAB_HMAC_KEY", "is not set, but ACME_EAB_KID is; they go together");
            None
        }
        (None, Some(_)) => {
            reader.mistake("ACME_EAB_KID", "is not set, but ACME_EAB_HMAC_KEY is; they go together");
            None
        }
    }
}

/// `API_ADDRESS` and what goes with it; the inner `None` means that the platform is not asked.
#[expect(
    clippy::option_option,
    reason = "the outer one says whether a mistake was noted, as everywhere here"
)]
pub(super) fn platform(reader: &mut Reader<'_>) -> Option<Option<PlatformSettings>> {
    let roots = root_file(reader, "API_ROOT_CA");
    let names = ["API_ADDRESS", "CLIENT_ID", "CLIENT_SECRET"];
    let values = names.map(|name| reader.optional(name));
    if values.iter().all(Option::is_none) {
        return Some(None);
    }
    for (name, _) in names.iter().zip(&values).filter(|(_, value)| value.is_none()) {
        let others = names.map(|other| if other == *name { "" } else { other });
        let others: Vec<&str> = others.into_iter().filter(|other| !other.is_empty()).collect();
        reader.mistake(name, format!("is not set, but one of {} is; they go together", others.join(" and ")));
    }
    let [api_address, client_id, client_secret] = values;
    let settings = PlatformSettings {
        api_address: api_address?,
        client_id: client_id?,
        client_secret: Secret::new(client_secret?),
        root_certificates_pem: roots?,
    };
    match settings.check() {
        Ok(()) => Some(Some(settings)),
        Err(reason) => {
            reader.mistake("API_ADDRESS", format!("cannot be used: {reason}"));
            None
        }
    }
}

pub(super) fn probe(reader: &mut Reader<'_>) -> Option<ProbeSettings> {
    let resolvers = reader.parsed("DNS_RESOLVERS", |text| {
        text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(resolver).collect::<Result<_, _>>()
    });
    let dns_port = reader.parsed("PROOF_DNS_PORT", port);
    let plain = reader.parsed("PROOF_HTTP_PORT", port);
    let tls = reader.parsed("PROOF_HTTPS_PORT", port);
    let allow_private_addresses = reader.flag("PROOF_ALLOW_PRIVATE_ADDRESSES");
    Some(ProbeSettings {
        resolvers: resolvers?,
        dns_port: dns_port?,
        http_port: plain?,
        https_port: tls?,
        allow_private_addresses: allow_private_addresses?,
        edge_marks: edge_marks(),
    })
}

/// What CloudFront's edges write on every answer, their errors included.
fn edge_marks() -> Vec<EdgeMark> {
    vec![
        EdgeMark { header: "x-amz-cf-id".to_owned(), value: None },
        EdgeMark { header: "server".to_owned(), value: Some("CloudFront".to_owned()) },
    ]
}

/// `IP:PORT`, or an address alone, which means port 53.
fn resolver(text: &str) -> Result<SocketAddr, &'static str> {
    let alone = || text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53));
    text.parse().or_else(|_| alone()).map_err(|_| "a resolver is `IP` or `IP:PORT`, several go with commas")
}

fn port(text: &str) -> Result<u16, &'static str> {
    text.parse().ok().filter(|port| *port > 0).ok_or("a port is a number from 1 to 65535")
}

pub(super) fn aws(reader: &mut Reader<'_>) -> Option<AwsSettings> {
    let bucket = reader.required("BUCKET");
    let prefix = reader.parsed("IAM_PATH_PREFIX", |text| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if text.bytes().all(plain) {
            Ok(text.to_owned())
        } else {
            Err("it is made of letters, digits, `-`, `_` and `.`")
        }
    });
    let log_bucket = reader.parsed_if_set("LOG_BUCKET", bucket_name);
    let web_acl = reader.parsed_if_set("WAF_WEB_ACL_ARN", web_acl_arn);
    let region = reader.optional("AWS_REGION");
    let default_region = reader.optional("AWS_DEFAULT_REGION");
    let keys = keys(reader);
    let endpoints = endpoints(reader);
    Some(AwsSettings {
        endpoints: endpoints?,
        region: region.or(default_region),
        keys: keys?,
        log_bucket: log_bucket?,
        web_acl: web_acl?,
        iam_path_prefix: prefix?,
        server_side_encryption: reader.optional("SERVER_SIDE_ENCRYPTION"),
        ..AwsSettings::new(bucket?)
    })
}

/// `AWS_ENDPOINT_URL` and those of single services.
fn endpoints(reader: &mut Reader<'_>) -> Option<Endpoints> {
    let all = reader.parsed_if_set("AWS_ENDPOINT_URL", endpoint);
    let cloudfront = reader.parsed_if_set("AWS_ENDPOINT_URL_CLOUDFRONT", endpoint);
    let iam = reader.parsed_if_set("AWS_ENDPOINT_URL_IAM", endpoint);
    let s3 = reader.parsed_if_set("AWS_ENDPOINT_URL_S3", endpoint);
    let route53 = reader.parsed_if_set("AWS_ENDPOINT_URL_ROUTE_53", endpoint);
    let sts = reader.parsed_if_set("AWS_ENDPOINT_URL_STS", endpoint);
    Some(Endpoints { all: all?, cloudfront: cloudfront?, iam: iam?, s3: s3?, route53: route53?, sts: sts? })
}

fn endpoint(text: &str) -> Result<String, &'static str> {
    let is_place = |url: &Url| {
        let is_bare = url.query().is_none() && url.fragment().is_none();
        let is_open = url.username().is_empty() && url.password().is_none();
        matches!(url.scheme(), "https" | "http") && url.has_host() && is_bare && is_open
    };
    let is_endpoint = Url::parse(text).is_ok_and(|url| is_place(&url));
    if is_endpoint {
        Ok(text.to_owned())
    } else {
        Err("it is a URL without user, such as http://localhost:4566")
    }
}

/// The inner `None` leaves the search to the SDK.
#[expect(
    clippy::option_option,
    reason = "the outer one says whether a mistake was noted, as everywhere here"
)]
fn keys(reader: &mut Reader<'_>) -> Option<Option<Keys>> {
    let id = reader.optional("AWS_ACCESS_KEY_ID");
    let secret = reader.optional("AWS_SECRET_ACCESS_KEY");
    let session_token = reader.optional("AWS_SESSION_TOKEN").map(Secret::new);
    match (id, secret) {
        (None, None) => Some(None),
        (Some(access_key_id), Some(secret)) => {
            Some(Some(Keys { access_key_id, secret_access_key: Secret::new(secret), session_token }))
        }
        (Some(_), None) => {
            reader.mistake("AWS_SECRET_ACCESS_KEY", "is not set, but AWS_ACCESS_KEY_ID is; they go together");
            None
        }
        (None, Some(_)) => {
            reader.mistake("AWS_ACCESS_KEY_ID", "is not set, but AWS_SECRET_ACCESS_KEY is; they go together");
            None
        }
    }
}

/// The name of a bucket. Its host name, which `external-domain-broker` has here, will do.
fn bucket_name(text: &str) -> Result<String, &'static str> {
    let text = text.strip_suffix(".s3.amazonaws.com").unwrap_or(text);
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    let is_name =
        (3..=63).contains(&text.len()) && text.bytes().all(plain) && !text.ends_with(".amazonaws.com");
    if is_name { Ok(text.to_owned()) } else { Err("it is the name of an S3 bucket, such as my-access-logs") }
}

const WEB_ACL_FORM: &str =
    "it is the ARN of a web ACL for CloudFront, arn:aws:wafv2:us-east-1:ACCOUNT:global/webacl/NAME/ID";

/// CloudFront takes the ACLs of AWS WAF whose scope is CLOUDFRONT, which all live in us-east-1.
fn web_acl_arn(text: &str) -> Result<String, &'static str> {
    let is_global = text.starts_with("arn:aws:wafv2:us-east-1:") && text.contains(":global/webacl/");
    if is_global { Ok(text.to_owned()) } else { Err(WEB_ACL_FORM) }
}
