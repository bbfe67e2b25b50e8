//! What a user has to do to prove their domains: the ways explained once, with NAME and LABEL in place of what differs,
//! then one line for each domain that is open, ready to be copied.

use contract::{
    DomainInstructions, DomainName, LastLook, ProofMethod, ProofRecord, ProofState, ProofWay, Timestamp,
    durable_label,
};

use super::words::{size, some};

/// The methods in the order in which they are offered.
const METHODS: [ProofMethod; 5] = [
    ProofMethod::ManagedName,
    ProofMethod::Redirected,
    ProofMethod::Delegated,
    ProofMethod::Direct,
    ProofMethod::ThroughCdn,
];

/// Up to this many open domains, all fits on a screen or two.
const FEW: usize = 10;

/// The longest text for few domains, and for many, in bytes, with room for what stands around it (R108).
const LIMITS: (usize, usize) = (3_500, 30_000);

/// What is asked of a tenant about some domains.
pub(super) struct Proofs<'a> {
    pub(super) tenant: &'a str,
    pub(super) instructions: &'a [DomainInstructions],
}

impl Proofs<'_> {
    /// How many domains are still to be proven by their owner.
    pub(super) fn open(&self) -> usize {
        self.of(ProofState::Open).count()
    }

    /// The first line, behind `start`: how much is open, and what to do about it.
    pub(super) fn head(&self, start: &str) -> String {
        let what = if self.offered().len() == 1 { "the following" } else { "one of the following" };
        match self.instructions {
            [one] => format!("{start} {}: do {what}.", one.name),
            all => format!("{start} {} of {} domains: do {what} for each of them.", self.open(), all.len()),
        }
    }

    /// Everything there is to do.
    pub(super) fn lines(&self) -> Vec<String> {
        self.lines_within(if self.open() <= FEW { LIMITS.0 } else { LIMITS.1 })
    }

    /// Everything there is to do, in as many words as there is room for: what was seen is shortened first.
    pub(super) fn lines_within(&self, room: usize) -> Vec<String> {
        let with = |look: usize| [self.explained(), self.domains(look), self.states()].concat();
        [400, 120, 60].into_iter().map(with).find(|lines| size(lines) <= room).unwrap_or_else(|| with(0))
    }

    /// Until when the values are good, if a fresh one follows before `end`.
    pub(super) fn replaced_before(&self, end: Timestamp) -> Option<Timestamp> {
        self.of(ProofState::Open).filter_map(|one| one.expires).min().filter(|expires| *expires < end)
    }

    /// When the broker looks next.
    pub(super) fn next_look(&self) -> Option<Timestamp> {
        self.of(ProofState::Open).filter_map(|one| one.next_look).min()
    }

    /// The domains in a state. What has been seen is not the user's to do any more, whoever knows of it already.
    fn of(&self, state: ProofState) -> impl Iterator<Item = &DomainInstructions> {
        self.instructions.iter().filter(move |one| one.state == state && !is_seen(one))
    }

    /// The ways that are offered for some domain, each with its letter.
    fn offered(&self) -> Vec<(char, ProofMethod)> {
        let is_offered =
            |method: &ProofMethod| self.of(ProofState::Open).any(|one| way(one, *method).is_some());
        ('A'..).zip(METHODS.into_iter().filter(is_offered)).collect()
    }

    fn explained(&self) -> Vec<String> {
        let offered = self.offered();
        let explain = |(letter, method): &(char, ProofMethod)| {
            let one = self.of(ProofState::Open).find(|one| way(one, *method).is_some())?;
            let explanation = self.explanation(one, way(one, *method)?);
            let is_only = offered.len() == 1;
            Some(if is_only { explanation } else { format!("{letter}. {explanation}") })
        };
        let mut lines: Vec<String> = offered.iter().filter_map(explain).collect();
        if self.needs_label() {
            lines.push(
                "NAME is the domain without a leading `*.`; LABEL stands beside the domain.".to_owned(),
            );
        }
        lines
    }

    /// One way: in general, with placeholders for what differs, or as it is where there is one domain only.
    pub(super) fn explanation(&self, one: &DomainInstructions, way: &ProofWay) -> String {
        match way {
            ProofWay::ManagedName(record) => format!(
                "Set a DNS record, once and for ever: {}. Until this operation has succeeded the name serves nothing, so \
                 choose another way for a site that is in use.",
                self.cname(one, record)
            ),
            ProofWay::Redirected { from, to } => format!(
                "Redirect (301, 302, 307 or 308), on the site that answers at the name now, `{}*` to `{}*`. Everything \
                 else there stays as it is.",
                self.placed(one, from),
                self.placed(one, to)
            ),
            ProofWay::Delegated(record) => {
                format!("Set a DNS record, once and for ever: {}.", self.cname(one, record))
            }
            ProofWay::Direct(_) => {
                "Set the TXT record that stands below the domain. Each renewal needs another one.".to_owned()
            }
            ProofWay::ThroughCdn => {
                "Let the name point to the CDN distribution of this service instance, and do nothing else."
                    .to_owned()
            }
        }
    }

    fn cname(&self, one: &DomainInstructions, record: &ProofRecord) -> String {
        format!("`{} CNAME {}`", self.placed(one, &record.name), self.placed(one, &record.value))
    }

    /// What differs from domain to domain, replaced by its placeholder.
    fn placed(&self, one: &DomainInstructions, text: &str) -> String {
        if self.open() == 1 {
            return text.to_owned();
        }
        text.replace(&self.label(&one.name), "LABEL").replace(one.name.base(), "NAME")
    }

    fn domains(&self, look: usize) -> Vec<String> {
        self.of(ProofState::Open).flat_map(|one| self.domain(one, look)).collect()
    }

    fn domain(&self, one: &DomainInstructions, look: usize) -> Vec<String> {
        if one.ways.is_empty() {
            return vec![format!("{}: what to do follows in a moment.", one.name)];
        }
        let mut lines = vec![self.headline(one)];
        lines.extend(one.direct().map(|record| {
            format!("  {} {} IN {} \"{}\"", record.name, record.ttl, record.kind, record.value)
        }));
        lines.extend(one.last_look.as_ref().filter(|_| look > 0).map(|seen| seen_line(seen, look)));
        lines
    }

    /// The domain, which ways are open to it if not all are, and its label if one is needed.
    fn headline(&self, one: &DomainInstructions) -> String {
        let offered = self.offered();
        let letters: Vec<String> = offered
            .iter()
            .filter(|(_, method)| way(one, *method).is_some())
            .map(|(letter, _)| letter.to_string())
            .collect();
        let choice = if letters.len() < offered.len() {
            format!(" ({} only)", letters.join(" or "))
        } else {
            String::new()
        };
        let label =
            (self.open() > 1 && is_durable(one)).then(|| format!(" LABEL = {}", self.label(&one.name)));
        format!("{}{choice}:{}", one.name, label.unwrap_or_default())
    }

    /// What is not the user's to do any more.
    fn states(&self) -> Vec<String> {
        let named = |state| self.of(state).map(|one| one.name.clone()).collect::<Vec<DomainName>>();
        let (answered, proven) = (named(ProofState::Answered), named(ProofState::Proven));
        let seen: Vec<DomainName> =
            self.instructions.iter().filter(|one| is_seen(one)).map(|one| one.name.clone()).collect();
        let mut lines = Vec::new();
        if !seen.is_empty() {
            lines.push(format!("Seen, and to be checked by the authority: {}.", some(&seen)));
        }
        if !answered.is_empty() {
            lines.push(format!("Seen, and being checked by the authority: {}.", some(&answered)));
        }
        if !proven.is_empty() {
            lines.push(format!("Proven: {}.", some(&proven)));
        }
        lines
    }

    fn needs_label(&self) -> bool {
        self.open() > 1 && self.of(ProofState::Open).any(is_durable)
    }

    fn label(&self, name: &DomainName) -> String {
        durable_label(self.tenant, name)
    }
}

/// Whether the proof is there, and the authority has not been asked to look yet.
fn is_seen(one: &DomainInstructions) -> bool {
    one.state == ProofState::Open && one.proven_by.is_some()
}

fn way(one: &DomainInstructions, method: ProofMethod) -> Option<&ProofWay> {
    one.ways.iter().find(|way| way.method() == method)
}

/// Whether there is a way that is bound to the organization by a label.
fn is_durable(one: &DomainInstructions) -> bool {
    let bound = [ProofMethod::ManagedName, ProofMethod::Redirected, ProofMethod::Delegated];
    bound.into_iter().any(|method| way(one, method).is_some())
}

fn seen_line(seen: &LastLook, longest: usize) -> String {
    let saw: String = seen.saw.chars().take(longest).collect();
    let more = if saw.len() < seen.saw.len() { "..." } else { "" };
    format!("  seen on {}: {saw}{more}", seen.at)
}
