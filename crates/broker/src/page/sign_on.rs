//! Signing on with the platform: UAA's authorization code flow (RFC 6749, section 4.1). A browser without a session is sent to
//! UAA, which it knows from the platform's other pages, and comes back with a code; Cloud Controller says what its user may do.
//! What is kept of it is a short session; when that has ended, the same happens again, unseen.

use bytes::Bytes;
use contract::{InstanceId, PortResult, SignOn};
use http::Response;

use super::session::{Access, Session};
use super::{Visit, html, paths, replies, session};

/// Where UAA sends browsers back to, below the public URL.
pub(super) const BACK: &str = "/sso/callback";

impl Visit<'_> {
    /// Sends a browser to sign on, in order to see this instance; whoever cannot be signed on is refused.
    pub(super) async fn sign_on(&self, id: &InstanceId) -> PortResult<Response<Bytes>> {
        let Some(sign_on) = self.pages.sign_on() else { return Ok(html::refused()) };
        let is_secure = self.pages.url.is_secure();
        // One for all tabs of the browser.
        let known = session::browser(self.request.headers, is_secure);
        let browser = known.map_or_else(|| self.service.fresh_id(), str::to_owned);
        let state = self.pages.signer().await?.state(id, &browser, self.service.now());
        let url = sign_on.url(&self.back(), &state).await?;
        Ok(replies::see_other(&url, Some(&session::set_browser(&browser, is_secure))))
    }

    /// Lets a browser in that has come back, as far as the platform lets its user.
    pub(super) async fn signed_on(&self, query: &str) -> PortResult<Response<Bytes>> {
        let Some(sign_on) = self.pages.sign_on() else { return Ok(html::refused()) };
        let (signer, now) = (self.pages.signer().await?, self.service.now());
        let browser = session::browser(self.request.headers, self.pages.url.is_secure());
        let state = paths::parameter(query, "state").unwrap_or_default();
        let Some(id) = browser.and_then(|browser| signer.instance_of_state(&state, browser, now)) else {
            tracing::info!("somebody came back from signing on with a state that is not theirs, or is over");
            return Ok(html::refused());
        };
        let Some(access) = self.access(sign_on, query, &id).await? else { return Ok(html::refused()) };
        let generation = self.pages.store.generation(&id).await?;
        let session = signer.begin(&id, generation, access, Session::SIGNED_ON, now);
        let cookie = session::set(&session, &id, self.pages.url.is_secure());
        Ok(replies::see_other(&paths::page(&id), Some(&cookie)))
    }

    async fn access(&self, sign_on: &dyn SignOn, query: &str, id: &InstanceId) -> PortResult<Option<Access>> {
        let Some(code) = paths::parameter(query, "code") else { return Ok(None) };
        let permissions = sign_on.permissions(&code, &self.back(), id).await?;
        Ok(permissions.and_then(|may| match (may.manage, may.read) {
            (true, _) => Some(Access::Manage),
            (false, true) => Some(Access::Read),
            (false, false) => None,
        }))
    }

    fn back(&self) -> String {
        self.pages.url.sign_on_back()
    }
}
