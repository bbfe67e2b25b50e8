use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::{DomainName, HttpAnswer, ProofMethod, ProofState, Timestamp};
use instant_acme::{
    Account, AuthorizationHandle, AuthorizationState, AuthorizationStatus, CertificateIdentifier,
    ChallengeStatus, ChallengeType, Identifier, NewOrder, Order, OrderStatus,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::{AcmeError, Operation};
use crate::exchange::{Exchange, listening, moment};
use crate::problem::Problem;

/// An order as the authority describes it now (RFC 8555, section 7.1.3), with what instant-acme leaves out.
pub(crate) struct LiveOrder {
    order: Order,
    latest: Exchange,
    /// Of the account's key: part of every key authorization (RFC 8555, section 8.1).
    thumbprint: String,
}

/// Where an order stands (RFC 8555, section 7.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Proofs are missing.
    Pending,
    /// To be finalized.
    Ready,
    /// The certificate is being made.
    Processing,
    /// The certificate is there.
    Valid,
    /// It will never be anything again.
    Invalid,
}

/// One authorization of an order (RFC 8555, section 7.1.4).
pub(crate) struct LiveAuthorization {
    pub(crate) url: String,
    pub(crate) name: DomainName,
    /// How far the proof is; `None` when this authorization can never become valid.
    pub(crate) state: Option<ProofState>,
    /// What its `http-01` challenge wants; `None` when the authority takes no such proof.
    pub(crate) http: Option<HttpAnswer>,
    /// The TXT data that its `dns-01` challenge wants; `None` likewise.
    pub(crate) dns: Option<String>,
    pub(crate) expires: Option<Timestamp>,
    /// Why a challenge has failed.
    pub(crate) problem: Option<Problem>,
}

impl LiveOrder {
    /// Places an order, which says what it replaces (RFC 9773, section 5). Asked again, some authorities give the same
    /// one, others a second.
    pub(crate) async fn place(
        account: &Account,
        names: &[DomainName],
        profile: Option<&str>,
        replaces: Option<&str>,
    ) -> Result<Self, AcmeError> {
        let identifiers: Vec<Identifier> =
            names.iter().map(|name| Identifier::Dns(name.to_string())).collect();
        let mut request = NewOrder::new(&identifiers);
        if let Some(profile) = profile {
            request = request.profile(profile);
        }
        if let Some((issuer, serial)) = replaces.and_then(|id| id.split_once('.')) {
            let id = CertificateIdentifier { authority_key_identifier: issuer.into(), serial: serial.into() };
            request = request.replaces(id);
        }
        let (order, latest) = listening("newOrder", account.new_order(&request)).await;
        let refused = |error| AcmeError::refused(Operation::NewOrder, &latest, error);
        match (order, latest.made()) {
            (Ok(order), _) => Ok(Self { order, latest, thumbprint: account.key_thumbprint().to_owned() }),
            // It was placed, but says of itself what the library does not expect: that it replaces nothing, because
            // an authority has given an order again that was there.
            (Err(error), Some(url)) => Self::read(account, url).await?.ok_or_else(|| refused(error)),
            (Err(error), None) => Err(refused(error)),
        }
    }

    /// Reads an order again; `None` when the authority has forgotten it, or says of it what no order comes back
    /// from.
    pub(crate) async fn read(account: &Account, url: &str) -> Result<Option<Self>, AcmeError> {
        let (order, latest) = listening("order", account.order(url.to_owned())).await;
        Self::as_read(order, latest, account.key_thumbprint().to_owned())
    }

    /// [`Self::read`] for an order that is in hand: it still has a nonce (RFC 8555, section 6.5).
    pub(crate) async fn read_again(mut self) -> Result<Option<Self>, AcmeError> {
        let (state, latest) = listening("order", async { self.order.refresh().await.map(drop) }).await;
        Self::as_read(state.map(|()| self.order), latest, self.thumbprint)
    }

    fn as_read(
        order: Result<Order, instant_acme::Error>,
        latest: Exchange,
        thumbprint: String,
    ) -> Result<Option<Self>, AcmeError> {
        match order {
            Ok(order) => Ok(Some(Self { order, latest, thumbprint })),
            Err(_) if latest.is_gone() || is_over(&latest.json()) => Ok(None),
            Err(error) => Err(AcmeError::refused(Operation::ReadOrder, &latest, error)),
        }
    }

