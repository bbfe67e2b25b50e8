use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::Secret;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::error::AcmeError;

/// The account key: ECDSA on P-256, as RFC 8555, section 6.2, requires every authority to accept.
pub(crate) struct AccountKey(EcdsaKeyPair);

impl AccountKey {
    /// Makes a new key, PKCS#8 DER.
    pub(crate) fn generate() -> Result<Secret, AcmeError> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        Ok(Secret::new(document.map_err(|_| AcmeError::Key("the account key cannot be made"))?.as_ref()))
    }

    pub(crate) fn from_pkcs8(der: &Secret) -> Result<Self, AcmeError> {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.expose());
        key.map(Self).map_err(|_| AcmeError::Key("the stored account key is not a P-256 key in PKCS#8"))
    }

    /// The public half (RFC 7517; RFC 7518, section 6.2.1).
    pub(crate) fn jwk(&self) -> Value {
        // An uncompressed point: one marker octet, then x and y of 32 octets each.
        let point = self.0.public_key().as_ref();
        json!({
            "kty": "EC",
            "crv": "P-256",
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]),
            "y": URL_SAFE_NO_PAD.encode(&point[33..]),
        })
    }

    /// A request signed with this key and carrying it (RFC 8555, section 6.2): what newAccount takes.
    pub(crate) fn sign(&self, url: &str, nonce: &str, payload: &Value) -> Result<Value, AcmeError> {
        self.signed(&json!({"alg": "ES256", "jwk": self.jwk(), "nonce": nonce, "url": url}), payload)
    }

    /// A request of the account at `account`, which has this key (RFC 8555, section 6.2).
    pub(crate) fn sign_as(
        &self,
        account: &str,
        url: &str,
        nonce: &str,
        payload: &Value,
    ) -> Result<Value, AcmeError> {
        self.signed(&json!({"alg": "ES256", "kid": account, "nonce": nonce, "url": url}), payload)
    }

    /// What says that this key is to be that of an account, in place of `old` (RFC 8555, section 7.3.5). It has no nonce.
    pub(crate) fn sign_key_change(&self, account: &str, url: &str, old: &Self) -> Result<Value, AcmeError> {
        let header = json!({"alg": "ES256", "jwk": self.jwk(), "url": url});
        self.signed(&header, &json!({"account": account, "oldKey": old.jwk()}))
    }

    /// The thumbprint of the public half (RFC 7638): its members in the order of their names, without white space.
    pub(crate) fn thumbprint(&self) -> String {
        let jwk = self.jwk();
        let text = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
        URL_SAFE_NO_PAD.encode(Sha256::digest(text))
    }

    fn signed(&self, header: &Value, payload: &Value) -> Result<Value, AcmeError> {
        let (header, payload) = (encoded(header), encoded(payload));
        let signature = self.0.sign(&SystemRandom::new(), format!("{header}.{payload}").as_bytes());
        let signature = signature.map_err(|_| AcmeError::Key("the account key does not sign"))?;
        Ok(flattened(&header, &payload, signature.as_ref()))
    }
}

/// Binds an account key to an account that exists elsewhere at the authority (RFC 8555, section 7.3.4).
pub(crate) fn external_account_binding(key_id: &str, mac: &hmac::Key, url: &str, jwk: &Value) -> Value {
    let (header, payload) = (encoded(&json!({"alg": "HS256", "kid": key_id, "url": url})), encoded(jwk));
    let tag = hmac::sign(mac, format!("{header}.{payload}").as_bytes());
    flattened(&header, &payload, tag.as_ref())
}

fn encoded(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

/// The flattened JSON serialisation (RFC 7515, section 7.2.2).
fn flattened(header: &str, payload: &str, signature: &[u8]) -> Value {
    json!({"protected": header, "payload": payload, "signature": URL_SAFE_NO_PAD.encode(signature)})
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    fn part(jws: &Value, name: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(jws[name].as_str().unwrap()).unwrap()
    }

    fn signed_text(jws: &Value) -> String {
        format!("{}.{}", jws["protected"].as_str().unwrap(), jws["payload"].as_str().unwrap())
    }

    #[test]
    fn a_signature_verifies_with_the_key_it_carries() {
        let key = AccountKey::from_pkcs8(&AccountKey::generate().unwrap()).unwrap();
        let jws = key.sign("https://ca.example/new", "n-1", &json!({"contact": []})).unwrap();
        let header: Value = serde_json::from_slice(&part(&jws, "protected")).unwrap();
        assert_eq!((&header["nonce"], &header["url"]), (&json!("n-1"), &json!("https://ca.example/new")));
        let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(header["jwk"][name].as_str().unwrap()).unwrap();
        let point = [vec![4], coordinate("x"), coordinate("y")].concat();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(signed_text(&jws).as_bytes(), &part(&jws, "signature"))
            .unwrap();
    }

    #[test]
    fn a_key_says_itself_that_it_is_to_follow_on_another() {
        let [old, new] = [(), ()].map(|()| AccountKey::from_pkcs8(&AccountKey::generate().unwrap()).unwrap());
        let (account, url) = ("https://ca.example/account/1", "https://ca.example/key-change");
        let inner = new.sign_key_change(account, url, &old).unwrap();
        let header: Value = serde_json::from_slice(&part(&inner, "protected")).unwrap();
        assert_eq!(header, json!({"alg": "ES256", "jwk": new.jwk(), "url": url}));
        let payload: Value = serde_json::from_slice(&part(&inner, "payload")).unwrap();
        assert_eq!(payload, json!({"account": account, "oldKey": old.jwk()}));
        let outer = old.sign_as(account, url, "n-1", &inner).unwrap();
        let header: Value = serde_json::from_slice(&part(&outer, "protected")).unwrap();
        assert_eq!(header, json!({"alg": "ES256", "kid": account, "nonce": "n-1", "url": url}));
        assert_ne!(old.thumbprint(), new.thumbprint());
        assert_eq!(old.thumbprint().len(), 43, "SHA-256 in base64url");
    }

    #[test]
    fn a_binding_is_authenticated_and_has_no_nonce() {
        let mac = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let jws = external_account_binding("kid-1", &mac, "https://ca.example/new", &json!({"kty": "EC"}));
        hmac::verify(&mac, signed_text(&jws).as_bytes(), &part(&jws, "signature")).unwrap();
        let header: Value = serde_json::from_slice(&part(&jws, "protected")).unwrap();
        assert_eq!(header, json!({"alg": "HS256", "kid": "kid-1", "url": "https://ca.example/new"}));
    }
}
