//! Taking over what an earlier broker has made: the same instances on the same distributions, with nothing changed at the CDN.
//!
//! Its database says what there is; what is served, and how, is read off the distribution itself, because rows may lie.

mod adopting;
mod census;
mod certificate;
mod judge;
mod settings;
mod sights;

use std::sync::Arc;
use std::time::Duration;

use contract::{
    CertificateFacts, CertificateReader, DistributionId, DomainName, ImportStore, InstanceId, LegacyBroker,
    LegacyInstance, LegacyInstances, PortResult, Timestamp,
};
use futures_util::stream::{self, StreamExt as _};

use self::census::Census;
use self::judge::Judge;
pub use self::sights::NameSight;
use crate::Ports;

/// How many instances are looked at at the same time. What keeps the pace are the limits of each upstream.
const AT_ONCE: usize = 16;

/// How many records are read at once.
const PAGE: u32 = 500;

/// What the operator says about an import.
#[derive(Clone, Debug)]
pub struct ImportSettings {
    /// Which broker's instances they are.
    pub broker: LegacyBroker,
    /// Where content comes from when a user has not said.
    pub default_origin: DomainName,
    /// Over how long the replacement of certificates is spread whose key nobody has.
    pub spread: Duration,
    /// Whether it is looked at where the names lead, and how they will be proven.
    pub looks: bool,
    /// What is in the catalog, and was: services and their plans, by id.
    pub offered: Vec<(String, String)>,
}

/// Takes over the instances of an earlier broker.
#[derive(Clone)]
pub struct Importer {
    ports: Ports,
    imports: Arc<dyn ImportStore>,
    reader: Arc<dyn CertificateReader>,
    settings: ImportSettings,
}

/// What becomes of an instance of an earlier broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It can be adopted.
    Adopt,
    /// It was adopted now.
    Adopted,
    /// It was adopted before.
    AlreadyAdopted,
    /// An operation of the earlier broker is not at its end.
    InFlight,
    /// Something that it takes is not there.
    Missing,
    /// What the row says, what is served and what this broker knows do not go together.
    Inconsistent,
    /// It could not be looked at, or not be stored; the next run tries again.
    Unread,
    /// It is no instance of a CDN plan.
    OtherKind,
    /// It was deleted.
    Gone,
}

impl Verdict {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Adopt => "adopt",
            Self::Adopted => "adopted",
            Self::AlreadyAdopted => "already-adopted",
            Self::InFlight => "in-flight",
            Self::Missing => "missing",
            Self::Inconsistent => "inconsistent",
            Self::Unread => "unread",
            Self::OtherKind => "other-kind",
            Self::Gone => "gone",
        }
    }

    /// Whether somebody has to do something before it can be adopted.
    pub fn is_refusal(self) -> bool {
        matches!(self, Self::InFlight | Self::Missing | Self::Inconsistent | Self::Unread)
    }
}

/// One instance of the earlier broker, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportEntry {
    /// The platform's id.
    pub instance: InstanceId,
    /// What becomes of it.
    pub verdict: Verdict,
    /// Why it is not adopted, and what can be done.
    pub why: Option<String>,
    /// The names it serves.
    pub names: Vec<DomainName>,
    /// Its distribution.
    pub distribution: Option<DistributionId>,
    /// The certificate that is served.
    pub certificate: Option<ServedCertificate>,
    /// Where its names lead, and how they will be proven.
    pub sights: Vec<NameSight>,
    /// What the operator should know besides.
    pub notes: Vec<String>,
}

/// A certificate that an earlier broker has obtained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedCertificate {
    /// How the CDN calls it.
    pub id: String,
    /// What it says; `None` where that cannot be read.
    pub facts: Option<CertificateFacts>,
    /// When it is to be replaced, because nobody has its key.
    pub replaced_at: Option<Timestamp>,
}

/// What became of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// One entry for each instance, in the order of their ids.
    pub entries: Vec<ImportEntry>,
}

impl ImportReport {
    /// How many there are of a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.entries.iter().filter(|entry| entry.verdict == verdict).count()
    }
}

/// What became of an undo.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// Instances that are forgotten.
    pub forgotten: Vec<InstanceId>,
    /// Instances that stay, because something was begun on them since.
    pub kept: Vec<InstanceId>,
}

/// Hears how many of how many are done.
pub type Told<'a> = &'a (dyn Fn(usize, usize) + Send + Sync);

impl Importer {
    /// An import into the store of these ports. `reader` reads the certificates that are found in the vault.
    pub fn new(
        ports: Ports,
        imports: Arc<dyn ImportStore>,
        reader: Arc<dyn CertificateReader>,
        settings: ImportSettings,
    ) -> Self {
        Self { ports, imports, reader, settings }
    }

    /// Says what would be adopted, and writes nothing.
    ///
    /// Errors: those of the earlier broker's database, which is read whole before anything else happens, and of the vault's
    /// list. What goes wrong with a single instance is its entry's verdict.
    pub async fn plan(&self, source: &dyn LegacyInstances, told: Told<'_>) -> PortResult<ImportReport> {
        self.run(source, false, told).await
    }

    /// Adopts what can be adopted, one instance after the other, each as a whole. Run again, it goes on where it stopped.
    ///
    /// Errors: as for `plan`.
    pub async fn apply(&self, source: &dyn LegacyInstances, told: Told<'_>) -> PortResult<ImportReport> {
        self.run(source, true, told).await
    }

    /// Forgets what was adopted from this broker and has not been changed since.
    ///
    /// Errors: the store's. What was forgotten until then is forgotten.
    pub async fn undo(&self, told: Told<'_>) -> PortResult<Undone> {
        let (mut undone, mut after) = (Undone::default(), None);
        loop {
            let page = self.imports.imports(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(undone) };
            after = Some(last.instance.clone());
            for record in page.into_iter().filter(|record| record.source == self.settings.broker.as_str()) {
                let is_forgotten = self.imports.forget_import(&record.instance).await?;
                let instances = if is_forgotten { &mut undone.forgotten } else { &mut undone.kept };
                instances.push(record.instance);
                let done = undone.forgotten.len() + undone.kept.len();
                told(done, done);
            }
        }
    }

    async fn run(
        &self,
        source: &dyn LegacyInstances,
        adopts: bool,
        told: Told<'_>,
    ) -> PortResult<ImportReport> {
        let rows = source.all().await?;
        let census = Census::take(&self.ports, &rows).await?;
        let judge = Judge {
            ports: &self.ports,
            imports: self.imports.as_ref(),
            reader: self.reader.as_ref(),
            settings: &self.settings,
            census: &census,
        };
        let mut entries = Vec::with_capacity(rows.len());
        let mut work = stream::iter(rows.iter().map(|row| handle(&judge, row, adopts))).buffered(AT_ONCE);
        while let Some(entry) = work.next().await {
            entries.push(entry);
            told(entries.len(), rows.len());
        }
        Ok(ImportReport { entries })
    }
}

async fn handle(judge: &Judge<'_>, row: &LegacyInstance, adopts: bool) -> ImportEntry {
    let (entry, adoption) = judge.judge(row).await;
    match adoption {
        Some(adoption) if adopts => judge.adopt(entry, &adoption).await,
        _ => entry,
    }
}
