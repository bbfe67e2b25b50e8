use aws_lc_rs::hmac;
use contract::{Secret, Timestamp};

/// The header in which the signature comes.
pub(super) const HEADER: &str = "x-cdn-broker-signature";

/// `t=SECONDS,v1=HEX`, where `HEX` is the HMAC-SHA256 of `SECONDS.BODY` under the secret that both sides know. A receiver
/// computes the same, and refuses what is older than a few minutes.
pub(super) fn sign(secret: &Secret, body: &[u8], at: Timestamp) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
    let seconds = at.as_secs();
    let signed = [seconds.to_string().as_bytes(), b".", body].concat();
    let tag = hmac::sign(&key, &signed);
    let hex = tag.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    format!("t={seconds},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with `printf '1767225600.{}' | openssl dgst -sha256 -hmac secret`.
    #[test]
    fn a_signature_is_what_others_compute() {
        let signature = sign(&Secret::new("secret"), b"{}", Timestamp::from_secs(1_767_225_600));
        let hex = "fa7eaa06bf97d7815f3f456e97cde70c9e50cb005f01660c8d10b10c21964887";
        assert_eq!(signature, format!("t=1767225600,v1={hex}"));
    }
}
