use std::collections::{BTreeMap, BTreeSet};

use super::*;

impl Variables for BTreeMap<&str, &str> {
    fn get(&self, name: &str) -> Option<String> {
        BTreeMap::get(self, name).map(|&value| value.to_owned())
    }

    fn is_terminal(&self) -> bool {
        false
    }
}

pub(super) fn complete() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        ("BROKER_USERNAME", "user"),
        ("BROKER_PASSWORD", "secret"),
        ("DATABASE_URL", "sqlite://broker.db"),
        ("DATABASE_ENCRYPTION_KEYS", "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("EMAIL", "ops@example.gov"),
        ("ACME_URL", "https://acme-v02.api.letsencrypt.org/directory"),
        ("BUCKET", "challenges"),
        ("DEFAULT_ORIGIN", "apps.example.gov"),
    ])
}

fn mistakes(variables: &BTreeMap<&str, &str>) -> Vec<String> {
    Config::read(variables).err().expect("mistakes")
}

#[test]
fn the_limits_are_those_of_the_directory_unless_something_else_is_said() {
    let read = |value: Option<&'static str>| {
        let mut variables = complete();
        variables.extend(value.map(|value| ("ACME_LIMITS", value)));
        Config::read(&variables).map(|config| config.acme.limits)
    };
    assert_eq!(read(None), Ok(acme_core::Limits::lets_encrypt()));
    assert_eq!(read(Some("letsencrypt-staging")), Ok(acme_core::Limits::lets_encrypt_staging()));
    assert_eq!(read(Some("none")), Ok(acme_core::Limits::none()));
    let mistakes = read(Some("some")).unwrap_err();
    assert!(mistakes.iter().any(|mistake| mistake.contains("ACME_LIMITS")), "{mistakes:?}");
}

#[test]
fn durable_proofs_come_first_with_a_profile_that_leaves_no_time() {
    let read = |more: &[(&'static str, &'static str)]| {
        let mut variables = complete();
        variables.extend(more.iter().copied());
        Config::read(&variables).map(|config| config.acme.is_durable_first())
    };
    let (short, url) = (("ACME_PROFILE", "shortlived"), ("CHALLENGE_URL", "https://broker.example/"));
    assert_eq!(read(&[]), Ok(false));
    assert_eq!(read(&[("ACME_PROFILE", "classic")]), Ok(false));
    assert_eq!(read(&[short, url]), Ok(true));
    assert_eq!(read(&[("ACME_DURABLE_FIRST", "always"), url]), Ok(true));
    assert_eq!(read(&[short, ("ACME_DURABLE_FIRST", "never")]), Ok(false));
    for (wrong, told) in [
        (vec![short], "under the profile `shortlived`"),
        (vec![("ACME_DURABLE_FIRST", "always")], "MANAGED_ZONE or CHALLENGE_URL has to be set"),
        (vec![("ACME_DURABLE_FIRST", "now")], "ACME_DURABLE_FIRST"),
    ] {
        let mistakes = read(&wrong).unwrap_err();
        assert!(mistakes.iter().any(|mistake| mistake.contains(told)), "{mistakes:?}");
    }
}

#[test]
fn the_environment_of_todays_broker_with_keys_is_enough() {
    let config = Config::read(&complete()).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    assert_eq!(config.http.address.to_string(), "0.0.0.0:3000");
    assert_eq!(config.aws.iam_path_prefix, "letsencrypt");
    assert_eq!(config.service.key_type, KeyType::Rsa2048);
    assert_eq!(config.service.provision_proof_wait, Duration::from_hours(144));
    assert_eq!(config.service.update_proof_wait, Duration::from_hours(1));
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.service.reconcile_every, Some(Duration::from_hours(24)));
    assert!(!config.service.reconcile_fix);
}

