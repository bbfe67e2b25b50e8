//! What counts as a proof. That the right answer is there is not enough: whoever can see it, so can an instance of
//! somebody else who asks for the same name. The way by which it came must say whom it is for.

use contract::{DomainName, Hop, ProofMethod, Sighting, Verdict, is_durable_label};

use super::{Landmarks, challenge_name};

/// What a look through one challenge type has brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The proof is there, and it is this instance's.
    Seen(ProofMethod),
    /// The name is delegated to us, and the value behind it is not there yet; `saw` says so.
    Delegated {
        /// A sentence for the user.
        saw: String,
    },
    /// It is not there, or it is not this instance's.
    NotYet {
        /// A sentence for the user.
        saw: String,
        /// How much there is of it.
        weight: Weight,
    },
    /// The authority may not issue in this way.
    Forbidden {
        /// A sentence for the user.
        saw: String,
    },
}

/// How much of a proof has been set up: what the user should read about first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// Nothing that we know of.
    Nothing,
    /// Something that may be meant for it.
    Something,
    /// Something that is certainly meant for it.
    Ours,
    /// It does not matter: CAA forbids this way.
    Forbidden,
}

impl Outcome {
    /// What to tell the user, and how much there is behind it; `None` when the proof is there.
    pub(crate) fn words(&self) -> Option<(&str, Weight)> {
        match self {
            Self::Seen(_) => None,
            Self::Delegated { saw } => Some((saw, Weight::Ours)),
            Self::NotYet { saw, weight } => Some((saw, *weight)),
            Self::Forbidden { saw } => Some((saw, Weight::Forbidden)),
        }
    }
}

/// Judges a look at the TXT record of a name.
pub(crate) fn txt(landmarks: &Landmarks, name: &DomainName, sighting: Sighting) -> Outcome {
    let ours = landmarks.delegated_to(&sighting.route);
    let owner = challenge_name(name);
    let owner = owner.trim_end_matches('.');
    match (sighting.verdict, ours) {
        (Verdict::Seen, Some(_)) => Outcome::Seen(ProofMethod::Delegated),
        (Verdict::Seen, None) => Outcome::Seen(ProofMethod::Direct),
        (Verdict::NotYet { .. }, Some(delegate)) => Outcome::Delegated {
            saw: format!(
                "`{owner}` leads to `{delegate}`, as it should; the TXT value there is not seen everywhere yet."
            ),
        },
        (Verdict::NotYet { saw }, None) => {
            let foreign =
                sighting.route.iter().filter_map(alias).find(|(_, to)| landmarks.label_of(to).is_some());
            match (foreign, landmarks.delegate()) {
                (Some((_, to)), Some(delegate)) => Outcome::NotYet {
                    saw: format!(
                        "`{owner}` leads to `{to}`, which is somebody else's; for your organization it is `{delegate}`."
                    ),
                    weight: Weight::Ours,
                },
                _ if sighting.route.is_empty() => Outcome::NotYet { saw, weight: Weight::Nothing },
                _ => Outcome::NotYet { saw, weight: Weight::Something },
            }
        }
    }
}

/// The same for a proof that is to last: a TXT record of the name's own does not, whatever it holds. `value` is what was
/// looked for; nobody is to set it.
pub(crate) fn to_last(landmarks: &Landmarks, name: &DomainName, value: &str, outcome: Outcome) -> Outcome {
    let own = match &outcome {
        Outcome::Seen(method) => *method == ProofMethod::Direct,
        Outcome::NotYet { saw, .. } => saw.contains(value),
        Outcome::Delegated { .. } | Outcome::Forbidden { .. } => false,
    };
    let (owner, delegate) = (challenge_name(name), landmarks.delegate().unwrap_or_default());
    let owner = owner.trim_end_matches('.');
    let saw = format!("`{owner}` has a TXT record of its own: to delegate to `{delegate}`, remove that.");
    if own { Outcome::NotYet { saw, weight: Weight::Something } } else { outcome }
}

/// Judges a look over HTTP. `served`: whether the name is served from our own folder of the challenge site.
pub(crate) fn http(landmarks: &Landmarks, name: &DomainName, served: bool, sighting: Sighting) -> Outcome {
    let trail = Trail::of(landmarks, name, &sighting.route);
    match sighting.verdict {
        Verdict::Seen => match trail.method(served) {
            Some(method) => Outcome::Seen(method),
            None => Outcome::NotYet { saw: trail.foreign(landmarks, name), weight: Weight::Ours },
        },
        Verdict::NotYet { .. } if trail.is_foreign() => {
            Outcome::NotYet { saw: trail.foreign(landmarks, name), weight: Weight::Ours }
        }
        Verdict::NotYet { saw } => Outcome::NotYet { saw, weight: trail.weight(served) },
    }
}

