//! Server certificates.

use std::time::Duration;

use sandbox::aws::{AwsSettings, FaultKind, Outage, Role};

use super::fixture::{Cloud, Leaf, config, etag, with_certificate};

const MALFORMED: (u16, &str) = (400, "MalformedCertificate");

#[tokio::test]
async fn an_upload_can_be_read_back_without_its_key() {
    let cloud = Cloud::start().await.unwrap();
    let leaf = cloud.authority.leaf(&["www.example.org"]).unwrap();
    let uploaded = cloud.upload("mine", &leaf).await.unwrap();
    assert_eq!(uploaded.status, 200);
    let id = uploaded.text("ServerCertificateId");
    assert!(id.starts_with("ASCA") && id.len() == 21);
    assert_eq!(uploaded.text("Arn"), "arn:aws:iam::111111111111:server-certificate/cloudfront/test/mine");
    let read = cloud.iam("GetServerCertificate", &[("ServerCertificateName", "mine")]).await.unwrap();
    assert_eq!(read.text("CertificateBody").trim(), leaf.body.replace("\r\n", "\n").trim());
    assert!(read.body.contains(id) && !read.body.contains("PRIVATE KEY"));
    let missing = cloud.iam("GetServerCertificate", &[("ServerCertificateName", "none")]).await.unwrap();
    assert_eq!(missing.refusal(), (404, "NoSuchEntity"));
}

#[tokio::test]
async fn name_and_path_are_well_formed() {
    let cloud = Cloud::start().await.unwrap();
    let leaf = cloud.authority.leaf(&["www.example.org"]).unwrap();
    for name in ["", "with space", "slash/", &"n".repeat(129)] {
        assert_eq!(cloud.upload(name, &leaf).await.unwrap().refusal(), (400, "ValidationError"), "{name:?}");
    }
    assert_eq!(cloud.upload(&"n".repeat(128), &leaf).await.unwrap().status, 200);
    let fields = [
        ("ServerCertificateName", "path"),
        ("Path", "cloudfront"),
        ("CertificateBody", leaf.body.as_str()),
        ("PrivateKey", &leaf.key),
    ];
    let answer = cloud.iam("UploadServerCertificate", &fields).await.unwrap();
    assert_eq!(answer.refusal(), (400, "ValidationError"));
}

#[tokio::test]
async fn the_body_is_one_certificate_in_pem() {
    let cloud = Cloud::start().await.unwrap();
    let leaf = cloud.authority.leaf(&["www.example.org"]).unwrap();
    for body in ["garbage".to_owned(), format!("{}{}", leaf.body, leaf.chain)] {
        let wrong = Leaf { body, ..leaf.clone() };
        assert_eq!(cloud.upload("wrong", &wrong).await.unwrap().refusal(), MALFORMED);
    }
}

#[tokio::test]
async fn the_certificate_is_within_its_dates() {
    let cloud = Cloud::start().await.unwrap();
    let expired = cloud.authority.leaf_with(&["a.example"], &rcgen::PKCS_ECDSA_P256_SHA256, |params| {
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    });
    assert_eq!(cloud.upload("expired", &expired.unwrap()).await.unwrap().refusal(), MALFORMED);
    let future = cloud.authority.leaf_with(&["a.example"], &rcgen::PKCS_ECDSA_P256_SHA256, |params| {
        params.not_before = rcgen::date_time_ymd(2090, 1, 1);
    });
    assert_eq!(cloud.upload("future", &future.unwrap()).await.unwrap().refusal(), MALFORMED);
}

#[tokio::test]
async fn the_key_is_the_certificates_own_and_open() {
    let cloud = Cloud::start().await.unwrap();
    let leaf = cloud.authority.leaf(&["a.example"]).unwrap();
    let other = Leaf { key: cloud.authority.leaf(&["a.example"]).unwrap().key, ..leaf.clone() };
    assert_eq!(cloud.upload("other", &other).await.unwrap().refusal(), (400, "KeyPairMismatch"));
    let sealed = Leaf { key: leaf.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), ..leaf.clone() };
    assert_eq!(cloud.upload("sealed", &sealed).await.unwrap().refusal(), MALFORMED);
    let rsa = cloud.authority.leaf_with(&["a.example"], &rcgen::PKCS_RSA_SHA256, |_| ()).unwrap();
    assert_eq!(cloud.upload("rsa", &rsa).await.unwrap().status, 200);
}

