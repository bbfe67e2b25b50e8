use std::sync::Arc;
use std::time::Duration;

use aws_config::meta::region::RegionProviderChain;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudfront::config::{Credentials, SharedCredentialsProvider, SharedHttpClient};
use aws_types::service_config::ServiceConfigKey;
use contract::{Meter, NoMeter, Secret, Upstream};

use crate::metered::Metered;
use crate::pacing::{self, paced};
use crate::settings::{AwsSettings, Endpoint, Endpoints, Keys, Rates, Retries};
use crate::{Access, Bench, CloudFrontCdn, IamVault, Route53Zone, S3ChallengeSite};

/// Where CloudFront and IAM live, and the bucket too unless somebody says otherwise.
const HOME_REGION: &str = "us-east-1";

/// The ports that one AWS account serves.
#[derive(Debug)]
pub struct Aws {
    /// Distributions.
    pub cdn: CloudFrontCdn,
    /// Certificates.
    pub vault: IamVault,
    /// Challenge answers.
    pub site: S3ChallengeSite,
    /// The managed zone, if the settings name one.
    pub zone: Option<Route53Zone>,
    /// What checks of AWS's rules call.
    pub bench: Bench,
    /// Who we are at AWS, and what we may do.
    pub access: Access,
}

/// Prepares the clients. What the settings do not say (credentials, region, endpoints) is read from the SDK's environment and
/// profile, unless they name an endpoint; calls nobody: a credential that is missing or wrong shows in the first call of a port.
pub async fn connect(settings: &AwsSettings) -> Aws {
    connect_counted(settings, Arc::new(NoMeter)).await
}

/// The same, and every request is counted.
pub async fn connect_counted(settings: &AwsSettings, meter: Arc<dyn Meter>) -> Aws {
    let sdk = match &settings.endpoint {
        None => from_environment(settings).await,
        Some(endpoint) => from_settings(settings, endpoint),
    };
    let region = sdk.region().map_or(HOME_REGION, Region::as_ref).to_owned();
    let endpoints = match &settings.endpoint {
        None => settings.endpoints.clone(),
        Some(_) => Endpoints::default(),
    };
    let clients = Clients { sdk, http: pacing::plain_client(), rates: settings.rates, meter, endpoints };
    let (cloudfront, iam, s3) = (clients.cloudfront(), clients.iam(), clients.s3());
    let zone = |zone| Route53Zone::new(clients.route53(), zone, settings.page_size);
    Aws {
        cdn: CloudFrontCdn::new(cloudfront.clone(), settings, &region),
        vault: IamVault::new(iam.clone(), settings),
        site: S3ChallengeSite::new(s3.clone(), settings),
        access: Access::new(clients.sts(), iam.clone(), settings),
        bench: Bench::new(cloudfront, iam, s3, settings, &region),
        zone: settings.managed_zone.as_ref().map(zone),
    }
}

async fn from_environment(settings: &AwsSettings) -> SdkConfig {
    let region = RegionProviderChain::first_try(settings.region.clone().map(Region::new))
        .or_default_provider()
        .or_else(HOME_REGION);
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region)
        .retry_config(retry_config(settings.retries))
        .timeout_config(timeout_config());
    match &settings.keys {
        Some(keys) => loader.credentials_provider(credentials(keys)).load().await,
        None => loader.load().await,
    }
}

fn credentials(keys: &Keys) -> Credentials {
    let text = |secret: &Secret| secret.expose_str().unwrap_or_default().to_owned();
    let token = keys.session_token.as_ref().map(text);
    Credentials::new(&keys.access_key_id, text(&keys.secret_access_key), token, None, "settings")
}

fn from_settings(settings: &AwsSettings, endpoint: &Endpoint) -> SdkConfig {
    let secret = endpoint.secret_access_key.expose_str().unwrap_or_default();
    let credentials = Credentials::new(&endpoint.access_key_id, secret, None, None, "settings");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(&endpoint.url)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .region(Region::new(settings.region.clone().unwrap_or_else(|| HOME_REGION.to_owned())))
        .retry_config(retry_config(settings.retries))
        .timeout_config(timeout_config())
        .build()
}

