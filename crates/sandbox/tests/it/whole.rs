use std::collections::BTreeMap;
use std::path::Path;

use http::Request;
use http_body_util::Full;
use sandbox::dns::NameServer;
use sandbox::{
    BUCKET, BrokerProcess, BrokerSettings, CHALLENGE_HOST, DEFAULT_ORIGIN, MANAGED_ZONE, Proofs, Sandbox,
    Settings,
};
use serde_json::Value;

use crate::web;

#[tokio::test]
async fn the_environment_names_every_part_and_nothing_else() {
    let state = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(Settings::new(state.path())).await.unwrap();
    let broker = BrokerSettings::new(state.path()).unwrap();
    let environment: BTreeMap<_, _> = sandbox.broker_environment(&broker).into_iter().collect();
    let names: Vec<&str> = environment.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "ACME_ROOT_CA",
            "ACME_URL",
            "AWS_ACCESS_KEY_ID",
            "AWS_ENDPOINT_URL",
            "AWS_REGION",
            "AWS_SECRET_ACCESS_KEY",
            "BIND_ADDRESS",
            "BROKER_PASSWORD",
            "BROKER_USERNAME",
            "BUCKET",
            "CERTIFICATE_KEY_TYPE",
            "CHECKS",
            "DATABASE_ENCRYPTION_KEYS",
            "DATABASE_URL",
            "DEFAULT_ORIGIN",
            "DEPLOYMENT_POLL",
            "DNS_RESOLVERS",
            "EMAIL",
            "IAM_PATH_PREFIX",
            "PORT",
            "PROOF_ALLOW_PRIVATE_ADDRESSES",
            "PROOF_DNS_PORT",
            "PROOF_HTTPS_PORT",
            "PROOF_HTTP_PORT",
            "PUBLIC_URL",
            "STEP_TIMEOUT",
            "UPDATE_PROOF_WAIT",
        ]
    );
    assert!(environment.values().all(|value| !value.is_empty()));
    assert_eq!(environment["PROOF_HTTP_PORT"], sandbox.edge().http().port().to_string());
    assert_eq!(environment["PROOF_HTTPS_PORT"], sandbox.edge().https().port().to_string());

    let roots = std::fs::read_to_string(&environment["ACME_ROOT_CA"]).unwrap();
    assert_eq!(web::get(&roots, &environment["ACME_URL"]).await.unwrap().status(), 200);
    let cloud = web::get("", &format!("{}/_sandbox/state", environment["AWS_ENDPOINT_URL"])).await.unwrap();
    let cloud: Value = serde_json::from_slice(cloud.body()).unwrap();
    assert_eq!(cloud["buckets"][0]["name"], environment["BUCKET"]);
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn the_environment_offers_what_the_operator_has_set_up() {
    let state = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(Settings::new(state.path())).await.unwrap();
    let broker = BrokerSettings::new(state.path()).unwrap();
    let environment: BTreeMap<_, _> = sandbox.broker_environment(&broker).into_iter().collect();
    let all = BrokerSettings { proofs: Proofs::ALL, ..broker };
    let more: BTreeMap<_, _> = sandbox.broker_environment(&all).into_iter().collect();
    let more: Vec<_> = more.into_iter().filter(|(name, _)| !environment.contains_key(name)).collect();
    let expected = [
        ("CHALLENGE_HOST", CHALLENGE_HOST.to_owned()),
        ("CHALLENGE_URL", sandbox.challenge_url()),
        ("MANAGED_ZONE", format!("{MANAGED_ZONE}:{}", sandbox.managed_zone())),
    ];
    assert_eq!(more, expected.map(|(name, value)| (name.to_owned(), value)));
}

#[tokio::test]
async fn cloudfront_of_this_account_may_read_the_challenge_bucket() {
    let state = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(Settings::new(state.path())).await.unwrap();
    let request = Request::get(format!("{}/{BUCKET}?policy", sandbox.aws().url()))
        .header("authorization", "AWS4-HMAC-SHA256 Credential=TEST/20260101/us-east-1/s3/aws4_request")
        .body(Full::default())
        .unwrap();
    let policy = web::send("", request).await.unwrap();
    let policy: Value = serde_json::from_slice(policy.body()).unwrap();
    let statement = &policy["Statement"][0];
    assert_eq!(statement["Principal"]["Service"], "cloudfront.amazonaws.com");
    assert_eq!(statement["Action"], "s3:GetObject");
    assert_eq!(statement["Condition"]["StringEquals"]["AWS:SourceAccount"], sandbox::aws::ACCOUNT);
}

#[tokio::test]
async fn dns_leads_to_the_edge_and_to_the_origin() {
    let state = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(Settings::new(state.path())).await.unwrap();
    sandbox.dns().set_cname("www.example.gov", "d111111abcdef8.cloudfront.net").unwrap();
    let edge = sandbox.edge().https().ip();
    assert_eq!(sandbox.dns().look_up("www.example.gov").await.unwrap(), [edge]);
    assert_eq!(sandbox.edge().http().ip(), edge);
    let origin = sandbox.origin().https().ip();
    assert_eq!(sandbox.dns().look_up(DEFAULT_ORIGIN).await.unwrap(), [origin]);
}

#[tokio::test]
async fn a_broker_that_ends_at_once_is_quoted() {
    let state = tempfile::tempdir().unwrap();
    let log = state.path().join("broker.log");
    let environment = vec![("PORT".to_owned(), "1".to_owned())];
    // `false` takes the argument and ends with 1, as a broker with a broken environment would.
    let started = BrokerProcess::start(Path::new("/bin/false"), environment, log).await;
    let error = started.err().map(|error| format!("{error:#}")).unwrap_or_default();
    assert!(error.contains("cdn-broker ended at once: exit status: 1"), "{error}");
}

#[tokio::test]
async fn the_managed_zone_is_hosted_and_answered_for() {
    let state = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(Settings::new(state.path())).await.unwrap();
    let zone = sandbox.aws().state().hosted_zones.remove(0);
    assert_eq!((zone.name.as_str(), zone.id.as_str()), (MANAGED_ZONE, sandbox.managed_zone()));
    for number in [0, 512] {
        let name = format!("ns-{number}.awsdns-00.{}", if number == 0 { "com" } else { "net" });
        let server = if number == 0 { NameServer::First } else { NameServer::Second };
        assert_eq!(sandbox.dns().look_up(&name).await.unwrap(), [sandbox.dns().server(server).ip()]);
    }
}
