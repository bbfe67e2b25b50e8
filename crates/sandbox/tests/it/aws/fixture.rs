//! A local AWS with a little authority of its own, and plain HTTP requests to it.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SignatureAlgorithm,
};
use sandbox::aws::{Aws, AwsSettings};
use tokio::net::TcpStream;
use url::form_urlencoded;

/// A running cloud that trusts one authority.
pub(crate) struct Cloud {
    pub(crate) aws: Aws,
    pub(crate) authority: Authority,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// The text of the first element of that name.
    pub(crate) fn text(&self, element: &str) -> &str {
        let start = self.body.split_once(&format!("<{element}>")).map_or("", |(_, rest)| rest);
        start.split_once(&format!("</{element}>")).map_or("", |(text, _)| text)
    }

    /// Status and error code, for comparison.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status.as_u16(), self.text("Code"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// What a new distribution is known by.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) id: String,
    pub(crate) etag: String,
    pub(crate) domain: String,
}

impl Cloud {
    /// A cloud with the delays of the real one; tests advance its clock.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::with(AwsSettings { buckets: vec!["bucket".to_owned()], ..AwsSettings::default() }).await
    }

    pub(crate) async fn with(settings: AwsSettings) -> anyhow::Result<Self> {
        let aws = Aws::start(settings).await?;
        let authority = Authority::new("Trusted")?;
        aws.trust(&authority.root_pem)?;
        Ok(Self { aws, authority })
    }

    /// Time enough for everything to be deployed and let go.
    pub(crate) fn wait(&self) {
        self.aws.advance(Duration::from_hours(1));
    }

    pub(crate) async fn cloudfront(&self, method: &str, path: &str, body: &str) -> anyhow::Result<Answer> {
        let path = format!("/2020-05-31/{path}");
        self.ask("cloudfront", method, &path, &[], body.to_owned()).await
    }

    pub(crate) async fn create(&self, config: &str) -> anyhow::Result<Answer> {
        self.cloudfront("POST", "distribution", config).await
    }

    /// Creates what must be accepted.
    pub(crate) async fn made(&self, config: &str) -> anyhow::Result<Made> {
        let answer = self.create(config).await?;
        anyhow::ensure!(answer.status == 201, "{}: {}", answer.status, answer.body);
        let (id, domain) = (answer.text("Id").to_owned(), answer.text("DomainName").to_owned());
        Ok(Made { id, etag: answer.header("etag").to_owned(), domain })
    }

    pub(crate) async fn update(&self, id: &str, etag: &str, config: &str) -> anyhow::Result<Answer> {
        let path = format!("/2020-05-31/distribution/{id}/config");
        self.ask("cloudfront", "PUT", &path, &[("if-match", etag)], config.to_owned()).await
    }

    pub(crate) async fn delete(&self, id: &str, etag: &str) -> anyhow::Result<Answer> {
        let path = format!("/2020-05-31/distribution/{id}");
        self.ask("cloudfront", "DELETE", &path, &[("if-match", etag)], String::new()).await
    }

    pub(crate) async fn iam(&self, action: &str, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", action)
            .append_pair("Version", "2010-05-08")
            .extend_pairs(fields)
            .finish();
        self.ask("iam", "POST", "/", &[], form).await
    }

    /// Uploads under `/cloudfront/test/`.
    pub(crate) async fn upload(&self, name: &str, leaf: &Leaf) -> anyhow::Result<Answer> {
        let fields = [
            ("ServerCertificateName", name),
            ("Path", "/cloudfront/test/"),
            ("CertificateBody", &leaf.body),
            ("PrivateKey", &leaf.key),
            ("CertificateChain", &leaf.chain),
        ];
        self.iam("UploadServerCertificate", &fields).await
    }

    /// Uploads a good certificate for these names and waits until CloudFront can see it. The answer is its id.
    pub(crate) async fn certificate(&self, name: &str, names: &[&str]) -> anyhow::Result<String> {
        let answer = self.upload(name, &self.authority.leaf(names)?).await?;
        anyhow::ensure!(answer.status == 200, "{}: {}", answer.status, answer.body);
        self.aws.advance(Duration::from_mins(1));
        Ok(answer.text("ServerCertificateId").to_owned())
    }

    pub(crate) async fn s3(&self, method: &str, path: &str, body: &str) -> anyhow::Result<Answer> {
        self.ask("s3", method, path, &[], body.to_owned()).await
    }

    pub(crate) async fn route53(&self, method: &str, path: &str, body: &str) -> anyhow::Result<Answer> {
        self.ask("route53", method, &format!("/2013-04-01/{path}"), &[], body.to_owned()).await
    }

    /// A signed request to a service (an unsigned one if the service is empty).
    pub(crate) async fn ask(
        &self,
        service: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> anyhow::Result<Answer> {
        let mut request = Request::builder().method(method).uri(path).header("host", "aws");
        if !service.is_empty() {
            let scope = format!("Credential=AKIATEST/20260101/us-east-1/{service}/aws4_request");
            let signature = format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0");
            request = request.header("authorization", signature);
        }
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        send(self.address()?, request.body(Full::new(Bytes::from(body)))?).await
    }

    pub(crate) fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.aws.url().trim_start_matches("http://").parse()?)
    }
}

