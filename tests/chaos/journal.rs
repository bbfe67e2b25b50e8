//! What AWS was asked, from the first call to the last.

use std::collections::BTreeMap;

use anyhow::ensure;
use sandbox::aws::JournalEntry;

/// Of every name that must not repeat, one was accepted; and no instance had a third certificate in the vault.
pub(crate) fn one_of_each(journal: &[JournalEntry]) -> anyhow::Result<()> {
    let mut made: BTreeMap<&str, usize> = BTreeMap::new();
    let mut kept: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in journal.iter().filter(|entry| (1..300).contains(&entry.status)) {
        let name = match entry.op.as_str() {
            "CreateDistributionWithTags" => &entry.reference,
            "UploadServerCertificate" | "DeleteServerCertificate" => &entry.resource,
            _ => continue,
        };
        if entry.op == "DeleteServerCertificate" {
            made.remove(name.as_str());
            *kept.entry(owner(name)).or_default() -= 1;
            continue;
        }
        let times = made.entry(name).or_default();
        *times += 1;
        ensure!(*times == 1, "{name} was made twice: {entry:?}");
        if entry.op == "UploadServerCertificate" {
            let kept = kept.entry(owner(name)).or_default();
            *kept += 1;
            ensure!(*kept <= 2, "a third certificate: {entry:?}");
        }
    }
    Ok(())
}

/// `cdn-INSTANCE-INCARNATION-GENERATION` without the generation.
fn owner(certificate: &str) -> &str {
    certificate.rsplit_once('-').map_or(certificate, |(owner, _)| owner)
}
