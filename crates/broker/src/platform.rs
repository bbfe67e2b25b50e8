//! The platform's directory as Cloud Controller keeps it: its v3 API, with a token of its UAA.

mod cache;
mod error;
mod judge;
mod people;
mod session;
mod settings;
mod web;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use contract::{Clock, DomainName, Place, PlatformDirectory, PlatformDomain, PortResult};
use url::Url;

use self::cache::Cache;
use self::error::PlatformError;
use self::judge::Known;
pub use self::people::People;
use self::session::Session;
pub use self::settings::{PlatformSettings, PlatformSettingsError};
use self::web::Web;
use self::wire::{Domain, Named, Page};

/// How long a question may take in all, with everything that it needs: a user waits for the answer, and every request of the
/// platform is to be answered within five seconds (R5).
const QUESTION_TIME: Duration = Duration::from_secs(4);
/// For how long a domain that was usable is not asked for again.
const USABLE_FOR: Duration = Duration::from_mins(1);
/// For how long a name stands. Organizations are renamed rarely, and tags are all that it is for.
const NAMED_FOR: Duration = Duration::from_mins(10);
/// How much is remembered of each.
const REMEMBERED: usize = 4096;
/// How much of a request's address the names may take: proxies take eight thousand bytes at least.
const NAMES_IN_ADDRESS: usize = 4000;
/// More pages than a list of so many names can have.
const MOST_PAGES: usize = 100;
/// The most that Cloud Controller puts on a page.
const PAGE_SIZE: &str = "5000";

/// What a platform lets us see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlatformView {
    /// How many organizations there are. None at all means that we may not see them.
    pub organizations: usize,
}

/// Cloud Controller and its UAA.
///
/// A token is fetched when it is needed, kept, and replaced before its end; one that is refused before is replaced once.
#[derive(Clone)]
pub struct CloudController {
    inner: Arc<Inner>,
}

struct Inner {
    api: Url,
    web: Web,
    session: Session,
    usable: Mutex<Cache<(String, String)>>,
    names: Mutex<Cache<String, String>>,
}

impl CloudController {
    /// Prepares the client and asks nobody.
    pub fn new(settings: &PlatformSettings, clock: Arc<dyn Clock>) -> Result<Self, PlatformSettingsError> {
        let api = settings.api_url()?;
        let web = Web::new(settings)?;
        let session = Session::new(settings, clock.clone());
        let usable = Mutex::new(Cache::new(clock.clone(), USABLE_FOR, REMEMBERED));
        let names = Mutex::new(Cache::new(clock, NAMED_FOR, REMEMBERED));
        Ok(Self { inner: Arc::new(Inner { api, web, session, usable, names }) })
    }

    /// Asks for a token and for organizations, to see whether both work.
    pub async fn view(&self) -> PortResult<PlatformView> {
        let asked = self.get::<Page<Named>>("/v3/organizations", &[("per_page", "1")]);
        let page = bounded(asked).await.map_err(|error| error.port("look at the organizations"))?;
        let organizations = page.map_or(0, |page| page.pagination.total_results);
        Ok(PlatformView { organizations })
    }

    /// The domains that exist among these names and their parents.
    async fn existing(&self, names: &[&DomainName]) -> Result<Known, PlatformError> {
        let mut known = Known::default();
        for names in judge::chunks(names, NAMES_IN_ADDRESS) {
            let query = [("names", names.as_str()), ("per_page", PAGE_SIZE)];
            let mut page = self.get::<Page<Domain>>("/v3/domains", &query).await?;
            for _ in 0..MOST_PAGES {
                let Some(Page { pagination, resources }) = page.take() else { break };
                known.add(resources);
                let Some(next) = pagination.next else { break };
                page = self.follow(&next.href).await?;
            }
        }
        Ok(known)
    }

    async fn name_of(&self, list: &str, guid: &str) -> Result<Option<String>, PlatformError> {
        // A GUID is somebody else's text: what could not be one is not put into a path.
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if guid.is_empty() || guid.len() > 255 || !guid.bytes().all(is_plain) {
            return Ok(None);
        }
        let path = format!("/v3/{list}/{guid}");
        if let Some(name) = locked(&self.inner.names).get(&path) {
            return Ok(Some(name));
        }
        let named: Option<Named> = self.get(&path, &[]).await?;
        let name = named.map(|named| named.name);
        if let Some(name) = &name {
            locked(&self.inner.names).put(path, name.clone());
        }
        Ok(name)
    }

    /// What is at a path of the API; `None` when there is nothing.
    async fn get<T>(&self, path: &str, query: &[(&str, &str)]) -> Result<Option<T>, PlatformError>
    where
        T: serde::de::DeserializeOwned,
    {
        let mut url = self.inner.api.clone();
        url.set_path(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.fetch(&url).await
    }

    /// Another page of a list. Only its path and query count: the token is for the API that we know, whatever it calls itself.
    async fn follow<T>(&self, href: &str) -> Result<Option<T>, PlatformError>
    where
        T: serde::de::DeserializeOwned,
    {
        let next = Url::parse(href).map_err(|_| PlatformError::Link("next page"))?;
        let mut url = self.inner.api.clone();
        url.set_path(next.path());
        url.set_query(next.query());
        self.fetch(&url).await
    }

    /// A token may be revoked before its end, by a UAA that was restored or whose keys were changed: it is replaced once.
    async fn fetch<T>(&self, url: &Url) -> Result<Option<T>, PlatformError>
    where
        T: serde::de::DeserializeOwned,
    {
        let Inner { api, web, session, .. } = &*self.inner;
        let token = session.token(api, web, None).await?;
        let answer = match web.get(url, Some(&token)).await {
            Err(PlatformError::Refused { status: 401, .. }) => {
                let token = session.token(api, web, Some(&token)).await?;
                web.get(url, Some(&token)).await
            }
            answer => answer,
        };
        match answer {
            Ok(found) => Ok(Some(found)),
            Err(PlatformError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl PlatformDirectory for CloudController {
    async fn domains(&self, organization: &str, names: &[DomainName]) -> PortResult<Vec<PlatformDomain>> {
        let key = |name: &DomainName| (organization.to_owned(), name.base().to_owned());
        let is_new = |name: &&DomainName| locked(&self.inner.usable).get(&key(name)).is_none();
        let open: Vec<&DomainName> = names.iter().filter(is_new).collect();
        let asked = async { if open.is_empty() { Ok(Known::default()) } else { self.existing(&open).await } };
        let known = bounded(asked).await.map_err(|error| error.port("look domains up"))?;
        let judged: BTreeMap<&DomainName, PlatformDomain> =
            open.into_iter().map(|name| (name, known.judge(organization, name))).collect();
        for (name, _) in judged.iter().filter(|(_, judged)| **judged == PlatformDomain::Usable) {
            locked(&self.inner.usable).put(key(name), ());
        }
        Ok(names.iter().map(|name| judged.get(name).cloned().unwrap_or(PlatformDomain::Usable)).collect())
    }

    async fn place(&self, organization: &str, space: &str) -> PortResult<Place> {
        let asked = async {
            let organization = self.name_of("organizations", organization).await?;
            let space = self.name_of("spaces", space).await?;
            Ok(Place { organization, space })
        };
        bounded(asked).await.map_err(|error| error.port("look up the names of organization and space"))
    }
}

async fn bounded<T>(asked: impl Future<Output = Result<T, PlatformError>>) -> Result<T, PlatformError> {
    tokio::time::timeout(QUESTION_TIME, asked).await.unwrap_or(Err(PlatformError::Late(QUESTION_TIME)))
}

/// What is in there is whole at any moment.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