#[test]
fn the_catalog_is_built_in_or_a_file_whose_mistakes_are_all_reported() {
    let folder = tempfile::tempdir().unwrap();
    let read = |content: &str, acl: bool| {
        let file = folder.path().join("catalog.json");
        std::fs::write(&file, content).unwrap();
        let path = file.display().to_string();
        let mut variables = complete();
        let arn = "arn:aws:wafv2:us-east-1:1:global/webacl/a/b";
        let more = [("CATALOG_FILE", path.as_str()), ("WAF_WEB_ACL_ARN", if acl { arn } else { "" })];
        variables.extend(more);
        Config::read(&variables).map(|config| config.service.offering.catalog.services[0].plans.len())
    };
    let built_in = Config::read(&complete()).map(|config| config.service.offering.catalog.offered()).unwrap();
    assert_eq!(built_in.services[0].plans.len(), 1);
    let example = include_str!("../../../../docs/catalog-example.json");
    assert_eq!(read(example, true), Ok(3));
    let found = read(example, false).unwrap_err();
    assert!(found.len() == 1 && found[0].contains("WAF_WEB_ACL_ARN"), "{found:?}");
    let broken = example.replace("\"small\"", "\"a b\"").replace("\"MONTHLY\"", "7");
    let found = read(&broken, true).unwrap_err();
    assert!(found.len() >= 3 && found.iter().all(|mistake| mistake.starts_with("CATALOG_FILE")), "{found:?}");
    let mut variables = complete();
    variables.insert("CATALOG_FILE", "/no/such/catalog.json");
    assert!(mistakes(&variables)[0].contains("/no/such/catalog.json"));
}

#[test]
fn nobody_reconciles_unless_it_is_wanted() {
    let mut variables = complete();
    variables.extend([("RECONCILE_EVERY", "never"), ("RECONCILE_FIX", "true")]);
    let service = Config::read(&variables).map(|config| config.service).unwrap();
    assert_eq!((service.reconcile_every, service.reconcile_fix), (None, true));
}

#[test]
fn every_missing_variable_is_named_at_once() {
    let found = mistakes(&BTreeMap::new()).join("\n");
    for name in [
        "BROKER_USERNAME",
        "BROKER_PASSWORD",
        "DATABASE_URL",
        "DATABASE_ENCRYPTION_KEYS",
        "EMAIL",
        "ACME_URL",
        "BUCKET",
        "DEFAULT_ORIGIN",
    ] {
        assert!(found.contains(name), "{name} is not in:\n{found}");
    }
}

/// Each is a mistake by itself.
const WRONG: &[(&str, &str)] = &[
    ("PORT", "http"),
    ("BIND_ADDRESS", "everywhere"),
    ("BROKER_CREDENTIALS", "hunter2"),
    ("DATABASE_URL", "mysql://hunter2@db/x"),
    ("DATABASE_ENCRYPTION_KEYS", "k1:hunter2"),
    ("TLS_CERT", "/no/such/file.pem"),
    ("ACME_URL", "https://acme-v01.api.letsencrypt.org/directory"),
    ("ACME_ROOT_CA", "/no/such/file.pem"),
    ("ACME_EAB_KID", "kid-alone"),
    ("CERTIFICATE_KEY_TYPE", "rsa1024"),
    ("DEFAULT_ORIGIN", "http://apps"),
    ("DNS_RESOLVERS", "dns.example"),
    ("PROOF_DNS_PORT", "0"),
    ("PROOF_HTTP_PORT", "http"),
    ("PROOF_HTTPS_PORT", "65536"),
    ("PROOF_ALLOW_PRIVATE_ADDRESSES", "maybe"),
    ("LOG_BUCKET", "logs.s3.us-west-2.amazonaws.com"),
    ("WAF_WEB_ACL_ARN", "my-acl"),
    ("CHALLENGE_URL", "broker.example"),
    ("CHALLENGE_HOST", "http://front.example"),
    ("MANAGED_ZONE", "cdn.example.gov"),
    ("PUBLIC_URL", "broker.example"),
    ("PROVISION_PROOF_WAIT", "soon"),
    ("UPDATE_PROOF_WAIT", "-1h"),
    ("STEP_TIMEOUT", "0s"),
    ("RECONCILE_EVERY", "daily"),
    ("RECONCILE_FIX", "yes"),
    ("LOG", "cdn_broker=!!"),
    ("LOG", "info,a=b=c"),
    ("LOG", "info, debug"),
    ("LOG_FORMAT", "xml"),
    ("ACME_URL", "https://u:hunter2@localhost:39129/dir"),
    ("CHECK_ACME_URL", "https://u:hunter2@localhost:39129/dir"),
    ("CHALLENGE_URL", "https://u:hunter2@broker.example/"),
    ("PUBLIC_URL", "https://u:hunter2@broker.example"),
    ("CANARY_API_URL", "https://u:hunter2@broker.example"),
    ("AWS_ENDPOINT_URL", "http://u:hunter2@localhost:4566"),
    ("AWS_ENDPOINT_URL_S3", "u:hunter2@localhost:4566"),
    ("AWS_ENDPOINT_URL_STS", "localhost:4566"),
    ("METRICS_PORT", "0"),
    ("ALERT_WEBHOOK_URL", "hooks.example/hunter2"),
    ("ALERT_WEBHOOK_FORMAT", "teams"),
    ("SMTP_URL", "smtp://user:hunter2@mail.example?tls=none"),
    ("ALERT_ROOT_CA", "/no/such/file.pem"),
];

