//! One look at everything that is open: for each domain by itself, through each challenge type that it may be proven
//! with, CAA first.

use std::collections::HashMap;
use std::sync::Arc;

use contract::{
    AuthorizationRecord, DomainName, HttpQuestion, IssuanceRecord, LastLook, PortResult, ProofMethod,
    ProofPlace, ProofProbe, ProofState, Timestamp, TxtQuestion, Verdict,
};
use tokio::task::JoinSet;

use crate::account::InCaa;
use crate::proofs::{self, Landmarks, Outcome, Proofs, Weight, challenge_name, note};
use crate::rehearsal;

/// How many domains are looked at at once: a hundred of them must not take a hundred time-outs in a row.
const AT_ONCE: usize = 25;

/// What follows when a proof is there.
const TO_BE_CHECKED: &str = "the certificate authority is asked to look.";
/// What follows when it is only a rehearsal.
const TO_BE_ORDERED: &str = "the certificate is ordered as soon as every domain is as far.";

/// What is to be looked at for one domain.
#[derive(Clone)]
struct Task {
    url: String,
    name: DomainName,
    landmarks: Landmarks,
    served: bool,
    /// Whether what is looked for is none of the authority's.
    rehearsal: bool,
    txt: Option<TxtQuestion>,
    http: Option<HttpQuestion>,
    caa: Option<InCaa>,
}

/// What was seen of one domain.
pub(crate) struct Look {
    url: String,
    txt: Option<Outcome>,
    http: Option<Outcome>,
    /// Where its TXT value belongs, once it is delegated.
    delegate: Option<ProofPlace>,
}

/// What follows from a look at all open domains.
#[derive(Default)]
pub(crate) struct Found {
    /// The proofs that are there, by authorization, with the way they came.
    pub(crate) seen: HashMap<String, ProofMethod>,
    /// Where TXT values are to be put.
    pub(crate) delegates: Vec<ProofPlace>,
}

/// Looks for every open proof.
pub(crate) async fn take(
    probe: &Arc<dyn ProofProbe>,
    proofs: &Proofs,
    record: &IssuanceRecord,
    caa: Option<&InCaa>,
) -> PortResult<Vec<Look>> {
    let mut looks = Looks::begin(probe, proofs, record, caa);
    let mut seen = Vec::new();
    while let Some(look) = looks.next().await {
        seen.push(look?);
    }
    Ok(seen)
}

/// Looks at all domains that are open, each of which comes as soon as it has been looked at. Dropping this ends them.
pub(crate) struct Looks {
    probe: Arc<dyn ProofProbe>,
    waiting: std::vec::IntoIter<Task>,
    running: JoinSet<PortResult<Look>>,
}

impl Looks {
    pub(crate) fn begin(
        probe: &Arc<dyn ProofProbe>,
        proofs: &Proofs,
        record: &IssuanceRecord,
        caa: Option<&InCaa>,
    ) -> Self {
        let open = record.authorizations.iter().filter(|one| one.state == ProofState::Open);
        let open: Vec<Task> = open.map(|one| Task::new(proofs, record, one, caa)).collect();
        Self { probe: Arc::clone(probe), waiting: open.into_iter(), running: JoinSet::new() }
    }

    /// The next domain; `None` when there are no more.
    pub(crate) async fn next(&mut self) -> Option<PortResult<Look>> {
        loop {
            while self.running.len() < AT_ONCE
                && let Some(task) = self.waiting.next()
            {
                let probe = Arc::clone(&self.probe);
                self.running.spawn(async move { task.run(probe.as_ref()).await });
            }
            // A look that was torn down has seen nothing; it is taken again another time.
            if let Ok(look) = self.running.join_next().await? {
                return Some(look);
            }
        }
    }
}

impl Look {
    /// The authorization's URL, and what a user reads who has asked for no more than a look.
    pub(crate) fn told(&self) -> (&str, String) {
        let seen = seen(self.txt.as_ref(), self.http.as_ref());
        let saw = match seen {
            Some(seen) => format!("{seen}, as it should be."),
            None => missing(self.txt.as_ref(), self.http.as_ref()),
        };
        (&self.url, saw)
    }
}

/// Enters what was seen.
pub(crate) fn keep(record: &mut IssuanceRecord, looks: Vec<Look>, now: Timestamp) -> Found {
    let mut found = Found::default();
    let next = if rehearsal::is_on(record) { TO_BE_ORDERED } else { TO_BE_CHECKED };
    for look in looks {
        let saw = sentence(look.txt.as_ref(), look.http.as_ref(), next);
        let method = [&look.txt, &look.http].into_iter().flatten().find_map(|outcome| match outcome {
            Outcome::Seen(method) => Some(*method),
            _ => None,
        });
        for one in record.authorizations.iter_mut().filter(|one| one.url == look.url) {
            one.last_look = Some(LastLook { at: now, saw: saw.clone() });
            one.method = method;
        }
        found.seen.extend(method.map(|method| (look.url, method)));
        // A value that is there already was put there for another issuance with the same order. Whoever goes last takes
        // it away.
        match method {
            Some(_) => note(record, look.delegate, now),
            None => found.delegates.extend(look.delegate),
        }
    }
    found
}

