//! As much of an ACME client (RFC 8555) as it takes to have a challenge validated.

use anyhow::{Context as _, bail, ensure};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use sandbox::authority::Authority;
use sandbox::{Client, wait_for};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const BOUND: std::time::Duration = std::time::Duration::from_mins(1);

/// Nonces are refused on purpose now and then; more often than this in a row they are not.
const TRIES: usize = 20;

pub(crate) struct Acme {
    client: Client,
    directory: Value,
    key: EcdsaKeyPair,
    account: Option<String>,
}

/// A challenge that waits to be answered.
pub(crate) struct Challenge {
    pub(crate) token: String,
    pub(crate) key_authorization: String,
    url: String,
    authorization: String,
}

impl Acme {
    pub(crate) async fn register(authority: &Authority) -> anyhow::Result<Self> {
        let client = Client::trusting(&std::fs::read_to_string(authority.root_file())?)?;
        let directory = client.get(&authority.directory_url()).await?;
        let directory = serde_json::from_slice(directory.body())?;
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        let mut acme = Self { client, directory, key, account: None };
        let url = acme.resource("newAccount");
        let made = acme.post(&url, Some(&json!({ "termsOfServiceAgreed": true }))).await?;
        acme.account = Some(location(&made)?);
        Ok(acme)
    }

    /// Orders a certificate for one name and gives its HTTP-01 challenge.
    pub(crate) async fn http_01(&self, name: &str) -> anyhow::Result<Challenge> {
        let order = json!({ "identifiers": [{ "type": "dns", "value": name }] });
        let order = self.post(&self.resource("newOrder"), Some(&order)).await?;
        let order: Value = serde_json::from_slice(order.body())?;
        let authorization = order["authorizations"][0].as_str().context("no authorization")?.to_owned();
        let state = self.read(&authorization).await?;
        let challenges = state["challenges"].as_array().context("no challenges")?;
        let http = challenges.iter().find(|challenge| challenge["type"] == "http-01");
        let http = http.context("no http-01 challenge")?;
        let token = http["token"].as_str().context("no token")?.to_owned();
        let key_authorization = format!("{token}.{}", self.thumbprint());
        let url = http["url"].as_str().context("no URL")?.to_owned();
        Ok(Challenge { token, key_authorization, url, authorization })
    }

    /// Says that the challenge is ready; the answer is how the authorization ended, and why.
    pub(crate) async fn answer(&self, challenge: &Challenge) -> anyhow::Result<(String, String)> {
        self.post(&challenge.url, Some(&json!({}))).await?;
        wait_for("the authority to have looked", BOUND, || async {
            let state = self.read(&challenge.authorization).await?;
            let status = state["status"].as_str().unwrap_or_default().to_owned();
            let challenges = state["challenges"].as_array().context("no challenges")?;
            let why = challenges.iter().find_map(|challenge| challenge["error"]["detail"].as_str());
            Ok((status != "pending").then(|| (status, why.unwrap_or_default().to_owned())))
        })
        .await
    }

    async fn read(&self, url: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(self.post(url, None).await?.body())?)
    }

    fn resource(&self, name: &str) -> String {
        self.directory[name].as_str().unwrap_or_default().to_owned()
    }

    async fn post(&self, url: &str, payload: Option<&Value>) -> anyhow::Result<Response<Bytes>> {
        for _ in 0..TRIES {
            let nonce = self.client.get(&self.resource("newNonce")).await?;
            let nonce = nonce.headers().get("replay-nonce").context("no nonce")?.to_str()?.to_owned();
            let body = self.signed(url, &nonce, payload)?;
            let request = Request::post(url).header("content-type", "application/jose+json");
            let answer = self.client.send(request.body(Full::from(body.to_string()))?).await?;
            if answer.status().is_success() {
                return Ok(answer);
            }
            let said = String::from_utf8_lossy(answer.body()).into_owned();
            ensure!(said.contains("badNonce"), "{url}: {said}");
        }
        bail!("{url}: {TRIES} nonces in a row were refused")
    }

    fn signed(&self, url: &str, nonce: &str, payload: Option<&Value>) -> anyhow::Result<Value> {
        let mut protected = json!({ "alg": "ES256", "nonce": nonce, "url": url });
        match &self.account {
            Some(account) => protected["kid"] = json!(account),
            None => protected["jwk"] = self.jwk(),
        }
        let protected = URL_SAFE_NO_PAD.encode(protected.to_string());
        let payload = URL_SAFE_NO_PAD.encode(payload.map(Value::to_string).unwrap_or_default());
        let signature = self.key.sign(&SystemRandom::new(), format!("{protected}.{payload}").as_bytes())?;
        let signature = URL_SAFE_NO_PAD.encode(signature.as_ref());
        Ok(json!({ "protected": protected, "payload": payload, "signature": signature }))
    }

    fn jwk(&self) -> Value {
        // An uncompressed point: one byte that says so, then both coordinates.
        let point = self.key.public_key().as_ref();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..65]));
        json!({ "crv": "P-256", "kty": "EC", "x": x, "y": y })
    }

    /// RFC 7638: the members in the order of their names, without white space.
    fn thumbprint(&self) -> String {
        let jwk = self.jwk();
        let text = |member: &str| jwk[member].as_str().unwrap_or_default().to_owned();
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, text("x"), text("y"));
        URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
    }
}

fn location(answer: &Response<Bytes>) -> anyhow::Result<String> {
    Ok(answer.headers().get("location").context("no location")?.to_str()?.to_owned())
}