#[test]
fn every_wrong_variable_is_named_without_its_secret() {
    for &(name, value) in WRONG {
        let mut variables = complete();
        variables.insert(name, value);
        let found = mistakes(&variables);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        let about = if name == "ACME_EAB_KID" { "ACME_EAB_HMAC_KEY" } else { name };
        assert!(found[0].contains(about), "{name}: {found:?}");
        assert!(!found[0].contains("hunter2"), "{name}: {found:?}");
    }
}

#[test]
fn a_filter_of_the_log_may_look_into_spans() {
    for filter in ["info,acme_core=debug", r#"[work{name="a b"}]=debug"#, "hyper=off,broker::checks"] {
        let mut variables = complete();
        variables.insert("LOG", filter);
        assert_eq!(Config::read(&variables).map(|config| config.log.filter), Ok(filter.to_owned()));
    }
}

#[test]
fn what_is_set_up_for_proofs_goes_together() {
    let with = |more: &[(&'static str, &'static str)]| {
        let mut variables = complete();
        variables.extend(more.iter().copied());
        Config::read(&variables).map_err(|mistakes| mistakes.join("; "))
    };
    let (url, host) = ("https://broker.example.gov/.well-known/acme-challenge", "challenges.example.gov");
    let zone = "cdn.example.gov.:/hostedzone/Z0123456789ABCDEFGHIJ";
    let config = with(&[("CHALLENGE_URL", url), ("CHALLENGE_HOST", host), ("MANAGED_ZONE", zone)]).unwrap();
    let shown = config.proofs.managed_zone.as_ref().map(DomainName::as_str);
    assert_eq!(
        (shown, config.proofs.challenge_url.as_ref().map(AsRef::as_ref)),
        (Some("cdn.example.gov"), Some(url))
    );
    assert_eq!(config.aws.managed_zone.unwrap().id, "Z0123456789ABCDEFGHIJ");

    let mistake = with(&[("CHALLENGE_HOST", host), ("CHALLENGE_URL", url)]).err().unwrap();
    assert!(mistake.starts_with("CHALLENGE_HOST") && mistake.contains("MANAGED_ZONE"), "{mistake}");
    for (url, wrong) in [
        ("https://broker.example.gov:8443/", "80 and 443"),
        ("https://user@broker.example.gov/", "without user"),
        ("ftp://broker.example.gov/", "a URL"),
    ] {
        let mistake = with(&[("CHALLENGE_URL", url)]).err().unwrap();
        assert!(mistake.starts_with("CHALLENGE_URL") && mistake.contains(wrong), "{mistake}");
    }
    let laboratory = [("CHALLENGE_URL", "http://broker.example.gov:8080/x"), ("PROOF_HTTP_PORT", "8080")];
    assert!(with(&laboratory).is_ok());
    for zone in ["cdn.example.gov:", ":Z0123", "*.cdn.example.gov:Z0123", "cdn:Z0123", "cdn.example.gov:Z-1"]
    {
        assert!(with(&[("MANAGED_ZONE", zone)]).is_err(), "{zone}");
    }
}

