//! The ways to prove control over a name, and the operator's means for them: which are offered, how their records are
//! called, what counts as a proof, and what is put where.

mod evidence;
mod landmarks;
mod places;
mod settings;
mod ways;

use std::sync::Arc;

use contract::{AuthorizationRecord, CertificateRequest, ChallengeSite, DomainName, ManagedZone};

pub(crate) use evidence::{Outcome, Weight, http, leads_to_us, to_last, txt};
pub(crate) use landmarks::Landmarks;
pub(crate) use places::{announce, due, is_fresh, note, put_at, stale, taken_away};
pub use settings::{ProofSettings, ProofSettingsError};
pub(crate) use ways::{challenge_name, delegation, ways};

/// What the operator has set up so that there are more ways than setting a TXT record each time.
#[derive(Clone, Default)]
pub(crate) struct Proofs {
    pub(crate) settings: ProofSettings,
    pub(crate) zone: Option<Arc<dyn ManagedZone>>,
    pub(crate) site: Option<Arc<dyn ChallengeSite>>,
    /// Whether only what stays is offered, because the authority's proofs die within hours.
    pub(crate) durable_only: bool,
}

impl Proofs {
    /// How the durable records for one name are called.
    pub(crate) fn landmarks(&self, request: &CertificateRequest, name: &DomainName) -> Landmarks {
        let landmarks = Landmarks::new(&self.settings, self.zone.is_some(), &request.tenant, name);
        if request.inherited.contains(name) { landmarks.with_inherited(name) } else { landmarks }
    }

    /// Whether an HTTP-01 answer that we put into the challenge site can be seen at this name.
    pub(crate) fn is_served(&self, request: &CertificateRequest, name: &DomainName) -> bool {
        self.site.is_some() && request.served.contains(name)
    }

    /// Whether an answer to the authority's HTTP request for this name can come from us at all.
    pub(crate) fn answers_http(&self, request: &CertificateRequest, name: &DomainName) -> bool {
        !name.is_wildcard() && (self.settings.challenge_url.is_some() || self.is_served(request, name))
    }

    /// Whether one of the challenges of an authorization can be met.
    pub(crate) fn can_meet(&self, request: &CertificateRequest, one: &AuthorizationRecord) -> bool {
        one.dns.is_some() || (one.http.is_some() && self.answers_http(request, &one.name))
    }
}
