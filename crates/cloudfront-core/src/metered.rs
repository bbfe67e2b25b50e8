//! Every request that leaves is counted, the SDK's own repetitions as well.

use std::fmt;
use std::sync::Arc;

use aws_sdk_cloudfront::config::interceptors::FinalizerInterceptorContextRef;
use aws_sdk_cloudfront::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_cloudfront::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use contract::{Meter, Upstream};

/// Counts the requests to one service.
#[derive(Clone)]
pub(crate) struct Metered {
    pub(crate) upstream: Upstream,
    pub(crate) meter: Arc<dyn Meter>,
}

impl fmt::Debug for Metered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metered").field("upstream", &self.upstream).finish_non_exhaustive()
    }
}

impl Intercept for Metered {
    fn name(&self) -> &'static str {
        "Metered"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let call = cfg.load::<Metadata>().map_or("other", Metadata::name);
        let status = context.response().map(|response| response.status().as_u16().to_string());
        self.meter.request(self.upstream, call, status.as_deref().unwrap_or("none"));
        Ok(())
    }
}