#[test]
fn pages_are_found_where_the_broker_is() {
    let read = |more: &[(&'static str, &'static str)]| {
        let mut variables = complete();
        variables.extend(more.iter().copied());
        Config::read(&variables).map(|config| config.http.public_url)
    };
    let at = |origin: &str| Ok(Some(::broker::PublicUrl::new(origin)));
    let challenges = ("CHALLENGE_URL", "https://broker.example.gov/.well-known/acme-challenge");
    assert_eq!(read(&[]), Ok(None));
    assert_eq!(read(&[challenges]), at("https://broker.example.gov"));
    assert_eq!(read(&[("CHALLENGE_URL", "http://broker.example.gov/.well-known/acme-challenge")]), Ok(None));
    assert_eq!(read(&[challenges, ("PUBLIC_URL", "none")]), Ok(None));
    assert_eq!(
        read(&[challenges, ("PUBLIC_URL", "https://cdn.example.gov/")]),
        at("https://cdn.example.gov")
    );
    assert_eq!(read(&[("PUBLIC_URL", "http://127.0.0.1:3000")]), at("http://127.0.0.1:3000"));
    for (url, wrong) in [
        ("http://cdn.example.gov", "in the clear"),
        ("https://cdn.example.gov/broker", "without user, path"),
        ("https://user@cdn.example.gov", "without user, path"),
        ("ftp://cdn.example.gov", "https://HOST"),
    ] {
        let mistakes = read(&[("PUBLIC_URL", url)]).unwrap_err().join("; ");
        assert!(mistakes.starts_with("PUBLIC_URL") && mistakes.contains(wrong), "{mistakes}");
    }
}

#[test]
fn the_platform_is_asked_with_address_client_and_secret() {
    let read = |more: &[(&'static str, &'static str)]| {
        let mut variables = complete();
        variables.extend(more.iter().copied());
        Config::read(&variables).map(|config| config.platform.map(|platform| platform.api_address))
    };
    let (api, id, secret) =
        (("API_ADDRESS", "https://api.example.gov"), ("CLIENT_ID", "id"), ("CLIENT_SECRET", "hunter2"));
    assert_eq!(read(&[]), Ok(None));
    assert_eq!(read(&[api, id, secret]), Ok(Some("https://api.example.gov".to_owned())));
    for (wrong, told) in [
        (vec![id, secret], "API_ADDRESS is not set, but one of CLIENT_ID and CLIENT_SECRET is"),
        (vec![api, secret], "CLIENT_ID is not set"),
        (vec![api, id], "CLIENT_SECRET is not set"),
        (
            vec![("API_ADDRESS", "http://api.example.gov"), id, secret],
            "API_ADDRESS cannot be used: plain http",
        ),
        (
            vec![("API_ADDRESS", "http://u:hunter2@127.0.0.1:1"), id, secret],
            "API_ADDRESS cannot be used: it is the URL of the platform's API alone, without user",
        ),
        (vec![("API_ROOT_CA", "/no/such/file.pem")], "API_ROOT_CA names the file"),
    ] {
        let mistakes = read(&wrong).unwrap_err();
        assert!(mistakes.len() == 1 && mistakes[0].starts_with(told), "{told}: {mistakes:?}");
    }
}

#[test]
fn users_are_signed_on_where_everything_is_there_for_it() {
    let read = |more: &[(&'static str, &'static str)]| {
        let mut variables = complete();
        variables.extend(more.iter().copied());
        Config::read(&variables).map(|config| config.http.dashboard_client.map(|client| client.redirect_uri))
    };
    let (id, secret) = (("DASHBOARD_CLIENT_ID", "cdn-pages"), ("DASHBOARD_CLIENT_SECRET", "hunter2"));
    let url = ("PUBLIC_URL", "https://broker.example.gov");
    let platform =
        [("API_ADDRESS", "https://api.example.gov"), ("CLIENT_ID", "id"), ("CLIENT_SECRET", "secret")];
    let with = |more: &[(&'static str, &'static str)]| read(&[&platform, more].concat());
    assert_eq!(with(&[url]), Ok(None));
    assert_eq!(with(&[url, id, secret]), Ok(Some("https://broker.example.gov/sso/callback".to_owned())));
    for (mistakes, told) in [
        (with(&[url, id]), "DASHBOARD_CLIENT_SECRET is not set"),
        (with(&[url, secret]), "DASHBOARD_CLIENT_ID is not set"),
        (with(&[id, secret]), "DASHBOARD_CLIENT_ID signs nobody on"),
        (read(&[url, id, secret]), "DASHBOARD_CLIENT_ID signs nobody on"),
    ] {
        let mistakes = mistakes.unwrap_err().join("; ");
        assert!(mistakes.starts_with(told) && !mistakes.contains("hunter2"), "{mistakes}");
    }
}

