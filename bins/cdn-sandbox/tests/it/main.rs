//! The program from the outside: its exit codes, its line, its end.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// Kills a program that a failing test would leave behind.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
    }
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_cdn-sandbox"))
}

fn run(arguments: &[&str]) -> anyhow::Result<Output> {
    Ok(program().args(arguments).output()?)
}

#[test]
fn serve_says_where_everything_is_and_ends_on_sigterm() {
    let state = tempfile::tempdir().unwrap();
    let mut command = program();
    command.args(["serve", "--emulators-only", "--state"]).arg(state.path()).stdout(Stdio::piped());
    let mut running = Running(command.spawn().unwrap());
    let mut output = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let ready: Value = serde_json::from_str(&output.next().unwrap().unwrap()).unwrap();

    for field in [
        "broker",
        "username",
        "password",
        "service_id",
        "plan_id",
        "aws",
        "acme_directory",
        "acme_root",
        "dns",
        "dns_admin",
        "edge_http",
        "edge_https",
        "broker_host",
        "challenge_url",
        "challenge_host",
        "router_http",
        "router_https",
        "challenge_host_http",
        "managed_zone",
        "sites_admin",
        "admin",
        "database",
    ] {
        assert!(ready[field].as_str().is_some_and(|value| !value.is_empty()), "no {field} in {ready}");
    }
    assert!(Path::new(ready["acme_root"].as_str().unwrap()).is_file());
    assert_eq!(ready["environment"]["ACME_URL"], ready["acme_directory"]);
    for (variable, field) in [
        ("CHALLENGE_URL", "challenge_url"),
        ("CHALLENGE_HOST", "challenge_host"),
        ("MANAGED_ZONE", "managed_zone"),
    ] {
        assert_eq!(ready["environment"][variable], ready[field], "{variable}");
    }
    assert_eq!(
        ready["broker"],
        format!("http://127.0.0.1:{}", ready["environment"]["PORT"].as_str().unwrap())
    );

    let asked = Command::new("kill").args(["-TERM", &running.0.id().to_string()]).status().unwrap();
    assert!(asked.success());
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
    assert!(output.next().is_none(), "one line and no more");
}

#[test]
fn wrong_usage_is_64_and_help_shows_an_example() {
    for wrong in [&["bogus"][..], &[], &["serve", "--dns-port", "many"], &["demo", "--deploy-seconds", "-1"]]
    {
        assert_eq!(run(wrong).unwrap().status.code(), Some(64), "{wrong:?}");
    }
    for command in ["serve", "demo", "walkthrough"] {
        let help = run(&[command, "--help"]).unwrap();
        assert_eq!(help.status.code(), Some(0));
        assert!(String::from_utf8_lossy(&help.stdout).contains("Example:\n  cdn-sandbox"), "{command}");
    }
}

/// The numbers of a row: DNS changes, seconds to HTTPS, CA requests, failed challenges.
fn numbers<'a>(table: &'a str, method: &str) -> Vec<&'a str> {
    let row = table.lines().find_map(|line| line.trim_start().strip_prefix(method)).unwrap_or_default();
    let cells = row.split("  ").map(str::trim).filter(|cell| !cell.is_empty());
    // The first tells what the owner did.
    cells.skip(1).collect()
}

#[test]
fn a_demo_of_all_proofs_compares_them_in_a_table() {
    let delays = ["--deploy-seconds", "1", "--iam-propagation-seconds", "1"];
    let output = program().args(["demo", "--all-proofs"]).args(delays).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}\n{complained}");
    let (_, table) = said.split_once("Every way to prove a domain:\n").unwrap();
    for (method, dns_changes) in [
        ("managed name", "1"),
        ("redirected, 301 to http", "1"),
        ("redirected, 308 to https", "1"),
        ("delegated, with wildcard", "3"),
        ("TXT record", "2"),
        ("three domains, three ways", "4"),
        ("renewal through the CDN", "0"),
    ] {
        let [changes, seconds, requests, failed] = numbers(table, method)[..] else {
            panic!("four numbers for `{method}`: {table}")
        };
        assert_eq!((changes, failed), (dns_changes, "0"), "{method}: {table}");
        assert!(seconds.parse::<f64>().is_ok(), "{method}: {table}");
        // An order, its authorization, the answer to it, the certificate: less cannot be.
        assert!(requests.parse::<usize>().is_ok_and(|requests| requests >= 4), "{method}: {table}");
    }
    assert!(said.contains("✓ see that nothing is left in the cloud"), "{said}");
}

const WALKTHROUGH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/WALKTHROUGH.md");

/// Played again, the document says the same.
#[test]
fn the_walkthrough_says_what_is_so() {
    let output = run(&["walkthrough", WALKTHROUGH, "--check"]).unwrap();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{complained}");
}

#[test]
fn a_walkthrough_that_says_what_is_not_so_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("short.md");
    let command = "$ cf enable-service-access cdn-route\n";
    let begin =
        "$ cf create-service-broker b $BROKER_USERNAME $BROKER_PASSWORD https://cdn-broker.example.net\n";
    let said = "Creating service broker b as admin...\nOK\n\n";
    std::fs::write(&document, format!("```console\n{begin}{said}{command}Enabled.\n```\n")).unwrap();
    let output = run(&["walkthrough", document.to_str().unwrap(), "--check"]).unwrap();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{complained}");
    assert!(complained.contains("- Enabled.\n+ Enabling access to all plans"), "{complained}");
}

#[test]
fn a_demo_without_a_broker_says_how_to_get_one() {
    let output = run(&["demo", "--broker", "/no/such/program"]).unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("/no/such/program") && said.contains("cargo build -p cdn-broker"), "{said}");
}

#[test]
fn a_demo_whose_broker_fails_quotes_it() {
    let output = run(&["demo", "--broker", "/bin/false"]).unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("cdn-broker ended at once"), "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("✗ start the broker"));
}

/// Four days on which a rule changes: each is told by the check that names it, and what is served stays.
#[test]
fn a_demo_of_incidents_tells_how_soon_the_operator_knows() {
    let output = program().args(["demo", "--incident"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}\n{complained}");
    let (_, table) = said.split_once("the rule that changed").unwrap();
    for (change, check, in_flight) in [
        ("April 2019", "cloudfront-contract", "failed"),
        ("stricter certificates", "cloudfront-contract", "failed"),
        ("an ETag is required", "s3-contract", "succeeded"),
        ("HTTP-01 is dropped", "acme-issue", "succeeded"),
    ] {
        let row = table.lines().find(|line| line.trim_start().starts_with(change)).unwrap_or_default();
        for part in [check, "2 of 2", in_flight] {
            assert!(row.contains(part), "{part} is not in `{row}`: {table}");
        }
    }
    for told in [
        "AWS has changed a rule. It was: CloudFront takes a name and a certificate that covers it in one update.",
        "Every provision, and every update that adds a domain, hands over both so",
        "the authority does not offer the challenge http-01 any more",
        "One second of this demo stands for 4 minutes",
    ] {
        assert!(said.contains(told), "{told} is not in {said}");
    }
}
