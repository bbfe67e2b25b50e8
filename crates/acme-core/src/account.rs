mod rollover;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use contract::{AccountRecord, AccountStore, CaaQuestion, Clock, DomainName, Secret};
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, Method, Request, StatusCode};
use instant_acme::{Account, BodyWrapper};
use rustls_pki_types::PrivatePkcs8KeyDer;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::directory::{Directories, Fresh};
use crate::error::{AcmeError, Operation, Refusal};
use crate::exchange::{Exchange, listening};
use crate::http::Transport;
use crate::jws::{AccountKey, external_account_binding};
use crate::settings::AcmeSettings;

/// RFC 8555, section 6.5: a nonce may be refused at any time, and Pebble does so on purpose.
const NONCE_ATTEMPTS: u32 = 5;
/// How long somebody who only looks waits for a directory that was never read.
const DIRECTORY_BOUND: Duration = Duration::from_secs(3);
const ACCOUNT_DOES_NOT_EXIST: &str = "urn:ietf:params:acme:error:accountDoesNotExist";
const BAD_NONCE: &str = "urn:ietf:params:acme:error:badNonce";
const REPLAY_NONCE: &str = "replay-nonce";

/// The one account at the directory, opened when it is first needed and kept.
///
/// The key is stored before the authority hears of it, and newAccount with a known key gives the account that is
/// there (RFC 8555, section 7.3.1): whatever dies in between, there is never a second account.
pub(crate) struct Accounts {
    settings: Arc<AcmeSettings>,
    transport: Transport,
    directories: Arc<Directories>,
    store: Arc<dyn AccountStore>,
    clock: Arc<dyn Clock>,
    open: Mutex<Option<Opened>>,
    /// How often another key was found to count.
    changes: AtomicU64,
}

/// An account that is open, and the keys as they were stored then.
struct Opened {
    account: Account,
    key: Secret,
    next_key: Option<Secret>,
}

impl Opened {
    fn goes_with(&self, record: &AccountRecord) -> bool {
        self.key == record.key && self.next_key == record.next_key
    }
}

/// What CAA records are compared with (RFC 8659; RFC 8657).
#[derive(Clone, Debug)]
pub(crate) struct InCaa {
    /// The names of the authority; never empty.
    pub(crate) issuers: Vec<String>,
    /// The URL of our account.
    pub(crate) account_url: String,
}

impl InCaa {
    /// Whether the authority may issue for a name when that is proven in this way.
    pub(crate) fn question(&self, name: &DomainName, method: &str) -> CaaQuestion {
        CaaQuestion {
            name: name.clone(),
            issuers: self.issuers.clone(),
            account_url: Some(self.account_url.clone()),
            method: method.to_owned(),
        }
    }
}

impl Accounts {
    pub(crate) fn new(
        settings: Arc<AcmeSettings>,
        transport: Transport,
        directories: Arc<Directories>,
        store: Arc<dyn AccountStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (open, changes) = (Mutex::new(None), AtomicU64::new(0));
        Self { settings, transport, directories, store, clock, open, changes }
    }

    /// The account, ready to be used. Whoever comes while another is opening it waits for that one, but not for a
    /// whole queue of attempts at an authority that does not answer.
    pub(crate) async fn account(&self) -> Result<Account, AcmeError> {
        let open = tokio::time::timeout(self.settings.request_timeout, self.open.lock()).await;
        let mut open = open.map_err(|_| AcmeError::AccountBusy)?;
        let record = self.ensure_key().await?;
        if let Some(opened) = open.as_ref() {
            if opened.goes_with(&record) {
                return Ok(opened.account.clone());
            }
            self.changes.fetch_add(1, Ordering::SeqCst);
        }
        let opened = Box::pin(self.load(record)).await?;
        Ok(open.insert(opened).account.clone())
    }

    /// Reads the directory anew before the next use: the authority may have moved.
    pub(crate) async fn reload(&self) {
        self.open.lock().await.take();
        self.directories.reload().await;
    }

