mod desk;
mod orders;
mod server;

use std::sync::Arc;

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use self::desk::Desk;
pub(crate) use self::desk::Ordered;

/// The resources of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Endpoint {
    Directory,
    Nonce,
    NewAccount,
    NewOrder,
    Order,
    Authorization,
    Challenge,
    Finalize,
    Certificate,
    RenewalInfo,
}

/// An answer that is not the usual one.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// This answer; nothing happens.
    Say { status: u16, headers: Vec<(&'static str, String)>, body: String },
    /// It happens, but the answer is lost: the connection breaks instead.
    Lose,
    /// No answer ever comes.
    Hang,
}

impl Reply {
    /// A problem document (RFC 8555, section 6.7).
    pub(crate) fn problem(status: u16, kind: &str, detail: &str) -> Self {
        let body = json!({"type": format!("urn:ietf:params:acme:error:{kind}"), "detail": detail});
        Self::Say { status, headers: Vec::new(), body: body.to_string() }
    }

    /// What a load balancer says for an authority that is overloaded.
    pub(crate) fn html(status: u16, retry_after: &str) -> Self {
        let headers = vec![("retry-after", retry_after.to_owned()), ("content-type", "text/html".to_owned())];
        Self::Say { status, headers, body: "<html><h1>Service unavailable</h1></html>".into() }
    }

    /// The same answer with a header more.
    pub(crate) fn with(self, name: &'static str, value: &str) -> Self {
        match self {
            Self::Say { status, mut headers, body } => {
                headers.push((name, value.to_owned()));
                Self::Say { status, headers, body }
            }
            other => other,
        }
    }
}

/// An authority that does what Pebble cannot: it speaks the protocol without looking at signatures, keeps a journal,
/// and misbehaves on demand.
pub(crate) struct Scripted {
    pub(crate) directory_url: String,
    desk: Arc<Desk>,
    _serving: JoinSet<()>,
}

impl Scripted {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Scripted");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let desk = Arc::new(Desk::new(&base, issuer));
        let mut serving = JoinSet::new();
        serving.spawn(server::serve(listener, Arc::clone(&desk)));
        Ok(Self { directory_url: format!("{base}/directory"), desk, _serving: serving })
    }

    /// The next requests for `endpoint` get these answers, one each; afterwards it is the usual one again.
    pub(crate) fn script(&self, endpoint: Endpoint, replies: impl IntoIterator<Item = Reply>) {
        self.desk.state().replies.entry(endpoint).or_default().extend(replies);
    }

    /// How often an endpoint was asked, whatever it answered.
    pub(crate) fn asked(&self, endpoint: Endpoint) -> usize {
        self.desk.state().journal.iter().filter(|asked| **asked == endpoint).count()
    }

    pub(crate) fn asked_at_all(&self) -> usize {
        self.desk.state().journal.len()
    }

    pub(crate) fn user_agents(&self) -> Vec<String> {
        self.desk.state().agents.clone()
    }

    /// New orders need no proof and have no challenges, as those of AWS for a domain that it knows; or they do.
    pub(crate) fn valid_from_the_start(&self, valid: bool) {
        self.desk.state().valid_from_the_start = valid;
    }

    /// A finalized order stays `processing` until [`Self::complete`].
    pub(crate) fn slow(&self) {
        self.desk.state().slow = true;
    }

    /// Answered challenges stay pending until [`Self::validate`].
    pub(crate) fn lazy(&self) {
        self.desk.state().lazy = true;
    }

    /// All pending challenges are found to be right.
    pub(crate) fn validate(&self) {
        for order in self.desk.state().orders.iter_mut().filter(|order| order.status == "pending") {
            order.authorizations.iter_mut().for_each(|(status, _)| *status = "valid");
            order.status = "ready";
        }
    }

    /// What is being processed is done.
    pub(crate) fn complete(&self) {
        for order in self.desk.state().orders.iter_mut().filter(|order| order.status == "processing") {
            order.status = "valid";
        }
    }

    /// New orders expire at this time (RFC 3339).
    pub(crate) fn expires(&self, at: &str) {
        self.desk.state().expires = Some(at.to_owned());
    }

    /// The latest order becomes invalid, because the challenge for its first name has failed so.
    pub(crate) fn fail_first_challenge(&self, kind: &str, detail: &str) {
        let problem = json!({"type": format!("urn:ietf:params:acme:error:{kind}"), "detail": detail});
        if let Some(order) = self.desk.state().orders.last_mut() {
            order.status = "invalid";
            order.authorizations[0] = ("invalid", problem);
        }
    }

    /// The latest order becomes invalid as a whole.
    pub(crate) fn fail_order(&self, kind: &str, detail: &str) {
        if let Some(order) = self.desk.state().orders.last_mut() {
            order.status = "invalid";
            order.error = json!({"type": format!("urn:ietf:params:acme:error:{kind}"), "detail": detail});
        }
    }

    /// It suggests when to renew (RFC 9773): everything in this window (RFC 3339).
    pub(crate) fn suggests(&self, start: &str, end: &str) {
        self.desk.state().window = Some((start.to_owned(), end.to_owned()));
    }

    /// It has these profiles, and refuses others.
    pub(crate) fn profiles(&self, profiles: &[&str]) {
        self.desk.state().profiles = profiles.iter().map(ToString::to_string).collect();
    }

    /// It opens accounts only for this key identifier of an external account.
    pub(crate) fn wants_external_account(&self, key_id: &str) {
        self.desk.state().external_account = Some(key_id.to_owned());
    }

    /// It goes by this name in CAA records.
    pub(crate) fn goes_by(&self, name: &str) {
        self.desk.state().caa_identities.push(name.to_owned());
    }

    /// The types of the challenges that were answered for a name of an order, in the order of arrival.
    pub(crate) fn answered(&self, order: usize, name: usize) -> Vec<&'static str> {
        let answered = self.desk.state().answered.clone();
        let of = answered.into_iter().filter(|one| (one.0, one.1) == (order, name));
        of.map(|(_, _, kind)| ["dns-01", "http-01"][kind]).collect()
    }

    /// How many authorizations were given back.
    pub(crate) fn deactivated(&self) -> usize {
        let state = self.desk.state();
        let all = state.orders.iter().flat_map(|order| &order.authorizations);
        all.filter(|(status, _)| *status == "deactivated").count()
    }

    /// Certificates for this first name are valid from and until these seconds since 1970, instead of for centuries.
    pub(crate) fn certificates_live(&self, validity: impl Fn(&str) -> (i64, i64) + Send + Sync + 'static) {
        self.desk.state().validity = Some(Arc::new(validity));
    }

    /// It gives a pending order for the same names again, and says nothing of what that replaces, as Boulder does.
    pub(crate) fn reuses_orders(&self) {
        self.desk.state().reuses = true;
    }

    /// Challenges that are answered are found to be wrong, or right again.
    pub(crate) fn finds_fault(&self, fault: bool) {
        self.desk.state().finds_fault = fault;
    }

    /// What was ordered, in the order of arrival.
    pub(crate) fn ordered(&self) -> Vec<Ordered> {
        self.desk.state().ordered.clone()
    }
}
