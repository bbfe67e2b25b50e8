//! The ids of the policies that AWS maintains; they are the same in every account.

use contract::{CachePolicy, OriginRequestPolicy};

/// The response headers policy `SecurityHeadersPolicy`, the one of AWS's own that has `Strict-Transport-Security`.
pub(super) const SECURITY_HEADERS: &str = "67f7725c-6f97-4210-82d7-5512b31e9d03";

/// The cache policy of challenges.
pub(super) const CACHING_DISABLED: &str = cache(CachePolicy::CachingDisabled);

/// The cache policy of this id, if AWS maintains it.
pub(super) fn find_cache(id: &str) -> Option<CachePolicy> {
    CachePolicy::ALL.iter().copied().find(|policy| cache(*policy) == id)
}

/// The origin request policy of this id, if AWS maintains it.
pub(super) fn find_origin_request(id: &str) -> Option<OriginRequestPolicy> {
    OriginRequestPolicy::ALL.iter().copied().find(|policy| origin_request(*policy) == id)
}

pub(super) const fn cache(policy: CachePolicy) -> &'static str {
    match policy {
        CachePolicy::CachingDisabled => "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
        CachePolicy::CachingOptimized => "658327ea-f89d-4fab-a63d-7e88639e58f6",
        CachePolicy::CachingOptimizedForUncompressedObjects => "b2884449-e4de-46a7-ac36-70bc7f1ddd6d",
        CachePolicy::UseOriginCacheControlHeaders => "83da9c7e-98b4-4e11-a168-04f0df8e2c65",
        CachePolicy::UseOriginCacheControlHeadersQueryStrings => "4cc15a8a-d715-48a4-82b8-cc0b614638fe",
    }
}

pub(super) const fn origin_request(policy: OriginRequestPolicy) -> &'static str {
    match policy {
        OriginRequestPolicy::AllViewer => "216adef6-5c7f-47e4-b989-5492eafa07d3",
        OriginRequestPolicy::AllViewerAndCloudFrontHeaders => "33f36d7e-f396-46d9-90e0-52428a34d9dc",
        OriginRequestPolicy::AllViewerExceptHostHeader => "b689b0a8-53d0-40ab-baf2-68738e2966ac",
        OriginRequestPolicy::CorsCustomOrigin => "59781a5b-3903-41f3-afcb-af62929ccde1",
        OriginRequestPolicy::CorsS3Origin => "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf",
        OriginRequestPolicy::HostHeaderOnly => "bf0718e1-ba1e-49d1-88b1-f726733018ae",
        OriginRequestPolicy::UserAgentRefererHeaders => "acba4595-bd28-49b8-b9fe-13317c0390fa",
    }
}
