//! The page of an instance: what to do, what is seen, when it is done. Made here, served by the broker, and kept up to date by
//! a small script; it works without.

mod admin;
mod assets;
mod html;
mod limits;
mod paths;
mod replies;
mod session;
mod sign_on;
mod signer;
mod view;

use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::rand;
use bytes::Bytes;
use contract::{
    Instance, InstanceId, OperatorStore, PageStore, PortError, PortResult, Remedy, Secret, SignOn, Timestamp,
};
use http::{Method, Response, StatusCode};
use osb_core::Request;
use tokio::sync::OnceCell;

pub use self::admin::AdminStores;
pub(crate) use self::paths::is_meant;
use self::paths::{Note, Path};
use self::session::{Access, Session};
pub(crate) use self::view::View;
use self::{limits::Limits, signer::Signer};
use crate::{Service, words};

/// How long the signing key is, in bytes: as long as what is made with it (RFC 2104, section 3).
const KEY_LENGTH: usize = 32;

/// The pages of a service: who may see which, and where they are found.
pub struct Pages {
    store: Arc<dyn PageStore>,
    operations: Arc<dyn OperatorStore>,
    url: PublicUrl,
    signer: OnceCell<Signer>,
    limits: Limits,
    sign_on: Option<Arc<dyn SignOn>>,
}

