//! What becomes of what was found.

use std::collections::BTreeSet;

use contract::{Alert, DomainName, InstanceId, Mishap, Side, SiteFinding};

use super::site::Wrong;
use super::{LiveSites, Served};

/// What was found so often in a row is so.
const SURE: u32 = 2;

impl LiveSites {
    /// Puts what was found together with what was known before, and tells what is sure by now.
    pub(super) async fn follow(
        &self,
        served: &Served,
        before: &[SiteFinding],
        found: Vec<Wrong>,
    ) -> Vec<SiteFinding> {
        let now = self.ports.clock.now();
        let mut findings = Vec::with_capacity(found.len());
        for Wrong { name, kind, sentence } in found {
            let known = before.iter().find(|one| one.name == name && one.kind == kind);
            let looks = known.map_or(0, |known| known.looks).saturating_add(1);
            let told = known.is_some_and(|known| known.told);
            let since = known.map_or(now, |known| known.since);
            let kind = kind.to_owned();
            let finding =
                SiteFinding { name, kind, sentence, since, last: now, looks, told: told || looks >= SURE };
            if finding.told {
                self.note(served, &finding).await;
            }
            if finding.told && !told {
                self.raise(&served.instance.id, &finding).await;
            }
            findings.push(finding);
        }
        findings
    }

    /// What several tenants meet is not each one's own: [`SeveralTenants`](super::super::SeveralTenants) looks for that.
    async fn note(&self, served: &Served, finding: &SiteFinding) {
        let mishap = Mishap {
            class: format!("site/{}", finding.kind),
            instance: served.instance.id.clone(),
            tenant: served.instance.request.organization.clone(),
            side: side(&finding.kind),
            sentence: finding.sentence.clone(),
            at: finding.last,
        };
        if let Err(error) = self.troubles.note(&mishap).await {
            tracing::error!(%error, instance.id = %mishap.instance, "could not keep what was found at a site");
        }
    }

    async fn raise(&self, id: &InstanceId, finding: &SiteFinding) {
        let alert = Alert::new(subject(id, &finding.name), finding.sentence.clone());
        self.ports.alerts.raise(alert.on(side(&finding.kind)).affecting([id.clone()])).await;
    }

    /// Says of which names nothing is wrong any more.
    pub(super) async fn tell_over(&self, id: &InstanceId, before: &[SiteFinding], found: &[SiteFinding]) {
        let told = |all: &[SiteFinding]| -> BTreeSet<DomainName> {
            all.iter().filter(|one| one.told).map(|one| one.name.clone()).collect()
        };
        let still = told(found);
        for name in told(before).difference(&still) {
            let message = "all is as it should be again".to_owned();
            self.ports.alerts.resolve(Alert::new(subject(id, name), message).affecting([id.clone()])).await;
        }
    }
}

fn subject(id: &InstanceId, name: &DomainName) -> String {
    format!("site {name} of instance {id}")
}

/// On whose side it lies when one tenant alone has it.
fn side(kind: &str) -> Side {
    match kind {
        "certificate" | "challenge-path" => Side::Aws,
        _ => Side::Tenant,
    }
}
