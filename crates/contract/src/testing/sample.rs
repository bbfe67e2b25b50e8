//! Test data that is complete and plausible, so that a test says only what it is about.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{
    Behaviour, CertificateBundle, CertificateFacts, CertificateRequest, Change, Delivery, DistributionSpec,
    DomainName, Instance, InstanceId, InstanceState, KeyType, Operation, OperationId, OperationKind,
    OperationState, Origin, OriginalRequest, Reference, Secret, Serving, Settings, Timestamp, Track,
};

/// How long the sample certificates are valid, as those of Let's Encrypt's `classic` profile.
const VALIDITY: Duration = Duration::from_hours(90 * 24);

/// A domain name. Panics when `text` is none.
pub fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap_or_else(|error| panic!("{text:?} {error}"))
}

/// Domain names. Panics when one of `texts` is none.
pub fn names(texts: &[&str]) -> Vec<DomainName> {
    texts.iter().map(|text| name(text)).collect()
}

/// A user's request for an instance, with `parameters` as sent.
pub fn request(parameters: &str) -> OriginalRequest {
    OriginalRequest {
        service_id: "8478b533-2b59-4007-8494-2feec5970f94".into(),
        plan_id: "fc055c72-1075-44c9-9aee-bddd52e1b053".into(),
        organization: "f9d2a1b4-6c1e-4a55-9a50-3c5bb0b1f4f0".into(),
        space: "0c5d8f0e-54ad-4b5a-8b5f-1e9a8f1f2a77".into(),
        parameters: parameters.into(),
        context: r#"{"platform":"cloudfoundry"}"#.into(),
        identity: Some(r#"{"user_id":"683ea748-3092-4ff4-b656-39cacc4d5360"}"#.into()),
        api_version: "2.17".into(),
        received_at: Timestamp::from_secs(1_767_225_600),
    }
}

/// An instance of the first incarnation that is being provisioned for `domains`, with the default settings.
pub fn instance(id: &str, domains: &[&str]) -> Instance {
    Instance {
        id: InstanceId::new(id),
        incarnation: 1,
        state: InstanceState::Provisioning,
        request: request(&format!(r#"{{"domain":"{}"}}"#, domains.join(","))),
        settings: Settings {
            domains: names(domains),
            origin: origin(),
            behaviour: behaviour(),
            delivery: Delivery::default(),
            notify: None,
        },
        reference: Reference::new(format!("{id}-1")),
        distribution: None,
        distribution_domain: None,
    }
}

/// A running operation on the user's track of `instance`, accepted and due `at` this moment.
pub fn operation(id: &str, instance: &InstanceId, kind: OperationKind, at: Timestamp) -> Operation {
    Operation {
        id: OperationId::new(id),
        instance: instance.clone(),
        track: Track::User,
        kind,
        state: OperationState::Running,
        step: "first-step".into(),
        attempt: 0,
        next_at: at,
        step_since: at,
        started_at: at,
        sentence: None,
        error: None,
        waits_for: None,
        request_identity: Some("e26cee84-6b38-4456-b34e-d1a9f002c956".into()),
        change: None,
    }
}

/// A change of `instance` that gives it these domains and leaves the rest.
pub fn change(instance: &Instance, domains: &[&str]) -> Change {
    let parameters = format!(r#"{{"domain":"{}"}}"#, domains.join(","));
    Change {
        settings: Settings { domains: names(domains), ..instance.settings.clone() },
        plan_id: instance.request.plan_id.clone(),
        sent: parameters.clone(),
        parameters,
        context: "{}".into(),
        identity: instance.request.identity.clone(),
        needs_certificate: true,
        invalidate: Vec::new(),
    }
}

/// A request for a certificate with the default kind of key.
pub fn certificate_request(names: &[DomainName]) -> CertificateRequest {
    CertificateRequest::new(names.to_vec(), KeyType::default())
}

/// A bundle that looks like a certificate and is none. Different serials give different texts.
pub fn bundle(serial: u64, names: &[DomainName], not_before: Timestamp) -> CertificateBundle {
    CertificateBundle {
        leaf_pem: pem("CERTIFICATE", "leaf", serial),
        chain_pem: pem("CERTIFICATE", "intermediate", 0),
        private_key_pem: Secret::new(pem("PRIVATE KEY", "key", serial)),
        facts: CertificateFacts {
            serial: format!("03{serial:034x}"),
            fingerprint: format!("{serial:064x}"),
            not_before,
            not_after: not_before + VALIDITY,
            names: names.to_vec(),
            issuer: Some("Sample Authority (S1)".to_owned()),
            renewal_id: Some(format!("authority.{serial}")),
        },
    }
}

/// What a distribution of `instance` should be: the default settings, `serving` what is given.
pub fn spec(instance: &InstanceId, serving: Option<Serving>) -> DistributionSpec {
    let tags = BTreeMap::from([("instance".to_owned(), instance.to_string())]);
    DistributionSpec {
        instance: instance.clone(),
        serving,
        origin: origin(),
        behaviour: behaviour(),
        delivery: Delivery::default(),
        web_acl: false,
        tags,
    }
}

fn origin() -> Origin {
    Origin { domain: name("origin.example.org"), path: String::new(), insecure: false }
}

fn behaviour() -> Behaviour {
    Behaviour { headers: vec!["Host".into()], ..Behaviour::default() }
}

fn pem(label: &str, what: &str, serial: u64) -> String {
    format!("-----BEGIN {label}-----\nnot a real {what} {serial}\n-----END {label}-----\n")
}