    /// The thumbprint of the account key that is part of what its challenges want.
    pub(crate) fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    pub(crate) fn url(&self) -> &str {
        self.order.url()
    }

    pub(crate) fn standing(&mut self) -> Standing {
        match self.order.state().status {
            OrderStatus::Pending => Standing::Pending,
            OrderStatus::Ready => Standing::Ready,
            OrderStatus::Processing => Standing::Processing,
            OrderStatus::Valid => Standing::Valid,
            OrderStatus::Invalid => Standing::Invalid,
        }
    }

    pub(crate) fn expires(&self) -> Option<Timestamp> {
        moment(&self.latest.json(), "expires")
    }

    /// The profile that was granted; authorities that know none leave it out.
    pub(crate) fn profile(&mut self) -> Option<&str> {
        self.order.state().profile.as_deref()
    }

    /// How long the authority wants to be left alone with this order.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.latest.retry_after
    }

    /// Why the order has failed, if it has.
    pub(crate) fn problem(&self) -> Option<Problem> {
        Problem::read(self.latest.json().get("error")?)
    }

    pub(crate) async fn refresh(&mut self) -> Result<(), AcmeError> {
        let (state, latest) = listening("order", async { self.order.refresh().await.map(drop) }).await;
        state.map_err(|error| AcmeError::refused(Operation::ReadOrder, &latest, error))?;
        self.latest = latest;
        Ok(())
    }

    /// The authorizations, each asked for once between two refreshes.
    pub(crate) async fn authorizations(&mut self) -> Result<Vec<LiveAuthorization>, AcmeError> {
        let mut found = Vec::new();
        let mut authorizations = self.order.authorizations();
        loop {
            match listening("authorization", authorizations.next()).await {
                (None, _) => return Ok(found),
                (Some(Ok(handle)), exchange) => {
                    found.extend(LiveAuthorization::of(&handle, &exchange.json(), &self.thumbprint));
                }
                (Some(Err(error)), exchange) => {
                    return Err(AcmeError::refused(Operation::ReadAuthorization, &exchange, error));
                }
            }
        }
    }

    /// Tells the authority to look at the proofs of these authorizations, each of its method; they must have been read
    /// before. Gives those it was told about, and why not the others.
    pub(crate) async fn answer(
        &mut self,
        due: &[(String, ProofMethod)],
    ) -> (Vec<String>, Result<(), AcmeError>) {
        let mut told = Vec::new();
        let mut authorizations = self.order.authorizations();
        while let Some(Ok(handle)) = authorizations.next().await {
            let Some((url, method)) = due.iter().find(|(url, _)| url == handle.url()) else { continue };
            match tell(handle, *method).await {
                Ok(()) => told.push(url.clone()),
                Err(error) => return (told, Err(error)),
            }
        }
        (told, Ok(()))
    }

    /// Gives back the authorizations that are still pending, but for these.
    pub(crate) async fn deactivate_pending_but(&mut self, kept: &[String]) -> Result<(), AcmeError> {
        let is_kept = |url: &str| kept.iter().any(|one| one == url);
        self.deactivate(|url, status| status == AuthorizationStatus::Pending && !is_kept(url)).await
    }

    /// Gives back the authorizations that are chosen, by URL and status (RFC 8555, section 7.5.2). Those that are dead
    /// already cannot be.
    pub(crate) async fn deactivate(
        &mut self,
        is_chosen: impl Fn(&str, AuthorizationStatus) -> bool,
    ) -> Result<(), AcmeError> {
        let mut authorizations = self.order.authorizations();
        loop {
            let (next, exchange) = listening("authorization", authorizations.next()).await;
            let refused = |error, exchange| AcmeError::refused(Operation::Deactivate, exchange, error);
            let Some(next) = next else { return Ok(()) };
            let mut handle = next.map_err(|error| refused(error, &exchange))?;
            let is_alive = matches!(handle.status, AuthorizationStatus::Pending | AuthorizationStatus::Valid);
            if is_alive && is_chosen(handle.url(), handle.status) {
                let (state, exchange) =
                    listening("authorization", async { handle.deactivate().await.map(drop) }).await;
                state.map_err(|error| refused(error, &exchange))?;
            }
        }
    }

    /// Sends the signing request. An order that is beyond that is read again instead: a finalization whose answer
    /// was lost has taken effect.
    pub(crate) async fn finalize(&mut self, csr: &[u8]) -> Result<(), AcmeError> {
        let (state, latest) = listening("finalize", self.order.finalize_csr(csr)).await;
        match state.map_err(|error| AcmeError::refused(Operation::Finalize, &latest, error)) {
            Ok(()) => {
                self.latest = latest;
                Ok(())
            }
            Err(error) if error.is("orderNotReady") => self.refresh().await,
            Err(error) => Err(error),
        }
    }

    /// The chain of a valid order, as it comes.
    pub(crate) async fn certificate(&mut self) -> Result<Option<String>, AcmeError> {
        let (pem, latest) = listening("certificate", self.order.certificate()).await;
        pem.map_err(|error| AcmeError::refused(Operation::Download, &latest, error))
    }
}

