//! Custom origins over HTTP and TLS, and buckets behind an origin access control.

use sandbox::origin::Origin;
use sandbox::pki::Ca;

use super::fixture::{ORIGIN, Scene, nobody};
use crate::aws::fixture::{Answer, BEHAVIOUR, config, replaced};

#[tokio::test]
async fn the_origin_policy_chooses_the_protocol() {
    let scene = Scene::start().await.unwrap();
    for (policy, over_http, over_https) in
        [("http-only", "http", "http"), ("https-only", "https", "https"), ("match-viewer", "http", "https")]
    {
        let wanted = config(policy)
            .replace("<OriginProtocolPolicy>https-only", &format!("<OriginProtocolPolicy>{policy}"))
            .replace("redirect-to-https", "allow-all");
        let domain = scene.deployed(&wanted).await.unwrap();
        let plain = scene.plain("GET", &domain, "/").await.unwrap().body;
        assert!(plain.contains(&format!("scheme: {over_http}\n")), "{policy}: {plain}");
        let secure = scene.secure(&domain, "/").await.unwrap().answer.body;
        assert!(secure.contains(&format!("scheme: {over_https}\n")), "{policy}: {secure}");
    }
}

#[tokio::test]
async fn the_origin_path_goes_before_the_path() {
    let scene = Scene::start().await.unwrap();
    let wanted = replaced(&config("one"), "OriginPath", "<OriginPath>/deep/er</OriginPath>");
    let domain = scene.deployed(&wanted).await.unwrap();
    let body = scene.secure(&domain, "/x?y=1").await.unwrap().answer.body;
    assert!(body.contains("path: /deep/er/x?y=1\n"), "{body}");
}

#[tokio::test]
async fn an_origin_that_cannot_be_reached_is_502() {
    let scene = Scene::start().await.unwrap();
    let unknown = config("unknown").replace(ORIGIN, "nowhere.example.gov");
    let unknown = scene.deployed(&unknown).await.unwrap();
    assert_eq!(scene.secure(&unknown, "/").await.unwrap().answer.status, 502);
    let domain = scene.deployed(&config("known")).await.unwrap();
    assert_eq!(scene.secure(&domain, "/").await.unwrap().answer.status, 200);
    let closed = nobody().await.unwrap();
    scene.edge.map_origin(ORIGIN, closed, closed);
    let answer = scene.secure(&domain, "/").await.unwrap().answer;
    assert_eq!((answer.status.as_u16(), answer.header("x-cache")), (502, "Error from cloudfront"));
}

#[tokio::test]
async fn the_certificate_of_an_origin_is_verified() {
    let scene = Scene::start().await.unwrap();
    let domain = scene.deployed(&config("one")).await.unwrap();
    let stranger = Origin::start(&Ca::new("Stranger").unwrap(), &[ORIGIN]).await.unwrap();
    scene.edge.map_origin(ORIGIN, stranger.http(), stranger.https());
    assert_eq!(scene.secure(&domain, "/").await.unwrap().answer.status, 502);
}

const SERVICE: &str = r#""Principal":{"Service":"cloudfront.amazonaws.com"},"Action":"s3:GetObject",
    "Resource":"arn:aws:s3:::bucket/*""#;

/// A distribution whose challenge path leads to a folder of the bucket, through a control if there is one.
async fn with_bucket(scene: &Scene, control: &str) -> anyhow::Result<String> {
    let put = scene.cloud.s3("PUT", "/bucket/folder/.well-known/acme-challenge/token", "proof").await?;
    anyhow::ensure!(put.status == 200, "{}", put.body);
    let origins = format!(
        "<Origins><Quantity>2</Quantity><Items>{}<Origin><Id>acme</Id>\
         <DomainName>bucket.s3.us-east-1.amazonaws.com</DomainName><OriginPath>/folder</OriginPath>\
         <S3OriginConfig><OriginAccessIdentity></OriginAccessIdentity></S3OriginConfig>\
         <OriginAccessControlId>{control}</OriginAccessControlId></Origin></Items></Origins>",
        crate::aws::fixture::ORIGIN
    );
    let behaviour = BEHAVIOUR.replace("redirect-to-https", "allow-all").replace(">app<", ">acme<");
    let behaviours = format!(
        "<CacheBehaviors><Quantity>1</Quantity><Items><CacheBehavior>\
         <PathPattern>/.well-known/acme-challenge/*</PathPattern>{behaviour}</CacheBehavior></Items></CacheBehaviors>"
    );
    let wanted = replaced(&replaced(&config("acme"), "CacheBehaviors", &behaviours), "Origins", &origins);
    scene.deployed(&wanted).await
}

