//! Distributions: create, read, update, delete, list, tags.

use sandbox::aws::AwsSettings;

use super::fixture::{Cloud, config, etag, replaced, with_aliases, with_certificate};

#[tokio::test]
async fn create_answers_with_the_whole_distribution() {
    let cloud = Cloud::start().await.unwrap();
    let answer = cloud.create(&config("one")).await.unwrap();
    assert_eq!(answer.status, 201);
    let id = answer.text("Id");
    assert!(id.starts_with('E') && id.len() == 14);
    assert_eq!(
        answer.header("location"),
        format!("https://cloudfront.amazonaws.com/2020-05-31/distribution/{id}")
    );
    assert!(answer.text("DomainName").ends_with(".cloudfront.net"));
    assert_eq!(answer.text("ARN"), format!("arn:aws:cloudfront::111111111111:distribution/{id}"));
    assert_eq!(answer.text("Status"), "InProgress");
    assert!(answer.body.contains("<OriginReadTimeout>30</OriginReadTimeout>"), "defaults are filled in");
    assert!(!answer.header("x-amzn-requestid").is_empty());
}

#[tokio::test]
async fn create_wants_a_body_that_is_xml() {
    let cloud = Cloud::start().await.unwrap();
    assert_eq!(cloud.create("").await.unwrap().refusal(), (400, "MissingBody"));
    assert_eq!(cloud.create("<Distribution").await.unwrap().refusal(), (400, "MalformedXML"));
    assert_eq!(cloud.create("<Other/>").await.unwrap().refusal(), (400, "MalformedXML"));
}

#[tokio::test]
async fn create_wants_the_required_members() {
    let cloud = Cloud::start().await.unwrap();
    for member in ["CallerReference", "Origins", "DefaultCacheBehavior", "Comment", "TargetOriginId"] {
        let without = replaced(&config("r"), member, "");
        assert_eq!(cloud.create(&without).await.unwrap().refusal(), (400, "InvalidArgument"), "{member}");
    }
    let without = config("r").replace("<Enabled>true</Enabled>", "");
    assert_eq!(cloud.create(&without).await.unwrap().refusal(), (400, "InvalidArgument"));
    let empty = replaced(&config("r"), "Comment", "<Comment></Comment>");
    assert_eq!(cloud.create(&empty).await.unwrap().status, 201, "an empty comment is a comment");
}

#[tokio::test]
async fn quantity_must_be_the_number_of_items() {
    let cloud = Cloud::start().await.unwrap();
    let wrong = config("r").replace("<Aliases><Quantity>0", "<Aliases><Quantity>1");
    assert_eq!(cloud.create(&wrong).await.unwrap().refusal(), (400, "InconsistentQuantities"));
    let nested = config("r").replace("<AllowedMethods><Quantity>2", "<AllowedMethods><Quantity>3");
    assert_eq!(cloud.create(&nested).await.unwrap().refusal(), (400, "InconsistentQuantities"));
}

#[tokio::test]
async fn a_comment_has_at_most_128_characters() {
    let cloud = Cloud::start().await.unwrap();
    let comment = |length: usize| config(&length.to_string()).replace("a comment", &"ü".repeat(length));
    assert_eq!(cloud.create(&comment(128)).await.unwrap().status, 201);
    assert_eq!(cloud.create(&comment(129)).await.unwrap().refusal(), (400, "InvalidArgument"));
}

#[tokio::test]
async fn a_caller_reference_is_used_once_and_for_ever() {
    let cloud = Cloud::start().await.unwrap();
    let disabled = config("once").replace("<Enabled>true", "<Enabled>false");
    let made = cloud.made(&disabled).await.unwrap();
    let again = cloud.create(&disabled).await.unwrap();
    assert_eq!(again.refusal(), (409, "DistributionAlreadyExists"));
    assert!(again.text("Message").ends_with(&format!("Already exists: {}", made.id)));
    cloud.wait();
    assert_eq!(cloud.delete(&made.id, &made.etag).await.unwrap().status, 204);
    assert_eq!(cloud.create(&disabled).await.unwrap().refusal(), (409, "DistributionAlreadyExists"));
}

