//! What an earlier broker has left: its database, its distributions, its certificates.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use cloudfront_core::{AwsSettings, Endpoint};
use contract::testing::sample;
use contract::{
    Cdn, CertificateBundle, CertificateVault, DistributionId, Secret, StoredCertificate, Timestamp, VaultName,
};
use http::Request;
use http_body_util::Full;
use sandbox::aws::DistributionState;
use sandbox::pki::{Ca, ServerCertificate};
use sandbox::{BUCKET, BrokerSettings, Client, DEFAULT_ORIGIN, Postgres, wait_for};
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::house::{BOUND, House, PLAN_ID, Printed, SERVICE_ID, program};

pub(super) const ORGANIZATION: &str = "0b5e3a60-54f5-4a0e-9d3a-000000000a01";
pub(super) const SPACE: &str = "0b5e3a60-54f5-4a0e-9d3a-000000000b01";

/// The tables of `cf-cdn-service-broker` as gorm makes them.
pub(super) const CF_CDN: &str = "
    CREATE TABLE routes (id serial PRIMARY KEY, created_at timestamptz, updated_at timestamptz, deleted_at timestamptz,
        instance_id text NOT NULL UNIQUE, state text NOT NULL, challenge_json bytea, domain_external text,
        domain_internal text, dist_id text, origin text, path text, insecure_origin bool, user_data_id integer);
    CREATE TABLE certificates (id serial PRIMARY KEY, created_at timestamptz, updated_at timestamptz,
        deleted_at timestamptz, route_id integer, domain text, cert_url text, certificate bytea, expires timestamptz);
    CREATE TABLE user_data (id serial PRIMARY KEY, created_at timestamptz, updated_at timestamptz, deleted_at timestamptz,
        email text NOT NULL, reg bytea, key bytea);";

/// A service instance of an earlier broker, and how its distribution is.
#[derive(Clone)]
pub(super) struct Old<'a> {
    pub(super) id: &'a str,
    /// The names that its distribution serves, and its certificate is for.
    pub(super) served: &'a [&'a str],
    pub(super) headers: &'a [&'a str],
    pub(super) cookies: &'a str,
    pub(super) tags: bool,
    /// Whether challenges are fetched from a bucket, as the Go brokers have it.
    pub(super) has_bucket: bool,
}

