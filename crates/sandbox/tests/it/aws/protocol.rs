//! Dispatch by service, the forms of refusal, and the admin pages.

use std::time::Duration;

use serde_json::Value;

use super::fixture::{Cloud, config};

#[tokio::test]
async fn the_scope_of_the_signature_chooses_the_service() {
    let cloud = Cloud::start().await.unwrap();
    let who = cloud.ask("sts", "POST", "/", &[], "Action=GetCallerIdentity&Version=2011-06-15".to_owned());
    let who = who.await.unwrap();
    assert_eq!((who.status.as_u16(), who.text("Account")), (200, "111111111111"));
    let other = cloud.ask("ec2", "POST", "/", &[], "Action=RunInstances".to_owned()).await.unwrap();
    assert_eq!(other.status, 403);
    for (service, namespace) in [
        ("cloudfront", "http://cloudfront.amazonaws.com/doc/2020-05-31/"),
        ("iam", "https://iam.amazonaws.com/doc/2010-05-08/"),
        ("sts", "https://sts.amazonaws.com/doc/2011-06-15/"),
    ] {
        let unknown = cloud.ask(service, "POST", "/unknown", &[], "Action=Unknown".to_owned()).await.unwrap();
        assert!(unknown.status.is_client_error());
        assert!(
            unknown
                .body
                .contains(&format!("<ErrorResponse xmlns=\"{namespace}\"><Error><Type>Sender</Type>"))
        );
    }
    let s3 = cloud.s3("GET", "/nowhere/key", "").await.unwrap();
    assert!(s3.body.contains("<Error><Code>NoSuchBucket</Code>") && s3.text("Resource") == "/nowhere/key");
}

#[tokio::test]
async fn the_admin_pages_show_state_and_journal_and_move_the_clock() {
    let cloud = Cloud::start().await.unwrap();
    let made = cloud.made(&config("r")).await.unwrap();
    let page = |method: &'static str, path: &'static str, body: &'static str| {
        let cloud = &cloud;
        async move { cloud.ask("", method, &format!("/_sandbox/{path}"), &[], body.to_owned()).await }
    };
    let status = |body: &str| -> Value {
        serde_json::from_str::<Value>(body).unwrap()["distributions"][0]["status"].clone()
    };
    assert_eq!(status(&page("GET", "state", "").await.unwrap().body), "InProgress");
    assert_eq!(page("POST", "clock", r#"{"advance_s":300}"#).await.unwrap().status, 204);
    assert_eq!(status(&page("GET", "state", "").await.unwrap().body), "Deployed");
    let journal: Value = serde_json::from_str(&page("GET", "journal", "").await.unwrap().body).unwrap();
    assert_eq!((&journal[0]["op"], &journal[0]["sequence"]), (&"CreateDistribution".into(), &1.into()));
    assert_eq!(journal[0]["resource"], made.id.as_str());
    assert_eq!(page("POST", "clock", r#"{"advance":1}"#).await.unwrap().status, 400);
    assert_eq!(page("GET", "nothing", "").await.unwrap().status, 404);
}

#[tokio::test]
async fn a_stopped_cloud_answers_no_more() {
    let cloud = Cloud::start().await.unwrap();
    assert_eq!(cloud.s3("HEAD", "/bucket", "").await.unwrap().status, 200);
    tokio::time::timeout(Duration::from_secs(10), cloud.aws.stop()).await.unwrap();
    assert!(cloud.s3("HEAD", "/bucket", "").await.is_err());
}