    async fn load(&self, record: AccountRecord) -> Result<Opened, AcmeError> {
        let record = self.settled(record).await?;
        let url = match &record.url {
            Some(url) => url.clone(),
            None => self.register(&record).await?,
        };
        let builder = Account::builder_with_http(Box::new(self.transport.clone()));
        let key = PrivatePkcs8KeyDer::from(record.key.expose());
        let (account, exchange) =
            listening("directory", builder.from_parts(url, key, self.settings.directory_url.clone())).await;
        let account =
            account.map_err(|error| AcmeError::refused(Operation::ReadDirectory, &exchange, error))?;
        self.directories.keep(&exchange.body).await;
        Ok(Opened { account, key: record.key, next_key: record.next_key })
    }

    /// How CAA records mean the authority and this account. An authority that does not say by which names it goes is
    /// meant by none that we could know.
    pub(crate) async fn in_caa(&self) -> Result<Option<InCaa>, AcmeError> {
        let account = self.account().await?;
        let issuers = self.directories.known().await?.meta.caa_identities;
        Ok((!issuers.is_empty()).then(|| InCaa { issuers, account_url: account.id().to_owned() }))
    }

    /// The same for whoever only looks: no account is opened for it. `None` also where there is none yet, and where the
    /// directory, if it was never read, cannot be read now.
    pub(crate) async fn in_caa_if_known(&self) -> Result<Option<InCaa>, AcmeError> {
        let record = self.store.find(&self.settings.directory_url).await?;
        let Some(account_url) = record.and_then(|record| record.url) else { return Ok(None) };
        let directory = tokio::time::timeout(DIRECTORY_BOUND, self.directories.known()).await;
        let issuers = match directory {
            Ok(Ok(directory)) => directory.meta.caa_identities,
            Ok(Err(error)) => {
                tracing::warn!(%error, "CAA is left out of a look: the directory cannot be read");
                Vec::new()
            }
            Err(_) => Vec::new(),
        };
        Ok((!issuers.is_empty()).then_some(InCaa { issuers, account_url }))
    }

    /// The directory as it is now.
    pub(crate) async fn read_directory(&self) -> Result<Fresh, AcmeError> {
        self.directories.read().await
    }

    /// Whether the authority still knows our account; `None` when there is none yet. None is made (RFC 8555, section 7.3.1).
    pub(crate) async fn is_known(&self) -> Result<Option<bool>, AcmeError> {
        let record = self.store.find(&self.settings.directory_url).await?;
        let Some(record) = record.filter(|record| record.url.is_some()) else { return Ok(None) };
        for key in [Some(&record.key), record.next_key.as_ref()].into_iter().flatten() {
            if self.known(key).await?.is_some_and(|known| record.url == Some(known.url)) {
                return Ok(Some(true));
            }
        }
        Ok(Some(false))
    }

    /// The account that the authority knows by this key; none is made (RFC 8555, section 7.3.1).
    async fn known(&self, key: &Secret) -> Result<Option<Known>, AcmeError> {
        let key = AccountKey::from_pkcs8(key)?;
        let asking = self.new_account(&key, json!({"onlyReturnExisting": true}));
        let (url, exchange) = listening("newAccount", asking).await;
        match url {
            Ok(url) => Ok(Some(Known { url, account: exchange.json() })),
            Err(_) if exchange.json()["type"] == ACCOUNT_DOES_NOT_EXIST => Ok(None),
            Err(error) => Err(error.into_acme(&exchange)),
        }
    }

    async fn ensure_key(&self) -> Result<AccountRecord, AcmeError> {
        let directory = &self.settings.directory_url;
        if let Some(record) = self.store.find(directory).await? {
            return Ok(record);
        }
        let candidate = AccountRecord {
            directory: directory.clone(),
            key: AccountKey::generate()?,
            url: None,
            created_at: self.clock.now(),
            next_key: None,
        };
        Ok(self.store.ensure(&candidate).await?)
    }

    async fn register(&self, record: &AccountRecord) -> Result<String, AcmeError> {
        let key = AccountKey::from_pkcs8(&record.key)?;
        let agreed = json!({"termsOfServiceAgreed": true, "contact": self.contact()});
        let (url, exchange) = listening("newAccount", self.new_account(&key, agreed)).await;
        let url = url.map_err(|error| error.into_acme(&exchange))?;
        self.store.record_url(&record.directory, &url).await?;
        tracing::info!(account.url = url, account.directory = record.directory, "opened the ACME account");
        Ok(url)
    }

