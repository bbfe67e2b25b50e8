//! One row: whether it can be adopted, and as what.

use contract::{
    Adopted, Adoption, CertificateReader, DistributionId, DomainName, ImportStore, InstanceId,
    LegacyInstance, LegacyStanding, PortError, PortResult, WholeDistribution,
};

use super::census::{Census, no_names, parsed};
use super::{ImportEntry, ImportSettings, Verdict, sights};
use crate::Ports;
use crate::describe::list;

/// Everything that a row is judged by.
pub(super) struct Judge<'a> {
    pub(super) ports: &'a Ports,
    pub(super) imports: &'a dyn ImportStore,
    pub(super) reader: &'a dyn CertificateReader,
    pub(super) settings: &'a ImportSettings,
    pub(super) census: &'a Census,
}

/// Why a row is not adopted.
pub(super) enum Stop {
    Refused(Verdict, String),
    Failed(PortError),
}

impl From<PortError> for Stop {
    fn from(error: PortError) -> Self {
        Self::Failed(error)
    }
}

pub(super) fn missing(why: impl Into<String>) -> Stop {
    Stop::Refused(Verdict::Missing, why.into())
}

pub(super) fn inconsistent(why: impl Into<String>) -> Stop {
    Stop::Refused(Verdict::Inconsistent, why.into())
}

fn in_flight(why: String) -> Stop {
    Stop::Refused(Verdict::InFlight, why)
}

impl Judge<'_> {
    /// What becomes of a row, and what would be stored for it.
    pub(super) async fn judge(&self, row: &LegacyInstance) -> (ImportEntry, Option<Adoption>) {
        let mut entry = ImportEntry {
            instance: InstanceId::new(&row.id),
            verdict: Verdict::Adopt,
            why: None,
            names: parsed(row),
            distribution: row.distribution.clone().map(DistributionId::new),
            certificate: None,
            sights: Vec::new(),
            notes: Vec::new(),
        };
        let adoption = self.examine(row, &mut entry).await;
        match adoption {
            Ok(adoption) => {
                if self.settings.looks {
                    entry.sights = sights::look(self.ports, &adoption).await;
                }
                (entry, Some(adoption))
            }
            Err(stop) => (refused(entry, stop), None),
        }
    }

    /// Stores what was judged to be adopted.
    pub(super) async fn adopt(&self, entry: ImportEntry, adoption: &Adoption) -> ImportEntry {
        match self.imports.adopt(adoption).await {
            Ok(Adopted::Done) => ImportEntry { verdict: Verdict::Adopted, ..entry },
            Ok(Adopted::IdTaken) => {
                let stop = self.is_new(&entry.instance).await.err();
                refused(entry, stop.unwrap_or_else(|| inconsistent("somebody else has just adopted it")))
            }
            Ok(Adopted::NamesTaken(names)) => refused(entry, taken(&names)),
            Err(error) => refused(entry, Stop::Failed(error)),
        }
    }

    async fn examine(&self, row: &LegacyInstance, entry: &mut ImportEntry) -> Result<Adoption, Stop> {
        check_standing(row)?;
        self.is_new(&entry.instance).await?;
        let whole = self.distribution(row).await?;
        entry.names = self.served(row, &whole, &mut entry.notes)?;
        let certificate = self.certificate(row, &whole, entry).await?;
        let adoption = self.adoption(row, &whole, certificate, entry)?;
        let owners = self.ports.domains.owners(&entry.names).await?;
        match owners.into_iter().map(|owner| owner.name).collect::<Vec<_>>() {
            names if names.is_empty() => Ok(adoption),
            names => Err(taken(&names)),
        }
    }

    /// Whether nothing is known of it here.
    async fn is_new(&self, id: &InstanceId) -> Result<(), Stop> {
        if let Some(record) = self.imports.imported(id).await? {
            let since = if record.changed { ", and was changed since" } else { "" };
            let why = format!("adopted from {} on {}{since}", record.source, record.at);
            return Err(Stop::Refused(Verdict::AlreadyAdopted, why));
        }
        match self.ports.instances.find(id).await? {
            None => Ok(()),
            Some(_) => Err(inconsistent("this broker has made an instance of the same id")),
        }
    }

    async fn distribution(&self, row: &LegacyInstance) -> Result<WholeDistribution, Stop> {
        let Some(id) = &row.distribution else {
            return Err(match &row.standing {
                LegacyStanding::Unfinished(what) => never_served(what),
                _ => missing(
                    "the row names no distribution; have its user delete the instance and create it again",
                ),
            });
        };
        if let Some(other) = self.census.other_with_distribution(row) {
            return Err(inconsistent(format!(
                "the row of {other} has the same distribution {id}; correct the one that is wrong"
            )));
        }
        let Some(whole) = self.whole(id).await? else {
            return Err(missing(format!(
                "its distribution {id} does not exist any more; have its user delete the instance and create it again"
            )));
        };
        if !whole.listed.distribution.enabled {
            return Err(inconsistent(format!(
                "its distribution {id} is switched off; switch it on if it is to serve, or let the earlier broker delete it"
            )));
        }
        Ok(whole)
    }

    async fn whole(&self, id: &str) -> PortResult<Option<WholeDistribution>> {
        self.ports.cdn.whole(&DistributionId::new(id)).await
    }

    /// The names that are served, those of the row in its order. What is served counts; what a row says beyond that was
    /// never finished, or is of others.
    fn served(
        &self,
        row: &LegacyInstance,
        whole: &WholeDistribution,
        notes: &mut Vec<String>,
    ) -> Result<Vec<DomainName>, Stop> {
        let (claimed, live) = (parsed(row), &whole.listed.distribution.names);
        let (mut names, idle): (Vec<_>, Vec<_>) = claimed.into_iter().partition(|name| live.contains(name));
        for name in &idle {
            if let Some(other) = self.census.other_with_name(row, name) {
                return Err(inconsistent(format!(
                    "its row names {name}, which its distribution does not serve and the row of {other} has too; correct the \
                     row that is wrong"
                )));
            }
        }
        let more: Vec<DomainName> = live.iter().filter(|name| !names.contains(name)).cloned().collect();
        names.extend(more.iter().cloned());
        if names.is_empty() || whole.listed.distribution.certificate.is_none() {
            return Err(match &row.standing {
                LegacyStanding::Unfinished(what) => never_served(what),
                _ => missing(
                    "its distribution serves no domain; have its user delete the instance and create it again",
                ),
            });
        }
        notes.extend(no_names(row).map(|text| format!("its row names `{text}`, which is no domain")));
        if !idle.is_empty() {
            notes.push(format!(
                "its row names {} too, which is not served: ask its user to update the instance with all its domains",
                list(&idle)
            ));
        }
        if !more.is_empty() {
            notes.push(format!("its distribution serves {} too, which its row does not name", list(&more)));
        }
        if let LegacyStanding::Unfinished(what) = &row.standing {
            notes.push(format!(
                "the earlier broker has not finished what it calls `{what}`: what is served is adopted; ask its user to make \
                 the last update again"
            ));
        }
        Ok(names)
    }
}