/// Where browsers find this broker: scheme and authority, such as `https://broker.example.gov`, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// Takes an origin that is known to be one.
    pub fn new(origin: impl Into<String>) -> Self {
        Self(origin.into().trim_end_matches('/').to_owned())
    }

    /// Where UAA sends browsers back to that have signed on (`redirect_uri`).
    pub fn sign_on_back(&self) -> String {
        self.at(sign_on::BACK)
    }

    /// Where something is found, given its path.
    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    fn is_secure(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl Pages {
    /// Pages at `url`, kept in `store`.
    pub fn new(store: Arc<dyn PageStore>, operations: Arc<dyn OperatorStore>, url: PublicUrl) -> Self {
        Self { store, operations, url, signer: OnceCell::new(), limits: Limits::default(), sign_on: None }
    }

    /// The same pages, which users are signed on to with the platform.
    #[must_use]
    pub fn with_sign_on(self, sign_on: Arc<dyn SignOn>) -> Self {
        Self { sign_on: Some(sign_on), ..self }
    }

    /// What the platform is told as the address of the page of an instance: nothing secret where it signs users on, and the
    /// link elsewhere.
    pub(crate) async fn address(&self, instance: &Instance) -> PortResult<String> {
        match self.sign_on {
            Some(_) => Ok(self.url.at(&paths::page(&instance.id))),
            None => self.link(instance).await,
        }
    }

    /// The link to the page of an instance. Whoever has it may see the page and let it look.
    ///
    /// Errors: the store's, here and below.
    pub async fn link(&self, instance: &Instance) -> PortResult<String> {
        let generation = self.store.generation(&instance.id).await?;
        let token = self.signer().await?.link(&instance.id, instance.incarnation, generation);
        Ok(self.url.at(&paths::open(&instance.id, &token)))
    }

    /// Makes every link to the page of an instance worthless, and ends the sessions that were begun with one.
    pub async fn revoke(&self, instance: &InstanceId) -> PortResult<()> {
        self.store.revoke(instance).await.map(|_| ())
    }

    pub(crate) fn store(&self) -> &dyn PageStore {
        self.store.as_ref()
    }

    pub(crate) fn operations(&self) -> &dyn OperatorStore {
        self.operations.as_ref()
    }

    fn sign_on(&self) -> Option<&dyn SignOn> {
        self.sign_on.as_deref()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    async fn signer(&self) -> PortResult<&Signer> {
        self.signer
            .get_or_try_init(|| async {
                let mut candidate = [0; KEY_LENGTH];
                rand::fill(&mut candidate)
                    .map_err(|error| PortError::new("make a key", Remedy::Retry { after: None }, error))?;
                Ok(Signer::new(self.store.ensure_key(&Secret::new(candidate)).await?.expose()))
            })
            .await
    }

    /// Who asks, if they may see the page of this instance. Nobody learns whether there is such an instance.
    async fn session(
        &self,
        instance: &InstanceId,
        request: &Request<'_>,
        now: Timestamp,
    ) -> PortResult<Option<Session>> {
        let Some(cookie) = session::cookie(request.headers, self.url.is_secure()) else { return Ok(None) };
        let generation = self.store.generation(instance).await?;
        Ok(self.signer().await?.session(cookie, instance, generation, now))
    }
}

/// One request for a page.
struct Visit<'a> {
    service: &'a Service,
    pages: &'a Pages,
    request: &'a Request<'a>,
}

/// The answer to an operator's browser; `None` where there is no overview.
pub(crate) async fn answer_operator(
    service: &Service,
    request: &Request<'_>,
    peer: Option<IpAddr>,
) -> Option<Response<Bytes>> {
    admin::answer(service, request, peer).await
}

/// Whether a request is one for the operator's overview.
pub(crate) fn is_for_operator(path: &str) -> bool {
    admin::is_meant(path)
}

/// Whether the answer to a browser depends on the body: on that of a form alone.
pub(crate) fn wants_body(request: &Request<'_>) -> bool {
    *request.method == Method::POST && matches!(paths::read(request.path, request.query), Some(Path::Look(_)))
}

/// The answer to a browser; `None` where no pages are served. Never fails: what cannot be shown is a page too.
pub(crate) async fn answer(service: &Service, request: &Request<'_>) -> Option<Response<Bytes>> {
    let path = paths::read(request.path, request.query);
    if let Some(Path::Asset(name)) = path {
        // Those of the operator's overview, too, which there is without pages.
        return Some(assets::find(name).unwrap_or_else(html::refused));
    }
    let pages = service.pages()?;
    let visit = Visit { service, pages, request };
    let answered = match path {
        Some(path) => visit.answer(path).await,
        None => Ok(html::refused()),
    };
    Some(answered.unwrap_or_else(|error| {
        tracing::error!(%error, "could not show a page");
        html::unavailable()
    }))
}

/// What a browser reads when the answer takes too long.
pub(crate) fn too_slow() -> Response<Bytes> {
    html::unavailable()
}

impl Visit<'_> {
    async fn answer(&self, path: Path<'_>) -> PortResult<Response<Bytes>> {
        let wanted = if matches!(path, Path::Look(_)) { Method::POST } else { Method::GET };
        let is_head = *self.request.method == Method::HEAD && wanted == Method::GET;
        if *self.request.method != wanted && !is_head {
            return Ok(html::not_allowed(&wanted));
        }
        match path {
            Path::Asset(_) => Ok(html::refused()),
            Path::Open { instance, token } => self.open(&instance, token).await,
            Path::SignedOn(query) => self.signed_on(query).await,
            Path::Page(instance, note) => self.page(&instance, note).await,
            Path::Part(instance) => self.part(&instance).await,
            Path::Status(instance) => self.status(&instance).await,
            Path::Look(instance) => self.look(&instance).await,
        }
    }

    /// Exchanges a link for a session, so that the secret stays neither in the address bar nor in anybody's log.
    async fn open(&self, id: &InstanceId, token: &str) -> PortResult<Response<Bytes>> {
        let signer = self.pages.signer().await?;
        let generation = self.pages.store.generation(id).await?;
        let incarnation = self.service.incarnation(id).await?;
        if !signer.is_link(token, id, incarnation, generation) {
            tracing::info!(instance.id = %id, "a link to a page was refused");
            return Ok(html::refused());
        }
        let session = signer.begin(id, generation, Access::Manage, Session::BY_LINK, self.service.now());
        let cookie = session::set(&session, id, self.pages.url.is_secure());
        Ok(replies::see_other(&paths::page(id), Some(&cookie)))
    }

    async fn page(&self, id: &InstanceId, note: Option<Note>) -> PortResult<Response<Bytes>> {
        let Some(session) = self.pages.session(id, self.request, self.service.now()).await? else {
            return self.sign_on(id).await;
        };
        let Some(view) = self.service.view(id, self.pages).await? else { return Ok(html::refused()) };
        let part = html::part(&view, &session);
        Ok(replies::page(StatusCode::OK, &html::whole(&view, &part, note)))
    }

    /// What changes of a page, for the script that keeps it up to date.
    async fn part(&self, id: &InstanceId) -> PortResult<Response<Bytes>> {
        let again = self.pages.limits.pulse(self.service.now());
        let Some((session, view)) = self.seen(id).await? else { return Ok(html::refused()) };
        let part = html::part(&view, &session);
        Ok(replies::part(self.request.headers, &part, view.again() * again))
    }

    async fn status(&self, id: &InstanceId) -> PortResult<Response<Bytes>> {
        match self.seen(id).await? {
            Some((_, view)) => Ok(replies::json(&view.json())),
            None => Ok(html::refused()),
        }
    }

    /// `PATCH {}` for people: at most so often, and only for those who may change the instance.
    async fn look(&self, id: &InstanceId) -> PortResult<Response<Bytes>> {
        let session = self.pages.session(id, self.request, self.service.now()).await?;
        let token = session::form_token(self.request.body);
        let signer = self.pages.signer().await?;
        let Some(session) = session.filter(|session| session.access == Access::Manage) else {
            return Ok(html::refused());
        };
        if session::is_from_elsewhere(self.request.headers) || !signer.is_form_token(token, &session) {
            return Ok(html::refused());
        }
        let by_script = self.request.headers.contains_key(session::SCRIPT);
        let Some(_turn) = self.pages.limits.look(id, self.service.now()) else {
            tracing::debug!(instance.id = %id, "looked at too often");
            return Ok(if by_script {
                replies::too_often()
            } else {
                replies::see_other(&paths::noted(id, Note::Soon), None)
            });
        };
        self.service.look_now(id).await?;
        Ok(if by_script {
            replies::nothing()
        } else {
            replies::see_other(&paths::noted(id, Note::Looked), None)
        })
    }

    /// The page as whoever asks may see it.
    async fn seen(&self, id: &InstanceId) -> PortResult<Option<(Session, View)>> {
        let Some(session) = self.pages.session(id, self.request, self.service.now()).await? else {
            return Ok(None);
        };
        let Some(view) = self.service.view(id, self.pages).await? else { return Ok(None) };
        Ok(Some((session, view)))
    }
}

/// A moment for machines, as a page has it.
fn machine_time(at: Timestamp) -> String {
    words::rfc3339(at)
}
