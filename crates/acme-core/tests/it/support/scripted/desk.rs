use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use rcgen::{CertifiedIssuer, KeyPair};
use serde_json::{Value, json};

use super::{Endpoint, Reply};

/// What the authority knows, and what it has been told to do.
pub(super) struct Desk {
    pub(super) base: String,
    pub(super) issuer: CertifiedIssuer<'static, KeyPair>,
    state: Mutex<State>,
}

/// From when until when a certificate with this first name is valid, in seconds since 1970.
pub(super) type Validity = Arc<dyn Fn(&str) -> (i64, i64) + Send + Sync>;

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own that a test turns on")]
pub(super) struct State {
    pub(super) replies: HashMap<Endpoint, VecDeque<Reply>>,
    pub(super) journal: Vec<Endpoint>,
    pub(super) agents: Vec<String>,
    nonces: usize,
    pub(super) orders: Vec<Order>,
    pub(super) ordered: Vec<Ordered>,
    pub(super) replaced: HashSet<String>,
    pub(super) valid_from_the_start: bool,
    pub(super) slow: bool,
    pub(super) lazy: bool,
    pub(super) finds_fault: bool,
    pub(super) reuses: bool,
    pub(super) expires: Option<String>,
    pub(super) window: Option<(String, String)>,
    pub(super) profiles: Vec<String>,
    pub(super) external_account: Option<String>,
    pub(super) caa_identities: Vec<String>,
    pub(super) validity: Option<Validity>,
    /// Order, name, and 0 for dns-01 or 1 for http-01.
    pub(super) answered: Vec<(usize, usize, usize)>,
}

pub(super) struct Order {
    pub(super) status: &'static str,
    pub(super) error: Value,
    pub(super) names: Vec<String>,
    pub(super) profile: Option<String>,
    pub(super) replaces: Option<String>,
    pub(super) authorizations: Vec<(&'static str, Value)>,
    pub(super) certificate: String,
}

/// What a newOrder request asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ordered {
    pub(crate) names: Vec<String>,
    pub(crate) profile: Option<String>,
    pub(crate) replaces: Option<String>,
}

/// Status, headers, body.
pub(super) type Usual = (u16, Vec<(&'static str, String)>, String);

impl Desk {
    pub(super) fn new(base: &str, issuer: CertifiedIssuer<'static, KeyPair>) -> Self {
        Self { base: base.to_owned(), issuer, state: Mutex::default() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, endpoint: Endpoint, agent: String) {
        let mut state = self.state();
        state.journal.push(endpoint);
        state.agents.push(agent);
    }

    pub(super) fn scripted(&self, endpoint: Endpoint) -> Option<Reply> {
        self.state().replies.get_mut(&endpoint)?.pop_front()
    }

    pub(super) fn response(
        &self,
        status: u16,
        headers: &[(&'static str, String)],
        body: String,
    ) -> Result<Response<Full<Bytes>>> {
        let mut state = self.state();
        state.nonces += 1;
        let mut response =
            Response::builder().status(status).header("replay-nonce", state.nonces.to_string());
        for (name, value) in headers {
            response = response.header(*name, value);
        }
        Ok(response.body(Full::new(body.into()))?)
    }

    pub(super) fn usual(&self, endpoint: Endpoint, index: &[usize], body: &[u8]) -> Result<Usual> {
        let plain = |body: Value| (200, Vec::new(), body.to_string());
        let order = index.first().copied().unwrap_or_default();
        match endpoint {
            Endpoint::Directory => Ok(plain(self.directory())),
            Endpoint::Nonce => Ok((200, Vec::new(), String::new())),
            Endpoint::NewAccount => self.new_account(&payload(body)?),
            Endpoint::NewOrder => self.new_order(&payload(body)?),
            Endpoint::Order => Ok(plain(self.order(order)?)),
            Endpoint::Authorization => self.authorization(index, &payload(body)?),
            Endpoint::Challenge => Ok(plain(self.challenge(index)?)),
            Endpoint::Finalize => self.finalize(order, &payload(body)?),
            Endpoint::RenewalInfo => Ok(self.renewal_info()),
            Endpoint::Certificate => {
                let state = self.state();
                let leaf = &state.orders.get(order).context("the order")?.certificate;
                Ok((200, Vec::new(), leaf.clone() + self.issuer.pem().as_str()))
            }
        }
    }

    /// RFC 8555, section 7.1.1; RFC 9773, section 3.
    fn directory(&self) -> Value {
        let at = |path: &str| format!("{}/{path}", self.base);
        let state = self.state();
        let profiles: HashMap<_, _> = state.profiles.iter().map(|name| (name, "for tests")).collect();
        let mut directory = json!({
            "newNonce": at("nonce"), "newAccount": at("account"), "newOrder": at("new-order"),
            "meta": {
                "profiles": profiles,
                "externalAccountRequired": state.external_account.is_some(),
                "caaIdentities": state.caa_identities,
            }
        });
        if state.window.is_some() {
            directory["renewalInfo"] = at("renewal-info").into();
        }
        directory
    }

    fn new_account(&self, account: &Value) -> Result<Usual> {
        if let Some(wanted) = &self.state().external_account {
            let protected = account["externalAccountBinding"]["protected"].as_str().unwrap_or_default();
            let protected = URL_SAFE_NO_PAD.decode(protected)?;
            let protected: Value = serde_json::from_slice(&protected).unwrap_or_default();
            if protected["kid"] != **wanted {
                return Ok(refusal(403, "externalAccountRequired", "no such external account"));
            }
        }
        Ok((201, vec![("location", format!("{}/account/1", self.base))], "{}".into()))
    }

    /// RFC 9773, section 4.2.
    fn renewal_info(&self) -> Usual {
        match &self.state().window {
            Some((start, end)) => {
                let body = json!({
                    "suggestedWindow": {"start": start, "end": end},
                    "explanationURL": "https://ca.example/why",
                });
                (200, vec![("retry-after", "21600".to_owned())], body.to_string())
            }
            None => refusal(404, "malformed", "no such resource"),
        }
    }
}

/// A problem document (RFC 8555, section 6.7).
pub(super) fn refusal(status: u16, kind: &str, detail: &str) -> Usual {
    let body = json!({"type": format!("urn:ietf:params:acme:error:{kind}"), "detail": detail});
    (status, Vec::new(), body.to_string())
}

/// The payload of a signed request; `Null` for POST-as-GET.
fn payload(body: &[u8]) -> Result<Value> {
    let request: Value = serde_json::from_slice(body)?;
    let payload = URL_SAFE_NO_PAD.decode(request["payload"].as_str().context("a payload")?)?;
    Ok(serde_json::from_slice(&payload).unwrap_or_default())
}
