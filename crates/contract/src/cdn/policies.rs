use serde::{Deserialize, Serialize};

use super::names;

/// Policies that the CDN itself maintains: what answers are kept by, and what of a request reaches the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policies {
    /// How answers are kept.
    pub cache: CachePolicy,
    /// What reaches the origin besides that by which answers are kept; nothing when there is none.
    pub origin_request: Option<OriginRequestPolicy>,
}

names! {
    /// A cache policy that AWS maintains, by the name it has in CloudFront's console.
    CachePolicy {
        /// Nothing is kept.
        CachingDisabled = "CachingDisabled",
        /// Kept by path alone, for a day unless the origin says otherwise; compressed.
        CachingOptimized = "CachingOptimized",
        /// The same, not compressed.
        CachingOptimizedForUncompressedObjects = "CachingOptimizedForUncompressedObjects",
        /// Kept for as long as the origin says, by path, `Host`, `Origin`, method overrides and cookies.
        UseOriginCacheControlHeaders = "UseOriginCacheControlHeaders",
        /// The same, and by the query string.
        UseOriginCacheControlHeadersQueryStrings = "UseOriginCacheControlHeaders-QueryStrings",
    }
}

names! {
    /// An origin request policy that AWS maintains, by the name it has in CloudFront's console.
    OriginRequestPolicy {
        /// Everything that the viewer sends.
        AllViewer = "AllViewer",
        /// Everything, and what CloudFront knows of the viewer.
        AllViewerAndCloudFrontHeaders = "AllViewerAndCloudFrontHeaders-2022-06",
        /// Everything but `Host`.
        AllViewerExceptHostHeader = "AllViewerExceptHostHeader",
        /// `Origin`.
        CorsCustomOrigin = "CORS-CustomOrigin",
        /// `Origin` and the headers of a preflight.
        CorsS3Origin = "CORS-S3Origin",
        /// `Host`.
        HostHeaderOnly = "HostHeaderOnly",
        /// `User-Agent` and `Referer`.
        UserAgentRefererHeaders = "UserAgentRefererHeaders",
    }
}

impl CachePolicy {
    /// Whether `Host` reaches the origin because answers are kept by it.
    pub fn forwards_host(self) -> bool {
        matches!(self, Self::UseOriginCacheControlHeaders | Self::UseOriginCacheControlHeadersQueryStrings)
    }
}

impl OriginRequestPolicy {
    /// Whether `Host` reaches the origin.
    pub fn forwards_host(self) -> bool {
        matches!(self, Self::AllViewer | Self::AllViewerAndCloudFrontHeaders | Self::HostHeaderOnly)
    }
}