#[test]
fn the_prefix_works_for_each_and_wins() {
    let mut variables = complete();
    variables.insert("PORT", "1");
    variables.insert("CDN_PORT", "8080");
    assert_eq!(Config::read(&variables).ok().map(|config| config.http.address.port()), Some(8080));
}

#[test]
fn several_credentials_may_be_in_force_at_once() {
    let mut variables = complete();
    variables.insert("BROKER_CREDENTIALS", "old:a,new:b:c");
    assert_eq!(Config::read(&variables).ok().map(|config| config.http.credentials.len()), Some(3));
}

/// Everything that can be said at once. A row of the table that needs more than this to be read belongs in here.
#[test]
fn every_variable_of_the_table_is_read_and_no_other() {
    let mut variables = complete();
    variables.extend([
        ("BROKER_CREDENTIALS", "old:a"),
        ("ACME_EAB_KID", "kid"),
        ("ACME_EAB_HMAC_KEY", "aGVsbG8"),
    ]);
    let mut reader = Reader::new(&variables);
    assert!(Config::understand(&mut reader).is_some(), "{:?}", reader.into_mistakes());
    let ours = table::all().map(|variable| variable.name);
    assert_eq!(reader.asked().keys().copied().collect::<BTreeSet<_>>(), ours.collect());
    assert_eq!(reader.into_mistakes(), Vec::<String>::new());
}