    /// newAccount, done by hand: instant-acme either makes the key itself or knows neither contacts nor external
    /// accounts.
    async fn new_account(&self, key: &AccountKey, payload: Value) -> Result<String, Failure> {
        let directory = self.directories.directory().await?;
        let payload = self.bound(payload, key, &directory.new_account)?;
        let mut nonce = self.nonce(&directory.new_nonce).await?;
        for _ in 0..NONCE_ATTEMPTS {
            match self.attempt(key, &directory.new_account, nonce, &payload).await? {
                Attempt::Opened(url) => return Ok(url),
                Attempt::BadNonce(next) => nonce = next,
            }
        }
        Err(Failure::refused(Operation::NewAccount, "the authority refuses every nonce that it gives"))
    }

    /// RFC 8555, section 7.2.
    async fn nonce(&self, url: &str) -> Result<Option<String>, Failure> {
        let (status, headers, _) = self.send(Operation::NewAccount, Method::HEAD, url, Vec::new()).await?;
        Ok(nonce_of(&headers).filter(|_| status.is_success()))
    }

    async fn attempt(
        &self,
        key: &AccountKey,
        url: &str,
        nonce: Option<String>,
        payload: &Value,
    ) -> Result<Attempt, Failure> {
        let nonce =
            nonce.ok_or_else(|| Failure::refused(Operation::NewAccount, "the authority gave no nonce"))?;
        let body = key.sign(url, &nonce, payload)?.to_string().into_bytes();
        let (status, headers, body) = self.send(Operation::NewAccount, Method::POST, url, body).await?;
        if status.is_success() {
            let location = headers.get(LOCATION).and_then(|location| location.to_str().ok());
            let missing = || Failure::refused(Operation::NewAccount, "the authority gave no account URL");
            return location.map(|url| Attempt::Opened(url.to_owned())).ok_or_else(missing);
        }
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        if body["type"] == BAD_NONCE {
            return Ok(Attempt::BadNonce(nonce_of(&headers)));
        }
        Err(Failure::refused(Operation::NewAccount, "the authority opens no account"))
    }

    fn contact(&self) -> Vec<String> {
        self.settings.contact_email.iter().map(|to| format!("mailto:{to}")).collect()
    }

    /// RFC 8555, section 7.3.4.
    fn bound(&self, mut payload: Value, key: &AccountKey, url: &str) -> Result<Value, Failure> {
        if let Some(external) = &self.settings.external_account {
            let mac = external
                .mac_key()
                .map_err(|_| AcmeError::Key("the external account's HMAC key is not base64url"))?;
            payload["externalAccountBinding"] =
                external_account_binding(&external.key_id, &mac, url, &key.jwk());
        }
        Ok(payload)
    }

    async fn send(
        &self,
        operation: Operation,
        method: Method,
        url: &str,
        body: Vec<u8>,
    ) -> Result<(StatusCode, HeaderMap, Bytes), Failure> {
        let body = if body.is_empty() { BodyWrapper::default() } else { BodyWrapper::from(body) };
        let request =
            Request::builder().method(method).uri(url).header(CONTENT_TYPE, "application/jose+json");
        let request = request.body(body).map_err(|error| Failure::Refused(operation, error.into()))?;
        let answer = self.transport.send(request).await;
        let (parts, body) = answer.map_err(|error| Failure::Refused(operation, error.into()))?.into_parts();
        Ok((parts.status, parts.headers, body))
    }
}

/// An account as the authority has it (RFC 8555, section 7.1.2).
struct Known {
    url: String,
    account: Value,
}

enum Attempt {
    Opened(String),
    BadNonce(Option<String>),
}

/// What goes wrong inside, before the exchange is put to it.
enum Failure {
    Ours(AcmeError),
    Refused(Operation, Box<dyn std::error::Error + Send + Sync>),
}

impl Failure {
    fn refused(operation: Operation, sentence: &'static str) -> Self {
        Self::Refused(operation, sentence.into())
    }

    fn into_acme(self, exchange: &Exchange) -> AcmeError {
        match self {
            Self::Ours(error) => error,
            Self::Refused(operation, source) => {
                AcmeError::Refused(Box::new(Refusal::new(operation, exchange, source)))
            }
        }
    }
}

impl From<AcmeError> for Failure {
    fn from(error: AcmeError) -> Self {
        Self::Ours(error)
    }
}

fn nonce_of(headers: &HeaderMap) -> Option<String> {
    headers.get(REPLAY_NONCE)?.to_str().ok().map(ToOwned::to_owned)
}