impl Task {
    fn new(proofs: &Proofs, record: &IssuanceRecord, one: &AuthorizationRecord, caa: Option<&InCaa>) -> Self {
        let name = one.name.clone();
        let http = one.http.clone().filter(|_| proofs.answers_http(&record.request, &name));
        Self {
            url: one.url.clone(),
            landmarks: proofs.landmarks(&record.request, &name),
            served: proofs.is_served(&record.request, &name),
            rehearsal: rehearsal::is_on(record),
            txt: one.dns.clone().map(|value| TxtQuestion { name: challenge_name(&name), value }),
            http: http.map(|http| HttpQuestion {
                name: name.clone(),
                token: http.token,
                answer: http.answer,
            }),
            caa: caa.cloned(),
            name,
        }
    }

    async fn run(self, probe: &dyn ProofProbe) -> PortResult<Look> {
        let (txt, http) = tokio::join!(self.look_at_txt(probe), self.look_over_http(probe));
        let ((txt, owner), http) = (txt?.unzip(), http?);
        let value = self.txt.as_ref().map(|question| question.value.clone());
        let delegate = owner
            .flatten()
            .zip(value)
            .map(|(owner, value)| ProofPlace::Zone { owner: format!("{owner}."), value });
        Ok(Look { url: self.url, txt, http, delegate })
    }

    /// What was seen, and to which place in the managed zone the name is delegated, if it is.
    async fn look_at_txt(&self, probe: &dyn ProofProbe) -> PortResult<Option<(Outcome, Option<String>)>> {
        let Some(question) = &self.txt else { return Ok(None) };
        if let Some(forbidden) = self.forbidden(probe, "dns-01").await? {
            return Ok(Some((forbidden, None)));
        }
        let sighting = probe.txt(question).await?;
        let owner = self.landmarks.delegated_to(&sighting.route);
        let outcome = proofs::txt(&self.landmarks, &self.name, sighting);
        let outcome = if self.rehearsal {
            proofs::to_last(&self.landmarks, &self.name, &question.value, outcome)
        } else {
            outcome
        };
        Ok(Some((outcome, owner)))
    }

    async fn look_over_http(&self, probe: &dyn ProofProbe) -> PortResult<Option<Outcome>> {
        let Some(question) = &self.http else { return Ok(None) };
        if let Some(forbidden) = self.forbidden(probe, "http-01").await? {
            return Ok(Some(forbidden));
        }
        Ok(Some(proofs::http(&self.landmarks, &self.name, self.served, probe.http(question).await?)))
    }

    /// Whether CAA records keep the authority from issuing when the name is proven in this way.
    async fn forbidden(&self, probe: &dyn ProofProbe, method: &str) -> PortResult<Option<Outcome>> {
        let Some(caa) = &self.caa else { return Ok(None) };
        let question = caa.question(&self.name, method);
        Ok(match probe.caa(&question).await? {
            Verdict::Seen => None,
            Verdict::NotYet { saw } => Some(Outcome::Forbidden { saw }),
        })
    }
}

/// What the user reads: the proof that is there, and what follows; else what is missing.
fn sentence(txt: Option<&Outcome>, http: Option<&Outcome>, next: &str) -> String {
    match seen(txt, http) {
        Some(seen) => format!("{seen}; {next}"),
        None => missing(txt, http),
    }
}

/// The proof that is there, as the beginning of a sentence.
fn seen(txt: Option<&Outcome>, http: Option<&Outcome>) -> Option<&'static str> {
    let is_seen = |outcome: Option<&Outcome>| matches!(outcome, Some(Outcome::Seen(_)));
    if is_seen(txt) {
        return Some("The TXT record is there");
    }
    is_seen(http).then_some("The answer is there over HTTP")
}

/// What stands in the way of a proof, or how far the ways have come that have been begun.
fn missing(txt: Option<&Outcome>, http: Option<&Outcome>) -> String {
    match (txt.and_then(Outcome::words), http.and_then(Outcome::words)) {
        (None, None) => "The certificate authority offers no proof that could be given.".to_owned(),
        (Some((txt, _)), None | Some((_, Weight::Nothing)))
        | (Some((txt, Weight::Forbidden)), Some((_, Weight::Forbidden))) => txt.to_owned(),
        (None, Some((http, _))) | (Some((_, Weight::Nothing)), Some((http, Weight::Ours))) => http.to_owned(),
        (Some((txt, _)), Some((http, _))) => format!("{txt} {http}"),
    }
}

#[cfg(test)]
#[path = "looks_tests.rs"]
mod tests;
