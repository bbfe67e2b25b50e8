//! A client for the tests: trusts what it is told to, reads whole answers.

use anyhow::Context;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// Sends one request over a connection of its own; `roots_pem` is what HTTPS is verified against.
pub(crate) async fn send(roots_pem: &str, request: Request<Full<Bytes>>) -> anyhow::Result<Response<Bytes>> {
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(sandbox::pki::client_config(roots_pem)?)
        .https_or_http()
        .enable_http1()
        .enable_http2()
        .build();
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let (head, body) = client.request(request).await?.into_parts();
    Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
}

pub(crate) async fn get(roots_pem: &str, url: &str) -> anyhow::Result<Response<Bytes>> {
    send(roots_pem, Request::get(url).body(Full::default())?).await
}

pub(crate) async fn post(roots_pem: &str, url: &str, body: &str) -> anyhow::Result<Response<Bytes>> {
    let request = Request::post(url).body(Full::from(body.to_owned()))?;
    send(roots_pem, request).await.with_context(|| format!("POST {url}"))
}