#[tokio::test]
async fn a_behaviour_targets_an_origin_that_exists() {
    let cloud = Cloud::start().await.unwrap();
    let wrong = config("r").replace("<TargetOriginId>app", "<TargetOriginId>other");
    assert_eq!(cloud.create(&wrong).await.unwrap().refusal(), (404, "NoSuchOrigin"));
}

#[tokio::test]
async fn a_behaviour_has_a_cache_policy_or_forwarded_values() {
    let cloud = Cloud::start().await.unwrap();
    let disabled = "<CachePolicyId>4135ea2d-6df8-44a3-9df3-4b5a84be39ad</CachePolicyId>";
    let neither = replaced(&config("r"), "ForwardedValues", "");
    let both = config("r").replace("<ForwardedValues>", &format!("{disabled}<ForwardedValues>"));
    let modern = replaced(&config("modern"), "ForwardedValues", disabled);
    assert_eq!(cloud.create(&neither).await.unwrap().refusal(), (400, "InvalidArgument"));
    assert_eq!(cloud.create(&both).await.unwrap().refusal(), (400, "InvalidArgument"));
    assert_eq!(cloud.create(&modern).await.unwrap().status, 201);
}

#[tokio::test]
async fn policies_must_be_known() {
    let cloud = Cloud::start().await.unwrap();
    let disabled = "<CachePolicyId>4135ea2d-6df8-44a3-9df3-4b5a84be39ad</CachePolicyId>";
    for (policies, code) in [
        ("<CachePolicyId>no</CachePolicyId>".to_owned(), "NoSuchCachePolicy"),
        (format!("{disabled}<OriginRequestPolicyId>no</OriginRequestPolicyId>"), "NoSuchOriginRequestPolicy"),
        (
            format!("{disabled}<ResponseHeadersPolicyId>no</ResponseHeadersPolicyId>"),
            "NoSuchResponseHeadersPolicy",
        ),
    ] {
        let config = replaced(&config("r"), "ForwardedValues", &policies);
        assert_eq!(cloud.create(&config).await.unwrap().refusal(), (404, code));
    }
}

#[tokio::test]
async fn times_to_live_are_in_order() {
    let cloud = Cloud::start().await.unwrap();
    let wrong = config("r").replace("<MinTTL>0</MinTTL>", "<MinTTL>9</MinTTL><MaxTTL>1</MaxTTL>");
    assert_eq!(cloud.create(&wrong).await.unwrap().refusal(), (400, "InvalidTTLOrder"));
}

#[tokio::test]
async fn methods_come_in_three_sets() {
    let cloud = Cloud::start().await.unwrap();
    let with = |reference: &str, more: &[&str]| {
        let items: Vec<String> = more.iter().map(|method| format!("<Method>{method}</Method>")).collect();
        let methods = format!("{}<Method>HEAD</Method>", items.concat());
        let quantity = format!("<AllowedMethods><Quantity>{}<", more.len() + 2);
        let wanted = config(reference).replace("<AllowedMethods><Quantity>2<", &quantity);
        wanted.replace("<Method>HEAD</Method>", &methods)
    };
    assert_eq!(cloud.create(&with("post", &["POST"])).await.unwrap().refusal(), (400, "InvalidArgument"));
    for (reference, more) in
        [("two", &[][..]), ("three", &["OPTIONS"]), ("seven", &["OPTIONS", "PUT", "POST", "PATCH", "DELETE"])]
    {
        assert_eq!(cloud.create(&with(reference, more)).await.unwrap().status, 201, "{reference}");
    }
}