#[tokio::test]
async fn the_chain_leads_from_the_leaf_upwards() {
    let cloud = Cloud::start().await.unwrap();
    let stranger = super::fixture::Authority::new("Stranger").unwrap();
    let leaf = cloud.authority.leaf(&["a.example"]).unwrap();
    let broken = Leaf { chain: stranger.intermediate_pem, ..leaf.clone() };
    assert_eq!(cloud.upload("broken", &broken).await.unwrap().refusal(), MALFORMED);
    let imitation = super::fixture::Authority::new("Trusted").unwrap();
    let imitated = Leaf { chain: imitation.intermediate_pem, ..leaf.clone() };
    assert_eq!(
        cloud.upload("imitated", &imitated).await.unwrap().refusal(),
        MALFORMED,
        "the same names only"
    );
    let with_root = format!("{}{}", leaf.chain, cloud.authority.root_pem);
    assert_eq!(cloud.upload("root", &Leaf { chain: with_root, ..leaf }).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_name_is_taken_once_but_a_body_is_not() {
    let cloud = Cloud::start().await.unwrap();
    let leaf = cloud.authority.leaf(&["a.example"]).unwrap();
    assert_eq!(cloud.upload("one", &leaf).await.unwrap().status, 200);
    let again = cloud.upload("one", &leaf).await.unwrap();
    assert_eq!(again.refusal(), (409, "EntityAlreadyExists"));
    assert_eq!(again.text("Message"), "The Server Certificate with name one already exists.");
    assert_eq!(cloud.upload("two", &leaf).await.unwrap().status, 200);
}

#[tokio::test]
async fn an_account_holds_so_many_certificates() {
    let cloud = Cloud::with(AwsSettings { certificate_quota: 1, ..AwsSettings::default() }).await.unwrap();
    let leaf = cloud.authority.leaf(&["a.example"]).unwrap();
    assert_eq!(cloud.upload("one", &leaf).await.unwrap().status, 200);
    let full = cloud.upload("two", &leaf).await.unwrap();
    assert_eq!(full.refusal(), (409, "LimitExceeded"));
    assert_eq!(full.text("Message"), "Cannot exceed quota for ServerCertificatesPerAccount: 1");
}

#[tokio::test]
async fn lists_are_by_prefix_and_in_pages() {
    let cloud = Cloud::start().await.unwrap();
    let leaf = cloud.authority.leaf(&["a.example"]).unwrap();
    for name in ["a", "b", "c"] {
        assert_eq!(cloud.upload(name, &leaf).await.unwrap().status, 200);
    }
    let other = cloud.iam("ListServerCertificates", &[("PathPrefix", "/other/")]).await.unwrap();
    assert!(!other.body.contains("<member>"));
    let prefix = ("PathPrefix", "/cloudfront/test/");
    let first = cloud.iam("ListServerCertificates", &[prefix, ("MaxItems", "2")]).await.unwrap();
    assert_eq!((first.text("IsTruncated"), first.text("Marker")), ("true", "b"));
    assert_eq!(first.body.matches("<member>").count(), 2);
    let rest = cloud.iam("ListServerCertificates", &[prefix, ("Marker", "b")]).await.unwrap();
    assert_eq!((rest.text("IsTruncated"), rest.text("ServerCertificateName")), ("false", "c"));
    let wrong = cloud.iam("ListServerCertificates", &[("MaxItems", "0")]).await.unwrap();
    assert_eq!(wrong.refusal(), (400, "ValidationError"));
}

#[tokio::test]
async fn a_certificate_in_use_or_just_released_cannot_be_deleted() {
    let cloud = Cloud::start().await.unwrap();
    let id = cloud.certificate("used", &["a.example"]).await.unwrap();
    let made = cloud.made(&with_certificate(&config("r"), &id)).await.unwrap();
    let used = [("ServerCertificateName", "used")];
    let conflict = (409, "DeleteConflict");
    assert_eq!(cloud.iam("DeleteServerCertificate", &used).await.unwrap().refusal(), conflict, "in use");
    cloud.wait();
    let now = etag(&cloud, &made.id).await.unwrap();
    assert_eq!(cloud.update(&made.id, &now, &config("r")).await.unwrap().status, 200);
    assert_eq!(
        cloud.iam("DeleteServerCertificate", &used).await.unwrap().refusal(),
        conflict,
        "not deployed"
    );
    cloud.aws.advance(Duration::from_mins(6));
    assert_eq!(
        cloud.iam("DeleteServerCertificate", &used).await.unwrap().refusal(),
        conflict,
        "just released"
    );
    cloud.aws.advance(Duration::from_mins(15));
    assert_eq!(cloud.iam("DeleteServerCertificate", &used).await.unwrap().status, 200);
    let gone = cloud.iam("DeleteServerCertificate", &used).await.unwrap();
    assert_eq!(gone.refusal(), (404, "NoSuchEntity"));
}

/// The decisions of a whole answer, action by action.
fn decisions(body: &str) -> Vec<(&str, &str)> {
    fn first(text: &str) -> &str {
        text.split('<').next().unwrap_or_default()
    }
    fn decision(result: &str) -> &str {
        result.split_once("<EvalDecision>").map_or("", |(_, rest)| first(rest))
    }
    body.split("<EvalActionName>").skip(1).map(|result| (first(result), decision(result))).collect()
}

#[tokio::test]
async fn a_simulation_says_what_would_happen() {
    let cloud = Cloud::start().await.unwrap();
    let user = "arn:aws:iam::111111111111:user/sandbox";
    let actions = ["cloudfront:CreateDistribution", "cloudfront:TagResource", "s3:ListBucket", "iam:GetRole"];
    let fields = |source, more: &[(&'static str, &'static str)]| {
        let names =
            ["ActionNames.member.1", "ActionNames.member.2", "ActionNames.member.3", "ActionNames.member.4"];
        let mut fields: Vec<(&str, &str)> = names.into_iter().zip(actions).collect();
        fields.push(("PolicySourceArn", source));
        fields.extend(more);
        fields
    };
    let ask = async |fields: &[(&str, &str)]| cloud.iam("SimulatePrincipalPolicy", fields).await.unwrap();
    let all = ask(&fields(user, &[])).await;
    assert_eq!(decisions(&all.body), actions.map(|action| (action, "allowed")), "{}", all.body);

    // Whoever may not create with tags lacks one of the two actions that this needs.
    let deny = |op: &str| Outage { op: op.to_owned(), kind: FaultKind::AccessDenied };
    cloud.aws.faults().break_down(deny("CreateDistributionWithTags"));
    cloud.aws.faults().break_down(Outage { op: "ListObjectsV2".to_owned(), kind: FaultKind::Throttle });
    let arn = "arn:aws:cloudfront::111111111111:distribution/E1";
    let some = ask(&fields(user, &[("ResourceArns.member.1", arn)])).await;
    let expected = ["implicitDeny", "implicitDeny", "allowed", "allowed"];
    let expected: Vec<_> = actions.into_iter().zip(expected).collect();
    assert_eq!(decisions(&some.body), expected);
    assert_eq!((some.text("EvalResourceName"), some.text("EvalResourceDecision")), (arn, "implicitDeny"));

    // In pages.
    let first = ask(&fields(user, &[("MaxItems", "3")])).await;
    assert_eq!((first.text("IsTruncated"), first.text("Marker")), ("true", "3"));
    let rest = ask(&fields(user, &[("MaxItems", "3"), ("Marker", "3")])).await;
    assert_eq!((rest.text("IsTruncated"), decisions(&rest.body)), ("false", expected[3..].to_vec()));

    let session = "arn:aws:sts::111111111111:assumed-role/broker/sandbox";
    assert_eq!(ask(&fields(session, &[])).await.refusal(), (400, "InvalidInput"));
    let other = "arn:aws:iam::111111111111:user/other";
    assert_eq!(ask(&fields(other, &[])).await.refusal(), (404, "NoSuchEntity"));
    let unknown = [("PolicySourceArn", user), ("ActionNames.member.1", "cloudfront:Creat")];
    assert_eq!(ask(&unknown).await.refusal(), (400, "InvalidInput"));
}

#[tokio::test]
async fn a_session_has_the_name_of_its_role_and_only_iam_knows_its_path() {
    let cloud = Cloud::start().await.unwrap();
    let role = [("RoleName", "broker")];
    assert_eq!(cloud.iam("GetRole", &role).await.unwrap().refusal(), (404, "NoSuchEntity"));
    cloud.aws.call_as(Role { path: "/cdn/".to_owned(), name: "broker".to_owned() });
    let who = "Action=GetCallerIdentity&Version=2011-06-15".to_owned();
    let who = cloud.ask("sts", "POST", "/", &[], who).await.unwrap();
    assert_eq!(who.text("Arn"), "arn:aws:sts::111111111111:assumed-role/broker/sandbox");
    let role = cloud.iam("GetRole", &role).await.unwrap();
    assert_eq!(role.text("Arn"), "arn:aws:iam::111111111111:role/cdn/broker");
    let ask = async |source| {
        let fields = [("PolicySourceArn", source), ("ActionNames.member.1", "iam:GetRole")];
        cloud.iam("SimulatePrincipalPolicy", &fields).await.unwrap()
    };
    assert_eq!(ask(role.text("Arn")).await.text("EvalDecision"), "allowed");
    assert_eq!(ask("arn:aws:iam::111111111111:role/broker").await.refusal(), (404, "NoSuchEntity"));
}
