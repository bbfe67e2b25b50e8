//! A real order, from the account to the certificate, before a user's fails.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contract::{
    CertificateIssuer, CertificateRequest, Check, CheckFailure, CheckOutcome, CheckSchedule, CheckStore,
    DomainInstructions, DomainName, IssuanceId, IssuanceProgress, KeyType, ManagedZone, PortError,
    PortResult, ProofWay, Randomness, Remedy, Side, StepTimes,
};
use serde::{Deserialize, Serialize};

/// Where the check remembers what it has left behind.
const LEFT: &str = "acme-issue/left";

/// Nobody looks more seldom than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

const RELIES: &str = "every certificate is ordered, proven and downloaded in the same way";

/// The check `acme-issue`: the authority's staging directory issues a certificate for a fresh name in the managed zone. It
/// uses what users' certificates use (account, order, DNS-01, ledger), with an account of its own, and keeps nothing.
pub struct AcmeIssue {
    /// Who issues at the staging directory.
    pub issuer: Arc<dyn CertificateIssuer>,
    /// The zone that the name is in.
    pub zone: Arc<dyn ManagedZone>,
    /// The name of that zone, without a trailing dot.
    pub apex: DomainName,
    /// Where what is left behind is remembered.
    pub store: Arc<dyn CheckStore>,
    /// Whether users are offered proofs over HTTP, so that the authority has to offer the challenge for them.
    pub offers_http: bool,
    /// Chance, for names that were never used before.
    pub randomness: Arc<dyn Randomness>,
}

/// What a run that was broken off has left in the world.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Left {
    issuance: String,
    /// The TXT record's owner and value.
    record: Option<(String, String)>,
}

/// Why there is no certificate.
enum Stop {
    Failed(PortError),
    /// The authority's limits leave no room.
    HeldBack(String),
}

impl From<PortError> for Stop {
    fn from(error: PortError) -> Self {
        Self::Failed(error)
    }
}

impl AcmeIssue {
    async fn examine(&self, steps: &StepTimes) -> Result<(), Stop> {
        steps.step("clean up after an earlier run", self.clean_up()).await?;
        let issued = self.issue(steps).await;
        let cleaned = steps.step("clean up", self.clean_up()).await;
        issued.and(cleaned.map_err(Stop::Failed))
    }

    /// Takes away what is remembered, whoever has left it.
    async fn clean_up(&self) -> PortResult<()> {
        let text = self.store.recall(LEFT).await?.unwrap_or_default();
        let Ok(left) = serde_json::from_str::<Left>(&text) else { return Ok(()) };
        if let Some((owner, value)) = &left.record {
            self.zone.remove_txt(owner, value).await?;
        }
        self.issuer.abandon(&IssuanceId::new(left.issuance)).await?;
        self.store.remember(LEFT, "").await
    }

    async fn issue(&self, steps: &StepTimes) -> Result<(), Stop> {
        let (id, name) = self.fresh()?;
        let mut left = Left { issuance: id.as_str().to_owned(), record: None };
        self.remember(&left).await?;
        self.issuer.open(&id, &CertificateRequest::new(vec![name.clone()], KeyType::P256)).await?;
        let mut pause = steps.step("place an order", self.advance(&id)).await?;
        while let Some(wait) = pause {
            if left.record.is_none() {
                steps.step("set the TXT record", self.prove(&id, &mut left)).await?;
            }
            if left.record.is_some() {
                return steps.step("obtain the certificate", self.wait_for(&id, wait)).await;
            }
            nap_for(wait.min(LONGEST_PAUSE)).await;
            pause = self.advance(&id).await?;
        }
        Ok(())
    }

