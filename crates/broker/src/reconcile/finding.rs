//! What can be found, each in a sentence.

use std::fmt;

use contract::{DistributionId, DomainName, InstanceId, Origin, StoredCertificate, Timestamp, VaultName};

use crate::describe;

/// Something that a list showed, or should have shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// A distribution of the CDN.
    Distribution(DistributionId),
    /// A certificate in the vault.
    Certificate(VaultName),
    /// A folder of the challenge site.
    Folder(String),
    /// The records of an owner name in the managed zone.
    Record(String),
}

/// A difference between the store and the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Something of an instance is not as the instance is meant to be.
    Drift {
        /// The instance.
        instance: InstanceId,
        /// What has changed.
        thing: Thing,
        /// How.
        drift: Drift,
    },
    /// Something of an instance is gone.
    Missing {
        /// The instance.
        instance: InstanceId,
        /// What should be there.
        thing: Thing,
    },
    /// Something that this store has made and that none of its instances needs any more.
    Orphan {
        /// The instance it was made for.
        instance: InstanceId,
        /// What is left behind.
        thing: Thing,
    },
    /// Something that looks like this broker's and that this store knows nothing of: another broker's, for all one can know.
    /// It is no fault, and nobody touches it.
    Unknown {
        /// What it is.
        thing: Thing,
    },
}

/// How something differs from what it is meant to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drift {
    /// It has another certificate, or none.
    Certificate {
        /// The one it should have.
        wanted: StoredCertificate,
        /// The one it has.
        found: Option<StoredCertificate>,
    },
    /// It has other names.
    Names {
        /// Those that it should have and has not.
        missing: Vec<DomainName>,
        /// Those that it has and should not have.
        extra: Vec<DomainName>,
    },
    /// It fetches from elsewhere.
    Origin {
        /// Where it should.
        wanted: Origin,
        /// Where it does, if that can be said.
        found: Option<Origin>,
    },
    /// The authority's requests do not lead to the folder of the instance: renewals through the CDN would fail.
    Challenges,
    /// It was switched off.
    Disabled,
    /// It leads elsewhere.
    Target {
        /// Where it should lead to.
        wanted: String,
        /// Where it does; `None` when it is no CNAME.
        found: Option<String>,
    },
}

/// A finding, since when it is known, and what was done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What was found.
    pub finding: Finding,
    /// Since when it is known, or how old the thing is at least if that is longer.
    pub since: Timestamp,
    /// What was done about it, if that was asked for.
    pub done: Option<String>,
}

impl Thing {
    /// What kind of thing it is, in one word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Distribution(_) => "distribution",
            Self::Certificate(_) => "certificate",
            Self::Folder(_) => "folder",
            Self::Record(_) => "record",
        }
    }

    /// The name or id by which it is found where it is kept.
    pub fn id(&self) -> &str {
        match self {
            Self::Distribution(id) => id.as_str(),
            Self::Certificate(name) => name.as_str(),
            Self::Folder(name) | Self::Record(name) => name,
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.id())
    }
}

impl Finding {
    /// What it is about.
    pub fn thing(&self) -> &Thing {
        match self {
            Self::Drift { thing, .. }
            | Self::Missing { thing, .. }
            | Self::Orphan { thing, .. }
            | Self::Unknown { thing } => thing,
        }
    }

    /// The instance it is about; nobody's things have none.
    pub fn instance(&self) -> Option<&InstanceId> {
        match self {
            Self::Drift { instance, .. } | Self::Missing { instance, .. } | Self::Orphan { instance, .. } => {
                Some(instance)
            }
            Self::Unknown { .. } => None,
        }
    }

    /// `drift`, `missing`, `orphan` or `unknown`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Drift { .. } => "drift",
            Self::Missing { .. } => "missing",
            Self::Orphan { .. } => "orphan",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// What tells this finding from every other one, and is the same each time it is found.
    pub fn key(&self) -> String {
        let word = match self {
            Self::Drift { drift, .. } => drift.word(),
            _ => "",
        };
        format!("{} {} {word}", self.kind(), self.thing()).trim_end().to_owned()
    }

