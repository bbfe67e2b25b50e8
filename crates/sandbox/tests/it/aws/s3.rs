//! Buckets and objects.

use super::fixture::Cloud;

#[tokio::test]
async fn an_object_is_put_read_and_deleted() {
    let cloud = Cloud::start().await.unwrap();
    let path = "/bucket/a%20folder/key+1";
    let headers = [("content-type", "text/plain"), ("cache-control", "no-store")];
    assert_eq!(cloud.ask("s3", "PUT", path, &headers, "value".to_owned()).await.unwrap().status, 200);
    let read = cloud.s3("GET", path, "").await.unwrap();
    assert_eq!((read.body.as_str(), read.header("content-type")), ("value", "text/plain"));
    assert_eq!(read.header("cache-control"), "no-store");
    let head = cloud.s3("HEAD", path, "").await.unwrap();
    assert_eq!((head.body.as_str(), head.header("content-length")), ("", "5"));
    assert_eq!(cloud.aws.state().buckets.first().unwrap().keys, ["a folder/key+1"]);
    assert_eq!(cloud.s3("DELETE", path, "").await.unwrap().status, 204);
    assert_eq!(cloud.s3("DELETE", path, "").await.unwrap().status, 204, "deleting what is gone succeeds");
    assert_eq!(cloud.s3("GET", path, "").await.unwrap().refusal(), (404, "NoSuchKey"));
    let head = cloud.s3("HEAD", path, "").await.unwrap();
    assert_eq!((head.status.as_u16(), head.body.as_str()), (404, ""));
}

#[tokio::test]
async fn a_bucket_must_exist() {
    let cloud = Cloud::start().await.unwrap();
    assert_eq!(cloud.s3("PUT", "/nowhere/key", "v").await.unwrap().refusal(), (404, "NoSuchBucket"));
    assert_eq!(cloud.s3("HEAD", "/nowhere", "").await.unwrap().status, 404);
    assert_eq!(cloud.s3("PUT", "/nowhere", "").await.unwrap().status, 200);
    assert_eq!(cloud.s3("HEAD", "/nowhere", "").await.unwrap().status, 200);
    assert_eq!(cloud.s3("PUT", "/UPPER", "").await.unwrap().refusal(), (400, "InvalidBucketName"));
}

#[tokio::test]
async fn checksums_are_verified() {
    let cloud = Cloud::start().await.unwrap();
    let put = |checksum: &'static str| {
        let headers = [("x-amz-checksum-crc32", checksum)];
        let cloud = &cloud;
        async move { cloud.ask("s3", "PUT", "/bucket/key", &headers, "123456789".to_owned()).await }
    };
    assert_eq!(put("AAAAAA==").await.unwrap().refusal(), (400, "BadDigest"));
    assert_eq!(put("y/Q5Jg==").await.unwrap().status, 200);
}

#[tokio::test]
async fn chunked_uploads_are_decoded() {
    let cloud = Cloud::start().await.unwrap();
    let headers = [
        ("content-encoding", "aws-chunked"),
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("x-amz-decoded-content-length", "9"),
    ];
    let body = |sum: &str| format!("9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:{sum}\r\n\r\n");
    let put = cloud.ask("s3", "PUT", "/bucket/key", &headers, body("y/Q5Jg==")).await.unwrap();
    assert_eq!(put.status, 200);
    assert_eq!(cloud.s3("GET", "/bucket/key", "").await.unwrap().body, "123456789");
    let wrong = cloud.ask("s3", "PUT", "/bucket/key", &headers, body("AAAAAA==")).await.unwrap();
    assert_eq!(wrong.refusal(), (400, "BadDigest"));
    let cut = cloud.ask("s3", "PUT", "/bucket/key", &headers, "9\r\n1234".to_owned()).await.unwrap();
    assert_eq!(cut.refusal(), (400, "IncompleteBody"));
}

#[tokio::test]
async fn lists_are_by_prefix_and_in_pages() {
    let cloud = Cloud::start().await.unwrap();
    for key in ["a/1", "a/2", "b/1"] {
        assert_eq!(cloud.s3("PUT", &format!("/bucket/{key}"), key).await.unwrap().status, 200);
    }
    let first = cloud.s3("GET", "/bucket?list-type=2&prefix=a%2F&max-keys=1", "").await.unwrap();
    assert_eq!((first.text("IsTruncated"), first.text("Key")), ("true", "a/1"));
    let token = first.text("NextContinuationToken");
    let path = format!("/bucket?list-type=2&prefix=a%2F&continuation-token={token}");
    let second = cloud.s3("GET", &path, "").await.unwrap();
    assert_eq!(
        (second.text("IsTruncated"), second.text("Key"), second.text("KeyCount")),
        ("false", "a/2", "1")
    );
}

#[tokio::test]
async fn strangers_see_what_the_policy_shows_them() {
    let cloud = Cloud::start().await.unwrap();
    assert_eq!(cloud.s3("PUT", "/bucket/public/key", "v").await.unwrap().status, 200);
    assert_eq!(cloud.s3("PUT", "/bucket/private/key", "v").await.unwrap().status, 200);
    let stranger = |path: &'static str| {
        let cloud = &cloud;
        async move { cloud.ask("", "GET", path, &[], String::new()).await }
    };
    assert_eq!(stranger("/bucket/public/key").await.unwrap().refusal(), (403, "AccessDenied"));
    let missing = cloud.s3("GET", "/bucket?policy", "").await.unwrap();
    assert_eq!(missing.refusal(), (404, "NoSuchBucketPolicy"));
    let policy = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",
        "Resource":"arn:aws:s3:::bucket/public/*"}]}"#;
    assert_eq!(cloud.s3("PUT", "/bucket?policy", policy).await.unwrap().status, 204);
    assert_eq!(cloud.s3("GET", "/bucket?policy", "").await.unwrap().body, policy);
    assert_eq!(stranger("/bucket/public/key").await.unwrap().body, "v");
    assert_eq!(stranger("/bucket/private/key").await.unwrap().refusal(), (403, "AccessDenied"));
    assert_eq!(
        stranger("/bucket/public/none").await.unwrap().refusal(),
        (403, "AccessDenied"),
        "not even 404"
    );
    let write = cloud.ask("", "PUT", "/bucket/public/key", &[], "mine".to_owned()).await.unwrap();
    assert_eq!(write.refusal(), (403, "AccessDenied"));
    let broken = cloud.s3("PUT", "/bucket?policy", "{}").await.unwrap();
    assert_eq!(broken.refusal(), (400, "MalformedPolicy"));
}