#[tokio::test]
async fn error_responses_are_for_error_codes() {
    let cloud = Cloud::start().await.unwrap();
    let with = |code: &str| {
        let list = format!(
            "<CustomErrorResponses><Quantity>1</Quantity><Items><CustomErrorResponse><ErrorCode>{code}</ErrorCode>\
             <ErrorCachingMinTTL>0</ErrorCachingMinTTL></CustomErrorResponse></Items></CustomErrorResponses>"
        );
        replaced(&config(code), "CustomErrorResponses", &list)
    };
    assert_eq!(cloud.create(&with("200")).await.unwrap().refusal(), (400, "InvalidErrorCode"));
    let answer = cloud.create(&with("404")).await.unwrap();
    assert!(answer.body.contains("<ResponseCode></ResponseCode>"), "defaults are filled in: {}", answer.body);
}

#[tokio::test]
async fn an_origin_is_a_bucket_or_a_host() {
    let cloud = Cloud::start().await.unwrap();
    let s3 = "<S3OriginConfig><OriginAccessIdentity></OriginAccessIdentity></S3OriginConfig>";
    let of = |reference: &str, domain: &str| {
        replaced(&config(reference), "CustomOriginConfig", s3).replace("app.example.gov", domain)
    };
    assert_eq!(cloud.create(&of("r", "app.example.gov")).await.unwrap().refusal(), (400, "InvalidArgument"));
    assert_eq!(cloud.create(&of("s", "b.s3.us-east-1.amazonaws.com")).await.unwrap().status, 201);
    let address = config("r").replace("app.example.gov", "app.example.gov:8080");
    assert_eq!(cloud.create(&address).await.unwrap().refusal(), (400, "InvalidArgument"));
    let path = config("r").replace("<OriginPath>", "<OriginPath>no-slash");
    assert_eq!(cloud.create(&path).await.unwrap().refusal(), (400, "InvalidArgument"));
}

#[tokio::test]
async fn what_get_returns_is_what_update_takes_and_returns() {
    let cloud = Cloud::start().await.unwrap();
    let novel = config("r").replace("<WebACLId>", "<Novelty><Deep>kept</Deep></Novelty><WebACLId>");
    let made = cloud.made(&novel).await.unwrap();
    let path = format!("distribution/{}/config", made.id);
    let before = cloud.cloudfront("GET", &path, "").await.unwrap();
    assert!(before.body.contains("<Novelty><Deep>kept</Deep></Novelty>"));
    assert_eq!(cloud.update(&made.id, &made.etag, &before.body).await.unwrap().status, 200);
    let after = cloud.cloudfront("GET", &path, "").await.unwrap();
    assert_eq!(after.body, before.body);
    assert_ne!(after.header("etag"), before.header("etag"), "every change has an ETag of its own");
}

#[tokio::test]
async fn a_distribution_that_does_not_exist_is_404() {
    let cloud = Cloud::start().await.unwrap();
    let missing = (404, "NoSuchDistribution");
    for path in ["distribution/ENONE", "distribution/ENONE/config"] {
        assert_eq!(cloud.cloudfront("GET", path, "").await.unwrap().refusal(), missing);
    }
    assert_eq!(cloud.update("ENONE", "E1", &config("r")).await.unwrap().refusal(), missing);
    assert_eq!(cloud.delete("ENONE", "E1").await.unwrap().refusal(), missing);
}

#[tokio::test]
async fn a_change_names_the_version_it_is_for() {
    let cloud = Cloud::start().await.unwrap();
    let made = cloud.made(&config("r")).await.unwrap();
    for malformed in ["", "*", "lower"] {
        let answer = cloud.update(&made.id, malformed, &config("r")).await.unwrap();
        assert_eq!(answer.refusal(), (400, "InvalidIfMatchVersion"), "{malformed:?}");
        assert_eq!(
            cloud.delete(&made.id, malformed).await.unwrap().refusal(),
            (400, "InvalidIfMatchVersion")
        );
    }
    assert_eq!(cloud.update(&made.id, &made.etag, &config("r")).await.unwrap().status, 200);
    let stale = cloud.update(&made.id, &made.etag, &config("r")).await.unwrap();
    assert_eq!(stale.refusal(), (412, "PreconditionFailed"));
    assert_eq!(cloud.delete(&made.id, &made.etag).await.unwrap().refusal(), (412, "PreconditionFailed"));
}