/// By which way an answer would come over HTTP that we gave for this instance; `None` when none would.
pub(crate) fn leads_to_us(landmarks: &Landmarks, name: &DomainName, route: &[Hop]) -> Option<ProofMethod> {
    let trail = Trail::of(landmarks, name, route);
    // Whoever comes to our responder may have come by somebody else's record.
    if trail.places.is_empty() { None } else { trail.method(false) }
}

/// Where the way over HTTP has touched what is ours.
struct Trail {
    /// At which places of our responder: by redirects, and as it says itself.
    places: Vec<(String, bool)>,
    /// At which labels of the managed zone, on the way from the name to an address.
    labels: Vec<(String, bool)>,
    /// Whether the way led anywhere but straight to an address.
    winding: bool,
}

impl Trail {
    fn of(landmarks: &Landmarks, name: &DomainName, route: &[Hop]) -> Self {
        let places = route.iter().filter_map(|hop| match hop {
            Hop::Redirect { to, .. } => landmarks.place_of(to),
            Hop::Responder { place } => Some(place.clone()),
            Hop::Cname { .. } | Hop::Page => None,
        });
        let labels = chain(name, route).into_iter().filter_map(|host| landmarks.label_of(host));
        let labels = labels.filter(|label| is_durable_label(label)).map(str::to_owned);
        let known = |text: String| {
            let ours = landmarks.is_ours(&text);
            (text, ours)
        };
        Self {
            places: places.map(known).collect(),
            labels: labels.map(known).collect(),
            winding: !route.is_empty(),
        }
    }

    /// How an answer that is there has come; `None` when nothing says that it is for this instance.
    fn method(&self, served: bool) -> Option<ProofMethod> {
        let ours = |(_, ours): &(String, bool)| *ours;
        if self.places.iter().any(ours) {
            Some(ProofMethod::Redirected)
        } else if self.labels.iter().any(|label| !ours(label)) {
            None
        } else if !self.places.is_empty() {
            self.labels.iter().any(ours).then_some(ProofMethod::ManagedName)
        } else if served {
            Some(ProofMethod::ThroughCdn)
        } else {
            // From the owner's own site, to which somebody who may write there has brought it.
            Some(ProofMethod::Redirected)
        }
    }

    /// Whether the way has touched what was set up for somebody else, and nothing of this instance's.
    fn is_foreign(&self) -> bool {
        let label = |(place, ours): &(String, bool)| !ours && is_durable_label(place);
        let ours = self.places.iter().chain(&self.labels).any(|(_, ours)| *ours);
        !ours && self.places.iter().chain(&self.labels).any(label)
    }

    fn weight(&self, served: bool) -> Weight {
        match (served || !self.places.is_empty() || !self.labels.is_empty(), self.winding) {
            (true, _) => Weight::Ours,
            (false, true) => Weight::Something,
            (false, false) => Weight::Nothing,
        }
    }

    /// What to do when the way says nothing of this instance.
    fn foreign(&self, landmarks: &Landmarks, name: &DomainName) -> String {
        let path = format!("`http://{name}/.well-known/acme-challenge/`");
        let managed = landmarks.managed_name().map(|to| format!("make `{name}` a CNAME to `{to}`"));
        let redirect = landmarks.redirect().map(|to| format!("redirect {path} to `{to}`"));
        let remedy = [managed, redirect].into_iter().flatten().collect::<Vec<_>>().join(", or ");
        let theirs = |known: &[(String, bool)]| {
            let foreign = known.iter().find(|(place, ours)| !ours && is_durable_label(place));
            foreign.map(|(place, _)| place.clone())
        };
        let what = match (theirs(&self.labels), theirs(&self.places)) {
            (Some(label), _) => format!("`{name}` leads to the record `{label}`, which is somebody else's"),
            (None, Some(place)) => format!("{path} is redirected to `{place}`, which is somebody else's"),
            (None, None) => format!("`{name}` reaches this broker, but nothing on the way says for whom"),
        };
        format!("{what}; for your organization, {remedy}.")
    }
}

/// The names for which a name stands, before anything is redirected.
fn chain<'a>(name: &DomainName, route: &'a [Hop]) -> Vec<&'a str> {
    let mut at = name.as_str();
    let mut hosts = Vec::new();
    for (from, to) in route.iter().map_while(alias) {
        if from == at {
            hosts.push(to);
            at = to;
        }
    }
    hosts
}

fn alias(hop: &Hop) -> Option<(&str, &str)> {
    match hop {
        Hop::Cname { from, to } => Some((from, to)),
        _ => None,
    }
}

#[cfg(test)]
#[path = "evidence_tests.rs"]
mod tests;