#[test]
fn the_table_names_each_variable_once() {
    let names: Vec<&str> = table::all().map(|variable| variable.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    for variable in table::all() {
        let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        assert!(variable.name.bytes().all(plain), "{}: the prefix CDN_ is understood", variable.name);
        assert!(!variable.text.contains(['|', '\n']), "{}: one cell of a table", variable.name);
        assert!(!variable.text.ends_with('.') && !variable.text.is_empty(), "{}", variable.name);
    }
}

#[test]
fn a_variable_that_is_not_in_the_table_cannot_be_read() {
    let variables = BTreeMap::from([("FANCY", "1")]);
    let mut reader = Reader::new(&variables);
    assert_eq!(reader.optional("FANCY"), None);
    assert_eq!(reader.into_mistakes(), ["FANCY is not in the table of variables (config/table.rs)"]);
}

#[test]
fn the_value_of_a_secret_is_never_repeated() {
    let variables = BTreeMap::from([("BROKER_PASSWORD", "hunter2"), ("PORT", "hunter2")]);
    let mut reader = Reader::new(&variables);
    for name in ["BROKER_PASSWORD", "PORT"] {
        assert_eq!(reader.parsed(name, |_| Err::<(), _>("no")), None);
    }
    assert_eq!(reader.into_mistakes(), ["BROKER_PASSWORD cannot be used: no", "PORT is `hunter2`: no"]);
}

#[test]
fn aws_is_met_with_the_keys_that_are_given_or_as_the_sdk_finds_them() {
    let read = |more: &[(&'static str, &'static str)]| {
        let mut variables = complete();
        variables.extend(more.iter().copied());
        Config::read(&variables).map(|config| config.aws)
    };
    let (id, secret) = (("CDN_AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "hunter2"));
    let none = read(&[]).unwrap();
    assert!(none.keys.is_none() && none.region.is_none());
    let aws = read(&[id, secret, ("AWS_DEFAULT_REGION", "eu-west-1")]).unwrap();
    let keys = aws.keys.unwrap();
    assert_eq!((keys.access_key_id.as_str(), keys.secret_access_key.expose()), ("AKID", &b"hunter2"[..]));
    assert_eq!(aws.region.as_deref(), Some("eu-west-1"));
    for (alone, missing) in [(id, "AWS_SECRET_ACCESS_KEY"), (secret, "AWS_ACCESS_KEY_ID")] {
        let mistakes = read(&[alone]).unwrap_err();
        assert!(mistakes.len() == 1 && mistakes[0].starts_with(missing), "{mistakes:?}");
    }
}

#[test]
fn the_environment_of_an_earlier_broker_is_told_what_of_it_is_not_needed() {
    let mut variables = complete();
    assert!(retired(&variables).is_empty());
    variables.extend([
        ("CDN_SCHEDULE", "0 0 * * * *"),
        ("USER_ID_POOL", "1,2"),
        ("AWS_DEFAULT_REGION", "us-gov-west-1"),
    ]);
    assert!(Config::read(&variables).is_ok());
    let told = retired(&variables);
    assert!(told.len() == 2 && told[0].starts_with("SCHEDULE is not needed any more: "), "{told:?}");
}

/// What `external-domain-broker` needs to know of what this one does.
fn of_external_domain() -> BTreeMap<&'static str, &'static str> {
    let mut variables = complete();
    for name in ["ACME_URL", "DEFAULT_ORIGIN"] {
        variables.remove(name);
    }
    variables.extend([
        ("FLASK_ENV", "production"),
        ("DNS_ROOT_DOMAIN", "domains.example.gov"),
        ("ROUTE53_ZONE_ID", "Z0123456789ABCDEFGHIJ"),
        ("DEFAULT_CLOUDFRONT_ORIGIN", "apps.example.gov"),
        ("AWS_COMMERCIAL_REGION", "us-west-2"),
        ("AWS_COMMERCIAL_ACCESS_KEY_ID", "AKIDOLD"),
        ("AWS_COMMERCIAL_SECRET_ACCESS_KEY", "hunter2"),
        ("CDN_LOG_BUCKET", "logs.s3.amazonaws.com"),
        ("SMTP_HOST", "smtp.example.gov"),
    ]);
    variables
}

#[test]
fn the_names_of_external_domain_broker_are_understood() {
    let config = Config::read(&of_external_domain()).unwrap();
    assert_eq!(config.acme.directory_url, "https://acme-v02.api.letsencrypt.org/directory");
    assert_eq!(config.service.default_origin.as_str(), "apps.example.gov");
    assert_eq!(config.proofs.managed_zone.unwrap().as_str(), "domains.example.gov");
    assert_eq!(config.aws.managed_zone.unwrap().id, "Z0123456789ABCDEFGHIJ");
    assert_eq!(config.aws.iam_path_prefix, "external-domains-production");
    assert_eq!(config.aws.log_bucket.as_deref(), Some("logs"));
    assert_eq!(config.aws.region.as_deref(), Some("us-west-2"));
    assert_eq!(config.aws.keys.unwrap().access_key_id, "AKIDOLD");
    let told = retired(&of_external_domain());
    assert!(
        told.len() == 1 && told[0].starts_with("SMTP_HOST is not read: for alerts by mail set SMTP_URL"),
        "{told:?}"
    );
}

#[test]
fn our_own_names_go_before_those_of_external_domain_broker() {
    let mut variables = of_external_domain();
    variables.extend([
        ("FLASK_ENV", "development"),
        ("DEFAULT_ORIGIN", "other.example.gov"),
        ("AWS_REGION", "us-east-1"),
        ("MANAGED_ZONE", "cdn.example.gov:ZOTHER"),
    ]);
    let config = Config::read(&variables).unwrap();
    assert_eq!(config.acme.directory_url, "https://acme-staging-v02.api.letsencrypt.org/directory");
    assert_eq!(config.service.default_origin.as_str(), "other.example.gov");
    assert_eq!(config.proofs.managed_zone.unwrap().as_str(), "cdn.example.gov");
    assert_eq!(config.aws.region.as_deref(), Some("us-east-1"));
    // Other programs have a FLASK_ENV, too.
    let mut others = complete();
    others.insert("FLASK_ENV", "development");
    let config = Config::read(&others).unwrap();
    assert_eq!(config.aws.iam_path_prefix, "letsencrypt");
    variables.insert("FLASK_ENV", "laboratory");
    assert!(mistakes(&variables).iter().any(|mistake| mistake.starts_with("ACME_URL is not set")));
}
