//! The authority's walk over HTTP: from `http://NAME/.well-known/acme-challenge/TOKEN` along redirects to an answer.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use contract::{Hop, HttpQuestion, Sighting};
use hickory_resolver::proto::rr::{Name, RecordType};
use url::Url;

use super::EdgeMark;
use super::addresses::is_public;
use super::fetch::{Answer, FetchError, Fetcher, Target};
use super::hosts::addresses;
use super::http_rules::{self, Ports};
use super::http_say;
use super::say;
use super::walk::{End, Reply, Walker};

/// How long a look may take, everything included; an authority gives up after as long.
const BOUND: Duration = Duration::from_secs(10);
/// As many redirects as an authority follows.
pub(super) const MOST_REDIRECTS: usize = 10;
/// The header in which a broker's responder says where it found the token.
const RESPONDER: &str = "x-acme-responder";
const PLACE_LENGTH: usize = 200;

/// Looks over HTTP, with the authority's rules.
pub(super) struct Web {
    pub(super) ports: Ports,
    pub(super) allow_private: bool,
    pub(super) edge_marks: Vec<EdgeMark>,
    pub(super) fetcher: Fetcher,
    /// Whether it has been said that there is no way to IPv6 addresses.
    pub(super) missed_ipv6: AtomicBool,
}

/// How far a look has come; it is still there when the look has run out of time.
#[derive(Default)]
struct Progress {
    route: Vec<Hop>,
    urls: Vec<Url>,
    hosts: Vec<Name>,
}

impl Web {
    /// Asks for the answer.
    pub(super) async fn look(&self, walker: &Walker, question: &HttpQuestion) -> Sighting {
        match http_rules::first_url(question) {
            Ok(url) => self.look_from(walker, url, question).await,
            Err(saw) => Sighting::not_yet(saw, Vec::new()),
        }
    }

    /// Asks for it beginning at this URL.
    pub(super) async fn look_from(&self, walker: &Walker, first: Url, question: &HttpQuestion) -> Sighting {
        let mut progress = Progress::default();
        let look = tokio::time::timeout(BOUND, self.travel(walker, first, question, &mut progress)).await;
        let saw = look.unwrap_or_else(|_| Err(http_say::too_slow(progress.urls.last(), BOUND)));
        match saw {
            Ok(()) => Sighting::seen(progress.route),
            Err(saw) => Sighting::not_yet(saw, progress.route),
        }
    }

    /// Goes from URL to URL. The error is what the user should read.
    async fn travel(
        &self,
        walker: &Walker,
        first: Url,
        question: &HttpQuestion,
        progress: &mut Progress,
    ) -> Result<(), String> {
        let mut url = first;
        loop {
            let target = http_rules::target(&url, self.ports)?;
            progress.urls.push(url.clone());
            let answer = self.fetch(walker, &target, progress).await?;
            let Some(next) = http_rules::next_url(&url, &answer)? else {
                self.judge(question, &url, &answer, progress)?;
                return vouch(walker, &progress.hosts).await;
            };
            progress.route.push(Hop::Redirect { to: next.to_string(), status: answer.status.as_u16() });
            http_rules::check_redirect(&url, &next, &progress.urls, self.ports)?;
            url = next;
        }
    }

    /// Sends one request to where a name leads. The error is what a person should read.
    pub(super) async fn visit(&self, walker: &Walker, target: &Target) -> Result<Answer, String> {
        let visit =
            tokio::time::timeout(BOUND, async { self.fetch(walker, target, &mut Progress::default()).await });
        visit.await.unwrap_or_else(|_| Err(http_say::too_slow(None, BOUND)))
    }

    /// Connects as an authority does: to the first IPv6 address, and when that does not take the connection, to the
    /// first IPv4 address.
    async fn fetch(
        &self,
        walker: &Walker,
        target: &Target,
        progress: &mut Progress,
    ) -> Result<Answer, String> {
        let mut failure = None;
        for address in self.addresses(walker, target, progress).await? {
            let address = SocketAddr::new(address, target.port);
            match self.fetcher.fetch(target, address).await {
                Ok(answer) => return Ok(answer),
                Err(error) if error.is_about_the_connection() => {
                    self.note_missing_ipv6(address, &error);
                    failure.get_or_insert((address, error));
                }
                Err(error) => return Err(http_say::failure(target, address, &error)),
            }
        }
        let (address, error) = failure.ok_or_else(|| http_say::no_address(&target.name))?;
        Err(http_say::failure(target, address, &error))
    }

