//! The certificate that is served, which an earlier broker has obtained.

use contract::{
    CertificateFacts, CertificateRecord, CertificateRequest, CertificateState, DomainName, InstanceId,
    IssuanceRecord, KeyType, LegacyInstance, StoredCertificate, VaultName, WholeDistribution,
};

use super::judge::{Judge, Stop, inconsistent, missing};
use super::{ImportEntry, ServedCertificate};
use crate::describe::list;
use crate::names;
use crate::workflow::covers;

/// What a certificate's name begins with that is not in the vault but with the provider's own issuer (ACM).
const ARN: &str = "arn:";

impl Judge<'_> {
    /// The record of the certificate that is served.
    pub(super) async fn certificate(
        &self,
        row: &LegacyInstance,
        whole: &WholeDistribution,
        entry: &mut ImportEntry,
    ) -> Result<(CertificateRecord, Option<IssuanceRecord>), Stop> {
        let served = whole.listed.distribution.certificate.clone();
        let stored = served.ok_or_else(|| missing("its distribution has no certificate"))?;
        let (vault_name, facts) = if stored.as_str().starts_with(ARN) {
            entry.notes.push(format!(
                "its certificate {stored} stays in ACM, which goes on renewing it until it is replaced; delete it there after"
            ));
            (names::first_vault_name(&entry.instance), None)
        } else {
            let (name, facts) = self.kept(&stored).await?;
            (name, Some(facts))
        };
        let mut record = record(&entry.instance, &entry.names, stored, vault_name, facts);
        check_names(&record, &entry.names)?;
        self.compare(row, &record, &mut entry.notes);
        entry.certificate = Some(ServedCertificate {
            id: record.stored.as_ref().map(ToString::to_string).unwrap_or_default(),
            facts: record.facts.clone(),
            replaced_at: None,
        });
        let issuance = self.key_of(row, &record, &mut entry.notes);
        record.keyless = issuance.is_none();
        Ok((record, issuance))
    }

    /// The key and the chain of the certificate that is served, where the earlier broker has kept the key.
    fn key_of(
        &self,
        row: &LegacyInstance,
        record: &CertificateRecord,
        notes: &mut Vec<String>,
    ) -> Option<IssuanceRecord> {
        let known = row.certificate.as_ref()?;
        let (chain, key) = (known.chain_pem.clone()?, known.private_key_pem.clone()?);
        let facts = self.reader.facts(&chain).ok()?;
        if record.facts.as_ref().is_none_or(|served| served.fingerprint != facts.fingerprint) {
            return None;
        }
        if !self.reader.is_key_of(&key, &chain) {
            notes.push("the private key in its row is not that of its certificate; the certificate is replaced early".to_owned());
            return None;
        }
        Some(IssuanceRecord {
            id: record.issuance.clone(),
            version: 0,
            request: CertificateRequest::new(facts.names, KeyType::default()),
            directory: self.settings.broker.as_str().to_owned(),
            private_key: Some(key),
            csr: None,
            order_url: None,
            order_expires: None,
            orders_placed: 0,
            thumbprint: None,
            authorizations: Vec::new(),
            presented: Vec::new(),
            failure: None,
            chain: Some(chain),
            opened_at: self.ports.clock.now(),
            abandoned: false,
        })
    }

    async fn kept(&self, stored: &StoredCertificate) -> Result<(VaultName, CertificateFacts), Stop> {
        let elsewhere = || {
            missing(format!(
                "its certificate {stored} is not in this broker's part of IAM: set IAM_PATH_PREFIX to what the earlier broker had"
            ))
        };
        let name = self.census.vault_name(stored).ok_or_else(elsewhere)?;
        let chain = self.ports.vault.chain(name).await?.ok_or_else(elsewhere)?;
        Ok((name.clone(), self.reader.facts(&chain)?))
    }

    /// Says where the earlier broker's database speaks of another certificate.
    fn compare(&self, row: &LegacyInstance, record: &CertificateRecord, notes: &mut Vec<String>) {
        let now = self.ports.clock.now();
        let Some(facts) = &record.facts else { return };
        if facts.not_after <= now {
            notes.push(format!("its certificate has expired on {}", facts.not_after));
        }
        let known = row.certificate.as_ref().and_then(|known| known.chain_pem.as_deref());
        match known.map(|chain| self.reader.facts(chain)) {
            Some(Ok(known)) if known.fingerprint != facts.fingerprint => notes.push(format!(
                "its row has another certificate, for {} until {}; what is served counts: one for {} until {}",
                list(&known.names),
                known.not_after,
                list(&facts.names),
                facts.not_after
            )),
            Some(Err(_)) => notes.push("the certificate in its row cannot be read; what is served counts".to_owned()),
            Some(Ok(_)) | None => {}
        }
    }
}

fn check_names(record: &CertificateRecord, names: &[DomainName]) -> Result<(), Stop> {
    let bare: Vec<DomainName> = names.iter().filter(|name| !covers(record, name)).cloned().collect();
    if bare.is_empty() {
        return Ok(());
    }
    let of = record.facts.as_ref().map_or_else(String::new, |facts| list(&facts.names));
    Err(inconsistent(format!(
        "its distribution serves {} under the certificate {} of {of}; attach the right one",
        list(&bare),
        record.vault_name
    )))
}

fn record(
    instance: &InstanceId,
    names: &[DomainName],
    stored: StoredCertificate,
    vault_name: VaultName,
    facts: Option<CertificateFacts>,
) -> CertificateRecord {
    CertificateRecord {
        instance: instance.clone(),
        incarnation: 1,
        generation: 1,
        names: names.to_vec(),
        issuance: names::first_issuance_id(instance),
        vault_name,
        stored: Some(stored),
        facts,
        state: CertificateState::Live,
        keyless: true,
    }
}