impl LiveAuthorization {
    /// Whether there is, or was, something to be answered.
    pub(crate) fn has_challenge(&self) -> bool {
        self.http.is_some() || self.dns.is_some()
    }

    /// Whether one of its challenges was answered, by whomever.
    pub(crate) fn is_answered(&self) -> bool {
        matches!(self.state, Some(ProofState::Answered | ProofState::Proven))
    }

    /// `None` for what is not a domain name: nobody has ordered that.
    fn of(handle: &AuthorizationHandle<'_>, json: &Value, thumbprint: &str) -> Option<Self> {
        let authorization = |token: &str| format!("{token}.{thumbprint}");
        Some(Self {
            url: handle.url().to_owned(),
            name: DomainName::parse(&handle.identifier().to_string()).ok()?,
            state: proof_state(handle),
            http: token(handle, &ChallengeType::Http01)
                .map(|token| HttpAnswer { token: token.to_owned(), answer: authorization(token) }),
            dns: token(handle, &ChallengeType::Dns01).map(|token| dns_value(&authorization(token))),
            expires: moment(json, "expires"),
            problem: failed_challenge(json),
        })
    }
}

fn token<'a>(authorization: &'a AuthorizationState, kind: &ChallengeType) -> Option<&'a str> {
    let challenge = authorization.challenges.iter().find(|challenge| challenge.r#type == *kind)?;
    Some(challenge.token.as_str())
}

/// RFC 8555, section 8.4.
fn dns_value(key_authorization: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(key_authorization))
}

/// Whichever challenge is no longer pending has been answered: only we do that, and never two of one authorization.
fn proof_state(authorization: &AuthorizationState) -> Option<ProofState> {
    let untouched = authorization.challenges.iter().all(|one| one.status == ChallengeStatus::Pending);
    match authorization.status {
        AuthorizationStatus::Valid => Some(ProofState::Proven),
        AuthorizationStatus::Pending if untouched => Some(ProofState::Open),
        AuthorizationStatus::Pending => Some(ProofState::Answered),
        _ => None,
    }
}

/// The challenge type that a method is for (RFC 8555, sections 8.3 and 8.4).
pub(crate) fn challenge_type(method: ProofMethod) -> ChallengeType {
    match method {
        ProofMethod::ManagedName | ProofMethod::Redirected | ProofMethod::ThroughCdn => ChallengeType::Http01,
        ProofMethod::Delegated | ProofMethod::Direct => ChallengeType::Dns01,
    }
}

async fn tell(handle: AuthorizationHandle<'_>, method: ProofMethod) -> Result<(), AcmeError> {
    // Bound anew, because the borrow of the challenge lasts as long as the handle's own lifetime.
    let mut handle = handle;
    if proof_state(&handle) != Some(ProofState::Open) {
        return Ok(());
    }
    let Some(mut challenge) = handle.challenge(challenge_type(method)) else { return Ok(()) };
    match listening("challenge", challenge.set_ready()).await {
        // A challenge that fails while it is being answered has been answered; the order tells the rest.
        (Err(_), exchange) if exchange.status.is_some_and(|status| status.is_success()) => Ok(()),
        (result, exchange) => result.map_err(|error| AcmeError::refused(Operation::Answer, &exchange, error)),
    }
}

/// Whether an order that instant-acme cannot read is over anyway: some authorities give it the state of its
/// authorizations, others say of an invalid one what the library does not model.
fn is_over(order: &Value) -> bool {
    matches!(order["status"].as_str(), Some("deactivated" | "expired" | "invalid" | "revoked"))
}

fn failed_challenge(authorization: &Value) -> Option<Problem> {
    let challenges = authorization.get("challenges")?.as_array()?;
    challenges.iter().find_map(|challenge| Problem::read(challenge.get("error")?))
}
