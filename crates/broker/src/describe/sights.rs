//! Where the names that are served lead, and how they will be proven when their certificate is renewed.

use std::net::IpAddr;
use std::time::Duration;

use contract::{
    DomainName, Lead, LeadEnd, Outlook, ProofMethod, ProofRecord, Sight, Timestamp, durable_label,
};

use super::page::proven_by;
use super::words::{foreign, list, size, some, span};

/// How many addresses of a name are shown.
const ADDRESSES_SHOWN: usize = 2;

/// How the ways are called of which nothing has to be done.
const WAYS: [(ProofMethod, &str); 4] = [
    (ProofMethod::ThroughCdn, "through the CDN for"),
    (ProofMethod::Redirected, "by the redirect of the present site for"),
    (ProofMethod::ManagedName, "by the CNAME to this service for"),
    (ProofMethod::Delegated, "by delegation for"),
];

/// What was seen of all names that are served; of none when nobody has looked.
#[derive(Clone, Copy)]
pub(crate) struct Sights<'a> {
    pub(crate) tenant: &'a str,
    /// The host name that they should lead to.
    pub(crate) target: &'a str,
    /// The zone of the records that lead there by themselves, where the operator has one.
    pub(crate) zone: Option<&'a str>,
    pub(crate) seen: &'a [Sight],
    pub(crate) at: Timestamp,
    /// How long a look may take.
    pub(crate) patience: Duration,
}

/// How much is said.
#[derive(Clone, Copy)]
struct Detail {
    /// Of how many things that are wrong it is said what is wrong; the others are counted.
    shown: usize,
    /// Whether it is said what would make things easier for good.
    for_good: bool,
}

/// From all there is to as little as makes sense.
const DETAILS: [Detail; 5] = [
    Detail { shown: usize::MAX, for_good: true },
    Detail { shown: usize::MAX, for_good: false },
    Detail { shown: 20, for_good: false },
    Detail { shown: 5, for_good: false },
    Detail { shown: 1, for_good: false },
];

