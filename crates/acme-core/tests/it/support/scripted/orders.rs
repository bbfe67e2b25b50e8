use std::time::Duration;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::CertificateSigningRequestParams;
use serde_json::{Value, json};

use super::desk::{Desk, Order, Ordered, State, Usual, refusal};

impl Desk {
    pub(super) fn new_order(&self, payload: &Value) -> Result<Usual> {
        let mut state = self.state();
        let identifiers = payload["identifiers"].as_array().context("identifiers")?;
        let names = identifiers.iter().filter_map(|one| one["value"].as_str().map(ToOwned::to_owned));
        let text = |field: &str| payload[field].as_str().map(ToOwned::to_owned);
        let ordered =
            Ordered { names: names.collect(), profile: text("profile"), replaces: text("replaces") };
        state.ordered.push(ordered.clone());
        if let Some(refused) = refused(&state, &ordered) {
            return Ok(refused);
        }
        let is_open = |order: &Order| matches!(order.status, "pending" | "ready");
        let index = match state.orders.iter().position(|order| is_open(order) && is_the_same(order, &ordered))
        {
            Some(index) if state.reuses => index,
            _ => enter(&mut state, ordered),
        };
        drop(state);
        let location = format!("{}/order/{index}", self.base);
        Ok((201, vec![("location", location)], self.order(index)?.to_string()))
    }

    pub(super) fn order(&self, index: usize) -> Result<Value> {
        let state = self.state();
        let order = state.orders.get(index).context("the order")?;
        let of = |kind: &str| format!("{}/{kind}/{index}", self.base);
        let authorizations: Vec<String> =
            (0..order.names.len()).map(|name| format!("{}/{name}", of("authorization"))).collect();
        let mut json = json!({
            "status": order.status,
            "expires": state.expires.clone().unwrap_or_else(|| "2999-01-01T00:00:00Z".into()),
            "identifiers": order.names.iter().map(|name| json!({"type": "dns", "value": name})).collect::<Vec<_>>(),
            "authorizations": authorizations,
            "finalize": of("finalize"),
        });
        for (field, value) in [("profile", &order.profile), ("replaces", &order.replaces)] {
            if let Some(value) = value {
                json[field] = value.as_str().into();
            }
        }
        if !order.error.is_null() {
            json["error"] = order.error.clone();
        }
        if order.status == "valid" {
            json["certificate"] = of("certificate").into();
        }
        Ok(json)
    }

    pub(super) fn authorization(&self, index: &[usize], payload: &Value) -> Result<Usual> {
        let mut state = self.state();
        let [order, name] = *index else { anyhow::bail!("an authorization") };
        let needs_none = state.valid_from_the_start;
        let order_state = state.orders.get_mut(order).context("the order")?;
        if payload["status"] == "deactivated" {
            order_state.authorizations[name].0 = "deactivated";
            if order_state.status != "valid" {
                order_state.status = "invalid";
            }
        }
        let (status, error) = order_state.authorizations[name].clone();
        let full = &order_state.names[name];
        let mut challenges = vec![json!({
            "type": "dns-01",
            "url": format!("{}/challenge/{order}/{name}/0", self.base),
            "token": format!("token-{order}-{name}"),
            "status": if status == "deactivated" { "pending" } else { status },
        })];
        if !error.is_null() {
            challenges[0]["error"] = error;
        }
        if !full.starts_with("*.") {
            challenges.push(json!({
                "type": "http-01",
                "url": format!("{}/challenge/{order}/{name}/1", self.base),
                "token": format!("http-token-{order}-{name}"),
                "status": "pending",
            }));
        }
        if needs_none {
            challenges.clear();
        }
        let body = json!({
            "identifier": {"type": "dns", "value": full.trim_start_matches("*.")},
            "wildcard": full.starts_with("*."),
            "status": status,
            "expires": "2999-01-01T00:00:00Z",
            "challenges": challenges,
        });
        Ok((200, Vec::new(), body.to_string()))
    }

