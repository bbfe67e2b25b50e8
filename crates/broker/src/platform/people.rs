//! Signing users on, with the client that the catalog has the platform make in its UAA (`dashboard_client`).

use async_trait::async_trait;
use contract::{InstanceId, Permissions, PortResult, Secret, SignOn};
use serde::Deserialize;
use url::Url;
use url::form_urlencoded::Serializer;

use super::bounded;
use super::error::PlatformError;
use super::settings::{PlatformSettings, PlatformSettingsError, is_private_enough};
use super::web::Web;
use super::wire::{Link, Root, Token};

/// What a user has to allow: that this broker asks what they may do with an instance.
const SCOPE: &str = "cloud_controller_service_permissions.read openid";

/// UAA and Cloud Controller, for signing on.
pub struct People {
    api: Url,
    web: Web,
    client_id: String,
    client_secret: Secret,
}

/// `GET /v3/service_instances/GUID/permissions`.
#[derive(Deserialize)]
struct Allowed {
    manage: bool,
    read: bool,
}

impl People {
    /// Signs on at the platform of `settings` with this client, which is not the broker's own.
    ///
    /// Errors: settings that cannot work.
    pub fn new(
        settings: &PlatformSettings,
        client_id: String,
        client_secret: Secret,
    ) -> Result<Self, PlatformSettingsError> {
        Ok(Self { api: settings.api_url()?, web: Web::new(settings)?, client_id, client_secret })
    }

    /// Where browsers go, and where codes are exchanged: both take secrets.
    async fn uaa(&self) -> Result<(Url, Url), PlatformError> {
        let Root { links } = self.web.get(&self.api, None).await?;
        let url = |link: Option<&Link>| {
            let url = link.and_then(|link| Url::parse(&link.href).ok()).filter(is_private_enough);
            url.ok_or(PlatformError::Link("UAA"))
        };
        let (login, uaa) =
            (links.login.as_ref().or(links.uaa.as_ref()), links.uaa.as_ref().or(links.login.as_ref()));
        Ok((at(url(login)?, "oauth/authorize"), at(url(uaa)?, "oauth/token")))
    }

    async fn token(&self, code: &str, redirect_uri: &str) -> Result<Secret, PlatformError> {
        let form = Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("response_type", "token")
            .append_pair("code", code)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("client_id", &self.client_id)
            .append_pair("client_secret", self.client_secret.expose_str().unwrap_or_default())
            .finish();
        let (_, exchange) = self.uaa().await?;
        let token: Token = self.web.post_form(&exchange, form).await?;
        Ok(Secret::new(token.access_token))
    }

    async fn ask(
        &self,
        code: &str,
        redirect_uri: &str,
        instance: &InstanceId,
    ) -> Result<Option<Permissions>, PlatformError> {
        let Some(token) = unless_refused(self.token(code, redirect_uri).await)? else { return Ok(None) };
        let allowed = unless_refused(self.allowed(&token, instance).await)?;
        Ok(allowed.map(|Allowed { manage, read }| Permissions { manage, read }))
    }

    async fn allowed(&self, token: &Secret, instance: &InstanceId) -> Result<Allowed, PlatformError> {
        let url = at(self.api.clone(), &format!("v3/service_instances/{instance}/permissions"));
        self.web.get(&url, Some(token)).await
    }
}

#[async_trait]
impl SignOn for People {
    async fn url(&self, redirect_uri: &str, state: &str) -> PortResult<String> {
        let found = bounded(self.uaa()).await;
        let (mut authorize, _) = found.map_err(|error| error.port("find where users sign on"))?;
        authorize
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", SCOPE)
            .append_pair("state", state);
        Ok(authorize.into())
    }

    async fn permissions(
        &self,
        code: &str,
        redirect_uri: &str,
        instance: &InstanceId,
    ) -> PortResult<Option<Permissions>> {
        let asked = bounded(self.ask(code, redirect_uri, instance)).await;
        asked.map_err(|error| error.port("ask what a user may do"))
    }
}

/// A code or a user that they do not take is an answer.
fn unless_refused<T>(outcome: Result<T, PlatformError>) -> Result<Option<T>, PlatformError> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(PlatformError::Refused { status: 400 | 401 | 403 | 404, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn at(mut url: Url, path: &str) -> Url {
    url.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
    url
}
