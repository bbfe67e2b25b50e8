use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::config::reader::Source;

/// What a variable is with these in the environment, and where that comes from.
fn read(variables: &[(&str, &str)], name: &str) -> Result<Option<(String, String)>, Vec<String>> {
    let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
    let mut reader = Reader::new(&variables);
    let value = reader.optional(name);
    let source = match reader.source(name) {
        Some(Source::Environment(name)) => name.clone(),
        Some(Source::Service(service)) => service.clone(),
        _ => String::new(),
    };
    let mistakes = reader.into_mistakes();
    if mistakes.is_empty() { Ok(value.map(|value| (value, source))) } else { Err(mistakes) }
}

#[expect(clippy::unnecessary_wraps, reason = "it is compared with what is read")]
fn found(value: &str, source: &str) -> Result<Option<(String, String)>, Vec<String>> {
    Ok(Some((value.to_owned(), source.to_owned())))
}

fn one_mistake(read: Result<Option<(String, String)>, Vec<String>>, says: &str) {
    let mistakes = read.unwrap_err();
    assert!(mistakes.len() == 1 && mistakes[0].contains(says), "{says}: {mistakes:?}");
}

fn vcap(services: &Value) -> String {
    services.to_string()
}

/// As `cf env` shows it.
fn platform() -> Value {
    json!({
        "aws-rds": [{
            "name": "cdn-db", "label": "aws-rds", "tags": ["database", "PostgreSQL"],
            "credentials": {"uri": "postgres://u:p@db.example:5432/cdn", "password": "p"}
        }],
        "user-provided": [{
            "name": "cdn-secrets", "label": "user-provided", "tags": [],
            "credentials": {"BROKER_PASSWORD": "hunter2", "email": "ops@example.gov", "PORT": 8080, "other": {"a": 1}}
        }]
    })
}

#[test]
fn a_database_is_found_by_its_tag_its_kind_its_uri_or_its_parts() {
    let url = "postgres://u:p@db.example:5432/cdn";
    let of = |kind: &str, binding: Value| {
        read(&[("VCAP_SERVICES", &vcap(&json!({kind: [binding]})))], "DATABASE_URL")
    };
    assert_eq!(read(&[("VCAP_SERVICES", &vcap(&platform()))], "DATABASE_URL"), found(url, "service cdn-db"));
    let uri = json!({"uri": url});
    assert_eq!(of("postgresql-11", json!({"name": "a", "credentials": uri})), found(url, "service a"));
    assert_eq!(of("user-provided", json!({"name": "b", "credentials": uri})), found(url, "service b"));
    let parts = json!({"host": "db.example", "username": "u@x", "password": "p/%:", "db_name": "my cdn", "port": 5433});
    let put_together = "postgres://u%40x:p%2F%25%3A@db.example:5433/my%20cdn";
    assert_eq!(
        of("p-postgres", json!({"name": "c", "credentials": parts})),
        found(put_together, "service c")
    );
    assert_eq!(of("mysql", json!({"name": "d", "credentials": {"uri": "mysql://u:p@h/x"}})), Ok(None));
    one_mistake(of("postgres", json!({"name": "e", "credentials": {"host": "h"}})), "service e has neither");
}

#[test]
fn of_several_databases_one_has_to_be_named() {
    let database = |name: &str| json!({"name": name, "tags": ["postgres"], "credentials": {"uri": format!("postgres://u:hunter2@{name}/x")}});
    let services = vcap(&json!({"rds": [database("one"), database("two")]}));
    let several = read(&[("VCAP_SERVICES", &services)], "DATABASE_URL");
    one_mistake(several.clone(), "one, two; name one with DATABASE_SERVICE");
    assert!(!format!("{several:?}").contains("hunter2"));
    let named =
        |name: &str| read(&[("VCAP_SERVICES", &services), ("DATABASE_SERVICE", name)], "DATABASE_URL");
    assert_eq!(named("two"), found("postgres://u:hunter2@two/x", "service two"));
    one_mistake(named("three"), "`three`, which is not bound; bound are: one, two");
    // Whoever says where the database is does not need to choose.
    let explicit = [("VCAP_SERVICES", services.as_str()), ("DATABASE_URL", "sqlite://x.db")];
    assert_eq!(read(&explicit, "DATABASE_URL"), found("sqlite://x.db", "DATABASE_URL"));
}