    /// Whoever asks is believed, at once or later.
    pub(super) fn challenge(&self, index: &[usize]) -> Result<Value> {
        let mut state = self.state();
        let [order, name, kind] = *index else { anyhow::bail!("a challenge") };
        let (lazy, fault) = (state.lazy, state.finds_fault);
        state.answered.push((order, name, kind));
        let order_state = state.orders.get_mut(order).context("the order")?;
        if fault {
            let problem =
                json!({"type": "urn:ietf:params:acme:error:unauthorized", "detail": "the value is wrong"});
            order_state.authorizations[name] = ("invalid", problem);
            order_state.status = "invalid";
        } else if !lazy {
            order_state.authorizations[name].0 = "valid";
        }
        if order_state.authorizations.iter().all(|(status, _)| *status == "valid") {
            order_state.status = "ready";
        }
        Ok(json!({
            "type": (["dns-01", "http-01"][kind]),
            "url": format!("{}/challenge/{order}/{name}/{kind}", self.base),
            "token": format!("{}token-{order}-{name}", ["", "http-"][kind]),
            "status": if lazy { "pending" } else { "processing" },
        }))
    }

    pub(super) fn finalize(&self, index: usize, payload: &Value) -> Result<Usual> {
        let csr = URL_SAFE_NO_PAD.decode(payload["csr"].as_str().context("a signing request")?)?;
        let mut request = CertificateSigningRequestParams::from_der(&csr.into())?;
        // So that the certificate has a name for its renewal (RFC 9773, section 4.1).
        request.params.use_authority_key_identifier_extension = true;
        request.params.serial_number = Some((index as u64 + 0x1000).into());
        let mut state = self.state();
        let names = &state.orders.get(index).context("the order")?.names;
        if let (Some(validity), Some(first)) = (&state.validity, names.first()) {
            let (from, until) = validity(first);
            let at = |seconds| {
                anyhow::Ok(rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(u64::try_from(seconds)?))
            };
            (request.params.not_before, request.params.not_after) = (at(from)?, at(until)?);
        }
        let certificate = request.signed_by(&self.issuer)?;
        let slow = state.slow;
        let order = state.orders.get_mut(index).context("the order")?;
        if order.status != "ready" {
            return Ok(refusal(403, "orderNotReady", "not ready"));
        }
        order.certificate = certificate.pem();
        order.status = if slow { "processing" } else { "valid" };
        let replaced = order.replaces.clone();
        state.replaced.extend(replaced);
        drop(state);
        Ok((200, Vec::new(), self.order(index)?.to_string()))
    }
}

fn refused(state: &State, ordered: &Ordered) -> Option<Usual> {
    let unknown = |profile: &String| !state.profiles.is_empty() && !state.profiles.contains(profile);
    if ordered.profile.as_ref().is_some_and(unknown) {
        return Some(refusal(400, "invalidProfile", "the profile is not known here"));
    }
    if ordered.replaces.as_ref().is_some_and(|id| state.replaced.contains(id)) {
        return Some(refusal(409, "alreadyReplaced", "the certificate has been replaced already"));
    }
    None
}

fn is_the_same(order: &Order, ordered: &Ordered) -> bool {
    matches!(order.status, "pending" | "ready") && order.names == ordered.names
}

/// Enters a new order, and gives its number. A profile is granted only by an authority that knows some.
fn enter(state: &mut State, ordered: Ordered) -> usize {
    let valid = state.valid_from_the_start;
    let (status, proof) = if valid { ("ready", "valid") } else { ("pending", "pending") };
    let authorizations = ordered.names.iter().map(|_| (proof, Value::Null)).collect();
    state.orders.push(Order {
        status,
        error: Value::Null,
        names: ordered.names,
        profile: ordered.profile.filter(|_| !state.profiles.is_empty()),
        replaces: ordered.replaces,
        authorizations,
        certificate: String::new(),
    });
    state.orders.len() - 1
}