impl<'a> Old<'a> {
    pub(super) fn new(id: &'a str, served: &'a [&'a str]) -> Self {
        Self { id, served, headers: &["Host"], cookies: "all", tags: true, has_bucket: true }
    }

    /// One of `external-domain-broker`, which proves by DNS alone.
    pub(super) fn external(id: &'a str, served: &'a [&'a str]) -> Self {
        Self { has_bucket: false, ..Self::new(id, served) }
    }
}

/// A house with an earlier broker's things in it, and no broker of ours.
pub(super) struct OldWorld {
    pub(super) house: House,
    pub(super) settings: BrokerSettings,
    pub(super) postgres: Postgres,
    pub(super) source: String,
    aws: cloudfront_core::Aws,
    ca: Ca,
}

pub(super) const DATABASE: &str = "earlier";

impl OldWorld {
    pub(super) async fn with_tables(tables: &str) -> anyhow::Result<Self> {
        Self::with_room(tables, 20).await
    }

    /// The same, with room for so many instances.
    pub(super) async fn with_room(tables: &str, room: usize) -> anyhow::Result<Self> {
        let house = House::without_broker(|settings| {
            (settings.aws.certificate_quota, settings.aws.distribution_quota) = (room, room);
            // Every certificate has to be proven for.
            settings.authority.authorization_reuse_percent = 0;
            settings.aws.iam_propagation = Duration::ZERO;
        })
        .await?;
        let settings = house.hasty_settings("30s")?;
        let postgres = Postgres::start().await?;
        let source = postgres.database(DATABASE).await?;
        postgres.ask(DATABASE, tables).await?;
        let ca = Ca::new("The authority of old")?;
        house.sandbox.aws().trust(ca.pem())?;
        let aws = cloudfront_core::connect(&AwsSettings {
            endpoint: Some(Endpoint {
                url: house.sandbox.aws().url(),
                access_key_id: "AKIDSANDBOX".to_owned(),
                secret_access_key: Secret::new("sandbox"),
            }),
            ..AwsSettings::new(BUCKET)
        })
        .await;
        Ok(Self { house, settings, postgres, source, aws, ca })
    }

    /// Puts a certificate into IAM as that broker named them. Gives its id there, and what it is.
    pub(super) async fn certificate(
        &self,
        id: &str,
        names: &[&str],
    ) -> anyhow::Result<(StoredCertificate, ServerCertificate)> {
        let signed = self.ca.server_certificate(names)?;
        let bundle = CertificateBundle {
            leaf_pem: signed.chain_pem.clone(),
            chain_pem: String::new(),
            private_key_pem: Secret::new(signed.key_pem.clone()),
            ..sample::bundle(1, &sample::names(names), Timestamp::default())
        };
        let name = VaultName::new(format!("cdn-route-{id}-2027-01-20_10-11-12"));
        let stored = self.aws.vault.ensure(&name, &bundle).await?;
        Ok((stored, signed))
    }

    /// Makes a distribution in that broker's shape.
    pub(super) async fn distribution(
        &self,
        old: &Old<'_>,
        certificate: &StoredCertificate,
    ) -> anyhow::Result<DistributionState> {
        let aws = self.house.sandbox.aws();
        let scope = "AWS4-HMAC-SHA256 Credential=AKIDSANDBOX/20260101/us-east-1/cloudfront/aws4_request";
        let request = Request::post(format!("{}/2020-05-31/distribution?WithTags", aws.url()))
            .header("authorization", scope)
            .body(Full::from(document(old, certificate.as_str())))?;
        let made = Client::trusting("")?.send(request).await?;
        ensure!(made.status() == 201, "{}", String::from_utf8_lossy(made.body()));
        let found = aws.state().distributions.into_iter().find(|one| one.reference == old.id);
        found.context("the distribution was made")
    }

    /// A route that has come to its end, with its certificate, its distribution, and the name leading there.
    pub(super) async fn route(&self, old: &Old<'_>) -> anyhow::Result<DistributionState> {
        let (stored, signed) = self.certificate(old.id, old.served).await?;
        let made = self.distribution(old, &stored).await?;
        for name in old.served {
            self.house.sandbox.dns().set_cname(name, &made.domain)?;
        }
        self.row(old.id, "provisioned", &old.served.join(","), &made.id, Some(&signed.chain_pem)).await?;
        Ok(made)
    }

    /// The rows of a route.
    pub(super) async fn row(
        &self,
        id: &str,
        state: &str,
        domains: &str,
        distribution: &str,
        chain: Option<&str>,
    ) -> anyhow::Result<()> {
        self.postgres.ask(DATABASE, &route(id, state, domains, distribution)).await?;
        if let Some(chain) = chain {
            let first = domains.split(',').next().unwrap_or_default();
            let certificate = format!(
                "INSERT INTO certificates (created_at, route_id, domain, cert_url, certificate, expires)
                 SELECT now(), id, '{first}', 'https://ca.example/cert/1', convert_to('{chain}', 'UTF8'),
                    now() + interval '40 days' FROM routes WHERE instance_id = '{id}'"
            );
            self.postgres.ask(DATABASE, &certificate).await?;
        }
        Ok(())
    }

    /// Switches a distribution off, as somebody may have done by hand.
    pub(super) async fn switch_off(&self, made: &DistributionState) -> anyhow::Result<()> {
        Ok(self.aws.cdn.disable(&DistributionId::new(&made.id)).await?)
    }

    /// Runs `cdn-broker import --from FROM` with these arguments.
    pub(super) async fn import(&self, from: &str, arguments: &[&str]) -> anyhow::Result<Printed> {
        let all = [&["import", "--from", from, "--source", &self.source, "--yes"], arguments].concat();
        self.house.command(&self.settings, &all).await
    }

    /// Starts the same, and does not wait for its end. Dropping it kills it.
    pub(super) fn importing(&self, from: &str, arguments: &[&str]) -> anyhow::Result<Child> {
        let fixed = ["import", "--from", from, "--source", &self.source, "--yes"];
        let started = Command::new(program("cdn-broker")?)
            .args(fixed)
            .args(arguments)
            .env_clear()
            .envs(self.house.sandbox.broker_environment(&self.settings))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        Ok(started?)
    }

    /// All that there is at AWS, when nothing is under way any more, and how many calls have changed something.
    pub(super) async fn at_rest(&self) -> anyhow::Result<(usize, Vec<DistributionState>)> {
        wait_for("every distribution to be deployed", BOUND, || async {
            let all = self.house.sandbox.aws().state().distributions;
            Ok(all.iter().all(|one| one.status == "Deployed").then(|| (self.writes(), all)))
        })
        .await
    }

    /// Every call so far that changes something at AWS.
    pub(super) fn writes(&self) -> usize {
        let reads = |op: &str| op.starts_with("List") || op.starts_with("Get");
        self.house.sandbox.aws().journal().iter().filter(|entry| !reads(&entry.op)).count()
    }
}

/// The rows of a route, but for its certificate.
pub(super) fn route(id: &str, state: &str, domains: &str, distribution: &str) -> String {
    format!(
        "INSERT INTO user_data (created_at, email, reg, key) VALUES (now(), 'ops@example.gov', '{{}}', 'x');
         INSERT INTO routes (created_at, instance_id, state, domain_external, domain_internal, dist_id, origin, path,
            insecure_origin, user_data_id)
         VALUES ('2024-03-05 10:11:12Z', '{id}', '{state}', '{domains}', 'dold.cloudfront.net', '{distribution}',
            '{DEFAULT_ORIGIN}', '', false, 1);"
    )
}

/// The entry of an instance in a report.
pub(super) fn entry<'a>(report: &'a Value, id: &str) -> anyhow::Result<&'a Value> {
    let all = report["instances"].as_array().context("there are no instances")?;
    all.iter().find(|one| one["id"] == id).with_context(|| format!("{id} is not in {report}"))
}

