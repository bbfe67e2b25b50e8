use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use contract::{
    CaaQuestion, HttpQuestion, PortError, PortResult, ProofProbe, Remedy, Sighting, TxtQuestion, Verdict,
};
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver};

/// How long one look may take, everything included.
const BOUND: Duration = Duration::from_secs(5);
/// How long one server may take before the next try.
const TRY: Duration = Duration::from_millis(1500);
/// How many foreign values are quoted, and how much of each.
const QUOTED: usize = 2;
const QUOTED_LENGTH: usize = 50;

/// Looks at TXT records through resolvers, without a cache of its own, following CNAMEs, over UDP and, where an
/// answer is too large for that, TCP.
///
/// A matching value among several is enough: a name and its wildcard share one label.
pub struct Probe {
    resolver: TokioResolver,
}

/// Where the probe looks.
#[derive(Clone, Debug)]
pub struct ProbeSettings {
    /// Who resolves names; empty means the system's resolvers.
    pub resolvers: Vec<SocketAddr>,
    /// Where authoritative name servers listen; 53, except in laboratories.
    pub dns_port: u16,
    /// What stands for port 80 in a laboratory.
    pub http_port: u16,
    /// What stands for port 443 in a laboratory.
    pub https_port: u16,
    /// Whether proofs may be looked for at private, loopback and other special addresses; for laboratories.
    pub allow_private_addresses: bool,
}

impl Default for ProbeSettings {
    fn default() -> Self {
        Self {
            resolvers: Vec::new(),
            dns_port: 53,
            http_port: 80,
            https_port: 443,
            allow_private_addresses: false,
        }
    }
}

impl Probe {
    /// A probe that looks there. It asks nobody yet.
    ///
    /// Errors: `AwaitOperator` when the system's configuration cannot be read.
    pub fn new(settings: ProbeSettings) -> PortResult<Self> {
        let resolver = build(&settings.resolvers).map_err(|error| {
            PortError::new("read the resolver configuration", Remedy::AwaitOperator, error)
        })?;
        Ok(Self { resolver })
    }
}

#[async_trait]
impl ProofProbe for Probe {
    async fn txt(&self, question: &TxtQuestion) -> PortResult<Sighting> {
        let name = Name::from_ascii(&question.name)
            .map_err(|error| PortError::new(format!("look up `{}`", question.name), Remedy::GiveUp, error))?;
        let answer = tokio::time::timeout(BOUND, self.resolver.lookup(name, RecordType::TXT)).await;
        Ok(judge(question, answer.unwrap_or(Err(NetError::Timeout))))
    }

    async fn http(&self, question: &HttpQuestion) -> PortResult<Sighting> {
        Ok(Sighting::not_yet(
            format!("The broker does not look at `{}` over HTTP yet.", question.name),
            vec![],
        ))
    }

    async fn caa(&self, _: &CaaQuestion) -> PortResult<Verdict> {
        Ok(Verdict::Seen)
    }
}

fn build(resolvers: &[SocketAddr]) -> Result<TokioResolver, NetError> {
    let mut builder = if resolvers.is_empty() {
        TokioResolver::builder_tokio()?
    } else {
        let servers = resolvers.iter().copied().map(server).collect();
        Resolver::builder_with_config(
            ResolverConfig::from_name_servers(servers),
            TokioRuntimeProvider::default(),
        )
    };
    set_options(builder.options_mut());
    builder.build()
}

fn server(address: SocketAddr) -> NameServerConfig {
    let at = |mut connection: ConnectionConfig| {
        connection.port = address.port();
        connection
    };
    let connections = vec![at(ConnectionConfig::udp()), at(ConnectionConfig::tcp())];
    NameServerConfig::new(address.ip(), true, connections)
}

fn set_options(options: &mut ResolverOpts) {
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.edns0 = true;
    options.try_tcp_on_error = true;
    options.timeout = TRY;
    options.attempts = 2;
}

/// Turns an answer into a sentence. What is told apart is what a user would do differently.
fn judge(question: &TxtQuestion, answer: Result<Lookup, NetError>) -> Sighting {
    let label = question.name.trim_end_matches('.');
    let saw = match answer {
        Ok(lookup) => {
            let values = txt_values(&lookup);
            if values.iter().any(|value| value == &question.value) {
                return Sighting::seen(vec![]);
            }
            foreign_values(label, &values)
        }
        Err(error) => explain(label, &error),
    };
    Sighting::not_yet(saw, vec![])
}

/// The strings of one record belong together (RFC 8555, section 8.4, does not split, but zones do).
fn txt_values(lookup: &Lookup) -> Vec<String> {
    let texts = lookup.answers().iter().filter_map(|record| match &record.data {
        RData::TXT(txt) => Some(txt.txt_data.concat()),
        _ => None,
    });
    texts.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
}

fn foreign_values(label: &str, values: &[String]) -> String {
    let quoted: Vec<String> =
        values.iter().take(QUOTED).map(|value| format!("\"{}\"", quotable(value))).collect();
    match values.len() {
        0 => no_record(label),
        1 => format!("`{label}` has the TXT value {}, which is not the one asked for.", quoted[0]),
        all => {
            let more = all.saturating_sub(QUOTED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!(
                "`{label}` has the TXT values {}{more}, none of which is the one asked for.",
                quoted.join(", ")
            )
        }
    }
}

fn quotable(value: &str) -> String {
    let printable = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    let mut short: String = value.chars().map(printable).take(QUOTED_LENGTH).collect();
    if value.chars().count() > QUOTED_LENGTH {
        short.push_str("...");
    }
    short
}

fn explain(label: &str, error: &NetError) -> String {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(_)) => no_record(label),
        NetError::Dns(DnsError::ResponseCode(ResponseCode::ServFail) | DnsError::DnssecBogus) => format!(
            "DNS fails for `{label}` (SERVFAIL): its name servers do not answer properly, or its DNSSEC is broken."
        ),
        NetError::Dns(DnsError::ResponseCode(code)) => {
            format!("DNS refuses to answer for `{label}` ({}).", quotable(&code.to_string()))
        }
        _ => format!("DNS gave no answer for `{label}`."),
    }
}

fn no_record(label: &str) -> String {
    format!("`{label}` has no TXT record yet.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_can_be_made_before_there_is_a_runtime() {
        assert!(Probe::new(ProbeSettings::default()).is_ok());
    }

    #[tokio::test]
    async fn what_is_no_name_cannot_be_looked_at() {
        let probe = Probe::new(ProbeSettings::default()).unwrap();
        let question = TxtQuestion { name: "a..b.".into(), value: "v".into() };
        assert_eq!(probe.txt(&question).await.unwrap_err().remedy(), Remedy::GiveUp);
    }

    #[test]
    fn a_refusal_names_its_code() {
        let refused = NetError::Dns(DnsError::ResponseCode(ResponseCode::Refused));
        assert!(explain("x.example", &refused).starts_with("DNS refuses to answer for `x.example` ("));
    }
}
