//! Links, sessions and forms are told from forged ones by a signature: HMAC-SHA-256 (RFC 2104) with a key that only the
//! brokers have. Nothing has to be kept for them, and nothing of them is in the database.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::{InstanceId, Timestamp};

use super::paths;
use super::session::{Access, SIGNING_ON, Session};

/// What is signed begins with what it is for, so that nothing can be used for something else.
const LINK: &str = "link";
const SESSION_OF: &str = "session";
const FORM: &str = "form";
const STATE: &str = "state";

pub(super) struct Signer(hmac::Key);

impl Signer {
    pub(super) fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The secret part of the link to an instance. It is good for one life of the instance, and until links are revoked.
    pub(super) fn link(&self, instance: &InstanceId, incarnation: i32, generation: i32) -> String {
        self.sign(&link(instance, incarnation, generation))
    }

    /// Whether a link is good. An instance that nobody knows takes as long as any other.
    pub(super) fn is_link(
        &self,
        token: &str,
        instance: &InstanceId,
        incarnation: Option<i32>,
        generation: i32,
    ) -> bool {
        let is_signed = self.is_signed(&link(instance, incarnation.unwrap_or(0), generation), token);
        is_signed && incarnation.is_some()
    }

    /// Begins a session: the value of its cookie.
    pub(super) fn begin(
        &self,
        instance: &InstanceId,
        generation: i32,
        access: Access,
        lasts: Duration,
        now: Timestamp,
    ) -> String {
        let ends = (now + lasts).as_secs();
        let signature = self.sign(&session(instance, generation, access, ends));
        format!("{}.{ends}.{signature}", access.word())
    }

    /// The session of a cookie, if it is one of this instance, of the present generation of links, and has not ended.
    pub(super) fn session(
        &self,
        cookie: &str,
        instance: &InstanceId,
        generation: i32,
        now: Timestamp,
    ) -> Option<Session> {
        let mut parts = cookie.splitn(3, '.');
        let access = Access::read(parts.next()?)?;
        let ends: i64 = parts.next()?.parse().ok()?;
        let is_signed = self.is_signed(&session(instance, generation, access, ends), parts.next()?);
        let lasts = now.as_secs() < ends;
        (is_signed && lasts).then(|| Session { access, form_token: self.form_token(cookie) })
    }

    /// What a form of this session carries: a page of somebody else's cannot know it.
    fn form_token(&self, cookie: &str) -> String {
        self.sign(&format!("{FORM}\n{cookie}"))
    }

    pub(super) fn is_form_token(&self, token: &str, session: &Session) -> bool {
        // Compared by their signatures, so that the time it takes says nothing.
        let right = self.sign(&session.form_token);
        self.is_signed(token, &right)
    }

    /// What comes back with a browser that signs on in order to see an instance: of use to that browser alone, and soon over.
    pub(super) fn state(&self, instance: &InstanceId, browser: &str, now: Timestamp) -> String {
        let ends = (now + SIGNING_ON).as_secs();
        let signature = self.sign(&state(instance, browser, ends));
        format!("{ends}.{signature}.{instance}")
    }

    /// The instance that a browser wanted to see, if the state is its own and not over.
    pub(super) fn instance_of_state(&self, text: &str, browser: &str, now: Timestamp) -> Option<InstanceId> {
        let mut parts = text.splitn(3, '.');
        let ends: i64 = parts.next()?.parse().ok()?;
        let signature = parts.next()?;
        let instance = paths::instance(parts.next()?)?;
        let is_signed = self.is_signed(&state(&instance, browser, ends), signature);
        (is_signed && now.as_secs() < ends).then_some(instance)
    }

    fn sign(&self, message: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, message.as_bytes()))
    }

    fn is_signed(&self, message: &str, signature: &str) -> bool {
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        hmac::verify(&self.0, message.as_bytes(), &signature).is_ok()
    }
}

/// Ids have no line breaks, so no two things read the same.
fn link(instance: &InstanceId, incarnation: i32, generation: i32) -> String {
    format!("{LINK}\n{instance}\n{incarnation}\n{generation}")
}