fn list(name: &str, item: &str, items: &[&str]) -> String {
    let content =
        items.iter().fold(String::new(), |xml, text| xml + format!("<{item}>{text}</{item}>").as_str());
    format!("<{name}><Quantity>{}</Quantity><Items>{content}</Items></{name}>", items.len())
}

fn methods(methods: &[&str]) -> String {
    let cached = list("CachedMethods", "Method", &["HEAD", "GET"]);
    list("AllowedMethods", "Method", methods)
        .replace("</AllowedMethods>", &format!("{cached}</AllowedMethods>"))
}

const TIMES: &str = "<MinTTL>0</MinTTL><DefaultTTL>86400</DefaultTTL><MaxTTL>31536000</MaxTTL>";

/// The request of that broker, member by member.
fn document(old: &Old<'_>, certificate: &str) -> String {
    let id = old.id;
    let member = if certificate.starts_with("arn:") { "ACMCertificateArn" } else { "IAMCertificateId" };
    let (aliases, headers) = (list("Aliases", "CNAME", old.served), list("Headers", "Name", old.headers));
    let all = methods(&["GET", "HEAD", "POST", "PUT", "PATCH", "OPTIONS", "DELETE"]);
    let (content, origins) = origins(old);
    let (behaviours, cookies, tags) = (behaviours(old), old.cookies, tags(old));
    format!(
        "<DistributionConfigWithTags xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><DistributionConfig>\
         <CallerReference>{id}</CallerReference>{aliases}<Comment>cdn route service</Comment><Enabled>true</Enabled>\
         {origins}<DefaultCacheBehavior><TargetOriginId>{content}</TargetOriginId><ForwardedValues>\
         <QueryString>true</QueryString><Cookies><Forward>{cookies}</Forward></Cookies>{headers}</ForwardedValues>\
         <ViewerProtocolPolicy>redirect-to-https</ViewerProtocolPolicy>{all}<Compress>false</Compress>{TIMES}\
         </DefaultCacheBehavior>{behaviours}<PriceClass>PriceClass_100</PriceClass>\
         <ViewerCertificate><CloudFrontDefaultCertificate>false</CloudFrontDefaultCertificate>\
         <{member}>{certificate}</{member}><SSLSupportMethod>sni-only</SSLSupportMethod>\
         <MinimumProtocolVersion>TLSv1.2_2018</MinimumProtocolVersion></ViewerCertificate>\
         </DistributionConfig><Tags><Items>{tags}</Items></Tags></DistributionConfigWithTags>"
    )
}

