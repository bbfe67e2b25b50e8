//! How names would be proven next time, seen from today.

use contract::{
    CertificateRequest, DomainName, HttpQuestion, Outlook, PortResult, ProofMethod, ProofProbe, TxtQuestion,
    Verdict,
};
use futures_util::future::try_join_all;

use crate::account::InCaa;
use crate::proofs::{Landmarks, Proofs, challenge_name, delegation, leads_to_us};

/// Stands for the token and the value of a challenge that nobody has made: what counts is the way to where its proof
/// would be.
const NOBODYS: &str = "nobody-has-asked-for-this-yet";

/// A look at the ways that are open to the names of a request.
pub(crate) struct Forecast<'a> {
    pub(crate) probe: &'a dyn ProofProbe,
    pub(crate) proofs: &'a Proofs,
    pub(crate) request: &'a CertificateRequest,
    pub(crate) caa: Option<&'a InCaa>,
}

impl Forecast<'_> {
    pub(crate) async fn all(&self) -> PortResult<Vec<Outlook>> {
        try_join_all(self.request.names.iter().map(|name| self.one(name))).await
    }

    /// The way with the least to go wrong first, as long as CAA lets it be gone.
    async fn one(&self, name: &DomainName) -> PortResult<Outlook> {
        let landmarks = self.proofs.landmarks(self.request, name);
        let outlook = Outlook { name: name.clone(), by_itself: None, forbidden: None, once: None };
        let over_http = self.over_http(&landmarks, name).await?;
        let mut forbidden = None;
        if over_http.is_some() {
            forbidden = self.forbidden(name, "http-01").await?;
            if forbidden.is_none() {
                return Ok(Outlook { by_itself: over_http, ..outlook });
            }
        }
        let is_delegated = self.is_delegated(&landmarks, name).await?;
        Ok(match self.forbidden(name, "dns-01").await? {
            Some(saw) => Outlook { forbidden: forbidden.or(Some(saw)), ..outlook },
            None if is_delegated => Outlook { by_itself: Some(ProofMethod::Delegated), ..outlook },
            None => Outlook { once: delegation(&landmarks, name), ..outlook },
        })
    }

    /// By which way an answer of ours would be found over HTTP.
    async fn over_http(&self, landmarks: &Landmarks, name: &DomainName) -> PortResult<Option<ProofMethod>> {
        if !self.proofs.answers_http(self.request, name) {
            return Ok(None);
        }
        if self.proofs.is_served(self.request, name) {
            return Ok(Some(ProofMethod::ThroughCdn));
        }
        let question =
            HttpQuestion { name: name.clone(), token: NOBODYS.to_owned(), answer: NOBODYS.to_owned() };
        let route = self.probe.http(&question).await?.route;
        Ok(leads_to_us(landmarks, name, &route))
    }

    async fn is_delegated(&self, landmarks: &Landmarks, name: &DomainName) -> PortResult<bool> {
        if landmarks.delegate().is_none() {
            return Ok(false);
        }
        let question = TxtQuestion { name: challenge_name(name), value: NOBODYS.to_owned() };
        let route = self.probe.txt(&question).await?.route;
        Ok(landmarks.delegated_to(&route).is_some())
    }

    async fn forbidden(&self, name: &DomainName, method: &str) -> PortResult<Option<String>> {
        let Some(caa) = self.caa else { return Ok(None) };
        Ok(match self.probe.caa(&caa.question(name, method)).await? {
            Verdict::Seen => None,
            Verdict::NotYet { saw } => Some(saw),
        })
    }
}