async fn control(scene: &Scene) -> anyhow::Result<String> {
    let body = "<OriginAccessControlConfig><Name>c</Name><SigningProtocol>sigv4</SigningProtocol>\
        <SigningBehavior>always</SigningBehavior><OriginAccessControlOriginType>s3</OriginAccessControlOriginType>\
        </OriginAccessControlConfig>";
    let answer = scene.cloud.cloudfront("POST", "origin-access-control", body).await?;
    Ok(answer.text("Id").to_owned())
}

async fn challenge(scene: &Scene, domain: &str, token: &str) -> anyhow::Result<Answer> {
    scene.plain("GET", domain, &format!("/.well-known/acme-challenge/{token}")).await
}

async fn allow(scene: &Scene, condition: &str) -> anyhow::Result<()> {
    let policy = format!(r#"{{"Statement":[{{"Effect":"Allow",{SERVICE},"Condition":{condition}}}]}}"#);
    let put = scene.cloud.s3("PUT", "/bucket?policy", &policy).await?;
    anyhow::ensure!(put.status == 204, "{}", put.body);
    Ok(())
}

#[tokio::test]
async fn a_bucket_is_read_through_a_control_its_policy_names() {
    let scene = Scene::start().await.unwrap();
    let control = control(&scene).await.unwrap();
    let domain = with_bucket(&scene, &control).await.unwrap();
    assert_eq!(
        challenge(&scene, &domain, "token").await.unwrap().refusal(),
        (403, "AccessDenied"),
        "no policy"
    );
    allow(&scene, r#"{"StringEquals":{"AWS:SourceAccount":"222222222222"}}"#).await.unwrap();
    assert_eq!(challenge(&scene, &domain, "token").await.unwrap().status, 403, "another account");
    for condition in [
        r#"{"StringEquals":{"AWS:SourceAccount":"111111111111"}}"#,
        r#"{"ArnLike":{"AWS:SourceArn":"arn:aws:cloudfront::111111111111:distribution/*"}}"#,
    ] {
        allow(&scene, condition).await.unwrap();
        let answer = challenge(&scene, &domain, "token").await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "proof"), "{condition}");
        assert_eq!(answer.header("x-cache"), "Miss from cloudfront");
    }
    let head = scene.plain("HEAD", &domain, "/.well-known/acme-challenge/token").await.unwrap();
    assert_eq!((head.status.as_u16(), head.header("content-length")), (200, "5"));
    assert_eq!(
        challenge(&scene, &domain, "none").await.unwrap().refusal(),
        (403, "AccessDenied"),
        "not even 404"
    );
}

#[tokio::test]
async fn without_a_control_cloudfront_is_a_stranger() {
    let scene = Scene::start().await.unwrap();
    let domain = with_bucket(&scene, "").await.unwrap();
    allow(&scene, r#"{"StringEquals":{"AWS:SourceAccount":"111111111111"}}"#).await.unwrap();
    assert_eq!(challenge(&scene, &domain, "token").await.unwrap().status, 403);
    let public = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}}"#;
    assert_eq!(scene.cloud.s3("PUT", "/bucket?policy", public).await.unwrap().status, 204);
    assert_eq!(challenge(&scene, &domain, "token").await.unwrap().body, "proof");
}
