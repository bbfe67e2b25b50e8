//! What the pages of instances are made of: only reads, but for a look at the world.

use std::net::IpAddr;

use contract::{
    DomainInstructions, Instance, InstanceId, InstanceState, IssuanceId, LogEntry, Operation, OperationKind,
    OperationState, PortResult, Remedy, Standing, Survey, Timestamp, Track,
};
use http::HeaderMap;
use osb_core::Response;

use super::Service;
use crate::AdminStores;
use crate::describe::{self, Idle, Open, Scene, Sights, Told};
use crate::page::{Pages, View};
use crate::workflow::{Step, facts};

/// How many operations a page tells of.
const OPERATIONS: u32 = 10;

impl Service {
    pub(crate) fn pages(&self) -> Option<&Pages> {
        self.pages.as_deref()
    }

    pub(crate) fn admin(&self) -> Option<&AdminStores> {
        self.admin.as_deref()
    }

    /// Lets a request pass that comes with the broker's own credentials; otherwise gives the answer.
    pub(crate) fn lets_in(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> Result<(), Response> {
        let checked = self.api.authenticate(headers);
        checked.map_err(|refusal| self.logins.answer(refusal, headers, peer, self.now()))
    }

    /// At most `limit` instances behind `after`, in the order of their ids.
    pub(crate) async fn list(&self, after: Option<InstanceId>, limit: u32) -> PortResult<Vec<Instance>> {
        self.ports.instances.list(after, limit).await
    }

    /// The link that opens the page of an instance, where there are pages.
    pub(crate) async fn link(&self, instance: &Instance) -> PortResult<Option<String>> {
        match &self.pages {
            Some(pages) => pages.link(instance).await.map(Some),
            None => Ok(None),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// Something that nobody has seen before.
    pub(crate) fn fresh_id(&self) -> String {
        self.ports.fresh_id()
    }

    /// In which of its lives an instance is; `None` when there is none, or none any more.
    pub(crate) async fn incarnation(&self, id: &InstanceId) -> PortResult<Option<i32>> {
        let found = self.ports.instances.find(id).await?;
        Ok(found
            .filter(|instance| instance.state != InstanceState::Gone)
            .map(|instance| instance.incarnation))
    }

    /// The link to the page of an instance, where there are pages.
    pub(super) async fn dashboard_url(&self, instance: &Instance) -> PortResult<Option<String>> {
        let Some(pages) = &self.pages else { return Ok(None) };
        match pages.address(instance).await {
            // A key that cannot be opened any more keeps people from pages, and must keep nobody from the service.
            Err(error) if matches!(error.remedy(), Remedy::GiveUp | Remedy::AwaitOperator) => {
                tracing::error!(%error, "there are no links to pages");
                Box::pin(self.ports.breakers.heed_missing_key(error)).await;
                Ok(None)
            }
            address => address.map(Some),
        }
    }

    /// How an instance stands, for its page; `None` when there never was one. When nobody has looked lately where its names
    /// lead, somebody does, and the page shows it the next time.
    pub(crate) async fn view(&self, id: &InstanceId, pages: &Pages) -> PortResult<Option<View>> {
        let Some(standing) = self.ports.operations.standing(id).await? else { return Ok(None) };
        let survey = pages.store().survey(id).await?;
        self.survey_soon(&standing, survey.as_ref(), pages);
        let operations = pages.operations().of_instance(id, OPERATIONS).await?;
        let proofs = self.proofs_of(&standing, &operations).await?;
        let (lapsed, served) = self.lapsed_and_served(&standing).await?;
        let renewal = self.ports.renewals.of_instance(id).await?;
        let mut view = View {
            now: self.now(),
            pace: self.rules.pace.clone(),
            zone: self.ports.managed.as_ref().map(|managed| managed.apex.to_string()),
            log: self.log_of(&operations).await?,
            domains: self.ports.domains.of_instance(id).await?,
            told: Told::default(),
            text: String::new(),
            standing,
            operations,
            proofs,
            lapsed,
            served,
            renewal,
            survey,
            findings: Vec::new(),
        };
        let findings = self.ports.troubles.findings(id).await?;
        view.findings = describe::for_user(findings, &view.served, &view.sights());
        (view.told, view.text) = self.told(&view);
        Ok(Some(view))
    }

    /// Looks at once at what the user has just changed, and lets the worker go on with it.
    pub(crate) async fn look_now(&self, id: &InstanceId) -> PortResult<()> {
        let Some(standing) = self.ports.operations.standing(id).await? else { return Ok(()) };
        let Some(pages) = self.pages() else { return Ok(()) };
        let operations = pages.operations().of_instance(id, OPERATIONS).await?;
        let (issuance, survey) = tokio::join!(
            self.look_at(self.issuance_shown(&standing, &operations)),
            self.survey_served(&standing)
        );
        issuance?;
        if let Some(survey) = survey? {
            pages.store().keep_survey(id, &survey).await?;
        }
        for track in [Track::User, Track::Renewal] {
            let waits = |one: &&Operation| one.track == track && waits_for_user(one);
            if operations.iter().any(|one| waits(&one)) {
                self.ports.operations.hasten(id, track, self.now()).await?;
                self.bell.notify_one();
            }
        }
        Ok(())
    }

    async fn survey_served(&self, standing: &Standing) -> PortResult<Option<Survey>> {
        if standing.instance.state != InstanceState::Ready {
            return Ok(None);
        }
        let (_, served) = self.lapsed_and_served(standing).await?;
        let sights = self.survey(&standing.instance, &served).await;
        Ok(Some(Survey { at: self.now(), sights }))
    }

    fn survey_soon(&self, standing: &Standing, known: Option<&Survey>, pages: &Pages) {
        let id = standing.instance.id.clone();
        let last = known.map(|known| known.at);
        if standing.instance.state != InstanceState::Ready {
            return;
        }
        let Some(turn) = pages.limits().survey(&id, last, self.now()) else { return };
        let (service, standing) = (self.clone(), standing.clone());
        tokio::spawn(async move {
            let _turn = turn;
            let kept = match (service.survey_served(&standing).await, service.pages()) {
                (Ok(Some(survey)), Some(pages)) => pages.store().keep_survey(&id, &survey).await,
                (Ok(_), _) => Ok(()),
                (Err(error), _) => Err(error),
            };
            if let Err(error) = kept {
                tracing::warn!(%error, instance.id = %id, "could not look where names lead");
            }
        });
    }

    /// What the certificate that is obtained wants of the user, or how the one that is served was proven.
    async fn proofs_of(
        &self,
        standing: &Standing,
        operations: &[Operation],
    ) -> PortResult<Vec<DomainInstructions>> {
        let open = self.issuance_shown(standing, operations);
        let live = || facts::live(&standing.certificates).map(|live| &live.issuance);
        match open.or_else(live) {
            Some(issuance) => self.instructions(standing, issuance).await,
            None => Ok(Vec::new()),
        }
    }

    /// The issuance that waits for the user: that of the user's operation, or of a renewal that runs.
    fn issuance_shown<'a>(&self, standing: &'a Standing, operations: &[Operation]) -> Option<&'a IssuanceId> {
        let of_user = standing.latest.as_ref().and_then(|latest| self.issuance_of(standing, latest));
        let renews = |one: &Operation| one.track == Track::Renewal && one.state == OperationState::Running;
        let renewal = || {
            let domains = &standing.instance.settings.domains;
            let pending = operations.iter().any(renews).then(|| {
                let known = standing.certificates.iter().rev();
                known
                    .take_while(|one| one.state != contract::CertificateState::Live)
                    .find(|one| one.names.iter().all(|name| domains.contains(name)))
            });
            pending.flatten().map(|certificate| &certificate.issuance)
        };
        of_user.or_else(renewal)
    }

    /// The history of what runs, or else of what ran last on the user's track.
    async fn log_of(&self, operations: &[Operation]) -> PortResult<Vec<LogEntry>> {
        let Some(shown) = shown(operations) else { return Ok(Vec::new()) };
        self.ports.operations.history(&shown.id).await
    }

    /// The texts of `cf service`.
    fn told(&self, view: &View) -> (Told, String) {
        let instance = &view.standing.instance;
        let latest = view.standing.latest.as_ref();
        let is_idle = instance.state == InstanceState::Ready
            && latest.is_none_or(|latest| latest.state != OperationState::Running);
        match latest {
            Some(operation) if !is_idle => {
                let instructions = if self.issuance_of(&view.standing, operation).is_some() {
                    view.proofs.as_slice()
                } else {
                    &[]
                };
                let scene = Scene { instance, operation, instructions, pace: &self.rules.pace };
                (scene.told(), scene.text())
            }
            _ => self.idle(view),
        }
    }

    fn idle(&self, view: &View) -> (Told, String) {
        let failed = view.standing.latest.as_ref().filter(|latest| latest.state == OperationState::Failed);
        let of_update = failed.and_then(|failed| self.issuance_of(&view.standing, failed)).is_some();
        let renews = view.renewing().is_some();
        let open = |is_meant: bool| Open {
            instructions: if is_meant { view.proofs.as_slice() } else { &[] },
            in_time: true,
        };
        let live = facts::live(&view.standing.certificates);
        let idle = Idle {
            instance: &view.standing.instance,
            served: &view.served,
            certificate: live.and_then(|live| live.facts.as_ref()),
            lapsed: &view.lapsed,
            renewal: view.renewal.as_ref().and_then(|plan| plan.chosen).map(|chosen| chosen.at),
            renewing: open(renews && !of_update),
            update: open(of_update),
            sights: Sights { patience: self.patience(), ..view.sights() },
            findings: &view.findings,
            latest: view.standing.latest.as_ref(),
        };
        (idle.told(), idle.text())
    }
}

/// The operation whose steps are shown: the user's that runs, else a renewal that runs, else the user's last.
pub(crate) fn shown(operations: &[Operation]) -> Option<&Operation> {
    let runs = |one: &&Operation| one.state == OperationState::Running;
    let of = |track| operations.iter().filter(move |one| one.track == track);
    of(Track::User).find(runs).or_else(|| of(Track::Renewal).find(runs)).or_else(|| of(Track::User).next())
}

/// Whether an operation can be hurried: it waits for what its user sets.
fn waits_for_user(operation: &Operation) -> bool {
    operation.state == OperationState::Running
        && operation.kind != OperationKind::Deprovision
        && Step::of(operation) == Some(Step::ObtainCertificate)
}