impl Sights<'_> {
    /// Where one name leads, and what to do about it; `None` when that could not be seen in time.
    pub(crate) fn lead(&self, sight: &Sight) -> Option<String> {
        Some(self.wrong(&sight.name, sight.lead.as_ref()?))
    }

    /// How one name will be proven when its certificate is renewed, and whether that goes by itself; `None` when that could
    /// not be seen in time.
    pub(crate) fn renewal_of(&self, sight: &Sight) -> Option<(bool, String)> {
        let outlook = sight.outlook.as_ref()?;
        Some(match (&outlook.forbidden, outlook.by_itself) {
            (Some(saw), _) => {
                (false, format!("{saw} As it is, the certificate cannot be renewed for {}.", sight.name))
            }
            (None, Some(method)) => (true, format!("It is proven by itself, {}.", proven_by(method))),
            (None, None) => {
                let named = std::slice::from_ref(&sight.name);
                let escape = self.escape(named);
                (
                    false,
                    format!(
                        "It has to be proven by you: a TXT record is to be set then, which is shown here.{escape}"
                    ),
                )
            }
        })
    }

    /// Everything that was seen, in as many words as there is room for; nothing where there is none.
    pub(super) fn lines(&self, room: usize) -> Vec<String> {
        if self.seen.is_empty() {
            return Vec::new();
        }
        let with = |detail| {
            [vec![self.head()], self.leads(detail), self.forbidden(detail), self.renewal(detail)].concat()
        };
        DETAILS.into_iter().map(with).find(|lines| size(lines) <= room).unwrap_or_default()
    }

    fn head(&self) -> String {
        format!("Seen on {}:", self.at)
    }

    fn leads(&self, detail: Detail) -> Vec<String> {
        let mut lines = Vec::new();
        let right = self.names(|one| one.lead.as_ref().is_some_and(Lead::is_right));
        if !right.is_empty() {
            let verb = if right.len() == 1 { "leads" } else { "lead" };
            lines.push(format!("{} {verb} to {}: right.", self.called(&right), self.target));
        }
        let seen = self.seen.iter().filter_map(|one| Some((&one.name, one.lead.as_ref()?)));
        let wrong: Vec<(&DomainName, &Lead)> = seen.filter(|(_, lead)| !lead.is_right()).collect();
        lines.extend(wrong.iter().take(detail.shown).map(|(name, lead)| self.wrong(name, lead)));
        match wrong.len().saturating_sub(detail.shown) {
            0 => {}
            more => lines.push(format!("{more} more of {} domains do not lead there.", self.seen.len())),
        }
        let late = self.names(|one| one.lead.is_none());
        if !late.is_empty() {
            lines.push(format!(
                "Within {} nothing could be seen of where {} {}: ask again.",
                span(self.patience),
                self.called(&late),
                if late.len() == 1 { "leads" } else { "lead" },
            ));
        }
        lines
    }

    /// Where a name leads instead, and what to do about it.
    fn wrong(&self, name: &DomainName, lead: &Lead) -> String {
        let target = self.target;
        let place = lead.aliases.last().map(|last| format!("{name} leads to {}", foreign(last)));
        let what = match (&lead.end, place) {
            (LeadEnd::Target, _) => return format!("{name} leads to {target}: right."),
            (LeadEnd::Unclear { saw }, _) => return format!("{name}: {saw}"),
            (LeadEnd::Elsewhere { addresses }, None) => {
                format!("{name} leads to {}, not to {target}", listed(addresses))
            }
            (LeadEnd::Elsewhere { addresses }, Some(place)) => {
                format!("{place} ({}), not to {target}", listed(addresses))
            }
            (LeadEnd::NoName, None) => format!("{name} does not exist (NXDOMAIN)"),
            (LeadEnd::NoName, Some(place)) => format!("{place}, which does not exist (NXDOMAIN)"),
            (LeadEnd::NoAddress, None) => format!("{name} has no address"),
            (LeadEnd::NoAddress, Some(place)) => format!("{place}, which has no address"),
        };
        let there = if what.ends_with(target) { "there" } else { &format!("to {target}") };
        let remedy = self.by_our_record(name, lead);
        let remedy = remedy.unwrap_or_else(|| format!("point it {there} with a CNAME or ALIAS record."));
        format!("{what}: {remedy}")
    }

    /// What to do about a name that leads to a record of this service, and not further to the CDN.
    fn by_our_record(&self, name: &DomainName, lead: &Lead) -> Option<String> {
        let zone = self.zone?;
        let is_in_zone = |alias: &&String| alias.strip_suffix(zone).is_some_and(|below| below.ends_with('.'));
        let record = lead.aliases.iter().find(is_in_zone)?;
        let own = format!("{}.{zone}", durable_label(self.tenant, name));
        Some(if *record == own {
            "its record is right, but what it stands for is not. Tell the operators of this service."
                .to_owned()
        } else {
            format!(
                "{} is somebody else's record, yours is {own}: make the name a CNAME to that.",
                foreign(record)
            )
        })
    }

    /// What keeps the certificate from being renewed.
    fn forbidden(&self, detail: Detail) -> Vec<String> {
        let mut causes: Vec<(&str, Vec<DomainName>)> = Vec::new();
        for outlook in self.seen.iter().filter_map(|one| one.outlook.as_ref()) {
            let Some(saw) = outlook.forbidden.as_deref() else { continue };
            match causes.iter_mut().find(|(known, _)| *known == saw) {
                Some((_, names)) => names.push(outlook.name.clone()),
                None => causes.push((saw, vec![outlook.name.clone()])),
            }
        }
        let mut lines: Vec<String> = causes
            .iter()
            .take(detail.shown)
            .map(|(saw, names)| {
                format!("{saw} As it is, the certificate cannot be renewed for {}.", self.called(names))
            })
            .collect();
        match causes.len().saturating_sub(detail.shown) {
            0 => {}
            more => lines.push(format!("So it is at {more} more places.")),
        }
        lines
    }

    /// How the names will be proven when the certificate is renewed.
    fn renewal(&self, detail: Detail) -> Vec<String> {
        let ways: Vec<String> = WAYS
            .into_iter()
            .map(|(method, words)| (words, self.outlooks(|one| one.by_itself == Some(method))))
            .filter(|(_, names)| !names.is_empty())
            .map(|(words, names)| format!("{words} {}", self.called(&names)))
            .collect();
        let mut lines = Vec::new();
        if !ways.is_empty() {
            lines.push(format!("The renewal is proven by itself: {}.", ways.join(", ")));
        }
        let by_hand = self.outlooks(|one| one.by_itself.is_none() && one.forbidden.is_none());
        if by_hand.is_empty() {
            return lines;
        }
        lines.push(format!(
            "The renewal has to be proven by you for {}: TXT records are to be set then, which this command shows as soon \
             as it has begun.{}",
            self.called(&by_hand),
            self.escape(&by_hand)
        ));
        if detail.for_good {
            lines.extend(self.for_good());
        }
        lines
    }

    /// What would make it go by itself, without another record.
    fn escape(&self, by_hand: &[DomainName]) -> &'static str {
        let astray = self.names(|one| one.lead.as_ref().is_some_and(|lead| !lead.is_right()));
        let helps = |name: &DomainName| !name.is_wildcard() && astray.contains(name);
        if by_hand.iter().any(helps) { " A domain that leads to the CDN by then needs nothing." } else { "" }
    }

    /// The records that make the renewal go by itself for good.
    fn for_good(&self) -> Vec<String> {
        let outlooks = self.seen.iter().filter_map(|one| one.outlook.as_ref());
        let records: Vec<String> = outlooks.filter_map(|one| one.once.as_ref()).map(written).collect();
        if records.is_empty() {
            return Vec::new();
        }
        let mut lines = vec!["Or set, once and for ever:".to_owned()];
        lines.extend(records);
        lines.dedup();
        lines
    }

    fn names(&self, is_meant: impl Fn(&Sight) -> bool) -> Vec<DomainName> {
        self.seen.iter().filter(|one| is_meant(one)).map(|one| one.name.clone()).collect()
    }

    fn outlooks(&self, is_meant: impl Fn(&Outlook) -> bool) -> Vec<DomainName> {
        self.names(|one| one.outlook.as_ref().is_some_and(&is_meant))
    }

    /// Names in a sentence: all of them, or how many.
    fn called(&self, names: &[DomainName]) -> String {
        if names.len() == self.seen.len() { list(names) } else { some(names) }
    }
}

fn written(record: &ProofRecord) -> String {
    format!("  {} {} IN {} {}", record.name, record.ttl, record.kind, record.value)
}

fn listed(addresses: &[IpAddr]) -> String {
    let shown: Vec<String> = addresses.iter().take(ADDRESSES_SHOWN).map(ToString::to_string).collect();
    match addresses.len().saturating_sub(ADDRESSES_SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