#[test]
fn user_provided_services_carry_variables_and_the_environment_wins() {
    let services = vcap(&platform());
    let of = |name: &str, more: &[(&str, &str)]| {
        let mut variables = vec![("VCAP_SERVICES", services.as_str())];
        variables.extend(more);
        read(&variables, name)
    };
    assert_eq!(of("BROKER_PASSWORD", &[]), found("hunter2", "service cdn-secrets, BROKER_PASSWORD"));
    assert_eq!(of("EMAIL", &[]), found("ops@example.gov", "service cdn-secrets, email"));
    assert_eq!(of("PORT", &[]), found("8080", "service cdn-secrets, PORT"));
    assert_eq!(of("BROKER_PASSWORD", &[("BROKER_PASSWORD", "set")]), found("set", "BROKER_PASSWORD"));
    assert_eq!(
        of("EMAIL", &[("CDN_EMAIL", "cdn@x.gov"), ("EMAIL", "x@x.gov")]),
        found("cdn@x.gov", "CDN_EMAIL")
    );
    assert_eq!(of("BUCKET", &[]), Ok(None));
    // What a database says is no variable.
    let mut other = platform();
    other["aws-rds"][0]["credentials"]["BUCKET"] = json!("no");
    assert_eq!(read(&[("VCAP_SERVICES", &vcap(&other))], "BUCKET"), Ok(None));
}

#[test]
fn two_services_must_not_contradict_each_other() {
    let services = |other: &str| {
        let service = |name: &str, email: &str| json!({"name": name, "credentials": {"EMAIL": email}});
        vcap(&json!({"user-provided": [service("a", "a@x.gov"), service("b", other)]}))
    };
    assert_eq!(
        read(&[("VCAP_SERVICES", &services("a@x.gov"))], "EMAIL"),
        found("a@x.gov", "service a, EMAIL")
    );
    one_mistake(read(&[("VCAP_SERVICES", &services("b@x.gov"))], "EMAIL"), "EMAIL is given by two services");
}

#[test]
fn a_text_that_is_none_is_said_without_repeating_it() {
    for wrong in ["hunter2", "[]", r#"{"a": "hunter2"}"#] {
        let read = read(&[("VCAP_SERVICES", wrong)], "EMAIL");
        one_mistake(read.clone(), "VCAP_SERVICES cannot be used: it is not a JSON object");
        assert!(!format!("{read:?}").contains("hunter2"));
    }
    let text = r#"{"a": [{"name": "x", "credentials": "hunter2"}]}"#;
    let wrong = read(&[("VCAP_SERVICES", text)], "EMAIL");
    one_mistake(wrong.clone(), "the credentials of the service x are not a JSON object");
    assert!(!format!("{wrong:?}").contains("hunter2"));
    let without = r#"{"a": [{"name": "x", "credentials": null}]}"#;
    assert_eq!(read(&[("VCAP_SERVICES", without)], "EMAIL"), Ok(None));
    one_mistake(
        read(&[("VCAP_SERVICES_FILE_PATH", "/no/such/file")], "EMAIL"),
        "`/no/such/file` cannot be read",
    );
    one_mistake(
        read(&[("SERVICE_BINDING_ROOT", "/no/such/folder")], "EMAIL"),
        "`/no/such/folder` cannot be read",
    );
}

fn write(root: &Path, files: &[(&str, &str)]) {
    for (path, content) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

#[test]
fn the_same_text_may_come_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("vcap.json", &vcap(&platform()))]);
    let path = folder.path().join("vcap.json").display().to_string();
    let url = found("postgres://u:p@db.example:5432/cdn", "service cdn-db");
    assert_eq!(read(&[("VCAP_SERVICES_FILE_PATH", &path)], "DATABASE_URL"), url);
}

#[test]
fn a_folder_for_each_binding_with_a_file_for_each_key() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            ("cdn-db/type", "aws-rds"),
            ("cdn-db/provider", "aws-rds"),
            ("cdn-db/tags", r#"["database","postgresql"]"#),
            ("cdn-db/name", "cdn-db"),
            ("cdn-db/host", "db.example\n"),
            ("cdn-db/username", "u"),
            ("cdn-db/password", "p w"),
            ("cdn-db/database", "cdn"),
            ("cdn-db/..data/password", "not this"),
            ("secrets/type", "user-provided\n"),
            ("secrets/broker-password", "hunter2\n"),
            ("secrets/plan", "none"),
            ("..2026/secrets/email", "not this"),
            ("a-file", "not a binding"),
        ],
    );
    let root = folder.path().display().to_string();
    let of = |name: &str| read(&[("SERVICE_BINDING_ROOT", &root)], name);
    assert_eq!(of("DATABASE_URL"), found("postgres://u:p%20w@db.example:5432/cdn", "service cdn-db"));
    assert_eq!(of("BROKER_PASSWORD"), found("hunter2", "service secrets, broker-password"));
    assert_eq!(of("EMAIL"), Ok(None));
}