fn state(instance: &InstanceId, browser: &str, ends: i64) -> String {
    format!("{STATE}\n{instance}\n{browser}\n{ends}")
}

fn session(instance: &InstanceId, generation: i32, access: Access, ends: i64) -> String {
    format!("{SESSION_OF}\n{instance}\n{generation}\n{}\n{ends}", access.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: Duration = Session::BY_LINK;

    fn signer() -> Signer {
        Signer::new(&[7; 32])
    }

    fn id(id: &str) -> InstanceId {
        InstanceId::new(id)
    }

    #[test]
    fn a_link_is_good_for_one_life_of_one_instance_until_it_is_revoked() {
        let link = signer().link(&id("a"), 1, 0);
        assert!(signer().is_link(&link, &id("a"), Some(1), 0));
        assert!(!signer().is_link(&link, &id("b"), Some(1), 0), "another instance");
        assert!(!signer().is_link(&link, &id("a"), Some(2), 0), "another life");
        assert!(!signer().is_link(&link, &id("a"), Some(1), 1), "revoked");
        assert!(!signer().is_link(&link, &id("a"), None, 0), "unknown");
        assert!(!Signer::new(&[8; 32]).is_link(&link, &id("a"), Some(1), 0), "another key");
        for forged in ["", "A", &link[1..], &format!("{link}A"), "ü"] {
            assert!(!signer().is_link(forged, &id("a"), Some(1), 0), "{forged}");
        }
    }

    #[test]
    fn a_session_is_of_one_instance_and_ends() {
        let now = Timestamp::from_secs(1_795_456_800);
        let cookie = signer().begin(&id("a"), 3, Access::Read, SESSION, now);
        let session = |cookie: &str, instance, generation, at| {
            signer().session(cookie, &id(instance), generation, at).map(|session| session.access)
        };
        assert_eq!(session(&cookie, "a", 3, now), Some(Access::Read));
        assert_eq!(session(&cookie, "b", 3, now), None, "another instance");
        assert_eq!(session(&cookie, "a", 4, now), None, "revoked");
        assert_eq!(session(&cookie, "a", 3, now + SESSION), None, "ended");
        assert_eq!(session(&cookie, "a", 3, now + SESSION - Duration::from_secs(1)), Some(Access::Read));
        assert_eq!(session(&cookie.replacen("read", "manage", 1), "a", 3, now), None, "raised");
        let (_, rest) = cookie.split_once('.').unwrap();
        let (_, signature) = rest.split_once('.').unwrap();
        assert_eq!(session(&format!("read.9999999999.{signature}"), "a", 3, now), None, "prolonged");
        for forged in ["", "read", "read.1", "read..", "owner.1.A"] {
            assert_eq!(session(forged, "a", 3, now), None, "{forged}");
        }
    }

    #[test]
    fn a_state_is_of_one_browser_and_soon_over() {
        let now = Timestamp::from_secs(1_795_456_800);
        let state = signer().state(&id("a.b"), "one", now);
        let read = |state: &str, browser, at| signer().instance_of_state(state, browser, at);
        assert_eq!(read(&state, "one", now), Some(id("a.b")));
        assert_eq!(read(&state, "other", now), None, "another browser");
        assert_eq!(read(&state, "one", now + SIGNING_ON), None, "over");
        assert_eq!(read(&state.replace("a.b", "c"), "one", now), None, "another instance");
        for forged in ["", "1", "1.A", "1.A.a", "..", &format!("9999999999{}", &state[10..])] {
            assert_eq!(read(forged, "one", now), None, "{forged}");
        }
    }

    #[test]
    fn a_link_is_no_session_and_a_form_belongs_to_its_session() {
        let now = Timestamp::from_secs(1_795_456_800);
        let one = signer().begin(&id("a"), 0, Access::Manage, SESSION, now);
        let other = signer().begin(&id("a"), 0, Access::Read, SESSION, now);
        let session = |cookie: &str| signer().session(cookie, &id("a"), 0, now).unwrap();
        let token = session(&one).form_token;
        assert!(signer().is_form_token(&token, &session(&one)));
        assert!(!signer().is_form_token(&token, &session(&other)));
        assert!(!signer().is_form_token("", &session(&one)));
    }
}