fn check_standing(row: &LegacyInstance) -> Result<(), Stop> {
    match &row.standing {
        LegacyStanding::AtRest | LegacyStanding::Unfinished(_) => Ok(()),
        LegacyStanding::Gone => Err(Stop::Refused(Verdict::Gone, "it was deleted".to_owned())),
        LegacyStanding::OtherKind(kind) => {
            Err(Stop::Refused(Verdict::OtherKind, format!("`{kind}` is not an instance of a CDN plan")))
        }
        LegacyStanding::Leaving(what) => Err(in_flight(format!(
            "the earlier broker is deleting it (`{what}`): start that broker until it has, or delete its distribution by hand, \
             and purge the instance from the platform (`cf purge-service-instance`)"
        ))),
    }
}

fn never_served(what: &str) -> Stop {
    in_flight(format!(
        "the earlier broker has not finished what it calls `{what}`, and nothing is served: have its user delete the instance \
         before, and create it again here"
    ))
}

fn taken(names: &[DomainName]) -> Stop {
    inconsistent(format!("other instances of this broker have proven {}", list(names)))
}

fn refused(entry: ImportEntry, stop: Stop) -> ImportEntry {
    let (verdict, why) = match stop {
        Stop::Refused(verdict, why) => (verdict, why),
        Stop::Failed(error) => (Verdict::Unread, error.to_string()),
    };
    ImportEntry { verdict, why: Some(why), ..entry }
}
