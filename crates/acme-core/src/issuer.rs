use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contract::{
    AccountStore, CertificateBundle, CertificateFacts, CertificateIssuer, CertificateRequest, ChallengeSite,
    Clock, DomainInstructions, IssuanceId, IssuanceProgress, IssuanceRecord, IssuanceStore, LastLook,
    LedgerStore, ManagedZone, Meter, Outlook, PortResult, ProofProbe, RenewalAdvice,
};

use crate::account::Accounts;
use crate::ari::Renewals;
use crate::chain::Chain;
use crate::directory::Directories;
use crate::error::AcmeError;
use crate::http::Transport;
use crate::instructions;
use crate::ledger::Ledger;
use crate::looks::Looks;
use crate::memory::Memory;
use crate::order::LiveOrder;
use crate::orders;
use crate::outlook::Forecast;
use crate::proofs::{ProofSettings, ProofSettingsError, Proofs};
use crate::rehearsal;
use crate::renewal;
use crate::settings::{AcmeSettings, SettingsError};
use crate::steps::{self, Work};

/// How soon to come back when another process has written the issuance meanwhile.
const OUTPACED: Duration = Duration::from_secs(1);
/// How often the wiping of an abandoned issuance is tried against others who write it.
const WIPE_ATTEMPTS: u32 = 5;