fn retry_config(retries: Retries) -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(retries.attempts)
        .with_initial_backoff(retries.initial_backoff)
        .with_max_backoff(retries.max_backoff)
}

/// `CreateDistribution` is slow on a bad day; nothing here takes a minute.
fn timeout_config() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_mins(1))
        .build()
}

/// Makes the client of each service. They share connections, and each has a pace of its own.
struct Clients {
    sdk: SdkConfig,
    http: SharedHttpClient,
    rates: Rates,
    meter: Arc<dyn Meter>,
    endpoints: Endpoints,
}

impl Clients {
    /// The URL of a service, if it is not at AWS's own or where the SDK finds it.
    fn place(&self, own: Option<&String>) -> Option<String> {
        own.or(self.endpoints.all.as_ref()).cloned()
    }

    fn counting(&self, upstream: Upstream) -> Metered {
        Metered { upstream, meter: Arc::clone(&self.meter) }
    }

    fn cloudfront(&self) -> aws_sdk_cloudfront::Client {
        let http = paced(&self.http, "CloudFront", self.rates.cloudfront);
        let config = aws_sdk_cloudfront::config::Builder::from(&self.sdk).http_client(http);
        let mut config = config.interceptor(self.counting(Upstream::Cdn));
        if let Some(url) = self.place(self.endpoints.cloudfront.as_ref()) {
            config.set_endpoint_url(Some(url));
        }
        aws_sdk_cloudfront::Client::from_conf(config.build())
    }

    fn iam(&self) -> aws_sdk_iam::Client {
        let http = paced(&self.http, "IAM", self.rates.iam);
        let config = aws_sdk_iam::config::Builder::from(&self.sdk).http_client(http);
        let mut config = config.interceptor(self.counting(Upstream::Vault));
        if let Some(url) = self.place(self.endpoints.iam.as_ref()) {
            config.set_endpoint_url(Some(url));
        }
        aws_sdk_iam::Client::from_conf(config.build())
    }

    fn route53(&self) -> aws_sdk_route53::Client {
        let http = paced(&self.http, "Route 53", self.rates.route53);
        let config = aws_sdk_route53::config::Builder::from(&self.sdk).http_client(http);
        let mut config = config.interceptor(self.counting(Upstream::Zone));
        if let Some(url) = self.place(self.endpoints.route53.as_ref()) {
            config.set_endpoint_url(Some(url));
        }
        aws_sdk_route53::Client::from_conf(config.build())
    }

    /// Only asked by hand, so that there is nothing to count.
    fn sts(&self) -> aws_sdk_sts::Client {
        let mut config = aws_sdk_sts::config::Builder::from(&self.sdk).http_client(self.http.clone());
        if let Some(url) = self.place(self.endpoints.sts.as_ref()) {
            config.set_endpoint_url(Some(url));
        }
        aws_sdk_sts::Client::from_conf(config.build())
    }

    /// Buckets are addressed by host name on AWS itself, and by path elsewhere: a local AWS has no host name per bucket.
    fn s3(&self) -> aws_sdk_s3::Client {
        let http = paced(&self.http, "S3", self.rates.s3);
        let config = aws_sdk_s3::config::Builder::from(&self.sdk).http_client(http);
        let mut config = config.interceptor(self.counting(Upstream::Site));
        let place = self.place(self.endpoints.s3.as_ref());
        config.set_force_path_style(Some(place.is_some() || is_redirected(&self.sdk)));
        if let Some(url) = place {
            config.set_endpoint_url(Some(url));
        }
        aws_sdk_s3::Client::from_conf(config.build())
    }
}

/// Whether S3 is to be found under a URL of its own, by the general override or by the one for S3.
fn is_redirected(sdk: &SdkConfig) -> bool {
    let key =
        ServiceConfigKey::builder().service_id("S3").env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let for_s3 = sdk.service_config().zip(key.ok()).and_then(|(config, key)| config.load_config(key));
    sdk.endpoint_url().is_some() || for_s3.is_some()
}
