use std::sync::Arc;
use std::time::Duration;

use contract::{Clock, Secret, Timestamp};
use tokio::sync::Mutex;
use url::Url;

use super::error::PlatformError;
use super::settings::{PlatformSettings, is_private_enough};
use super::web::Web;
use super::wire::{Root, Token};

/// A token is replaced this long before its end, or at half of a short life.
const BEFORE_THE_END: Duration = Duration::from_mins(1);

/// Our access to the API. Whoever needs a token waits for the one that is being fetched.
pub(super) struct Session {
    client_id: String,
    client_secret: Secret,
    clock: Arc<dyn Clock>,
    held: Mutex<Option<Held>>,
}

struct Held {
    token: Secret,
    fetched: Timestamp,
    usable_for: Duration,
}

impl Session {
    pub(super) fn new(settings: &PlatformSettings, clock: Arc<dyn Clock>) -> Self {
        Self {
            client_id: settings.client_id.clone(),
            client_secret: settings.client_secret.clone(),
            clock,
            held: Mutex::default(),
        }
    }

    /// A token that is not over and is not the one that was `refused`.
    pub(super) async fn token(
        &self,
        api: &Url,
        web: &Web,
        refused: Option<&Secret>,
    ) -> Result<Secret, PlatformError> {
        let mut held = self.held.lock().await;
        if let Some(Held { token, fetched, usable_for }) = &*held
            && Some(token) != refused
            && self.clock.now().since(*fetched) < *usable_for
        {
            return Ok(token.clone());
        }
        *held = None;
        let fetched = self.clock.now();
        let Token { access_token, expires_in } = self.fetch(api, web).await?;
        let life = Duration::from_secs(expires_in);
        let usable_for = life.saturating_sub(BEFORE_THE_END).max(life / 2);
        let token = Secret::new(access_token);
        *held = Some(Held { token: token.clone(), fetched, usable_for });
        Ok(token)
    }

    /// RFC 6749, section 4.4. The secret goes into the form (section 2.3.1): how a `%` in a header is to be read is not the
    /// same in all UAAs.
    async fn fetch(&self, api: &Url, web: &Web) -> Result<Token, PlatformError> {
        let mut url = self.uaa(api, web).await?;
        url.set_path(&format!("{}/oauth/token", url.path().trim_end_matches('/')));
        let secret = self.client_secret.expose_str().unwrap_or_default();
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("response_type", "token")
            .append_pair("client_id", &self.client_id)
            .append_pair("client_secret", secret)
            .finish();
        web.post_form(&url, form).await.map_err(|error| match error {
            PlatformError::Refused { status, saying, request_id } => {
                PlatformError::Credentials { status, saying, request_id }
            }
            other => other,
        })
    }

    /// Where the UAA is: the API's root says. The secret goes there, so it must be as private as the API.
    async fn uaa(&self, api: &Url, web: &Web) -> Result<Url, PlatformError> {
        let Root { links } = web.get(api, None).await?;
        let link = links.uaa.or(links.login).ok_or(PlatformError::Link("UAA"))?;
        let url = Url::parse(&link.href).ok().filter(is_private_enough);
        url.ok_or(PlatformError::Link("UAA"))
    }
}