/// Issues certificates from an ACME authority (RFC 8555), one bounded unit of work at a time.
///
/// Everything that must survive is in the two stores, so any process that shares them may make the next call. What
/// is kept in memory, the opened account with the authority's directory, idle connections and the orders that were just
/// read, only saves requests.
pub struct AcmeIssuer {
    pub(crate) settings: Arc<AcmeSettings>,
    pub(crate) accounts: Accounts,
    pub(crate) renewals: Renewals,
    pub(crate) ledger: Ledger,
    memory: Memory,
    pub(crate) transport: Transport,
    pub(crate) proofs: Proofs,
    pub(crate) issuances: Arc<dyn IssuanceStore>,
    pub(crate) probe: Arc<dyn ProofProbe>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl AcmeIssuer {
    /// An issuer for one directory. Nothing is sent to anybody before the first [`CertificateIssuer::advance`].
    ///
    /// Errors: settings that cannot work, an ACME v1 directory among them.
    pub fn new(
        settings: AcmeSettings,
        issuances: Arc<dyn IssuanceStore>,
        accounts: Arc<dyn AccountStore>,
        ledger: Arc<dyn LedgerStore>,
        probe: Arc<dyn ProofProbe>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SettingsError> {
        settings.check()?;
        let transport = Transport::new(&settings, Arc::clone(&clock))?;
        let settings = Arc::new(settings);
        let directories =
            Arc::new(Directories::new(&settings.directory_url, transport.clone(), Arc::clone(&clock)));
        let (time, timeout) = (Arc::clone(&clock), settings.request_timeout);
        let renewals = Renewals::new(Arc::clone(&directories), transport.clone(), time, timeout);
        let (time, way) = (Arc::clone(&clock), transport.clone());
        let accounts = Accounts::new(Arc::clone(&settings), way, directories, accounts, time);
        let ledger = Ledger::new(&settings, ledger, Arc::clone(&clock));
        let durable_only = settings.is_durable_first();
        let (memory, proofs) = (Memory::default(), Proofs { durable_only, ..Proofs::default() });
        Ok(Self { settings, accounts, renewals, ledger, memory, transport, proofs, issuances, probe, clock })
    }

    /// The same issuer, which offers its users what these settings make possible. What needs the managed zone or the
    /// challenge site is offered only together with [`Self::with_zone`] and [`Self::with_site`].
    ///
    /// Errors: settings that cannot work.
    pub fn with_proofs(mut self, settings: ProofSettings) -> Result<Self, ProofSettingsError> {
        settings.check()?;
        self.proofs.settings = settings;
        Ok(self)
    }

    /// The same issuer, whose requests and failed proofs are counted.
    #[must_use]
    pub fn with_meter(self, meter: Arc<dyn Meter>) -> Self {
        self.transport.count_with(meter);
        self
    }

    /// The same issuer, which may write TXT values into the managed zone of the settings.
    #[must_use]
    pub fn with_zone(mut self, zone: Arc<dyn ManagedZone>) -> Self {
        self.proofs.zone = Some(zone);
        self
    }

    /// The same issuer, which puts HTTP-01 answers for names that are served already into the challenge site.
    #[must_use]
    pub fn with_site(mut self, site: Arc<dyn ChallengeSite>) -> Self {
        self.proofs.site = Some(site);
        self
    }

    /// What the authority refuses because the key of the account was replaced under our hands means nothing.
    async fn work(&self, id: &IssuanceId) -> Result<IssuanceProgress, AcmeError> {
        let changes = self.accounts.changes();
        let outcome = Box::pin(self.work_with_this_key(id)).await;
        match outcome {
            Err(error) if error.is_refusal() => {
                let replaced = self.accounts.changes() != changes || self.accounts.has_another_key().await?;
                Err(if replaced { AcmeError::KeyReplaced } else { error })
            }
            outcome => outcome,
        }
    }

    async fn work_with_this_key(&self, id: &IssuanceId) -> Result<IssuanceProgress, AcmeError> {
        let mut record = self.issuances.load(id).await?.ok_or_else(|| AcmeError::Unknown(id.clone()))?;
        if record.abandoned {
            return Err(AcmeError::Abandoned(id.clone()));
        }
        if record.chain.is_some() {
            let issued = bundle(&record);
            Work::new(self, record, None).tidy().await;
            return issued.map(IssuanceProgress::Issued);
        }
        self.move_to_this_directory(&mut record);
        let remembered = self.remembered(&record).await?;
        let mut work = Work::new(self, record, remembered);
        let progress =
            Box::pin(steps::run(&mut work)).await.map_err(|error| self.in_time(error, &work.record))?;
        work.tidy().await;
        let (record, order) = work.into_parts();
        let Some(progress) = progress else { return bundle(&record).map(IssuanceProgress::Issued) };
        if let Some(order) = order {
            self.memory.keep(&record, order, self.clock.now());
        }
        Ok(progress)
    }

    /// The order as this process has left it, unless the key of its account was replaced meanwhile.
    async fn remembered(&self, record: &IssuanceRecord) -> Result<Option<LiveOrder>, AcmeError> {
        let Some(order) = self.memory.take(record, self.clock.now()) else { return Ok(None) };
        let account = self.accounts.account().await?;
        Ok((account.key_thumbprint() == order.thumbprint()).then_some(order))
    }

    /// An order lives at the authority where it was placed. When the operator has changed the authority, it is
    /// placed again there; the key stays.
    fn move_to_this_directory(&self, record: &mut IssuanceRecord) {
        if record.directory != self.settings.directory_url {
            record.directory.clone_from(&self.settings.directory_url);
            orders::forget(record);
        }
    }

    /// No wait that the authority asks for is obeyed beyond half of the time after which the certificate is missed.
    fn in_time(&self, error: AcmeError, record: &IssuanceRecord) -> AcmeError {
        match record.request.needed_by {
            Some(needed_by) => error.at_most(needed_by.since(self.clock.now()) / 2),
            None => error,
        }
    }

    pub(crate) async fn read(&self, order_url: &str) -> Result<Option<LiveOrder>, AcmeError> {
        LiveOrder::read(&self.accounts.account().await?, order_url).await
    }

    /// Wipes what must not outlive the issuance; gives what was there, or `None` when there is nothing to do.
    async fn wipe(&self, id: &IssuanceId) -> Result<Option<IssuanceRecord>, AcmeError> {
        for _ in 0..WIPE_ATTEMPTS {
            let Some(found) = self.issuances.load(id).await?.filter(|found| !found.abandoned) else {
                return Ok(None);
            };
            let wiped = IssuanceRecord {
                abandoned: true,
                private_key: None,
                csr: None,
                chain: None,
                ..found.clone()
            };
            if self.issuances.save(&wiped).await? {
                return Ok(Some(found));
            }
        }
        Err(AcmeError::Outpaced)
    }

    /// Looks for the proofs of an order that is still of use, and notes what is seen.
    async fn look_only(&self, id: &IssuanceId) -> Result<(), AcmeError> {
        let Some(record) = self.issuances.show(id).await?.filter(|record| self.is_awaited(record)) else {
            return Ok(());
        };
        let caa = self.accounts.in_caa_if_known().await?;
        let mut looks = Looks::begin(&self.probe, &self.proofs, &record, caa.as_ref());
        while let Some(look) = looks.next().await {
            let look = look?;
            let (authorization, saw) = look.told();
            let seen = LastLook { at: self.clock.now(), saw };
            self.issuances.note_look(id, authorization, &seen).await?;
        }
        Ok(())
    }

    /// Whether there are proofs that the user can still give, for an order or before one is placed.
    fn is_awaited(&self, record: &IssuanceRecord) -> bool {
        let is_over = record.order_expires.is_some_and(|expires| expires <= self.clock.now());
        !record.abandoned
            && (record.order_url.is_some() || rehearsal::is_on(record))
            && !is_over
            && record.directory == self.settings.directory_url
    }

    async fn give_back_what_is_left(&self, found: &IssuanceRecord) {
        let ours = found.directory == self.settings.directory_url;
        if let Some(order_url) = found.order_url.as_ref().filter(|_| ours && found.chain.is_none())
            && let Err(error) = Box::pin(self.give_back(found, order_url)).await
        {
            let error = error.into_port();
            tracing::warn!(issuance.id = %found.id, %error, "pending authorizations were not given back");
        }
    }

    /// Takes away what an abandoned issuance has put anywhere.
    async fn clear(&self, id: &IssuanceId) -> Result<(), AcmeError> {
        match self.issuances.load(id).await? {
            Some(record) => Work::new(self, record, None).take_stale_proofs_away().await,
            None => Ok(()),
        }
    }

    /// Gives back what is pending of an order, save for what others rest on: some authorities give the same to several.
    async fn give_back(&self, found: &IssuanceRecord, order_url: &str) -> Result<(), AcmeError> {
        let Some(mut order) = self.read(order_url).await? else { return Ok(()) };
        let mut kept = Vec::new();
        for one in order.authorizations().await? {
            let owner = self.issuances.credited(&one.url).await?;
            let owner = owner.as_deref().unwrap_or(&found.request.tenant);
            if self.issuances.relies_on(owner, &one.url).await? {
                kept.push(one.url);
            }
        }
        order.deactivate_pending_but(&kept).await
    }
}

#[async_trait]
impl CertificateIssuer for AcmeIssuer {
    async fn open(&self, id: &IssuanceId, request: &CertificateRequest) -> PortResult<()> {
        let directory = self.settings.directory_url.clone();
        let record = IssuanceRecord::opened(id.clone(), request.clone(), directory, self.clock.now());
        self.issuances.insert(&record).await
    }

    async fn advance(&self, id: &IssuanceId) -> PortResult<IssuanceProgress> {
        match Box::pin(self.work(id)).await {
            Err(AcmeError::Outpaced) => Ok(IssuanceProgress::Working { again: OUTPACED }),
            progress => progress.map_err(AcmeError::into_port),
        }
    }

    async fn instructions(&self, id: &IssuanceId) -> PortResult<Vec<DomainInstructions>> {
        let record = self.issuances.show(id).await?;
        Ok(record.map(|record| self.instructions_of(&record)).unwrap_or_default())
    }

    fn instructions_of(&self, issuance: &IssuanceRecord) -> Vec<DomainInstructions> {
        instructions::instructions(issuance, &self.proofs)
    }

    async fn look(&self, id: &IssuanceId) -> PortResult<()> {
        self.look_only(id).await.map_err(AcmeError::into_port)
    }

    async fn outlook(&self, request: &CertificateRequest) -> PortResult<Vec<Outlook>> {
        let caa = self.accounts.in_caa_if_known().await.map_err(AcmeError::into_port)?;
        Forecast { probe: self.probe.as_ref(), proofs: &self.proofs, request, caa: caa.as_ref() }.all().await
    }

    async fn renewal(&self, certificate: &CertificateFacts) -> PortResult<RenewalAdvice> {
        Ok(renewal::advice(
            certificate,
            self.renewals.answer(certificate.renewal_id.as_deref(), certificate.not_after).await,
        ))
    }

    async fn abandon(&self, id: &IssuanceId) -> PortResult<()> {
        if let Some(found) = self.wipe(id).await.map_err(AcmeError::into_port)? {
            self.give_back_what_is_left(&found).await;
        }
        self.clear(id).await.map_err(AcmeError::into_port)
    }
}

/// The certificate of a finished issuance, from the record alone.
fn bundle(record: &IssuanceRecord) -> Result<CertificateBundle, AcmeError> {
    let chain = Chain::parse(record.chain.as_deref().unwrap_or_default())?;
    let private_key_pem = record.private_key.clone().ok_or(AcmeError::Key("the leaf key is missing"))?;
    Ok(CertificateBundle {
        leaf_pem: chain.leaf_pem(),
        chain_pem: chain.intermediates_pem(),
        private_key_pem,
        facts: chain.facts()?,
    })
}