#[tokio::test]
async fn update_wants_more_members_than_create() {
    let cloud = Cloud::start().await.unwrap();
    let made = cloud.made(&config("r")).await.unwrap();
    let without_comment = replaced(&config("r"), "Comment", "");
    let answer = cloud.update(&made.id, &made.etag, &without_comment).await.unwrap();
    assert_eq!(answer.refusal(), (400, "InvalidArgument"));
    for member in ["Aliases", "PriceClass", "ViewerCertificate", "WebACLId", "AllowedMethods", "Compress"] {
        let without = replaced(&config("r"), member, "");
        let answer = cloud.update(&made.id, &made.etag, &without).await.unwrap();
        assert_eq!(answer.refusal(), (400, "InvalidArgument"), "{member}");
        assert_eq!(cloud.create(&without.replace(">r<", &format!(">{member}<"))).await.unwrap().status, 201);
    }
}

#[tokio::test]
async fn the_caller_reference_cannot_change() {
    let cloud = Cloud::start().await.unwrap();
    let made = cloud.made(&config("r")).await.unwrap();
    let answer = cloud.update(&made.id, &made.etag, &config("other")).await.unwrap();
    assert_eq!(answer.refusal(), (400, "IllegalUpdate"));
}

#[tokio::test]
async fn a_change_is_in_progress_until_it_is_deployed() {
    let cloud = Cloud::start().await.unwrap();
    let made = cloud.made(&config("r")).await.unwrap();
    let path = format!("distribution/{}", made.id);
    assert_eq!(cloud.cloudfront("GET", &path, "").await.unwrap().text("Status"), "InProgress");
    cloud.wait();
    assert_eq!(cloud.cloudfront("GET", &path, "").await.unwrap().text("Status"), "Deployed");
    let changed = cloud.update(&made.id, &made.etag, &config("r")).await.unwrap();
    assert_eq!(changed.text("Status"), "InProgress");
    assert_eq!(changed.header("etag"), etag(&cloud, &made.id).await.unwrap());
}

#[tokio::test]
async fn only_what_is_disabled_and_deployed_can_be_deleted() {
    let cloud = Cloud::start().await.unwrap();
    let made = cloud.made(&config("r")).await.unwrap();
    cloud.wait();
    let refused = (409, "DistributionNotDisabled");
    assert_eq!(cloud.delete(&made.id, &made.etag).await.unwrap().refusal(), refused, "enabled");
    let disabled = config("r").replace("<Enabled>true", "<Enabled>false");
    let changed = cloud.update(&made.id, &made.etag, &disabled).await.unwrap();
    let now = changed.header("etag");
    assert_eq!(cloud.delete(&made.id, now).await.unwrap().refusal(), refused, "in progress");
    cloud.wait();
    assert_eq!(cloud.delete(&made.id, now).await.unwrap().status, 204);
    assert_eq!(cloud.delete(&made.id, now).await.unwrap().refusal(), (404, "NoSuchDistribution"));
}

#[tokio::test]
async fn lists_come_in_pages_without_references_and_tags() {
    let cloud = Cloud::start().await.unwrap();
    let mut made = Vec::new();
    for reference in ["secret-a", "secret-b", "secret-c"] {
        made.push(cloud.made(&config(reference)).await.unwrap().id);
    }
    let first = cloud.cloudfront("GET", "distribution?MaxItems=2", "").await.unwrap();
    assert_eq!((first.text("IsTruncated"), first.text("Quantity")), ("true", "2"));
    assert!(!first.body.contains("secret"));
    let path = format!("distribution?MaxItems=2&Marker={}", first.text("NextMarker"));
    let second = cloud.cloudfront("GET", &path, "").await.unwrap();
    assert_eq!((second.text("IsTruncated"), second.text("Quantity")), ("false", "1"));
    let both = format!("{}{}", first.body, second.body);
    assert!(made.iter().all(|id| both.matches(&format!("<Id>{id}</Id>")).count() == 1));
    for size in ["0", "many"] {
        let answer = cloud.cloudfront("GET", &format!("distribution?MaxItems={size}"), "").await.unwrap();
        assert_eq!(answer.refusal(), (400, "InvalidArgument"));
    }
}

