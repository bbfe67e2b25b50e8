use std::collections::HashMap;
use std::sync::Arc;

use contract::{
    IssuanceRecord, LastLook, PortResult, ProofMethod, ProofProbe, Sighting, Timestamp, TxtQuestion, Verdict,
};
use tokio::task::JoinSet;

use crate::instructions::question;

/// How many looks are taken at once: a hundred domains must not take a hundred time-outs in a row.
const AT_ONCE: usize = 25;
const SEEN: &str = "The TXT record is there; the certificate authority is asked to look.";

/// Looks for every open proof, and gives what was seen by the authorization's URL.
pub(crate) async fn take(
    probe: &Arc<dyn ProofProbe>,
    record: &IssuanceRecord,
) -> PortResult<Vec<(String, Sighting)>> {
    let open = record.authorizations.iter().filter_map(|one| Some((one.url.clone(), question(one)?)));
    let open: Vec<(String, TxtQuestion)> = open.collect();
    let mut sightings = Vec::with_capacity(open.len());
    for some in open.chunks(AT_ONCE) {
        let mut looks = JoinSet::new();
        for (url, question) in some.iter().cloned() {
            let probe = Arc::clone(probe);
            looks.spawn(async move { probe.txt(&question).await.map(|sighting| (url, sighting)) });
        }
        while let Some(look) = looks.join_next().await {
            // A look that was torn down has seen nothing; the next unit of work takes it again.
            sightings.extend(look.ok().transpose()?);
        }
    }
    Ok(sightings)
}

/// Enters what was seen, and gives the authorizations whose proof is there.
pub(crate) fn keep(
    record: &mut IssuanceRecord,
    sightings: Vec<(String, Sighting)>,
    now: Timestamp,
) -> HashMap<String, ProofMethod> {
    let mut seen = HashMap::new();
    for (url, sighting) in sightings {
        let saw = match sighting.verdict {
            Verdict::Seen => {
                seen.insert(url.clone(), ProofMethod::Direct);
                SEEN.to_owned()
            }
            Verdict::NotYet { saw } => saw,
        };
        for one in record.authorizations.iter_mut().filter(|one| one.url == url) {
            one.last_look = Some(LastLook { at: now, saw: saw.clone() });
        }
    }
    seen
}
