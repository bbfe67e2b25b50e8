//! Origin access controls.

use sandbox::aws::AwsSettings;

use super::fixture::{Answer, Cloud, config, replaced};

fn control(name: &str) -> String {
    format!(
        "<OriginAccessControlConfig><Name>{name}</Name><SigningProtocol>sigv4</SigningProtocol>\
         <SigningBehavior>always</SigningBehavior><OriginAccessControlOriginType>s3</OriginAccessControlOriginType>\
         </OriginAccessControlConfig>"
    )
}

async fn made(cloud: &Cloud, name: &str) -> anyhow::Result<Answer> {
    cloud.cloudfront("POST", "origin-access-control", &control(name)).await
}

fn bucket_config(reference: &str, control: &str) -> String {
    let s3 = format!(
        "<S3OriginConfig><OriginAccessIdentity></OriginAccessIdentity></S3OriginConfig>\
         <OriginAccessControlId>{control}</OriginAccessControlId>"
    );
    replaced(&config(reference), "CustomOriginConfig", &s3)
        .replace("app.example.gov", "bucket.s3.amazonaws.com")
}

#[tokio::test]
async fn a_control_is_made_once_per_name_and_found_again() {
    let cloud = Cloud::start().await.unwrap();
    let first = made(&cloud, "mine").await.unwrap();
    assert_eq!(first.status, 201);
    assert_eq!(made(&cloud, "mine").await.unwrap().refusal(), (409, "OriginAccessControlAlreadyExists"));
    let id = first.text("Id");
    let shown = cloud.cloudfront("GET", &format!("origin-access-control/{id}"), "").await.unwrap();
    assert_eq!((shown.text("Name"), shown.header("etag")), ("mine", first.header("etag")));
    let list = cloud.cloudfront("GET", "origin-access-control", "").await.unwrap();
    assert_eq!((list.text("Quantity"), list.text("Id"), list.text("Name")), ("1", id, "mine"));
    let missing = cloud.cloudfront("GET", "origin-access-control/ENONE", "").await.unwrap();
    assert_eq!(missing.refusal(), (404, "NoSuchOriginAccessControl"));
}

#[tokio::test]
async fn a_control_has_valid_members() {
    let cloud = Cloud::start().await.unwrap();
    for (from, to) in [("sigv4", "sigv2"), ("<Name>mine</Name>", ""), ("always", "sometimes")] {
        let wrong = control("mine").replace(from, to);
        let answer = cloud.cloudfront("POST", "origin-access-control", &wrong).await.unwrap();
        assert_eq!(answer.refusal(), (400, "InvalidArgument"), "{to}");
    }
}

#[tokio::test]
async fn an_origin_names_a_control_that_exists() {
    let cloud = Cloud::start().await.unwrap();
    let unknown = cloud.create(&bucket_config("r", "ENONE")).await.unwrap();
    assert_eq!(unknown.refusal(), (400, "InvalidOriginAccessControl"));
    let id = made(&cloud, "mine").await.unwrap().text("Id").to_owned();
    assert_eq!(cloud.create(&bucket_config("r", &id)).await.unwrap().status, 201);
}

#[tokio::test]
async fn a_control_serves_so_many_distributions() {
    let settings = AwsSettings { distributions_per_control: 1, ..AwsSettings::default() };
    let cloud = Cloud::with(settings).await.unwrap();
    let id = made(&cloud, "mine").await.unwrap().text("Id").to_owned();
    let first = cloud.made(&bucket_config("one", &id)).await.unwrap();
    let full = cloud.create(&bucket_config("two", &id)).await.unwrap();
    assert_eq!(full.refusal(), (400, "TooManyDistributionsAssociatedToOriginAccessControl"));
    let shown = cloud.cloudfront("GET", &format!("distribution/{}/config", first.id), "").await.unwrap();
    let same = cloud.update(&first.id, &first.etag, &shown.body).await.unwrap();
    assert_eq!(same.status, 200, "its own place is not counted against it");
}

#[tokio::test]
async fn a_control_in_use_cannot_be_deleted() {
    let cloud = Cloud::start().await.unwrap();
    let control = made(&cloud, "mine").await.unwrap();
    let path = format!("/2020-05-31/origin-access-control/{}", control.text("Id"));
    let matching = [("if-match", control.header("etag"))];
    let disabled = bucket_config("r", control.text("Id")).replace("<Enabled>true", "<Enabled>false");
    let user = cloud.made(&disabled).await.unwrap();
    let refused = cloud.ask("cloudfront", "DELETE", &path, &matching, String::new()).await.unwrap();
    assert_eq!(refused.refusal(), (409, "OriginAccessControlInUse"));
    cloud.wait();
    assert_eq!(cloud.delete(&user.id, &user.etag).await.unwrap().status, 204);
    let missing = cloud.ask("cloudfront", "DELETE", &path, &[], String::new()).await.unwrap();
    assert_eq!(missing.refusal(), (400, "InvalidIfMatchVersion"));
    assert_eq!(cloud.ask("cloudfront", "DELETE", &path, &matching, String::new()).await.unwrap().status, 204);
}
