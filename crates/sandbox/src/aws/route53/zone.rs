//! A hosted zone.

use super::record::{RecordSet, Records};
use super::{answer, record};
use crate::aws::ids::Ids;
use crate::aws::message::Answer;
use crate::aws::xml::Element;

/// A public hosted zone. Its records are what was asked for last, whether the name servers say it yet or not.
#[derive(Debug)]
pub(crate) struct HostedZone {
    pub(crate) id: String,
    /// With the final dot.
    pub(crate) name: String,
    pub(crate) account: String,
    /// The delegation set.
    pub(crate) servers: [String; 2],
    pub(super) records: Records,
    reference: String,
}

impl HostedZone {
    /// A new zone with the records that every zone has. `number` keeps the names of its servers apart from those of others.
    pub(crate) fn new(ids: &mut Ids, number: usize, name: &str, account: &str) -> Self {
        let name = record::canonical(name);
        let servers = [
            format!("ns-{number}.awsdns-{:02}.com", number % 64),
            format!("ns-{}.awsdns-{:02}.net", number + 512, number % 64),
        ];
        let id = ids.route53("Z");
        let mut zone = Self {
            reference: format!("sandbox-{id}"),
            id,
            account: account.to_owned(),
            servers,
            records: Records::default(),
            name,
        };
        zone.add_default("NS", 172_800, zone.servers.iter().map(|server| format!("{server}.")).collect());
        let [primary, _] = &zone.servers;
        let soa = format!("{primary}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400");
        zone.add_default("SOA", 900, vec![soa]);
        zone
    }

    fn add_default(&mut self, kind: &str, ttl: u32, values: Vec<String>) {
        let set = RecordSet::new(&self.name, kind, ttl, values);
        self.records.insert(set.key(), set);
    }

    /// Every record set, in the order of the API.
    pub(crate) fn record_sets(&self) -> impl Iterator<Item = &RecordSet> {
        self.records.values()
    }

    pub(super) fn answer(&self) -> Answer {
        let servers = self.servers.iter().map(|server| Element::leaf("NameServer", server)).collect();
        let set = Element::new("DelegationSet").with(Element::holding("NameServers", servers));
        answer(&Element::new("GetHostedZoneResponse").with(self.summary()).with(set))
    }

    pub(super) fn summary(&self) -> Element {
        let config = Element::new("Config").with(Element::leaf("PrivateZone", false));
        Element::new("HostedZone")
            .with(Element::leaf("Id", format!("/hostedzone/{}", self.id)))
            .with(Element::leaf("Name", &self.name))
            .with(Element::leaf("CallerReference", &self.reference))
            .with(config)
            .with(Element::leaf("ResourceRecordSetCount", self.records.len()))
    }
}
