//! No secret leaves the program: not in a log at any level, not in an answer, not in what a command prints.

use anyhow::{Context, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use sandbox::{BrokerProcess, BrokerSettings};
use serde_json::json;

use crate::house::{House, program, provision_body};

const ID: &str = "3f1c9a52-0000-4000-8000-000000000072";
const FAILING: &str = "3f1c9a52-0000-4000-8000-000000000073";

const AWS_SECRET: &str = "aws-secret-0b7d33f1";
const AWS_TOKEN: &str = "aws-session-token-44c1";
const PASSWORD: &str = "platform-password-91e2";
const OTHER_PASSWORD: &str = "other-password-c07a";
const GUESS: &str = "a-wrong-guess-5d55";

/// A broker that says everything it can, with secrets that can be told from everything else.
async fn talkative(house: &mut House) -> anyhow::Result<(BrokerSettings, Vec<(String, String)>)> {
    let mut settings = house.settings()?;
    PASSWORD.clone_into(&mut settings.password);
    let mut environment = house.sandbox.broker_environment(&settings);
    environment.retain(|(name, _)| name != "AWS_SECRET_ACCESS_KEY");
    for (name, value) in [
        ("LOG", "trace"),
        ("LOG_FORMAT", "json"),
        ("AWS_SECRET_ACCESS_KEY", AWS_SECRET),
        ("AWS_SESSION_TOKEN", AWS_TOKEN),
        ("BROKER_CREDENTIALS", &format!("other:{OTHER_PASSWORD}")),
    ] {
        environment.push((name.to_owned(), value.to_owned()));
    }
    house.sandbox.route_broker(settings.port);
    let log = house.sandbox.state().join("broker.log");
    house.brokers.push(BrokerProcess::start(&program("cdn-broker")?, environment.clone(), log).await?);
    Ok((settings, environment))
}

/// What the platform reads, with the right password or a wrong one.
async fn ask(
    house: &House,
    password: &str,
    method: Method,
    path: &str,
    body: &str,
) -> anyhow::Result<String> {
    let broker = house.brokers.first().context("no broker runs")?;
    let request = http::Request::builder()
        .method(method)
        .uri(format!("{}{path}", broker.url()))
        .header("authorization", format!("Basic {}", STANDARD.encode(format!("sandbox:{password}"))))
        .header("x-broker-api-version", "2.15")
        .header("content-type", "application/json")
        .body(body.to_owned().into())?;
    let answer = sandbox::Client::trusting("")?.send(request).await?;
    Ok(format!("{:?} {}", answer.headers(), String::from_utf8_lossy(answer.body())))
}

/// What a command prints, on both ways, in the environment of the broker.
async fn printed(environment: &[(String, String)], arguments: &[&str]) -> anyhow::Result<String> {
    let mut command = tokio::process::Command::new(program("cdn-broker")?);
    command.args(arguments).env_clear().envs(environment.iter().cloned()).kill_on_drop(true);
    let output = tokio::time::timeout(crate::house::BOUND, command.output()).await;
    let output = output.with_context(|| format!("cdn-broker {arguments:?} does not end"))??;
    Ok([output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_any_log_answer_or_output() -> anyhow::Result<()> {
    let mut house = House::without_broker(|settings| {
        settings.authority.authorization_reuse_percent = 100;
    })
    .await?;
    let (settings, environment) = talkative(&mut house).await?;
    let mut seen = told_in_a_life(&house).await?;
    seen.extend(printed_by_commands(&environment).await?);
    let delete = format!(
        "{}?accepts_incomplete=true&service_id={}&plan_id={}",
        path(ID),
        crate::house::SERVICE_ID,
        crate::house::PLAN_ID
    );
    seen.push(ask(&house, PASSWORD, Method::DELETE, &delete, "").await?);
    house.brokers[0].stop().await?;
    seen.push(house.log()?);
    ensure!(house.log()?.contains("\"level\":\"TRACE\""), "it has not logged everything");
    check(&settings, &seen)
}

fn path(id: &str) -> String {
    format!("/v2/service_instances/{id}")
}

/// What is answered in a life: created, proven, looked at; another one that is refused, and one that never gets on.
async fn told_in_a_life(house: &House) -> anyhow::Result<Vec<String>> {
    let mut seen = Vec::new();
    let put = |id: &str| format!("{}?accepts_incomplete=true", path(id));
    let body = provision_body(&json!({"domain": "www.example.gov"})).to_string();
    seen.push(ask(house, GUESS, Method::PUT, &put(ID), &body).await?);
    seen.push(ask(house, PASSWORD, Method::PUT, &put(ID), &body).await?);
    let records = sandbox::wait_for("the records", crate::house::BOUND, || async {
        let told = ask(house, PASSWORD, Method::GET, &format!("{}/last_operation", path(ID)), "").await?;
        let description = told.replace("\\\"", "\"").replace("\\n", "\n");
        let records = crate::house::records_in(&description);
        Ok((!records.is_empty()).then_some(records))
    })
    .await?;
    for (name, value) in records {
        house.sandbox.dns().set_txt(&name, vec![value])?;
    }
    sandbox::wait_for("the end of the provision", crate::house::BOUND, || async {
        let told = ask(house, PASSWORD, Method::GET, &format!("{}/last_operation", path(ID)), "").await?;
        ensure!(!told.contains("\"failed\""), "{told}");
        Ok(told.contains("\"succeeded\"").then_some(()))
    })
    .await?;
    seen.push(ask(house, PASSWORD, Method::GET, &path(ID), "").await?);
    seen.push(ask(house, PASSWORD, Method::GET, "/v2/catalog", "").await?);
    let bad = provision_body(&json!({"domain": "not a domain"})).to_string();
    seen.push(ask(house, PASSWORD, Method::PUT, &put(FAILING), &bad).await?);
    let waiting = provision_body(&json!({"domain": "nobody.example.gov"})).to_string();
    seen.push(ask(house, PASSWORD, Method::PUT, &put(FAILING), &waiting).await?);
    Ok(seen)
}

/// What commands print, also where the environment is wrong.
async fn printed_by_commands(environment: &[(String, String)]) -> anyhow::Result<Vec<String>> {
    let mut seen = Vec::new();
    for arguments in [
        vec!["instances", "renew", ID, "--json"],
        vec!["instances", "list", "--json"],
        vec!["instances", "show", ID],
        vec!["instances", "show", ID, "--json"],
        vec!["instances", "history", ID, "--json"],
        vec!["instances", "retry", FAILING, "--no-wait", "--json"],
        vec!["reconcile", "--json"],
        vec!["keys", "list", "--json"],
        vec!["keys", "rotate", "--json"],
    ] {
        seen.push(printed(environment, &arguments).await?);
    }
    // A broken environment is complained of without what was in it.
    let mut broken = environment.to_vec();
    broken.retain(|(name, _)| name != "BUCKET" && name != "DATABASE_URL");
    broken.push(("DATABASE_URL".to_owned(), format!("mysql://user:{OTHER_PASSWORD}@db/x")));
    seen.push(printed(&broken, &["serve"]).await?);
    Ok(seen)
}

fn check(settings: &BrokerSettings, seen: &[String]) -> anyhow::Result<()> {
    let (_, sealing_key) = settings.encryption_keys.split_once(':').context("a key has a name")?;
    let basic = |user: &str, password: &str| STANDARD.encode(format!("{user}:{password}"));
    let secrets = [
        AWS_SECRET.to_owned(),
        AWS_TOKEN.to_owned(),
        PASSWORD.to_owned(),
        OTHER_PASSWORD.to_owned(),
        GUESS.to_owned(),
        basic("sandbox", PASSWORD),
        basic("sandbox", GUESS),
        sealing_key.to_owned(),
        // The beginnings of private keys: in PEM, and in the Base64 of PKCS #8 for RSA and P-256.
        "PRIVATE KEY".to_owned(),
        "PRIVATE+KEY".to_owned(),
        "PRIVATE%20KEY".to_owned(),
        "MIIEvQIBADANBgkqhkiG9w0BAQ".to_owned(),
        "MIIEvAIBADANBgkqhkiG9w0BAQ".to_owned(),
        "MIIEvgIBADANBgkqhkiG9w0BAQ".to_owned(),
        "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg".to_owned(),
    ];
    for text in seen {
        for secret in &secrets {
            let found = text.lines().find(|line| line.contains(secret.as_str()));
            let shown = found.map(|line| line.chars().take(400).collect::<String>());
            ensure!(shown.is_none(), "`{secret}` is in: {}", shown.unwrap_or_default());
        }
    }
    Ok(())
}