    /// What was found, and what can be done about it: one or two sentences for the operator.
    pub fn sentence(&self) -> String {
        match self {
            Self::Drift { instance, drift, .. } => drift.sentence(instance),
            Self::Missing { instance, thing } => missing(instance, thing),
            Self::Orphan { .. } => "No instance needs it any more.".to_owned(),
            Self::Unknown { .. } => {
                "It is of the form that a broker gives, but this store has never made it: it is left alone."
                    .to_owned()
            }
        }
    }
}

fn missing(instance: &InstanceId, thing: &Thing) -> String {
    match thing {
        Thing::Distribution(_) | Thing::Certificate(_) => {
            format!("It is gone. Run `cdn-broker instances recreate {instance}`.")
        }
        Thing::Folder(_) | Thing::Record(_) => "It is gone.".to_owned(),
    }
}

impl Drift {
    fn word(&self) -> &'static str {
        match self {
            Self::Certificate { .. } => "certificate",
            Self::Names { .. } => "names",
            Self::Origin { .. } => "origin",
            Self::Challenges => "challenges",
            Self::Disabled => "disabled",
            Self::Target { .. } => "target",
        }
    }

    fn sentence(&self, instance: &InstanceId) -> String {
        match self {
            Self::Certificate { wanted, found } => {
                let found = found.as_ref().map_or("none", StoredCertificate::as_str);
                format!("Its certificate should be {wanted} and is {found}.")
            }
            Self::Names { missing, extra } => names(missing, extra),
            Self::Origin { wanted, found } => {
                let found = found.as_ref().map_or_else(|| "something else".to_owned(), origin);
                format!("Its origin should be {} and is {found}.", origin(wanted))
            }
            Self::Challenges => {
                "Requests of the certificate authority do not lead to the challenge site any more.".to_owned()
            }
            Self::Disabled => format!(
                "It was switched off outside of this service. If that was a mistake, run `cdn-broker instances recreate \
                 {instance}`."
            ),
            Self::Target { wanted, found } => {
                let found = found.as_deref().unwrap_or("no other name");
                format!("It should lead to {wanted} and leads to {found}.")
            }
        }
    }
}

fn names(missing: &[DomainName], extra: &[DomainName]) -> String {
    let lacks = (!missing.is_empty()).then(|| format!("It lacks {}.", describe::list(missing)));
    let has = (!extra.is_empty()).then(|| format!("It has {}, which it should not.", describe::list(extra)));
    lacks.into_iter().chain(has).collect::<Vec<_>>().join(" ")
}

fn origin(origin: &Origin) -> String {
    let scheme = if origin.insecure { "http" } else { "https" };
    format!("{scheme}://{}{}", origin.domain, origin.path)
}

#[cfg(test)]
mod tests {
    use contract::testing::sample;

    use super::*;

    fn of(drift: Drift) -> String {
        let thing = Thing::Distribution(DistributionId::new("E1"));
        Finding::Drift { instance: InstanceId::new("9a4b"), thing, drift }.sentence()
    }

    #[test]
    fn every_difference_has_its_sentence() {
        let [wanted, other] = ["ASCA1", "ASCA2"].map(StoredCertificate::new);
        assert_eq!(
            of(Drift::Certificate { wanted: wanted.clone(), found: None }),
            "Its certificate should be ASCA1 and is none."
        );
        let changed = Drift::Certificate { wanted, found: Some(other) };
        assert_eq!(of(changed), "Its certificate should be ASCA1 and is ASCA2.");
        let (missing, extra) =
            (sample::names(&["a.example.gov", "b.example.gov"]), sample::names(&["c.example.gov"]));
        assert_eq!(
            of(Drift::Names { missing, extra }),
            "It lacks a.example.gov and b.example.gov. It has c.example.gov, which it should not."
        );
        let wanted = Origin { domain: sample::name("origin.example.org"), path: "/p".into(), insecure: true };
        assert_eq!(
            of(Drift::Origin { wanted, found: None }),
            "Its origin should be http://origin.example.org/p and is something else."
        );
        assert_eq!(
            of(Drift::Challenges),
            "Requests of the certificate authority do not lead to the challenge site any more."
        );
        assert_eq!(
            of(Drift::Disabled),
            "It was switched off outside of this service. If that was a mistake, run `cdn-broker instances recreate 9a4b`."
        );
        assert_eq!(
            of(Drift::Target { wanted: "d1.cloudfront.net".into(), found: Some("d2.cloudfront.net".into()) }),
            "It should lead to d1.cloudfront.net and leads to d2.cloudfront.net."
        );
    }
}
