use async_trait::async_trait;

use super::{MemoryStore, State};
use crate::{
    AccountRecord, AccountStore, AuthorizationRecord, CertificateKey, CertificateRecord, CertificateState,
    CertificateStore, ChallengeAnswers, InstanceId, IssuanceId, IssuanceRecord, IssuanceStore, LastLook,
    PortResult, ProofPlace, ProofState, Readiness, Secret, Timestamp, VaultName, durable_label,
};

#[async_trait]
impl CertificateStore for MemoryStore {
    async fn put(&self, record: &CertificateRecord) -> PortResult<()> {
        self.call("certificates.put", |state, _| {
            let key = (record.instance.clone(), record.incarnation, record.generation);
            state.certificates.insert(key, record.clone());
            Ok(())
        })
        .await
    }

    async fn make_live(&self, record: &CertificateRecord) -> PortResult<()> {
        self.call("certificates.make_live", |state, _| {
            for other in state.certificates.values_mut() {
                let same_life = other.instance == record.instance && other.incarnation == record.incarnation;
                if same_life && other.state == CertificateState::Live {
                    other.state = CertificateState::Retired;
                }
            }
            let live = CertificateRecord { state: CertificateState::Live, ..record.clone() };
            state.certificates.insert((live.instance.clone(), live.incarnation, live.generation), live);
            Ok(())
        })
        .await
    }

    async fn named(&self, name: &VaultName) -> PortResult<Option<CertificateRecord>> {
        self.call("certificates.named", |state, _| {
            Ok(state.certificates.values().find(|record| record.vault_name == *name).cloned())
        })
        .await
    }

    async fn expiring(&self, before: Timestamp, most: u32) -> PortResult<Vec<CertificateRecord>> {
        self.call("certificates.expiring", |state, _| {
            let ends = |record: &CertificateRecord| record.facts.as_ref().map(|facts| facts.not_after);
            let live = state.certificates.values().filter(|one| one.state == CertificateState::Live);
            let expires = |one: &&CertificateRecord| ends(one).is_some_and(|end| end < before);
            let mut expiring: Vec<CertificateRecord> = live.filter(expires).cloned().collect();
            expiring.sort_by_key(ends);
            expiring.truncate(most as usize);
            Ok(expiring)
        })
        .await
    }

    async fn list(&self, after: Option<CertificateKey>, most: u32) -> PortResult<Vec<CertificateRecord>> {
        self.call("certificates.list", |state, _| {
            let key = after.map(|after| (after.instance, after.incarnation, after.generation));
            let behind = state.certificates.iter().filter(|(at, _)| key.as_ref().is_none_or(|key| *at > key));
            Ok(behind.take(most as usize).map(|(_, record)| record.clone()).collect())
        })
        .await
    }

    async fn of_instance(&self, id: &InstanceId, incarnation: i32) -> PortResult<Vec<CertificateRecord>> {
        self.call("certificates.of_instance", |state, _| Ok(state.certificates_of(id, incarnation))).await
    }
}

impl State {
    pub(super) fn certificates_of(&self, id: &InstanceId, incarnation: i32) -> Vec<CertificateRecord> {
        let of_incarnation = (id.clone(), incarnation, i32::MIN)..=(id.clone(), incarnation, i32::MAX);
        self.certificates.range(of_incarnation).map(|(_, record)| record.clone()).collect()
    }

    /// An issuance without its secrets, and not to be saved.
    pub(super) fn shown(&self, id: &IssuanceId) -> Option<IssuanceRecord> {
        let version = IssuanceRecord::FOR_SHOW;
        let shown = |found| IssuanceRecord { version, private_key: None, csr: None, chain: None, ..found };
        self.issuances.get(id).cloned().map(shown)
    }
}

#[async_trait]
impl IssuanceStore for MemoryStore {
    async fn insert(&self, record: &IssuanceRecord) -> PortResult<()> {
        self.call("issuances.insert", |state, _| {
            let first = IssuanceRecord { version: 0, ..record.clone() };
            if !state.issuances.contains_key(&record.id) {
                state.issuances.insert(record.id.clone(), first);
                state.seal("issuances", record.id.as_str(), &self.keys[0]);
            }
            Ok(())
        })
        .await
    }

    async fn load(&self, id: &IssuanceId) -> PortResult<Option<IssuanceRecord>> {
        self.call("issuances.load", |state, _| Ok(state.issuances.get(id).cloned())).await
    }

    async fn show(&self, id: &IssuanceId) -> PortResult<Option<IssuanceRecord>> {
        self.call("issuances.show", |state, _| Ok(state.shown(id))).await
    }

    async fn save(&self, record: &IssuanceRecord) -> PortResult<bool> {
        self.call("issuances.save", |state, _| match state.issuances.get_mut(&record.id) {
            Some(stored) if stored.version == record.version => {
                *stored = IssuanceRecord { version: record.version + 1, ..record.clone() };
                state.seal("issuances", record.id.as_str(), &self.keys[0]);
                Ok(true)
            }
            _ => Ok(false),
        })
        .await
    }

    async fn note_look(&self, id: &IssuanceId, authorization: &str, look: &LastLook) -> PortResult<()> {
        self.call("issuances.note_look", |state, _| {
            let Some(record) = state.issuances.get_mut(id) else { return Ok(()) };
            let is_news =
                |one: &AuthorizationRecord| one.last_look.as_ref().is_none_or(|last| last.at <= look.at);
            for one in record.authorizations.iter_mut().filter(|one| one.url == authorization) {
                if one.state == ProofState::Open && is_news(one) {
                    one.last_look = Some(look.clone());
                }
            }
            Ok(())
        })
        .await
    }

