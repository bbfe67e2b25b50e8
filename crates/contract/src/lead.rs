use std::net::IpAddr;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{DomainName, PortResult};

/// Where does a name lead, and is that where it should?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeadQuestion {
    /// The name; a wildcard is the record of this very name, which stands for all names that have none of their own.
    pub name: DomainName,
    /// The host name to which it should lead, in lower case, without a trailing dot.
    pub target: String,
}

/// Where a name leads today.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    /// The names for which it stands (CNAME), one after the other, in lower case, without a trailing dot.
    pub aliases: Vec<String>,
    /// Where that ends.
    pub end: LeadEnd,
}

/// Where the way from a name ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeadEnd {
    /// Where it should: the target is one of the aliases, or the name has an address of the target, or one at which the
    /// same CDN answers (ALIAS, ANAME, a flattened CNAME).
    Target,
    /// At these addresses, which are not the target's.
    Elsewhere {
        /// Never empty, without repetition.
        addresses: Vec<IpAddr>,
    },
    /// At a name that does not exist (NXDOMAIN).
    NoName,
    /// At a name that exists and has no address.
    NoAddress,
    /// Nobody can say, or not everybody says the same.
    Unclear {
        /// A sentence for the user: why.
        saw: String,
    },
}

impl Lead {
    /// Whether the name leads to where it should.
    pub fn is_right(&self) -> bool {
        self.end == LeadEnd::Target
    }
}

/// Looks where names lead.
///
/// Each look is bounded in time, remembers nothing that the user may just be changing, and can be taken any number of
/// times. Whatever the world answers, or does not, is a [`Lead`]; an error means that no look could be taken at all:
/// `GiveUp` for a question that cannot be asked.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait NameProbe: Send + Sync {
    /// Follows a name, at the name servers of each zone on the way, past caches.
    async fn lead(&self, question: &LeadQuestion) -> PortResult<Lead>;
}