/// What the content's origin is called, and all origins.
fn origins(old: &Old<'_>) -> (String, String) {
    let content = if old.has_bucket { old.id } else { "default-origin" };
    let bucket = format!(
        "<Origin><Id>s3-{BUCKET}-{}</Id><DomainName>{BUCKET}.s3.amazonaws.com</DomainName><OriginPath/>\
         <S3OriginConfig><OriginAccessIdentity/></S3OriginConfig></Origin>",
        old.id
    );
    let (quantity, bucket) = if old.has_bucket { (2, bucket.as_str()) } else { (1, "") };
    let origins = format!(
        "<Origins><Quantity>{quantity}</Quantity><Items><Origin><Id>{content}</Id>\
         <DomainName>{DEFAULT_ORIGIN}</DomainName><OriginPath/>\
         <CustomOriginConfig><HTTPPort>80</HTTPPort><HTTPSPort>443</HTTPSPort>\
         <OriginProtocolPolicy>https-only</OriginProtocolPolicy><OriginSslProtocols><Quantity>1</Quantity><Items>\
         <SslProtocol>TLSv1.2</SslProtocol></Items></OriginSslProtocols><OriginReadTimeout>60</OriginReadTimeout>\
         <OriginKeepaliveTimeout>5</OriginKeepaliveTimeout></CustomOriginConfig></Origin>{bucket}</Items></Origins>"
    );
    (content.to_owned(), origins)
}

fn behaviours(old: &Old<'_>) -> String {
    if !old.has_bucket {
        return "<CacheBehaviors><Quantity>0</Quantity></CacheBehaviors>".to_owned();
    }
    let reading = methods(&["HEAD", "GET"]);
    format!(
        "<CacheBehaviors><Quantity>1</Quantity><Items><CacheBehavior>\
         <PathPattern>/.well-known/acme-challenge/*</PathPattern><TargetOriginId>s3-{BUCKET}-{}</TargetOriginId>\
         <ForwardedValues><QueryString>false</QueryString><Cookies><Forward>none</Forward></Cookies></ForwardedValues>\
         <ViewerProtocolPolicy>allow-all</ViewerProtocolPolicy>{reading}{TIMES}</CacheBehavior></Items></CacheBehaviors>",
        old.id
    )
}

fn tags(old: &Old<'_>) -> String {
    if !old.tags {
        return String::new();
    }
    let tags: &[(&str, &str)] = if old.has_bucket {
        &[("Organization", ORGANIZATION), ("Space", SPACE), ("Service", SERVICE_ID), ("Plan", PLAN_ID)]
    } else {
        &[
            ("client", "Cloud Foundry"),
            ("broker", "External domain broker"),
            ("Service offering name", "external-domain"),
            ("Service plan name", "domain-with-cdn"),
            ("Instance GUID", old.id),
            ("Organization GUID", ORGANIZATION),
            ("Organization name", "my org"),
            ("Space GUID", SPACE),
            ("Space name", "my space"),
        ]
    };
    let tag = |(key, value): &(&str, &str)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
    tags.iter().map(tag).collect()
}
