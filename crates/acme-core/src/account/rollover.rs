//! How the key of the account is replaced (RFC 8555, section 7.3.5) while brokers use it.
//!
//! The next key is stored before the authority hears of it. As long as it is stored, nobody knows which of the two the authority
//! goes by, and whoever needs to know asks it (section 7.3.1). A request that was signed with a key which does not count any
//! more is refused as malformed, and means nothing: it is made again.

use contract::AccountStanding;

use super::{
    AccountKey, AccountRecord, Accounts, AcmeError, Arc, BAD_NONCE, Failure, Known, Method, NONCE_ATTEMPTS,
    Operation, Ordering, Secret, Value, listening, nonce_of,
};

impl Accounts {
    /// How often another key was found to count.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Whether the authority goes by another key than the one that was used since the account was opened. Whoever asks next is
    /// given an account with the key that counts.
    pub(crate) async fn has_another_key(&self) -> Result<bool, AcmeError> {
        let mut open = self.open.lock().await;
        let Some(record) = self.store.find(&self.settings.directory_url).await? else { return Ok(false) };
        let is_stale = open.as_ref().is_some_and(|opened| !opened.goes_with(&record));
        let stored = record.key.clone();
        let replaced = is_stale || self.settled(record).await?.key != stored;
        if replaced {
            open.take();
            self.changes.fetch_add(1, Ordering::SeqCst);
        }
        Ok(replaced)
    }

    /// The account with the key that the authority goes by, if an exchange of keys was not brought to its end: then both are
    /// tried. The next key stays stored while it does not count: whoever stored it may be about to ask for it.
    pub(super) async fn settled(&self, record: AccountRecord) -> Result<AccountRecord, AcmeError> {
        let Some(next) = record.next_key.clone().filter(|_| record.url.is_some()) else { return Ok(record) };
        match self.known(&next).await? {
            Some(known) if record.url.as_ref() == Some(&known.url) => self.adopt(record, next).await,
            _ => Ok(record),
        }
    }

    async fn adopt(&self, record: AccountRecord, next: Secret) -> Result<AccountRecord, AcmeError> {
        self.store.adopt_key(&record.directory, &next).await?;
        tracing::info!(account.url = record.url, "the ACME account has another key from now on");
        Ok(AccountRecord { key: next, next_key: None, ..record })
    }

    /// Replaces the key of the account, whatever has become of an earlier attempt.
    pub(crate) async fn rotate(&self) -> Result<AccountRecord, AcmeError> {
        let directory = &self.settings.directory_url;
        let record = self.store.find(directory).await?.filter(|record| record.url.is_some());
        let record = record.ok_or_else(|| AcmeError::NoAccount(directory.clone()))?;
        let was_underway = record.next_key.is_some();
        let record = self.settled(record).await?;
        if was_underway && record.next_key.is_none() {
            return Ok(record);
        }
        let next = match &record.next_key {
            Some(next) => next.clone(),
            None => AccountKey::generate()?,
        };
        let stored = self.store.propose_key(directory, &record.key, &next).await?;
        let stored = stored.filter(|stored| stored.key == record.key).ok_or(AcmeError::Outpaced)?;
        let next = stored.next_key.clone().ok_or(AcmeError::Outpaced)?;
        match self.change(&stored, &next).await {
            Ok(()) => self.adopt(stored, next).await,
            Err(error) => self.not_changed(stored, next, error).await,
        }
    }

    /// The answer may have been lost, or somebody else have been quicker with the same key. What the authority has certainly
    /// refused is not kept for another time.
    async fn not_changed(
        &self,
        record: AccountRecord,
        next: Secret,
        error: AcmeError,
    ) -> Result<AccountRecord, AcmeError> {
        let record = self.settled(record).await?;
        if record.next_key.is_none() {
            return Ok(record);
        }
        if error.is_refusal() {
            if self.known(&record.key).await?.is_none() {
                return Err(AcmeError::NoKeyIsKnown);
            }
            self.store.drop_key(&record.directory, &next).await?;
        }
        Err(error)
    }

    /// Asks the authority to go by the next key.
    async fn change(&self, record: &AccountRecord, next: &Secret) -> Result<(), AcmeError> {
        let directory = self.directories.directory().await?;
        let url = directory.key_change.ok_or(AcmeError::NoKeyChange)?;
        let (old, new) = (AccountKey::from_pkcs8(&record.key)?, AccountKey::from_pkcs8(next)?);
        let account = record.url.as_deref().unwrap_or_default();
        let inner = new.sign_key_change(account, &url, &old)?;
        let asking = self.send_change(&old, account, &url, &directory.new_nonce, &inner);
        let (changed, exchange) = listening("keyChange", asking).await;
        changed.map_err(|error| error.into_acme(&exchange))
    }

    async fn send_change(
        &self,
        old: &AccountKey,
        account: &str,
        url: &str,
        new_nonce: &str,
        inner: &Value,
    ) -> Result<(), Failure> {
        let mut nonce = self.nonce(new_nonce).await?;
        for _ in 0..NONCE_ATTEMPTS {
            let given = nonce.ok_or_else(|| refused("the authority gave no nonce"))?;
            let body = old.sign_as(account, url, &given, inner)?.to_string().into_bytes();
            let (status, headers, body) = self.send(Operation::KeyChange, Method::POST, url, body).await?;
            if status.is_success() {
                return Ok(());
            }
            let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
            if problem["type"] != BAD_NONCE {
                return Err(refused("the authority does not replace the key"));
            }
            nonce = nonce_of(&headers);
        }
        Err(refused("the authority refuses every nonce that it gives"))
    }

    /// Every account that is stored.
    pub(crate) async fn stored(&self) -> Result<Vec<AccountRecord>, AcmeError> {
        Ok(self.store.all().await?)
    }

    /// What the authority of now says about its account, by whichever key it goes.
    pub(crate) async fn standing(&self, record: &AccountRecord) -> AccountStanding {
        if record.url.is_none() || record.directory != self.settings.directory_url {
            return AccountStanding::NotAsked;
        }
        for key in [Some(&record.key), record.next_key.as_ref()].into_iter().flatten() {
            match self.known(key).await {
                Ok(Some(Known { account, .. })) => return described(&account),
                Ok(None) => {}
                Err(error) => return AccountStanding::Unreachable(error.into_port().to_string()),
            }
        }
        AccountStanding::Unknown
    }

    pub(crate) fn settings(&self) -> &Arc<crate::settings::AcmeSettings> {
        &self.settings
    }
}

fn refused(sentence: &'static str) -> Failure {
    Failure::refused(Operation::KeyChange, sentence)
}

/// RFC 8555, section 7.1.2.
fn described(account: &Value) -> AccountStanding {
    let contact = account["contact"].as_array().into_iter().flatten();
    AccountStanding::Known {
        status: account["status"].as_str().unwrap_or("not said").to_owned(),
        contact: contact.filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        terms_agreed: account["termsOfServiceAgreed"].as_bool(),
    }
}
