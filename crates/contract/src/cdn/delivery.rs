use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Wish, names};

/// What a distribution does towards viewers, whatever the origin says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Delivery {
    /// Pages of the origin, as absolute paths, that are shown in the place of its answers with these status codes; none
    /// by default.
    pub error_pages: Wish<BTreeMap<u16, String>>,
    /// Which edges serve; those of the first class by default.
    pub price_class: Wish<PriceClass>,
    /// The oldest TLS that viewers may speak; `TLSv1.2_2021` by default.
    pub minimum_tls: Wish<MinimumTls>,
    /// Whether requests are written to the operator's log bucket; no by default.
    pub logging: Wish<bool>,
}

names! {
    /// Which edges serve (CloudFront: `PriceClass`).
    PriceClass {
        /// North America, Europe and Israel.
        Class100 = "PriceClass_100",
        /// These, and most others.
        Class200 = "PriceClass_200",
        /// All there are.
        All = "PriceClass_All",
    }
}

names! {
    /// The oldest protocol and the weakest ciphers that viewers may use (CloudFront: `MinimumProtocolVersion`). Nothing
    /// below TLS 1.2 can be said (RFC 8996).
    MinimumTls {
        /// TLS 1.2, the ciphers of 2018.
        Tls12In2018 = "TLSv1.2_2018",
        /// TLS 1.2, the ciphers of 2019.
        Tls12In2019 = "TLSv1.2_2019",
        /// TLS 1.2, the ciphers of 2021.
        Tls12In2021 = "TLSv1.2_2021",
        /// TLS 1.2, the ciphers of 2025.
        Tls12In2025 = "TLSv1.2_2025",
        /// TLS 1.3 only.
        Tls13In2025 = "TLSv1.3_2025",
    }
}
