use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::pki;

/// A request that takes longer has met a server that hangs.
const BOUND: Duration = Duration::from_secs(30);

/// A plain HTTP and HTTPS client: it trusts what it is told to, reads whole answers and gives up after half a minute.
#[derive(Clone)]
pub struct Client {
    inner: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Client {
    /// A client that trusts exactly the certificates in `roots_pem`; with none of them it speaks HTTP only.
    pub fn trusting(roots_pem: &str) -> anyhow::Result<Self> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        // Without it, a request of two writes waits 40 ms for the other side's delayed acknowledgement.
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(pki::client_config(roots_pem)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Ok(Self { inner: legacy::Client::builder(TokioExecutor::new()).build(connector) })
    }

    /// `GET url`. An answer of any status is an answer.
    pub async fn get(&self, url: &str) -> anyhow::Result<Response<Bytes>> {
        self.send(Request::get(url).body(Full::default())?).await
    }

    /// Sends a request and reads the whole answer. An answer of any status is an answer.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Response<Bytes>> {
        let url = request.uri().to_string();
        let exchange = async {
            let (head, body) = self.inner.request(request).await?.into_parts();
            anyhow::Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
        };
        tokio::time::timeout(BOUND, exchange)
            .await
            .unwrap_or_else(|elapsed| Err(elapsed.into()))
            .with_context(|| format!("asking {url}"))
    }
}
