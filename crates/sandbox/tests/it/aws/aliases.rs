//! Both kinds of `CNAMEAlreadyExists`.

use std::sync::Arc;

use super::fixture::{Answer, Cloud, config, etag, with_aliases, with_certificate};
use crate::dns::client::start;

const NAME: &str = "www.example.org";

async fn cloud() -> anyhow::Result<(Cloud, String)> {
    let cloud = Cloud::start().await?;
    let certificate = cloud.certificate("certificate", &[NAME, "*.example.org"]).await?;
    Ok((cloud, certificate))
}

fn says(answer: &Answer, words: &str) -> bool {
    answer.refusal() == (409, "CNAMEAlreadyExists") && answer.text("Message").contains(words)
}

#[tokio::test]
async fn a_name_that_somebody_else_holds_is_refused_until_they_let_go() {
    let (cloud, certificate) = cloud().await.unwrap();
    let wanted = with_aliases(&with_certificate(&config("one"), &certificate), &[NAME]);
    cloud.aws.hold_elsewhere(NAME);
    let refused = cloud.create(&wanted).await.unwrap();
    assert!(says(&refused, "already associated with a different resource"), "{}", refused.body);
    let body = format!(r#"{{"alias":"{NAME}"}}"#);
    cloud.ask("", "POST", "/_sandbox/let-go-elsewhere", &[], body).await.unwrap();
    assert_eq!(cloud.create(&wanted).await.unwrap().status, 201);
}

#[tokio::test]
async fn a_name_that_points_at_another_distribution_is_refused_until_it_points_here() {
    let (cloud, certificate) = cloud().await.unwrap();
    let dns = Arc::new(start().await.unwrap());
    cloud.aws.serve_zones(&dns).unwrap();
    let former = cloud.made(&config("former")).await.unwrap();
    let made = cloud.made(&config("new")).await.unwrap();
    let wanted = |names: &[&str]| with_aliases(&with_certificate(&config("new"), &certificate), names);

    dns.set_cname(NAME, "managed.example.net").unwrap();
    dns.set_cname("managed.example.net", &former.domain).unwrap();
    let refused = cloud.update(&made.id, &made.etag, &wanted(&[NAME])).await.unwrap();
    assert!(says(&refused, "points to another CloudFront distribution"), "{}", refused.body);
    dns.set_cname("*.example.org", &former.domain).unwrap();
    let refused = cloud.update(&made.id, &made.etag, &wanted(&["a.example.org"])).await.unwrap();
    assert!(says(&refused, "points to another CloudFront distribution"), "through a wildcard");

    dns.set_cname("managed.example.net", &made.domain).unwrap();
    assert_eq!(cloud.update(&made.id, &made.etag, &wanted(&[NAME])).await.unwrap().status, 200);
    dns.set_cname("managed.example.net", &former.domain).unwrap();
    let now = etag(&cloud, &made.id).await.unwrap();
    let again = cloud.update(&made.id, &now, &wanted(&[NAME])).await.unwrap();
    assert_eq!(again.status, 200, "a name that is held already is not looked up again");
}
