//! What `/metrics` of a running broker shows, and whether the documentation, the rules and the dashboard speak of the same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use sandbox::{BrokerSettings, Client, wait_for};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::house::{BOUND, House};

const ID: &str = "3f1c9a52-0000-4000-8000-000000000911";
const READER: (&str, &str) = ("prometheus", "reads");

fn variables(settings: &mut BrokerSettings, more: &[(&str, &str)]) {
    settings.more.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
}

/// A broker whose metrics are on the API's port, and which keeps account of limits.
async fn measured() -> anyhow::Result<House> {
    let mut house = House::without_broker(|_| {}).await?;
    let mut settings = house.settings()?;
    "p256".clone_into(&mut settings.key_type);
    "expiry".clone_into(&mut settings.checks);
    let wanted = [
        ("CHECKS_EVERY", "expiry=1s"),
        ("METRICS_USERNAME", READER.0),
        ("METRICS_PASSWORD", READER.1),
        ("ACME_LIMITS", "letsencrypt-staging"),
    ];
    variables(&mut settings, &wanted);
    house.add_broker(&settings).await?;
    Ok(house)
}

async fn ask(url: &str, method: Method, who: Option<(&str, &str)>) -> anyhow::Result<Response<Bytes>> {
    let mut request = Request::builder().method(method).uri(format!("{url}/metrics"));
    if let Some((user, password)) = who {
        let credential = STANDARD.encode(format!("{user}:{password}"));
        request = request.header("authorization", format!("Basic {credential}"));
    }
    Client::trusting("")?.send(request.body(Full::default())?).await
}

/// What somebody with a wrong password reads at the API.
async fn guess_at_the_api(url: &str) -> anyhow::Result<u16> {
    let request = Request::get(format!("{url}/v2/catalog"))
        .header("authorization", format!("Basic {}", STANDARD.encode("sandbox:guessed")))
        .header("x-broker-api-version", "2.17")
        .body(Full::default())?;
    Ok(Client::trusting("")?.send(request).await?.status().as_u16())
}

