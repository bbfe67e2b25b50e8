use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use broker::Tls;
use contract::{DomainName, KeyType, Secret};
use osb_core::Credential;
use store::{SealingKey, StoreSettings};

use super::offering::offering;
use super::{HttpConfig, LogConfig, LogFormat, OwnCredential, Reader, SHORT_PASSWORD, ServiceConfig};
use crate::logging;

/// Connections that one process holds at most. Every use of one takes a millisecond or less, and waiting for one is cheap;
/// a dozen of them only wait for one another in the database (a third more polls a second with four, at a fifth of the
/// 99th percentile).
const POOL_SIZE: u32 = 4;

pub(super) fn http(reader: &mut Reader<'_>) -> Option<HttpConfig> {
    let port = reader.parsed("PORT", str::parse::<u16>);
    let address = reader.parsed("BIND_ADDRESS", str::parse::<std::net::IpAddr>);
    let credentials = credentials(reader);
    let tls = tls(reader);
    let (credentials, own, has_short_password) = credentials?;
    Some(HttpConfig {
        address: SocketAddr::new(address?, port?),
        credentials,
        public_url: None,
        dashboard_client: None,
        own,
        has_short_password,
        tls: tls?,
    })
}

/// Certificate and key. The inner `None` means plain HTTP.
#[expect(
    clippy::option_option,
    reason = "the outer one says whether a mistake was noted, as everywhere here"
)]
fn tls(reader: &mut Reader<'_>) -> Option<Option<Arc<Tls>>> {
    let (missing, set) = match (reader.optional("TLS_CERT"), reader.optional("TLS_KEY")) {
        (None, None) => return Some(None),
        (Some(certificate), Some(key)) => {
            let loaded = Tls::load(Path::new(&certificate), Path::new(&key));
            return loaded
                .map(|tls| Some(Arc::new(tls)))
                .map_err(|error| reader.mistake("TLS_CERT", format!("and TLS_KEY cannot be used: {error}")))
                .ok();
        }
        (Some(_), None) => ("TLS_KEY", "TLS_CERT"),
        (None, Some(_)) => ("TLS_CERT", "TLS_KEY"),
    };
    reader.mistake(missing, format!("is not set, but {set} is; they go together"));
    None
}

/// Who may ask, and whether one of the passwords is short.
fn credentials(reader: &mut Reader<'_>) -> Option<(Vec<Credential>, OwnCredential, bool)> {
    let mut pairs = Vec::new();
    let several = reader.optional("BROKER_CREDENTIALS");
    let lone = reader.optional("BROKER_USERNAME").is_some() || reader.optional("BROKER_PASSWORD").is_some();
    if several.is_none() || lone {
        let user = reader.required("BROKER_USERNAME");
        let password = reader.required("BROKER_PASSWORD");
        pairs.push(("BROKER_USERNAME", user?, password?));
    }
    for pair in several.iter().flat_map(|text| text.split(',')) {
        let Some((user, password)) = pair.split_once(':') else {
            reader.mistake("BROKER_CREDENTIALS", "is not of the form user:password,user:password");
            return None;
        };
        pairs.push(("BROKER_CREDENTIALS", user.to_owned(), password.to_owned()));
    }
    let own = pairs.first().map(|(_, username, password)| OwnCredential {
        username: username.clone(),
        password: Secret::new(password.as_str()),
    });
    let has_short_password = pairs.iter().any(|(_, _, password)| password.chars().count() < SHORT_PASSWORD);
    let mut credentials = Vec::new();
    for (name, user, password) in pairs {
        match Credential::new(&user, &password) {
            Ok(credential) => credentials.push(credential),
            Err(reason) => reader.mistake(name, format!("cannot be used: {reason}")),
        }
    }
    Some((credentials, own?, has_short_password))
}

pub(super) fn store(reader: &mut Reader<'_>) -> Option<StoreSettings> {
    let url = reader.required("DATABASE_URL");
    let keys = reader.required("DATABASE_ENCRYPTION_KEYS");
    let keys = keys.and_then(|text| sealing_keys(reader, &text));
    let settings = StoreSettings { url: url?, keys: keys?, pool_size: POOL_SIZE };
    if let Err(reason) = settings.check() {
        reader.mistake("DATABASE_URL", reason);
        return None;
    }
    Some(settings)
}

fn sealing_keys(reader: &mut Reader<'_>, text: &str) -> Option<Vec<SealingKey>> {
    let keys: Option<Vec<SealingKey>> = text.split(',').map(sealing_key).collect();
    if keys.is_none() {
        reader.mistake(
            "DATABASE_ENCRYPTION_KEYS",
            "is not of the form name:BASE64-OF-32-BYTES,…; make a key with `openssl rand -base64 32`",
        );
    }
    keys
}

fn sealing_key(text: &str) -> Option<SealingKey> {
    let (name, key) = text.trim().split_once(':')?;
    let key: [u8; 32] = STANDARD.decode(key).ok()?.try_into().ok()?;
    SealingKey::new(name, key).ok()
}

pub(super) fn service(reader: &mut Reader<'_>, has_acl: bool) -> Option<ServiceConfig> {
    let default_origin = match reader.required("DEFAULT_ORIGIN") {
        Some(_) => reader.parsed("DEFAULT_ORIGIN", DomainName::parse),
        None => None,
    };
    let key_type = reader.parsed("CERTIFICATE_KEY_TYPE", |text| match text {
        "rsa2048" => Ok(KeyType::Rsa2048),
        "p256" => Ok(KeyType::P256),
        _ => Err("it is either rsa2048 or p256"),
    });
    let provision_proof_wait = reader.duration("PROVISION_PROOF_WAIT");
    let update_proof_wait = reader.duration("UPDATE_PROOF_WAIT");
    let step_timeout = reader.duration("STEP_TIMEOUT");
    let deployment_poll = reader.duration("DEPLOYMENT_POLL");
    let reconcile_every = reader.duration_or_never("RECONCILE_EVERY");
    let reconcile_fix = reader.flag("RECONCILE_FIX");
    let offering = offering(reader, has_acl);
    Some(ServiceConfig {
        default_origin: default_origin?,
        key_type: key_type?,
        provision_proof_wait: provision_proof_wait?,
        update_proof_wait: update_proof_wait?,
        step_timeout: step_timeout?,
        deployment_poll: deployment_poll?,
        reconcile_every: reconcile_every?,
        reconcile_fix: reconcile_fix?,
        offering: offering?,
    })
}

pub(super) fn log(reader: &mut Reader<'_>) -> Option<LogConfig> {
    let default = if reader.is_terminal() { "text" } else { "json" };
    let format = reader.parsed_or("LOG_FORMAT", default, |text| match text {
        "json" => Ok(LogFormat::Json),
        "text" => Ok(LogFormat::Text),
        _ => Err("it is either json or text"),
    });
    let filter = reader.parsed("LOG", |text| logging::filter(text).map(|_| text.to_owned()));
    Some(LogConfig { filter: filter?, format: format? })
}