    /// How long to leave the issuance alone; `None` when the certificate is there.
    async fn advance(&self, id: &IssuanceId) -> Result<Option<Duration>, Stop> {
        match self.issuer.advance(id).await? {
            IssuanceProgress::Working { again } => Ok(Some(again)),
            IssuanceProgress::AwaitingProof { look_again } => Ok(Some(look_again)),
            IssuanceProgress::HeldBack { why, .. } => Err(Stop::HeldBack(why)),
            IssuanceProgress::Issued(_) => Ok(None),
        }
    }

    async fn wait_for(&self, id: &IssuanceId, mut wait: Duration) -> Result<(), Stop> {
        loop {
            nap_for(wait.min(LONGEST_PAUSE)).await;
            match self.advance(id).await {
                Ok(None) => return Ok(()),
                Ok(Some(next)) => wait = next,
                Err(Stop::Failed(error)) if is_passing(&error) => wait = LONGEST_PAUSE,
                Err(stop) => return Err(stop),
            }
        }
    }

    /// Sets the record that the authority asks for, once it is known.
    async fn prove(&self, id: &IssuanceId, left: &mut Left) -> PortResult<()> {
        let instructions = self.issuer.instructions(id).await?;
        let Some(record) = instructions.iter().find_map(|one| one.direct()) else { return Ok(()) };
        if self.offers_http && !instructions.iter().any(is_provable_over_http) {
            let why = "the authority does not offer the challenge http-01 any more";
            let error = PortError::new("prove a domain over HTTP", Remedy::GiveUp, why);
            return Err(error.of_class(Side::Authority, "http-01-not-offered"));
        }
        left.record = Some((record.name.clone(), record.value.clone()));
        self.remember(left).await?;
        self.zone.add_txt(&record.name, &record.value).await
    }

    async fn remember(&self, left: &Left) -> PortResult<()> {
        // Texts can always be written.
        self.store.remember(LEFT, &serde_json::to_string(left).unwrap_or_default()).await
    }

    fn fresh(&self) -> PortResult<(IssuanceId, DomainName)> {
        let id = self.randomness.bytes().iter().fold(String::new(), |id, byte| id + &format!("{byte:02x}"));
        let name = DomainName::parse(&format!("check-{}.{}", id.get(..16).unwrap_or(&id), self.apex));
        let name = name.map_err(|error| PortError::new("name a canary", Remedy::GiveUp, error))?;
        Ok((IssuanceId::new(format!("acme-issue-{id}")), name))
    }
}

/// These ways are shown for an order only when it has the challenge for them.
fn is_provable_over_http(one: &DomainInstructions) -> bool {
    one.ways.iter().any(|way| matches!(way, ProofWay::ManagedName(_) | ProofWay::Redirected { .. }))
}

/// The same look may succeed a moment later; the time limit of the run bounds how long that is believed.
fn is_passing(error: &PortError) -> bool {
    matches!(error.remedy(), Remedy::Retry { .. } | Remedy::AwaitTenant)
}

/// Sleeping is how the world is given the time that it needs.
#[expect(clippy::disallowed_methods, reason = "a check has a task and a time limit of its own")]
async fn nap_for(duration: Duration) {
    tokio::time::sleep(duration).await;
}

#[async_trait]
impl Check for AcmeIssue {
    fn name(&self) -> &'static str {
        "acme-issue"
    }

    fn stands_for(&self) -> &'static str {
        "the authority's staging directory issues a certificate for a fresh name in the managed zone"
    }

    fn schedule(&self) -> CheckSchedule {
        CheckSchedule::new(Duration::from_hours(6), Duration::from_mins(10))
    }

    async fn run(&self, steps: &StepTimes) -> CheckOutcome {
        match Box::pin(self.examine(steps)).await {
            Ok(()) => CheckOutcome::Ok,
            Err(Stop::HeldBack(why)) => CheckOutcome::Skipped { why },
            Err(Stop::Failed(error)) => {
                let (side, class) = error.class().unwrap_or((Side::Us, "error"));
                CheckOutcome::Failing(CheckFailure::new(side, class, error.to_string(), RELIES))
            }
        }
    }
}