#[tokio::test]
async fn tags_are_set_shown_and_removed() {
    let cloud = Cloud::start().await.unwrap();
    let tags = |key: &str| format!("<Tags><Items><Tag><Key>{key}</Key><Value>v</Value></Tag></Items></Tags>");
    let with = |key: &str| {
        format!("<DistributionConfigWithTags>{}{}</DistributionConfigWithTags>", config("r"), tags(key))
    };
    let refused = cloud.cloudfront("POST", "distribution?WithTags", &with("aws:mine")).await.unwrap();
    assert_eq!(refused.refusal(), (400, "InvalidTagging"));
    let answer = cloud.cloudfront("POST", "distribution?WithTags", &with("one")).await.unwrap();
    assert_eq!(answer.status, 201);
    let arn = answer.text("ARN");
    let path = format!("tagging?Resource={arn}");
    assert_eq!(
        cloud.cloudfront("POST", &format!("{path}&Operation=Tag"), &tags("two")).await.unwrap().status,
        204
    );
    let keys = "<TagKeys><Items><Key>one</Key></Items></TagKeys>";
    assert_eq!(cloud.cloudfront("POST", &format!("{path}&Operation=Untag"), keys).await.unwrap().status, 204);
    let shown = cloud.cloudfront("GET", &path, "").await.unwrap();
    assert_eq!(shown.text("Items"), "<Tag><Key>two</Key><Value>v</Value></Tag>");
    let missing = cloud.cloudfront("GET", "tagging?Resource=arn:aws:nothing", "").await.unwrap();
    assert_eq!(missing.refusal(), (404, "NoSuchResource"));
}

#[tokio::test]
async fn state_and_journal_tell_what_happened() {
    let settings = AwsSettings { buckets: vec!["bucket".to_owned()], ..AwsSettings::default() };
    let cloud = Cloud::with(settings).await.unwrap();
    let certificate = cloud.certificate("www", &["www.example.org"]).await.unwrap();
    let wanted = with_certificate(&with_aliases(&config("r"), &["www.example.org"]), &certificate);
    let made = cloud.made(&wanted).await.unwrap();
    let state = cloud.aws.state();
    let distribution = state.distributions.first().unwrap();
    assert_eq!((distribution.id.as_str(), distribution.reference.as_str()), (made.id.as_str(), "r"));
    assert_eq!(distribution.names, ["www.example.org"]);
    assert_eq!(distribution.certificate_id.as_deref(), Some(certificate.as_str()));
    assert_eq!(distribution.origin, "app.example.gov");
    assert_eq!(state.buckets.first().unwrap().name, "bucket");
    let journal = cloud.aws.journal();
    let entry = journal.iter().find(|entry| entry.op == "CreateDistribution").unwrap();
    assert_eq!((entry.status, entry.resource.as_str()), (201, made.id.as_str()));
    assert_eq!(entry.aliases, ["www.example.org"]);
    assert_eq!(entry.certificate.as_deref(), Some(certificate.as_str()));
    assert!(!serde_json::to_string(&journal).unwrap().contains("PRIVATE KEY"));
}

#[tokio::test]
async fn an_account_has_a_quota_of_distributions() {
    let settings = AwsSettings { distribution_quota: 1, ..AwsSettings::default() };
    let cloud = Cloud::with(settings).await.unwrap();
    cloud.made(&config("one")).await.unwrap();
    let refused = cloud.create(&config("two")).await.unwrap();
    assert_eq!(refused.refusal(), (400, "TooManyDistributions"));
    assert_eq!(cloud.aws.state().distributions.len(), 1);
}
