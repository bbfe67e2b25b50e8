use osb_core::Credential;

use super::reader::Reader;

/// Where the metrics are shown, and to whom.
#[derive(Default)]
pub(crate) struct MetricsConfig {
    /// `METRICS_USERNAME` and `METRICS_PASSWORD`.
    pub(crate) credential: Option<Credential>,
    /// `METRICS_PORT`.
    pub(crate) port: Option<u16>,
}

pub(super) fn metrics(reader: &mut Reader<'_>) -> Option<MetricsConfig> {
    let port = reader.parsed_if_set("METRICS_PORT", |text| match text.parse::<u16>() {
        Ok(0) | Err(_) => Err("it is a port, from 1 to 65535"),
        Ok(port) => Ok(port),
    });
    let credential = match (reader.optional("METRICS_USERNAME"), reader.optional("METRICS_PASSWORD")) {
        (None, None) => None,
        (Some(user), Some(password)) => match Credential::new(&user, &password) {
            Ok(credential) => Some(credential),
            Err(reason) => {
                reader.mistake("METRICS_USERNAME", format!("cannot be used: {reason}"));
                return None;
            }
        },
        (None, Some(_)) => {
            reader.mistake("METRICS_USERNAME", "is not set, and METRICS_PASSWORD is");
            return None;
        }
        (Some(_), None) => {
            reader.mistake("METRICS_PASSWORD", "is not set, and METRICS_USERNAME is");
            return None;
        }
    };
    Some(MetricsConfig { credential, port: port? })
}
