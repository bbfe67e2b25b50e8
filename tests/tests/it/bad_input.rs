//! Bad input gets a clear sentence and changes nothing, anywhere.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::{House, program};

const ID: &str = "3f1c9a52-0000-4000-8000-000000000002";

fn bad_parameters() -> Vec<(Value, &'static str)> {
    let many: Vec<String> = (0..101).map(|i| format!("w{i}.example.gov")).collect();
    vec![
        (json!({}), "`domain`"),
        (json!({"domain": ""}), "`domain`"),
        (json!({"domain": "   "}), "`domain`"),
        (json!({"domain": "my site.gov"}), "`my site.gov`"),
        (json!({"domain": "localhost"}), "`localhost`"),
        (json!({"domain": "https://www.example.gov"}), "`https://www.example.gov`"),
        (json!({"domain": "192.0.2.7"}), "`192.0.2.7`"),
        (json!({"domain": "2001:db8::7"}), "`2001:db8::7`"),
        (json!({"domain": "a.gov,b.gov,A.gov."}), "`a.gov`"),
        (json!({"domains": many}), "101"),
        (json!({"domain": format!("{}.gov", "x".repeat(64))}), "63"),
        (json!({"domain": format!("{}gov", "abcdefghi.".repeat(26))}), "253"),
        (json!({"domain": 7}), "`7`"),
        (json!({"domain": {"name": "a.gov"}}), "`domain`"),
        (json!({"domains": ["a.gov", 7]}), "`7`"),
        (json!({"domain": "a.gov", "colour": "red"}), "`colour`"),
        (json!({"domain": "a.gov", "cookies": "some"}), "`\"some\"`"),
        (json!({"domain": "a.gov", "origin": "http://b"}), "`http://b`"),
        (json!({"domain": "a.gov", "insecure_origin": true}), "`insecure_origin`"),
        (json!({"domain": "a.gov", "default_ttl": -1}), "`default_ttl`"),
        (json!({"domain": "a.gov", "error_responses": {"418": "/x"}}), "`418`"),
        (json!({"domain": "a.gov", "error_responses": {"404": "x"}}), "`x`"),
        (json!({"domain": "a.gov", "cache_policy": "x"}), "`CachingOptimized`"),
        (json!({"domain": "a.gov", "cache_policy": "CachingDisabled", "cookies": []}), "`cookies`"),
        (json!({"domain": "a.gov", "origin_request_policy": "x"}), "`AllViewer`"),
        (json!({"domain": "a.gov", "price_class": "x"}), "`PriceClass_100`"),
        (json!({"domain": "a.gov", "minimum_tls": "SSLv3"}), "`TLSv1.2_2021`"),
        (json!({"domain": "a.gov", "compress": "x"}), "`compress`"),
        (json!({"domain": "a.gov", "hsts": 1}), "`hsts`"),
        (json!({"domain": "a.gov", "logging": true}), "`logging`"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_parameter_is_a_400_with_nothing_stored_and_nothing_called() -> anyhow::Result<()> {
    let house = House::start().await?;
    for (parameters, named) in bad_parameters() {
        let answer = house.provision(ID, parameters.clone()).await?;
        assert_eq!(answer.status, 400, "{parameters}: {answer:?}");
        assert!(answer.text("description").contains(named), "{parameters}: {answer:?}");
    }
    assert!(house.sandbox.aws().journal().iter().all(|entry| entry.service == "s3"), "the cloud was called");
    assert!(house.sandbox.authority().gate().requests().is_empty(), "the authority was called");
    assert_eq!(house.poll(ID).await?.status, 404);
    assert_eq!(house.deprovision(ID).await?.status, 410);
    Ok(())
}

/// Sends bytes as they are and reads all that comes back.
async fn raw(house: &House, request: &str) -> anyhow::Result<String> {
    let url = house.brokers[0].url();
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// R1, R18, S1: a body that is large, or that does not come, keeps nobody from being told what the head has decided.
#[tokio::test(flavor = "multi_thread")]
async fn r1_r18_credentials_version_and_route_come_before_the_body() -> anyhow::Result<()> {
    let house = House::start().await?;
    let large = format!("content-length: 200000\r\n\r\n{}", "x".repeat(200_000));
    let slow = "content-length: 100\r\n\r\nx".to_owned();
    let password = format!("authorization: Basic {}\r\n", STANDARD.encode("sandbox:sandbox"));
    let both = format!("{password}x-broker-api-version: 2.15\r\n");
    let instance = format!("/v2/service_instances/{ID}");
    let ids = format!("service_id={}&plan_id={}", broker::SERVICE_ID, broker::PLAN_ID);
    for (start, headers, expected) in [
        (format!("PUT {instance}"), "", "401 Unauthorized"),
        (format!("PUT {instance}"), &password, "412 Precondition Failed"),
        ("PUT /v2/nope".to_owned(), &both, "404 Not Found"),
        ("POST /v2/catalog".to_owned(), &both, "405 Method Not Allowed"),
        (format!("DELETE {instance}?accepts_incomplete=true&{ids}"), &both, "410 Gone"),
        ("GET /admin".to_owned(), "", "401 Unauthorized"),
    ] {
        for body in [&large, &slow] {
            let answer = raw(&house, &format!("{start} HTTP/1.1\r\nhost: b\r\n{headers}{body}")).await?;
            assert!(answer.starts_with(&format!("HTTP/1.1 {expected}\r\n")), "{start}: {answer}");
        }
    }
    let put = format!("PUT {instance}?accepts_incomplete=true HTTP/1.1\r\nhost: b\r\n{both}");
    let answer = raw(&house, &format!("{put}{large}")).await?;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    Ok(())
}

#[test]
fn every_mistake_in_the_environment_is_listed_at_once_with_exit_code_64() -> anyhow::Result<()> {
    let output = Command::new(program("cdn-broker")?)
        .arg("serve")
        .env_clear()
        .env("PORT", "eighty")
        .env("ACME_URL", "https://acme-v01.api.letsencrypt.org/directory")
        .env("BROKER_PASSWORD", "hunter2")
        .output()?;
    let complaint = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(64), "{complaint}");
    for name in [
        "PORT",
        "BROKER_USERNAME",
        "DATABASE_URL",
        "DATABASE_ENCRYPTION_KEYS",
        "EMAIL",
        "BUCKET",
        "DEFAULT_ORIGIN",
    ] {
        assert!(complaint.contains(name), "{name} is not in:\n{complaint}");
    }
    assert!(!complaint.contains("hunter2"));
    Ok(())
}

/// What is enough to be told of nothing else.
const ENOUGH: [(&str, &str); 8] = [
    ("BROKER_USERNAME", "user"),
    ("BROKER_PASSWORD", "a-password-of-the-platform"),
    ("DATABASE_URL", "sqlite:///no/such/folder/broker.db"),
    ("DATABASE_ENCRYPTION_KEYS", "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    ("EMAIL", "ops@example.gov"),
    ("ACME_URL", "https://ca.example/directory"),
    ("BUCKET", "challenges"),
    ("DEFAULT_ORIGIN", "apps.example.gov"),
];

/// Code, and what is printed on both ways, with one variable more.
fn with(name: &str, value: &str, arguments: &[&str]) -> anyhow::Result<(Option<i32>, String)> {
    let mut command = Command::new(program("cdn-broker")?);
    let output = command.args(arguments).env_clear().envs(ENOUGH).env(name, value).output()?;
    let printed = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok((output.status.code(), printed.concat()))
}

#[test]
fn a_password_in_a_url_is_refused_and_never_printed() -> anyhow::Result<()> {
    for (name, value) in [
        ("ACME_URL", "https://u:hunter2@localhost:39129/dir"),
        ("CHECK_ACME_URL", "https://u:hunter2@localhost:39129/dir"),
        ("API_ADDRESS", "http://u:hunter2@127.0.0.1:1"),
        ("CHALLENGE_URL", "https://u:hunter2@broker.example/.well-known/acme-challenge"),
        ("PUBLIC_URL", "https://u:hunter2@broker.example"),
        ("CANARY_API_URL", "https://u:hunter2@broker.example"),
        ("AWS_ENDPOINT_URL", "http://u:hunter2@localhost:4566"),
        ("CDN_AWS_ENDPOINT_URL_S3", "http://u:hunter2@localhost:4566"),
        ("ALERT_WEBHOOK_URL", "https://u:hunter2@hooks.example"),
        ("CANARY_ORIGIN", "u:hunter2@apps.example"),
    ] {
        for arguments in [&["serve"][..], &["config", "check"], &["config", "check", "--json"]] {
            let (code, printed) = with(name, value, arguments)?;
            assert_eq!(code, Some(64), "{name}, {arguments:?}: {printed}");
            let named = printed.contains(name.trim_start_matches("CDN_"));
            assert!(named && !printed.contains("hunter2"), "{name}, {arguments:?}: {printed}");
        }
    }
    Ok(())
}

#[test]
fn a_filter_of_the_log_that_is_none_is_a_mistake_as_every_other() -> anyhow::Result<()> {
    for (filter, named) in
        [("cdn_broker=!!", "`cdn_broker=!!`"), ("info,a=b=c", "`a=b=c`"), ("info, debug", "` debug`")]
    {
        for arguments in [&["serve"][..], &["config", "check"]] {
            let (code, printed) = with("LOG", filter, arguments)?;
            assert_eq!(code, Some(64), "{filter}: {printed}");
            let told = printed.contains(&format!("{named} is no directive"));
            assert!(told && !printed.contains("ignoring"), "{filter}: {printed}");
        }
    }
    Ok(())
}

#[test]
fn credentials_of_a_service_that_are_none_are_a_mistake_that_does_not_repeat_them() -> anyhow::Result<()> {
    let services = r#"{"a": [{"name": "x", "credentials": "hunter2"}]}"#;
    let (code, printed) = with("VCAP_SERVICES", services, &["config", "check"])?;
    assert_eq!(code, Some(64), "{printed}");
    assert!(printed.contains("the credentials of the service x are not a JSON object"), "{printed}");
    assert!(!printed.contains("hunter2"), "{printed}");
    Ok(())
}

#[test]
fn wrong_usage_is_exit_code_64_and_help_is_0() -> anyhow::Result<()> {
    for (arguments, code) in [(vec!["no-such-command"], 64), (vec!["serve", "--help"], 0), (vec![], 64)] {
        let output = Command::new(program("cdn-broker")?).args(&arguments).output()?;
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    }
    Ok(())
}

#[test]
fn the_policies_name_the_bucket_and_the_account() -> anyhow::Result<()> {
    let arguments = ["aws", "policy", "--account", "111111111111", "--bucket", "my-challenges", "--json"];
    let output = Command::new(program("cdn-broker")?).args(arguments).output()?;
    assert!(output.status.success());
    let policies: Value = serde_json::from_slice(&output.stdout)?;
    assert!(policies["iam_policy"].to_string().contains("arn:aws:s3:::my-challenges"));
    assert!(policies["bucket_policy"].to_string().contains("111111111111"));
    Ok(())
}
