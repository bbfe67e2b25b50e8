//! The accounts for the operator: what there is, and how a key is replaced.

use async_trait::async_trait;
use contract::{AccountRecord, AuthorityAccount, AuthorityAccounts, PortResult};

use crate::error::AcmeError;
use crate::issuer::AcmeIssuer;
use crate::jws::AccountKey;

/// RFC 7518, section 3.1.
const KEY_TYPE: &str = "ECDSA P-256 (ES256)";

#[async_trait]
impl AuthorityAccounts for AcmeIssuer {
    async fn accounts(&self) -> PortResult<Vec<AuthorityAccount>> {
        let mut shown = Vec::new();
        for record in self.accounts.stored().await.map_err(AcmeError::into_port)? {
            shown.push(self.shown(&record).await.map_err(AcmeError::into_port)?);
        }
        Ok(shown)
    }

    async fn rotate_key(&self) -> PortResult<AuthorityAccount> {
        let rotated = Box::pin(self.accounts.rotate()).await.map_err(AcmeError::into_port)?;
        self.shown(&rotated).await.map_err(AcmeError::into_port)
    }
}

impl AcmeIssuer {
    async fn shown(&self, record: &AccountRecord) -> Result<AuthorityAccount, AcmeError> {
        let settings = self.accounts.settings();
        let is_current = record.directory == settings.directory_url;
        let next = record.next_key.as_ref().map(AccountKey::from_pkcs8).transpose()?;
        let external = settings.external_account.as_ref().filter(|_| is_current);
        Ok(AuthorityAccount {
            directory: record.directory.clone(),
            is_current,
            url: record.url.clone(),
            created_at: record.created_at,
            key_type: KEY_TYPE,
            thumbprint: AccountKey::from_pkcs8(&record.key)?.thumbprint(),
            next_thumbprint: next.map(|next| next.thumbprint()),
            external_account: external.map(|external| external.key_id.clone()),
            contact_configured: settings.contact_email.clone().filter(|_| is_current),
            at_authority: self.accounts.standing(record).await,
        })
    }
}
