//! Looks at the world as the authority will. Each look asks afresh; what is kept is bounded and small.

mod addresses;
mod caa;
mod caa_rules;
mod edge;
mod fetch;
mod hosts;
mod http;
mod http_rules;
mod http_say;
mod lead;
mod reach;
mod resolvers;
mod say;
mod txt;
mod visit;
mod walk;
mod wire;
mod zones;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ::http::HeaderMap;
use async_trait::async_trait;
use contract::{
    CaaQuestion, EdgeProbe, EdgeQuestion, HttpQuestion, Lead, LeadEnd, LeadQuestion, NameProbe, PortError,
    PortResult, Presented, ProofProbe, Remedy, Sighting, TxtQuestion, Verdict, VisitAnswer, VisitQuestion,
    Visitor,
};
use hickory_resolver::proto::rr::Name;
use url::Url;

use self::fetch::Fetcher;
use self::http::Web;
use self::http_rules::Ports;
use self::resolvers::Resolvers;
use self::walk::Walker;
use self::wire::Wire;

/// How long a look at DNS may take, everything included.
const DNS_BOUND: Duration = Duration::from_secs(8);
/// How long a look at an edge may take, DNS included.
const EDGE_BOUND: Duration = Duration::from_secs(15);

/// Looks at proofs from here, the way the authority will look at them from elsewhere.
///
/// **TXT** records are asked for at every authoritative server of the zone to which the name leads, without a cache in
/// between. All servers that answer must have the value, because an authority takes whichever answers it first; one
/// that is silent or fails does not count, because an authority's resolver goes on to the next. What the zone's servers
/// say must also hold for the resolvers, which validate DNSSEC. A matching value among several is enough: a name and
/// its wildcard share one label.
///
/// **HTTP** answers are asked for with the authority's rules: at most ten redirects by 301, 302, 307 or 308, to host
/// names, over http and https, at ports 80 and 443, to public addresses only, which are checked after each resolution
/// and connected to as they were checked.
///
/// **Names** are followed in the same way to their addresses, and to the edges of the CDN, which are known by their headers.
///
/// **CAA** records are looked for at the name and above it; what cannot be read is no permission.
pub struct Probe {
    walker: Walker,
    web: Web,
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
    /// By which headers an answer of the CDN is recognised: a name that points there too early is a common mistake.
    pub edge_marks: Vec<EdgeMark>,
}

/// A header that only the CDN's edge sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeMark {
    /// The header's name, in lower case.
    pub header: String,
    /// The value it has, without regard to case; any when `None`.
    pub value: Option<String>,
}

impl EdgeMark {
    fn is_on(&self, headers: &HeaderMap) -> bool {
        headers.get(&self.header).is_some_and(|found| {
            self.value.as_ref().is_none_or(|value| found.as_bytes().eq_ignore_ascii_case(value.as_bytes()))
        })
    }
}

impl Default for ProbeSettings {
    fn default() -> Self {
        Self {
            resolvers: Vec::new(),
            dns_port: 53,
            http_port: 80,
            https_port: 443,
            allow_private_addresses: false,
            edge_marks: Vec::new(),
        }
    }
}

impl Probe {
    /// A probe that looks there. It asks nobody yet.
    ///
    /// Errors: `AwaitOperator` when the system's configuration cannot be read.
    pub fn new(settings: &ProbeSettings) -> PortResult<Self> {
        let wire = Arc::new(Wire::new());
        let resolvers = Resolvers::new(&settings.resolvers, Arc::clone(&wire))?;
        let walker = Walker::new(resolvers, wire, settings.dns_port, settings.allow_private_addresses);
        let fetcher = Fetcher::new().map_err(|error| {
            PortError::new("set up TLS for looking at proofs", Remedy::AwaitOperator, error)
        })?;
        let web = Web {
            ports: Ports { http: settings.http_port, https: settings.https_port },
            allow_private: settings.allow_private_addresses,
            edge_marks: settings.edge_marks.clone(),
            fetcher,
            missed_ipv6: AtomicBool::new(false),
        };
        Ok(Self { walker, web })
    }

    /// Asks for an answer as [`ProofProbe::http`] does, but begins at `url`: where users' redirects lead to.
    pub async fn answer_at(&self, url: &Url, question: &HttpQuestion) -> Sighting {
        self.web.look_from(&self.walker, url.clone(), question).await
    }
}

#[async_trait]
impl ProofProbe for Probe {
    async fn txt(&self, question: &TxtQuestion) -> PortResult<Sighting> {
        let name = absolute(&question.name)?;
        let look = tokio::time::timeout(DNS_BOUND, txt::look(&self.walker, &name, question)).await;
        Ok(look.unwrap_or_else(|_| Sighting::not_yet(too_slow(&name), vec![])))
    }

    async fn http(&self, question: &HttpQuestion) -> PortResult<Sighting> {
        Ok(self.web.look(&self.walker, question).await)
    }

    async fn caa(&self, question: &CaaQuestion) -> PortResult<Verdict> {
        let name = absolute(question.name.base())?;
        let look = tokio::time::timeout(DNS_BOUND, caa::look(&self.walker, &name, question)).await;
        Ok(look.unwrap_or_else(|_| Verdict::NotYet { saw: too_slow(&name) }))
    }
}

#[async_trait]
impl NameProbe for Probe {
    async fn lead(&self, question: &LeadQuestion) -> PortResult<Lead> {
        let (name, target) = (absolute(question.name.as_str())?, absolute(&question.target)?);
        let look = lead::look(&self.walker, &self.web, &name, &target);
        let unclear = || Lead { aliases: Vec::new(), end: LeadEnd::Unclear { saw: too_slow(&name) } };
        Ok(tokio::time::timeout(DNS_BOUND, look).await.unwrap_or_else(|_| unclear()))
    }
}

#[async_trait]
impl EdgeProbe for Probe {
    async fn presented(&self, question: &EdgeQuestion) -> PortResult<Presented> {
        let host = absolute(&question.host)?;
        let look = edge::look(&self.walker, &self.web, &question.name, &host);
        let slow = || Presented::Nothing { saw: too_slow(&host) };
        Ok(tokio::time::timeout(EDGE_BOUND, look).await.unwrap_or_else(|_| slow()))
    }
}

#[async_trait]
impl Visitor for Probe {
    async fn ask(&self, question: &VisitQuestion) -> PortResult<VisitAnswer> {
        visit::ask(&self.walker, &self.web, absolute(&question.at)?, question).await
    }
}

fn absolute(text: &str) -> PortResult<Name> {
    let mut name = Name::from_ascii(text)
        .map_err(|error| PortError::new(format!("look up `{text}`"), Remedy::GiveUp, error))?;
    name.set_fqdn(true);
    Ok(name.to_lowercase())
}

fn too_slow(name: &Name) -> String {
    format!("DNS takes too long to answer for {}: its name servers are silent or slow.", say::name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn somewhere() -> Probe {
        let resolvers = vec!["127.0.0.1:53".parse().unwrap()];
        Probe::new(&ProbeSettings { resolvers, ..ProbeSettings::default() }).unwrap()
    }

    #[test]
    fn a_probe_can_be_made_before_there_is_a_runtime() {
        somewhere();
    }

    #[tokio::test]
    async fn what_is_no_name_cannot_be_looked_at() {
        let question = TxtQuestion { name: "a..b.".into(), value: "v".into() };
        assert_eq!(somewhere().txt(&question).await.unwrap_err().remedy(), Remedy::GiveUp);
    }
}