    async fn wanted_elsewhere(&self, id: &IssuanceId, place: &ProofPlace) -> PortResult<bool> {
        self.call("issuances.wanted_elsewhere", |state, _| {
            let mut others = state.issuances.values().filter(|other| other.id != *id && !other.abandoned);
            Ok(others.any(|other| unproven(other).any(|one| wants(one, place))))
        })
        .await
    }

    async fn credit(&self, authorization: &str, tenant: &str) -> PortResult<String> {
        self.call("issuances.credit", |state, _| {
            let credits = state.credits.entry(authorization.to_owned());
            Ok(credits.or_insert_with(|| tenant.to_owned()).clone())
        })
        .await
    }

    async fn credited(&self, authorization: &str) -> PortResult<Option<String>> {
        self.call("issuances.credited", |state, _| Ok(state.credits.get(authorization).cloned())).await
    }

    async fn relies_on(&self, tenant: &str, authorization: &str) -> PortResult<bool> {
        self.call("issuances.relies_on", |state, _| {
            let underway = |one: &&IssuanceRecord| {
                let goes_on = !one.abandoned && one.chain.is_none() && one.order_url.is_some();
                goes_on && one.request.tenant == tenant
            };
            let mut theirs = state.issuances.values().filter(underway);
            Ok(theirs.any(|one| one.authorizations.iter().any(|it| it.url == authorization)))
        })
        .await
    }
}

#[async_trait]
impl ChallengeAnswers for MemoryStore {
    async fn answer(&self, place: &str, token: &str) -> PortResult<Option<String>> {
        self.call("answers.answer", |state, now| {
            let open = |one: &&IssuanceRecord| {
                !one.abandoned && one.chain.is_none() && one.order_expires.is_none_or(|expires| expires > now)
            };
            let of = |record| unproven(record).map(move |one| (record, one));
            let asked = state.issuances.values().filter(open).flat_map(of).filter(|(record, one)| {
                place == one.name.as_str() || place == durable_label(&record.request.tenant, &one.name)
            });
            let mut answers = asked.filter_map(|(_, one)| one.http.clone());
            Ok(answers.find(|http| http.token == token).map(|http| http.answer))
        })
        .await
    }
}

#[async_trait]
impl Readiness for MemoryStore {
    async fn ready(&self) -> PortResult<()> {
        self.call("readiness.ready", |_, _| Ok(())).await
    }
}

fn unproven(record: &IssuanceRecord) -> impl Iterator<Item = &AuthorizationRecord> {
    record.authorizations.iter().filter(|one| one.state != ProofState::Proven)
}

fn wants(one: &AuthorizationRecord, place: &ProofPlace) -> bool {
    match place {
        ProofPlace::Zone { value, .. } => one.dns.as_ref() == Some(value),
        ProofPlace::Site { token, .. } => one.http.as_ref().is_some_and(|http| http.token == *token),
    }
}

#[async_trait]
impl AccountStore for MemoryStore {
    async fn find(&self, directory: &str) -> PortResult<Option<AccountRecord>> {
        self.call("accounts.find", |state, _| Ok(state.accounts.get(directory).cloned())).await
    }

    async fn ensure(&self, candidate: &AccountRecord) -> PortResult<AccountRecord> {
        self.call("accounts.ensure", |state, _| {
            let directory = candidate.directory.clone();
            if !state.accounts.contains_key(&directory) {
                state.seal("accounts", &directory, &self.keys[0]);
            }
            Ok(state.accounts.entry(directory).or_insert_with(|| candidate.clone()).clone())
        })
        .await
    }

    async fn record_url(&self, directory: &str, url: &str) -> PortResult<()> {
        self.call("accounts.record_url", |state, _| {
            if let Some(account) = state.accounts.get_mut(directory) {
                account.url = Some(url.to_owned());
            }
            Ok(())
        })
        .await
    }

    async fn all(&self) -> PortResult<Vec<AccountRecord>> {
        self.call("accounts.all", |state, _| Ok(state.accounts.values().cloned().collect())).await
    }

    async fn propose_key(
        &self,
        directory: &str,
        key: &Secret,
        next: &Secret,
    ) -> PortResult<Option<AccountRecord>> {
        self.call("accounts.propose_key", |state, _| {
            let Some(account) = state.accounts.get_mut(directory) else { return Ok(None) };
            let proposes = account.key == *key && account.next_key.is_none();
            if proposes {
                account.next_key = Some(next.clone());
            }
            let account = account.clone();
            if proposes {
                state.seal("next_account_keys", directory, &self.keys[0]);
            }
            Ok(Some(account))
        })
        .await
    }

    async fn adopt_key(&self, directory: &str, next: &Secret) -> PortResult<()> {
        self.call("accounts.adopt_key", |state, _| {
            let account = state.accounts.get_mut(directory);
            if let Some(account) = account.filter(|account| account.next_key.as_ref() == Some(next)) {
                (account.key, account.next_key) = (next.clone(), None);
                state.seal("accounts", directory, &self.keys[0]);
            }
            Ok(())
        })
        .await
    }

    async fn drop_key(&self, directory: &str, next: &Secret) -> PortResult<()> {
        self.call("accounts.drop_key", |state, _| {
            let account = state.accounts.get_mut(directory);
            if let Some(account) = account.filter(|account| account.next_key.as_ref() == Some(next)) {
                account.next_key = None;
            }
            Ok(())
        })
        .await
    }
}
