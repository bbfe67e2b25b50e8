//! The environment, read once: the variables of docs/CONFIGURATION.md. Every mistake is reported, not only the first.

mod broker;
mod proofs;
mod reader;
mod upstream;
mod variables;

use std::time::Duration;

use contract::{DomainName, KeyType};

use self::reader::Reader;
pub(crate) use self::variables::{Environment, Variables};

/// Everything the operator can say.
pub(crate) struct Config {
    pub(crate) http: HttpConfig,
    pub(crate) store: store::StoreSettings,
    pub(crate) acme: acme_core::AcmeSettings,
    pub(crate) probe: acme_core::ProbeSettings,
    /// `CHALLENGE_URL`, `CHALLENGE_HOST` and `MANAGED_ZONE`.
    pub(crate) proofs: acme_core::ProofSettings,
    pub(crate) aws: cloudfront_core::AwsSettings,
    pub(crate) service: ServiceConfig,
    pub(crate) log: LogConfig,
}

/// Where the API listens and who may ask.
pub(crate) struct HttpConfig {
    /// `BIND_ADDRESS` and `PORT`.
    pub(crate) address: std::net::SocketAddr,
    /// `BROKER_USERNAME` and `BROKER_PASSWORD`, `BROKER_CREDENTIALS`.
    pub(crate) credentials: Vec<osb_core::Credential>,
}

/// What the service does for its users.
pub(crate) struct ServiceConfig {
    /// `DEFAULT_ORIGIN`.
    pub(crate) default_origin: DomainName,
    /// `CERTIFICATE_KEY_TYPE`.
    pub(crate) key_type: KeyType,
    /// `PROVISION_PROOF_WAIT`.
    pub(crate) provision_proof_wait: Duration,
    /// `UPDATE_PROOF_WAIT`.
    pub(crate) update_proof_wait: Duration,
    /// `STEP_TIMEOUT`.
    pub(crate) step_timeout: Duration,
    /// `DEPLOYMENT_POLL`.
    pub(crate) deployment_poll: Duration,
    /// `RECONCILE_EVERY`; `None` for never.
    pub(crate) reconcile_every: Option<Duration>,
    /// `RECONCILE_FIX`.
    pub(crate) reconcile_fix: bool,
}

/// What is logged, and how.
pub(crate) struct LogConfig {
    /// `LOG`.
    pub(crate) filter: String,
    /// `LOG_FORMAT`.
    pub(crate) format: LogFormat,
}

/// The two forms of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl Config {
    /// Reads everything, or says everything that is wrong.
    pub(crate) fn read(variables: &dyn Variables) -> Result<Self, Vec<String>> {
        let mut reader = Reader::new(variables);
        let http = broker::http(&mut reader);
        let store = broker::store(&mut reader);
        let acme = upstream::acme(&mut reader);
        let probe = upstream::probe(&mut reader);
        let proofs = proofs::proofs(&mut reader, probe.as_ref());
        if let (Some(acme), Some((proofs, _))) = (&acme, &proofs) {
            proofs::check_durable(&mut reader, acme, proofs);
        }
        let aws = upstream::aws(&mut reader);
        let service = broker::service(&mut reader);
        let log = broker::log(&mut reader);
        match (reader.into_mistakes(), http, store, acme, probe, proofs, aws, service, log) {
            (
                mistakes,
                Some(http),
                Some(store),
                Some(acme),
                Some(probe),
                Some((proofs, managed_zone)),
                Some(aws),
                Some(service),
                Some(log),
            ) if mistakes.is_empty() => {
                let aws = cloudfront_core::AwsSettings { managed_zone, ..aws };
                Ok(Self { http, store, acme, probe, proofs, aws, service, log })
            }
            (mistakes, ..) => Err(mistakes),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    impl Variables for BTreeMap<&str, &str> {
        fn get(&self, name: &str) -> Option<String> {
            BTreeMap::get(self, name).map(|&value| value.to_owned())
        }

        fn is_terminal(&self) -> bool {
            false
        }
    }

    fn complete() -> BTreeMap<&'static str, &'static str> {
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

    #[test]
    fn every_wrong_variable_is_named_without_its_secret() {
        for (name, value) in [
            ("PORT", "http"),
            ("BIND_ADDRESS", "everywhere"),
            ("BROKER_CREDENTIALS", "hunter2"),
            ("DATABASE_URL", "mysql://hunter2@db/x"),
            ("DATABASE_ENCRYPTION_KEYS", "k1:hunter2"),
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
            ("LOG_BUCKET", "logs.s3.amazonaws.com"),
            ("WAF_WEB_ACL_ARN", "my-acl"),
            ("CHALLENGE_URL", "broker.example"),
            ("CHALLENGE_HOST", "http://front.example"),
            ("MANAGED_ZONE", "cdn.example.gov"),
            ("PROVISION_PROOF_WAIT", "soon"),
            ("UPDATE_PROOF_WAIT", "-1h"),
            ("STEP_TIMEOUT", "0s"),
            ("RECONCILE_EVERY", "daily"),
            ("RECONCILE_FIX", "yes"),
            ("LOG_FORMAT", "xml"),
        ] {
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
    fn what_is_set_up_for_proofs_goes_together() {
        let with = |more: &[(&'static str, &'static str)]| {
            let mut variables = complete();
            variables.extend(more.iter().copied());
            Config::read(&variables).map_err(|mistakes| mistakes.join("; "))
        };
        let (url, host) = ("https://broker.example.gov/.well-known/acme-challenge", "challenges.example.gov");
        let zone = "cdn.example.gov.:/hostedzone/Z0123456789ABCDEFGHIJ";
        let config =
            with(&[("CHALLENGE_URL", url), ("CHALLENGE_HOST", host), ("MANAGED_ZONE", zone)]).unwrap();
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
        for zone in
            ["cdn.example.gov:", ":Z0123", "*.cdn.example.gov:Z0123", "cdn:Z0123", "cdn.example.gov:Z-1"]
        {
            assert!(with(&[("MANAGED_ZONE", zone)]).is_err(), "{zone}");
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
}
