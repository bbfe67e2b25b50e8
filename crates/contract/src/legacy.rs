use async_trait::async_trait;

use crate::{PortResult, Secret, Timestamp};

/// A broker of the same kind that ran before this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegacyBroker {
    /// 18F's and cloud.gov's `cf-cdn-service-broker`.
    CfCdn,
    /// `paas-cdn-broker`, the fork of the GOV.UK platform, with certificates of ACM.
    PaasCdn,
    /// cloud.gov's `external-domain-broker`.
    ExternalDomain,
}

impl LegacyBroker {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::CfCdn, Self::PaasCdn, Self::ExternalDomain];

    /// The name of its repository, by which people know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CfCdn => "cf-cdn-service-broker",
            Self::PaasCdn => "paas-cdn-broker",
            Self::ExternalDomain => "external-domain-broker",
        }
    }

    /// The broker of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|broker| broker.as_str() == name)
    }
}

/// A service instance of an earlier broker, as its database has it. Nothing of it has been checked: rows may lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyInstance {
    /// The platform's id.
    pub id: String,
    /// How it stands.
    pub standing: LegacyStanding,
    /// The domains, as they were written down.
    pub names: Vec<String>,
    /// The id of its distribution.
    pub distribution: Option<String>,
    /// OSB `service_id` and `plan_id`, where that broker's database says which plan an instance is of.
    pub plan: Option<(String, String)>,
    /// The newest of its certificates.
    pub certificate: Option<LegacyCertificate>,
    /// When it was asked for.
    pub asked_at: Option<Timestamp>,
    /// What that broker has made for it besides, of which this one knows nothing: in words, as the beginning of a sentence.
    pub besides: Option<String>,
}

/// How an instance of an earlier broker stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LegacyStanding {
    /// Nothing is under way.
    AtRest,
    /// An operation has not been brought to its end: what it is, in that broker's words.
    Unfinished(String),
    /// It is being deleted, or that was given up half-way: in that broker's words.
    Leaving(String),
    /// It was deleted.
    Gone,
    /// It is of a kind that has no distribution: which.
    OtherKind(String),
}

/// What an earlier broker knows about a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyCertificate {
    /// How the CDN calls it, where that was written down.
    pub stored: Option<String>,
    /// The end of its validity.
    pub not_after: Option<Timestamp>,
    /// The chain, leaf first, PEM.
    pub chain_pem: Option<String>,
    /// The private key of the leaf, PKCS#8 PEM, where that broker has kept it.
    pub private_key_pem: Option<Secret>,
}

/// The database of an earlier broker. It is only ever read.
#[async_trait]
pub trait LegacyInstances: Send + Sync {
    /// All instances at one moment, those that are gone too, in the order of their ids: all of them or none.
    ///
    /// Errors: `Retry` (it cannot be reached, or the connection broke), `GiveUp` (it is not the database of that broker,
    /// or lacks what a later version of it has; the message says what).
    async fn all(&self) -> PortResult<Vec<LegacyInstance>>;
}
