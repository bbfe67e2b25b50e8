//! One token bucket per service and process: a throttled account slows down together, instead of every call by itself.
//!
//! It sits where requests leave, below the SDK's own repetitions, so that these wait their turn as well. A throttle answer
//! halves the rate for everybody; each answer that is none raises it a little.

mod bucket;
mod naming;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Builder, ConnectorBuilder, tls};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::time::Instant;

use self::bucket::{Bucket, Turn};
use self::naming::Naming;
use crate::classify::rules;

/// The longest that a call waits for its turn. It must leave a step of several calls well below its time limit; whoever
/// would wait longer is sent back to come again, and holds nothing meanwhile.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// A call was not made: it is not its turn for a while.
#[derive(Debug, thiserror::Error)]
#[error("the account is being throttled: the next call may be made in {} ms", .after.as_millis())]
pub(crate) struct NotYet {
    /// How long until it is.
    pub(crate) after: Duration,
}

/// The SDK's own HTTP client, which several paced clients share with its connections. Its errors name the endpoint.
pub(crate) fn plain_client() -> SharedHttpClient {
    let client = Builder::new().build_with_connector_fn(|settings, components| {
        let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
        let mut connector = ConnectorBuilder::default().tls_provider(provider);
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.build()
    });
    SharedHttpClient::new(Naming(client))
}

/// The same client for one service, whose calls are at most so many per second.
pub(crate) fn paced(client: &SharedHttpClient, service: &'static str, per_second: u32) -> SharedHttpClient {
    let turns = Arc::new(Turns { service, bucket: Mutex::new(Bucket::full(per_second, Instant::now())) });
    SharedHttpClient::new(Paced { inner: client.clone(), turns })
}

#[derive(Debug)]
struct Paced<T> {
    inner: T,
    turns: Arc<Turns>,
}

impl HttpClient for Paced<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Paced { inner, turns: Arc::clone(&self.turns) })
    }
}

impl HttpConnector for Paced<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, turns) = (self.inner.clone(), Arc::clone(&self.turns));
        HttpConnectorFuture::new(async move {
            turns.wait().await.map_err(|not_yet| ConnectorError::other(not_yet.into(), None))?;
            turns.heed(inner.call(request).await?).await
        })
    }
}

/// Whose turn it is to call a service.
struct Turns {
    service: &'static str,
    bucket: Mutex<Bucket>,
}

impl Turns {
    /// Waits for this call's turn, if that is soon. When it turns out meanwhile that the account is being throttled, all
    /// turns are given anew.
    async fn wait(&self) -> Result<(), NotYet> {
        let latest = Instant::now() + LONGEST_WAIT;
        loop {
            let now = Instant::now();
            let turn = self.bucket().take(now, latest - now).map_err(|after| NotYet { after })?;
            let waiting = Waiting { turns: self, turn };
            tokio::time::sleep_until(now + turn.after).await;
            if waiting.came() {
                return Ok(());
            }
        }
    }

    /// Learns from an answer, and hands it on.
    async fn heed(&self, mut response: HttpResponse) -> Result<HttpResponse, ConnectorError> {
        let status = response.status().as_u16();
        let is_throttled = match status {
            429 | 503 => true,
            // Only the body tells it from a mistake of ours.
            400 => {
                let body = ByteStream::new(response.take_body()).collect().await;
                let body = body.map_err(|error| ConnectorError::io(error.into()))?.into_bytes();
                let says_so = says_slow_down(&body);
                *response.body_mut() = SdkBody::from(body);
                says_so
            }
            _ => false,
        };
        let mut bucket = self.bucket();
        if !is_throttled {
            bucket.speed_up();
        } else if bucket.slow_down(Instant::now()) {
            tracing::warn!(
                aws.service = self.service,
                calls_per_second = bucket.rate(),
                "throttled: slowing down"
            );
        }
        drop(bucket);
        Ok(response)
    }

    fn bucket(&self) -> std::sync::MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A turn that is waited for. Whoever gives up before it comes gives it back: a step that has run out of time, say. Or else
/// those who come after would wait for calls that nobody makes, run out of time as well, and never get to one.
struct Waiting<'a> {
    turns: &'a Turns,
    turn: Turn,
}

impl Waiting<'_> {
    /// It is over. `false` when the turns have been given anew meanwhile.
    fn came(self) -> bool {
        let is_good = self.turns.bucket().is_good(self.turn);
        std::mem::forget(self);
        is_good
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.turns.bucket().give_back(self.turn);
    }
}

impl fmt::Debug for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turns").field("service", &self.service).finish_non_exhaustive()
    }
}

/// Whether the body of an error, which is XML in each of the four services, has a code that means "too fast".
fn says_slow_down(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    code.is_some_and(|(code, _)| rules::is_throttle(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At a call in four seconds there is one turn within the longest wait. Whoever gives it up leaves it to the next.
    #[tokio::test]
    async fn a_turn_that_is_given_up_is_not_lost() {
        let now = Instant::now();
        let turns = Turns { service: "S3", bucket: Mutex::new(Bucket::full(1, now)) };
        for second in 0..4 {
            turns.bucket().slow_down(now + Duration::from_secs(second));
        }
        for _ in 0..3 {
            let waits = tokio::time::timeout(Duration::ZERO, turns.wait()).await;
            assert!(waits.is_err(), "there is a turn to wait for");
        }
    }

    #[test]
    fn only_a_code_that_means_too_fast_slows_down() {
        let error = |code: &str| format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>");
        for code in ["Throttling", "PriorRequestNotComplete", "RequestLimitExceeded"] {
            assert!(says_slow_down(error(code).as_bytes()), "{code}");
        }
        for other in [error("InvalidArgument"), "Throttling".to_owned(), "<Code>Throttling".to_owned()] {
            assert!(!says_slow_down(other.as_bytes()), "{other}");
        }
    }
}
