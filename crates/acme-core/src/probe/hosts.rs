//! The addresses of a host.

use std::net::IpAddr;

use hickory_resolver::proto::rr::RecordType;

use super::walk::{Heard, Walker};
use super::zones::address;

/// All addresses of a name whose IPv4 addresses have been asked for, IPv6 first, each once.
pub(super) async fn addresses(walker: &Walker, heard: &Heard) -> Vec<IpAddr> {
    let v6 = walker.ask(&heard.name, RecordType::AAAA).await.ok();
    let mut found = Vec::new();
    for address in v6.iter().chain([heard]).flat_map(Heard::records).filter_map(address) {
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found
}
