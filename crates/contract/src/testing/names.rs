use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::{CrashPlan, locked};
use crate::{DomainName, Lead, LeadEnd, LeadQuestion, NameProbe, PortResult};

/// Names that lead where a test says; those of which it says nothing do not exist. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct FakeNames {
    plan: CrashPlan,
    leads: Arc<Mutex<BTreeMap<DomainName, Told>>>,
}

#[derive(Clone, Debug)]
enum Told {
    /// A CNAME to this host.
    Alias(String),
    /// This end, without a CNAME.
    End(LeadEnd),
    /// Nothing, ever.
    Silence,
}

impl FakeNames {
    /// No names at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same names, with every call passing `plan`.
    #[must_use]
    pub fn with_plan(mut self, plan: &CrashPlan) -> Self {
        self.plan = plan.clone();
        self
    }

    /// Makes a name a CNAME to `host`, where nobody knows more about it unless it is the target.
    pub fn point(&self, name: &DomainName, host: &str) {
        self.tell(name, Told::Alias(host.to_owned()));
    }

    /// Lets the way from a name end there.
    pub fn end(&self, name: &DomainName, end: LeadEnd) {
        self.tell(name, Told::End(end));
    }

    /// Lets no look at a name ever end.
    pub fn silence(&self, name: &DomainName) {
        self.tell(name, Told::Silence);
    }

    fn tell(&self, name: &DomainName, told: Told) {
        locked(&self.leads).insert(name.clone(), told);
    }
}

#[async_trait]
impl NameProbe for FakeNames {
    async fn lead(&self, question: &LeadQuestion) -> PortResult<Lead> {
        let told =
            self.plan.pass("names.lead", || Ok(locked(&self.leads).get(&question.name).cloned())).await?;
        Ok(match told {
            None => Lead { aliases: Vec::new(), end: LeadEnd::NoName },
            Some(Told::End(end)) => Lead { aliases: Vec::new(), end },
            Some(Told::Alias(host)) => {
                let end = if host == question.target { LeadEnd::Target } else { LeadEnd::NoAddress };
                Lead { aliases: vec![host], end }
            }
            Some(Told::Silence) => pending().await,
        })
    }
}
