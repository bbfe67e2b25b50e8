//! One look at one site.

use contract::{
    CertificateRequest, DomainName, EdgeQuestion, HttpQuestion, KeyType, Lead, LeadEnd, LeadQuestion,
    Outlook, PortResult, Presented, ProofMethod, Verdict,
};
use futures_util::future::join_all;

use super::{LiveSites, Served};

/// How many names of one site are looked at at a time.
const AT_ONCE: usize = 4;

/// The token of the answer that stands for a challenge. It is always the same, so that a look that was broken off leaves
/// nothing that the next one does not take away.
const TOKEN: &str = "cdn-broker-check";

/// Something that is wrong with a name.
pub(super) struct Wrong {
    pub(super) name: DomainName,
    pub(super) kind: &'static str,
    pub(super) sentence: String,
}

impl LiveSites {
    /// Looks at all names that are served.
    pub(super) async fn examine(&self, served: &Served) -> PortResult<Vec<Wrong>> {
        let names = served.instance.settings.domains.iter();
        let names: Vec<&DomainName> = names.filter(|name| served.facts.names.contains(name)).collect();
        let is_http = names.iter().any(|name| !name.is_wildcard());
        if is_http {
            let answer = answer(served);
            self.ports.site.present(&served.instance.id, TOKEN, &answer).await?;
        }
        let mut looks = Vec::with_capacity(names.len());
        for few in names.chunks(AT_ONCE) {
            looks.extend(join_all(few.iter().map(|name| self.look(served, name))).await);
        }
        if is_http {
            self.ports.site.withdraw(&served.instance.id, TOKEN).await?;
        }
        let mut found = Vec::new();
        for look in looks {
            found.extend(look?);
        }
        Ok(found)
    }

    async fn look(&self, served: &Served, name: &DomainName) -> PortResult<Vec<Wrong>> {
        let question = LeadQuestion { name: name.clone(), target: served.host.clone() };
        let lead = self.ports.names.lead(&question).await?;
        let outlook = self.outlook(served, name, &lead).await?;
        let wrong = |(kind, sentence)| Wrong { name: name.clone(), kind, sentence };
        let found = [
            self.certificate(served, name).await?.map(|sentence| ("certificate", sentence)),
            astray(name, &served.host, &lead).map(|sentence| ("dns", sentence)),
            outlook.forbidden.clone().map(|sentence| ("caa", sentence)),
            self.challenge(served, name, &lead).await?.map(|sentence| ("challenge-path", sentence)),
            self.delegation(served, name, &outlook).await?.map(|sentence| ("delegation", sentence)),
        ];
        Ok(found.into_iter().flatten().map(wrong).collect())
    }

    /// How the name would be proven if the certificate were renewed now.
    async fn outlook(&self, served: &Served, name: &DomainName, lead: &Lead) -> PortResult<Outlook> {
        let names = vec![name.clone()];
        let request = CertificateRequest {
            tenant: served.instance.request.organization.clone(),
            site: served.instance.id.clone(),
            served: if lead.is_right() { names.clone() } else { Vec::new() },
            inherited: self.ports.inherited(&served.instance.id).await?,
            ..CertificateRequest::new(names, KeyType::default())
        };
        let nothing = Outlook { name: name.clone(), by_itself: None, forbidden: None, once: None };
        Ok(self.ports.issuer.outlook(&request).await?.pop().unwrap_or(nothing))
    }

    async fn certificate(&self, served: &Served, name: &DomainName) -> PortResult<Option<String>> {
        let question = EdgeQuestion { name: name.clone(), host: served.host.clone() };
        Ok(match self.edge.presented(&question).await? {
            Presented::Certificate { fingerprint } if fingerprint == served.facts.fingerprint => None,
            Presented::Certificate { fingerprint } => Some(format!(
                "The CDN presents another certificate for {name} than it should: its SHA-256 is {fingerprint}, and that \
                 of ours {}.",
                served.facts.fingerprint
            )),
            Presented::Nothing { saw } => Some(saw),
        })
    }

    /// Whether a challenge would be answered through the CDN, where the next one is to be: a web ACL may be in its way.
    async fn challenge(&self, served: &Served, name: &DomainName, lead: &Lead) -> PortResult<Option<String>> {
        if !lead.is_right() || name.is_wildcard() {
            return Ok(None);
        }
        let question = HttpQuestion { name: name.clone(), token: TOKEN.to_owned(), answer: answer(served) };
        Ok(match self.web.http(&question).await?.verdict {
            Verdict::Seen => None,
            Verdict::NotYet { saw } => Some(format!(
                "A challenge of the certificate authority would not be answered at {name}, so that its certificate could \
                 not be renewed. {saw}"
            )),
        })
    }

    /// Whether a name that was proven by a record set once and for ever would be so no more.
    async fn delegation(
        &self,
        served: &Served,
        name: &DomainName,
        outlook: &Outlook,
    ) -> PortResult<Option<String>> {
        if outlook.by_itself.is_some() || outlook.forbidden.is_some() {
            return Ok(None);
        }
        let proofs = self.ports.issuer.instructions(&served.issuance).await?;
        let was_delegated =
            proofs.iter().any(|one| one.name == *name && one.proven_by == Some(ProofMethod::Delegated));
        Ok(was_delegated.then(|| match &outlook.once {
            Some(record) => format!(
                "The record that proves {name} for ever is gone. Set it again: {} {} {}",
                record.name, record.kind, record.value
            ),
            None => format!("The record that proves {name} for ever is gone."),
        }))
    }
}

fn answer(served: &Served) -> String {
    format!("{TOKEN}.{}", served.instance.id)
}

fn astray(name: &DomainName, host: &str, lead: &Lead) -> Option<String> {
    let (what, then) = match &lead.end {
        LeadEnd::Target => return None,
        LeadEnd::Elsewhere { addresses } => {
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            (format!("leads to {}", addresses.join(", ")), "")
        }
        LeadEnd::NoName => ("does not exist in DNS".to_owned(), ""),
        LeadEnd::NoAddress => ("has no address in DNS".to_owned(), ""),
        LeadEnd::Unclear { saw } => ("cannot be followed in DNS".to_owned(), saw.as_str()),
    };
    let advice = "Visitors do not get this site, and its certificate may not be renewed. Point the name at";
    Some(
        format!("{name} {what} instead of {host}. {then} {advice} {host}, or take it out of the service.")
            .replace(".  ", ". "),
    )
}
