use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::cloud::{Cloud, Kept, LATER, Write, refusal};
use super::{CrashPlan, ManualClock, locked};
use crate::{
    CertificateBundle, CertificateVault, Clock, KeptCertificate, Page, PageToken, PortResult, Remedy,
    StoredCertificate, VaultName,
};

/// A certificate vault in memory, in the same fake account as the [`super::FakeCdn`] that is made for it. Clones
/// share the account.
#[derive(Clone, Debug)]
pub struct FakeVault {
    clock: ManualClock,
    plan: CrashPlan,
    pub(super) cloud: Arc<Mutex<Cloud>>,
}

impl FakeVault {
    /// An empty vault in an account of its own.
    pub fn new(clock: ManualClock) -> Self {
        Self { clock, plan: CrashPlan::new(), cloud: Arc::default() }
    }

    /// The same vault, with every call passing `plan`.
    #[must_use]
    pub fn with_plan(mut self, plan: &CrashPlan) -> Self {
        self.plan = plan.clone();
        self
    }

    /// Sets how long the CDN does not know a fresh certificate; 10 seconds unless said.
    pub fn set_propagation(&self, propagation: Duration) {
        locked(&self.cloud).propagation = propagation;
    }

    /// Plays somebody who deletes a certificate by hand, or an account that is lost.
    pub fn lose(&self, name: &VaultName) {
        locked(&self.cloud).certificates.remove(name);
    }

    /// Sets how many certificates the account can hold; as many as one likes unless said.
    pub fn set_room(&self, certificates: usize) {
        locked(&self.cloud).room.1 = certificates;
    }

    /// How many certificates were ever uploaded.
    pub fn uploads(&self) -> usize {
        let uploaded = |write: &Write| matches!(write, Write::Uploaded(..));
        locked(&self.cloud).journal().into_iter().filter(uploaded).count()
    }

    /// The names under which certificates are kept now.
    pub fn kept(&self) -> Vec<VaultName> {
        locked(&self.cloud).certificates.keys().cloned().collect()
    }

    /// What somebody does at the console of an account that lets him: deletes a certificate, whoever uses it.
    pub fn delete_by_hand(&self, name: &VaultName) {
        locked(&self.cloud).certificates.remove(name);
    }
}

#[async_trait]
impl CertificateVault for FakeVault {
    async fn ensure(&self, name: &VaultName, bundle: &CertificateBundle) -> PortResult<StoredCertificate> {
        self.plan.pass("vault.ensure", || locked(&self.cloud).keep(name, bundle, &self.clock)).await
    }

    async fn find(&self, name: &VaultName) -> PortResult<Option<StoredCertificate>> {
        let look = || Ok(locked(&self.cloud).certificates.get(name).map(|kept| kept.stored.clone()));
        self.plan.pass("vault.find", look).await
    }

    async fn chain(&self, name: &VaultName) -> PortResult<Option<String>> {
        let look = || Ok(locked(&self.cloud).certificates.get(name).map(|kept| kept.chain_pem.clone()));
        self.plan.pass("vault.chain", look).await
    }

    async fn list(&self, after: Option<PageToken>) -> PortResult<Page<KeptCertificate>> {
        self.plan.pass("vault.list", || Ok(locked(&self.cloud).list_certificates(after.as_ref()))).await
    }

    async fn remove(&self, name: &VaultName) -> PortResult<()> {
        self.plan.pass("vault.remove", || locked(&self.cloud).drop_certificate(name)).await
    }
}

impl Cloud {
    fn keep(
        &mut self,
        name: &VaultName,
        bundle: &CertificateBundle,
        clock: &ManualClock,
    ) -> PortResult<StoredCertificate> {
        if let Some(kept) = self.certificates.get(name) {
            return if kept.fingerprint == bundle.facts.fingerprint {
                Ok(kept.stored.clone())
            } else {
                let cause = format!("another certificate is kept under {name}");
                Err(refusal("store the certificate", Remedy::GiveUp, cause))
            };
        }
        if self.certificates.len() >= self.room.1 {
            return Err(refusal("store the certificate", Remedy::AwaitOperator, "LimitExceeded"));
        }
        let stored = StoredCertificate::new(format!("ASCAFAKE{:013}", self.next_number()));
        let kept = Kept {
            stored: stored.clone(),
            fingerprint: bundle.facts.fingerprint.clone(),
            names: bundle.facts.names.clone(),
            chain_pem: format!("{}{}", bundle.leaf_pem, bundle.chain_pem),
            since: clock.now(),
        };
        self.certificates.insert(name.clone(), kept);
        self.wrote(Write::Uploaded(name.clone(), stored.clone()));
        Ok(stored)
    }

    fn drop_certificate(&mut self, name: &VaultName) -> PortResult<()> {
        let Some(kept) = self.certificates.get(name) else { return Ok(()) };
        if self.is_in_use(&kept.stored) {
            let cause = format!("a distribution uses the certificate {name}");
            return Err(refusal("remove the certificate", LATER, cause));
        }
        self.certificates.remove(name);
        self.wrote(Write::Dropped(name.clone()));
        Ok(())
    }
}