/// Sends one request over a connection of its own.
pub(crate) async fn send(address: SocketAddr, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
    let stream = TokioIo::new(TcpStream::connect(address).await?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = String::from_utf8(body.collect().await?.to_bytes().to_vec())?;
    Ok(Answer { status: head.status, headers: head.headers, body })
}

/// A root and an intermediate.
pub(crate) struct Authority {
    pub(crate) root_pem: String,
    pub(crate) intermediate_pem: String,
    pub(crate) issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its chain and its key, in PEM.
#[derive(Clone)]
pub(crate) struct Leaf {
    pub(crate) body: String,
    pub(crate) chain: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> anyhow::Result<Self> {
        let root_key = KeyPair::generate()?;
        let root = issuing(&format!("{name} root"))?;
        let root_pem = root.self_signed(&root_key)?.pem();
        let key = KeyPair::generate()?;
        let intermediate = issuing(&format!("{name} intermediate"))?;
        let intermediate_pem = intermediate.signed_by(&key, &Issuer::new(root, root_key))?.pem();
        Ok(Self { root_pem, intermediate_pem, issuer: Issuer::new(intermediate, key) })
    }

    pub(crate) fn leaf(&self, names: &[&str]) -> anyhow::Result<Leaf> {
        self.leaf_with(names, &rcgen::PKCS_ECDSA_P256_SHA256, |_| ())
    }

    /// A leaf with a key of the given kind and changed parameters.
    pub(crate) fn leaf_with(
        &self,
        names: &[&str],
        algorithm: &'static SignatureAlgorithm,
        change: impl FnOnce(&mut CertificateParams),
    ) -> anyhow::Result<Leaf> {
        let key = KeyPair::generate_for(algorithm)?;
        let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        change(&mut params);
        let body = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Leaf { body, chain: self.intermediate_pem.clone(), key: key.serialize_pem() })
    }
}

/// Parameters of a certificate that signs others.
pub(crate) fn issuing(name: &str) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    Ok(params)
}

/// A whole configuration that create and update take: one custom origin, no aliases.
pub(crate) fn config(reference: &str) -> String {
    format!(
        r#"<DistributionConfig xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">
<CallerReference>{reference}</CallerReference><Aliases><Quantity>0</Quantity></Aliases>
<DefaultRootObject></DefaultRootObject><Origins><Quantity>1</Quantity><Items>{ORIGIN}</Items></Origins>
<DefaultCacheBehavior>{BEHAVIOUR}</DefaultCacheBehavior>
<CacheBehaviors><Quantity>0</Quantity></CacheBehaviors>
<CustomErrorResponses><Quantity>0</Quantity></CustomErrorResponses><Comment>a comment</Comment>
<Logging><Enabled>false</Enabled><IncludeCookies>false</IncludeCookies><Bucket></Bucket><Prefix></Prefix></Logging>
<PriceClass>PriceClass_100</PriceClass><Enabled>true</Enabled>
<ViewerCertificate><CloudFrontDefaultCertificate>true</CloudFrontDefaultCertificate></ViewerCertificate>
<Restrictions><GeoRestriction><RestrictionType>none</RestrictionType><Quantity>0</Quantity></GeoRestriction></Restrictions>
<WebACLId></WebACLId><HttpVersion>http2and3</HttpVersion><IsIPV6Enabled>true</IsIPV6Enabled></DistributionConfig>"#
    )
}

pub(crate) const ORIGIN: &str = "<Origin><Id>app</Id><DomainName>app.example.gov</DomainName><OriginPath></OriginPath>\
    <CustomOriginConfig><HTTPPort>80</HTTPPort><HTTPSPort>443</HTTPSPort>\
    <OriginProtocolPolicy>https-only</OriginProtocolPolicy></CustomOriginConfig></Origin>";

pub(crate) const BEHAVIOUR: &str = "<TargetOriginId>app</TargetOriginId>\
    <ForwardedValues><QueryString>true</QueryString><Cookies><Forward>all</Forward></Cookies></ForwardedValues>\
    <ViewerProtocolPolicy>redirect-to-https</ViewerProtocolPolicy><MinTTL>0</MinTTL>\
    <AllowedMethods><Quantity>2</Quantity><Items><Method>GET</Method><Method>HEAD</Method></Items></AllowedMethods>\
    <SmoothStreaming>false</SmoothStreaming><Compress>false</Compress>\
    <LambdaFunctionAssociations><Quantity>0</Quantity></LambdaFunctionAssociations>\
    <FieldLevelEncryptionId></FieldLevelEncryptionId>";

/// The same configuration with other aliases.
pub(crate) fn with_aliases(config: &str, aliases: &[&str]) -> String {
    let items: Vec<String> = aliases.iter().map(|alias| format!("<CNAME>{alias}</CNAME>")).collect();
    let list =
        format!("<Aliases><Quantity>{}</Quantity><Items>{}</Items></Aliases>", aliases.len(), items.concat());
    replaced(config, "Aliases", &list)
}

/// The same configuration with a certificate of the account.
pub(crate) fn with_certificate(config: &str, id: &str) -> String {
    let block = format!(
        "<ViewerCertificate><IAMCertificateId>{id}</IAMCertificateId><SSLSupportMethod>sni-only</SSLSupportMethod>\
         <MinimumProtocolVersion>TLSv1.2_2021</MinimumProtocolVersion></ViewerCertificate>"
    );
    replaced(config, "ViewerCertificate", &block)
}

/// The same text with the first element of that name replaced (or removed).
pub(crate) fn replaced(text: &str, element: &str, by: &str) -> String {
    let (before, rest) = text.split_once(&format!("<{element}>")).unwrap_or((text, ""));
    let (_, after) = rest.split_once(&format!("</{element}>")).unwrap_or(("", rest));
    format!("{before}{by}{after}")
}

/// The `If-Match` value of a distribution now.
pub(crate) async fn etag(cloud: &Cloud, id: &str) -> anyhow::Result<String> {
    let answer = cloud.cloudfront("GET", &format!("distribution/{id}/config"), "").await?;
    let etag = answer.headers.get("etag").context("a distribution has an ETag")?;
    Ok(etag.to_str()?.to_owned())
}