async fn read(house: &House) -> anyhow::Result<String> {
    let answer = ask(&house.brokers[0].url(), Method::GET, Some(READER)).await?;
    ensure!(answer.status() == 200, "{answer:?}");
    Ok(String::from_utf8(answer.into_body().to_vec())?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_life_is_counted_and_everything_that_is_documented_is_shown() -> anyhow::Result<()> {
    let house = measured().await?;
    house.provisioned(ID, &["www.example.gov"]).await?;
    let seen = |text: &str| {
        let wanted =
            ["cdn_broker_instances{state=\"ready\"} 1", "cdn_broker_check_age_seconds{check=\"expiry\"}"];
        wanted.iter().all(|sample| text.contains(sample)).then(|| text.to_owned())
    };
    let page =
        wait_for("everything to be counted", BOUND, || async { Ok(seen(&read(&house).await?)) }).await?;
    for sample in [
        "cdn_broker_database_up 1",
        "cdn_broker_certificates 1",
        "cdn_broker_certificates_expiring{within_days=\"0\"} 0",
        "cdn_broker_operations{kind=\"provision\",state=\"working\"} 0",
        "cdn_broker_operations_ended_total{kind=\"provision\",state=\"succeeded\"} 1",
        "cdn_broker_incidents_open{side=\"aws\"} 0",
        "cdn_broker_check_failing{check=\"expiry\"} 0",
        "cdn_broker_ledger_capacity{limit=\"orders\"} 1500.0",
        "cdn_broker_upstream_requests_total{upstream=\"cdn\",call=\"CreateDistributionWithTags\",code=\"201\"} 1",
        "cdn_broker_upstream_requests_total{upstream=\"vault\",call=\"UploadServerCertificate\",code=\"200\"} 1",
        "cdn_broker_upstream_requests_total{upstream=\"authority\",call=\"newOrder\",code=\"201\"} 1",
        "cdn_broker_step_duration_seconds_count{kind=\"provision\",step=\"create-distribution\"} ",
        "cdn_broker_build_info{version=\"",
    ] {
        ensure!(page.contains(sample), "`{sample}` is not in:\n{page}");
    }
    assert_eq!(documented()?, shown(&page), "docs/METRICS.md lists what is shown");
    is_well_formed(&page).await?;
    spoken_of("docs/prometheus/alerts.yml", &page)?;
    spoken_of("docs/prometheus/dashboard.json", &page)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_may_reads_the_metrics() -> anyhow::Result<()> {
    let mut house = measured().await?;
    let url = house.brokers[0].url();
    for who in [None, Some(("sandbox", "sandbox")), Some((READER.0, "wrong"))] {
        let refused = ask(&url, Method::GET, who).await?;
        ensure!(refused.status() == 401 && refused.headers().contains_key("www-authenticate"), "{refused:?}");
        says_why(&refused)?;
    }
    let posted = ask(&url, Method::POST, Some(READER)).await?;
    assert_eq!((posted.status().as_u16(), &posted.headers()["allow"]), (405, &"GET, HEAD".parse()?));
    says_why(&posted)?;
    // Where neither variable is set there is nothing: the protocol answers, as on any other path.
    let mut plain = house.settings()?;
    let beside = BrokerSettings { database_url: plain.database_url.clone(), ..house.settings()? };
    house.add_broker(&beside).await?;
    let nothing = ask(&house.brokers[1].url(), Method::GET, Some(("sandbox", "sandbox"))).await?;
    assert_eq!(nothing.status(), 412);
    // On a port of its own nobody needs a credential, and the API's port shows nothing.
    let port = house.settings()?.port;
    variables(&mut plain, &[("METRICS_PORT", &port.to_string())]);
    house.add_broker(&plain).await?;
    let there = ask(&format!("http://127.0.0.1:{port}"), Method::GET, None).await?;
    ensure!(there.status() == 200 && there.body().starts_with(b"# HELP"), "{there:?}");
    let beside = ask(&format!("http://127.0.0.1:{port}/beside"), Method::GET, None).await?;
    assert_eq!(beside.status(), 404);
    says_why(&beside)?;
    let elsewhere = ask(&house.brokers[2].url(), Method::GET, Some(("sandbox", "sandbox"))).await?;
    assert_eq!(elsewhere.status(), 412);
    Ok(())
}

/// Whatever is refused is refused with a JSON object, here as at the API.
fn says_why(refused: &Response<Bytes>) -> anyhow::Result<()> {
    let body: Value = serde_json::from_slice(refused.body())?;
    ensure!(body["description"].as_str().is_some_and(|text| text.ends_with('.')), "{refused:?}");
    Ok(())
}

/// `promtool` is of Debian's package `prometheus`.
#[tokio::test]
async fn the_alert_rules_do_what_their_tests_say() -> anyhow::Result<()> {
    let folder = root().join("docs/prometheus");
    for arguments in [["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]] {
        let ended = Command::new("promtool").args(arguments).current_dir(&folder).output().await;
        let ended = ended.context("promtool cannot be started: run `make setup`")?;
        ensure!(ended.status.success(), "{arguments:?}: {ended:?}");
    }
    let (rules, tests) = (
        std::fs::read_to_string(folder.join("alerts.yml"))?,
        std::fs::read_to_string(folder.join("alerts_test.yml"))?,
    );
    for name in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        let fires = format!("alertname: {name}\n        exp_alerts:\n");
        ensure!(tests.contains(&fires), "no test lets {name} fire");
        let rests = format!("alertname: {name}, exp_alerts: []");
        ensure!(tests.contains(&rests), "no test lets {name} rest");
    }
    Ok(())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names that a page describes.
fn shown(page: &str) -> BTreeSet<String> {
    let described = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    described.map(str::to_owned).collect()
}

/// The names in the table of docs/METRICS.md.
fn documented() -> anyhow::Result<BTreeSet<String>> {
    let text = std::fs::read_to_string(root().join("docs/METRICS.md"))?;
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    Ok(rows.filter(|name| name.starts_with("cdn_broker_")).map(str::to_owned).collect())
}

/// Every metric that a file speaks of is shown. Histograms are asked for by their parts.
fn spoken_of(file: &str, page: &str) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(root().join(file))?;
    if Path::new(file).extension().is_some_and(|extension| extension == "json") {
        let dashboard: Value = serde_json::from_str(&text)?;
        let panels = dashboard["panels"].as_array().context("no panels")?;
        ensure!(panels.iter().all(|panel| panel["targets"][0]["expr"].is_string()), "a panel asks nothing");
    }
    let (shown, mut found) = (shown(page), 0);
    for (start, _) in text.match_indices("cdn_broker_") {
        let rest = &text[start..];
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(rest.len());
        let name = &rest[..end];
        let whole = ["_bucket", "_count", "_sum"].iter().find_map(|part| name.strip_suffix(part));
        let is_shown = shown.contains(name) || whole.is_some_and(|whole| shown.contains(whole));
        ensure!(is_shown, "{file} speaks of `{name}`, which no broker shows");
        found += 1;
    }
    ensure!(found > 10, "{file} speaks of {found} metrics only");
    Ok(())
}

/// Prometheus itself finds nothing wrong with names, types and help.
async fn is_well_formed(page: &str) -> anyhow::Result<()> {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("promtool cannot be started: run `make setup`")?;
    promtool.stdin.take().context("no stdin")?.write_all(page.as_bytes()).await?;
    let ended = promtool.wait_with_output().await?;
    ensure!(ended.status.success(), "{ended:?}");
    Ok(())
}

/// R118: wrong passwords at the metrics are counted with those at the API; who has the right one is let in all the same.
#[tokio::test(flavor = "multi_thread")]
async fn r118_wrong_passwords_at_the_metrics_are_those_of_the_api() -> anyhow::Result<()> {
    let house = measured().await?;
    let url = house.brokers[0].url();
    // More come back one by one: a slow machine needs a few more tries.
    let refused = wait_for("too many wrong passwords", BOUND, || async {
        let answer = ask(&url, Method::GET, Some((READER.0, "guessed"))).await?;
        ensure!([401, 429].contains(&answer.status().as_u16()), "{answer:?}");
        Ok((answer.status() == 429).then_some(answer))
    });
    let refused = refused.await?;
    assert!(refused.headers().contains_key("retry-after"), "{refused:?}");
    says_why(&refused)?;
    let at_the_api = wait_for("the API to count the same", BOUND, || async {
        let answer = guess_at_the_api(&url).await?;
        Ok((answer == 429).then_some(()))
    });
    at_the_api.await?;
    assert_eq!(ask(&url, Method::GET, Some(READER)).await?.status(), 200);
    Ok(())
}