    /// Where there is an IPv6 address, the authority looks there, and what it finds cannot be seen from here.
    fn note_missing_ipv6(&self, address: SocketAddr, error: &FetchError) {
        let missing = address.is_ipv6() && matches!(error, FetchError::Unreachable);
        if missing && !self.missed_ipv6.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "IPv6 addresses cannot be reached from here: of names that have both, only the IPv4 address is looked \
                 at, while the authority prefers the other"
            );
        }
    }

    /// One address of each kind, IPv6 first. What is returned is what is connected to: nobody is asked again.
    async fn addresses(
        &self,
        walker: &Walker,
        target: &Target,
        progress: &mut Progress,
    ) -> Result<Vec<IpAddr>, String> {
        let trail = walker.walk(&target.name, RecordType::A).await;
        progress.route.extend(trail.route.iter().cloned());
        if let Some(saw) = say::astray(&trail.route, &trail.end) {
            return Err(saw);
        }
        let End::Arrived(heard) = trail.end else { return Err(http_say::no_address(&target.name)) };
        if heard.zone.is_some() && !progress.hosts.contains(&target.name) {
            progress.hosts.push(target.name.clone());
        }
        let found = addresses(walker, &heard).await;
        let usable = self.usable(&found);
        match (usable.is_empty(), found.first()) {
            (false, _) => Ok(usable),
            (true, Some(address)) => Err(http_say::private(&target.name, *address)),
            (true, None) if heard.words().all(|(_, reply)| *reply == Reply::NoName) => {
                Err(format!("{}{}", say::along(&trail.route), http_say::no_name(&heard.name)))
            }
            (true, None) => Err(format!("{}{}", say::along(&trail.route), http_say::no_address(&heard.name))),
        }
    }

    /// The first address of each kind that may be connected to, IPv6 first.
    pub(super) fn usable(&self, found: &[IpAddr]) -> Vec<IpAddr> {
        let allowed = |address: &&IpAddr| self.allow_private || is_public(**address);
        let one =
            |v6: bool| found.iter().filter(allowed).find(move |address| address.is_ipv6() == v6).copied();
        [one(true), one(false)].into_iter().flatten().collect()
    }

    /// Whether an edge of the CDN answers for a name at one of these addresses. Which distribution a name is served from is
    /// for the CDN to say, and it knows each name once: so this is the one that has the name.
    pub(super) async fn has_edge(&self, name: &Name, found: &[IpAddr]) -> bool {
        let host = say::plain(name);
        if self.edge_marks.is_empty() || host.starts_with('*') {
            return false;
        }
        let target = Target {
            name: name.clone(),
            host,
            port: self.ports.http,
            shown_port: None,
            tls: false,
            path: "/".to_owned(),
        };
        for address in self.usable(found) {
            if let Ok(answer) = self.fetcher.fetch(&target, SocketAddr::new(address, target.port)).await {
                return self.is_from_edge(&answer);
            }
        }
        false
    }

    fn is_from_edge(&self, answer: &Answer) -> bool {
        self.edge_marks.iter().any(|mark| mark.is_on(&answer.headers))
    }

    fn judge(
        &self,
        question: &HttpQuestion,
        url: &Url,
        answer: &Answer,
        progress: &mut Progress,
    ) -> Result<(), String> {
        let place = answer.headers.get(RESPONDER).and_then(|place| place.to_str().ok());
        if let Some(place) = place {
            let place = place.chars().take(PLACE_LENGTH).collect();
            progress.route.push(Hop::Responder { place });
        }
        let from_edge = self.is_from_edge(answer);
        let redirected = progress.urls.len() > 1;
        let Some(saw) = http_say::explain(question, url, answer, redirected, from_edge) else {
            return Ok(());
        };
        if answer.status == 200 {
            progress.route.push(Hop::Page);
        }
        Err(saw)
    }
}

/// Asked last, so that no resolver remembers what was not there yet.
async fn vouch(walker: &Walker, hosts: &[Name]) -> Result<(), String> {
    for host in hosts {
        let vouched = walker.resolvers.vouch(host, RecordType::A).await;
        if let Some(saw) = say::unvouched("The answer is there", host, vouched) {
            return Err(saw);
        }
    }
    Ok(())
}
