//! instant-acme alone, as fast as a loop can be: what acme-core is compared with. Nothing is stored, nothing is looked
//! at before the authority is asked to look, and a crash loses everything.

use std::pin::Pin;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::BodyExt;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use instant_acme::{
    Account, BodyWrapper, BytesResponse, ChallengeType, HttpClient, Identifier, NewAccount, NewOrder, Order,
    OrderStatus,
};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use sandbox::dns::Dns;

use crate::clock::{Stopwatch, pause};

/// Between two questions to the authority while it is at work. Without any pause the questions slow it down.
const PAUSE: Duration = Duration::from_millis(2);

/// How often it is asked at most.
const QUESTIONS: usize = 5_000;

/// A new account at `directory`, whose TLS is under `roots_pem`.
pub(crate) async fn account(directory: &str, roots_pem: &str) -> anyhow::Result<Account> {
    let request = NewAccount { contact: &[], terms_of_service_agreed: true, only_return_existing: false };
    let client = Box::new(NodelayClient::trusting(roots_pem)?);
    let created = Account::builder_with_http(client).create(&request, directory.to_owned(), None).await;
    Ok(created?.0)
}

/// Obtains a certificate for `name`, over a P-256 key, and says how much of the time was pauses.
pub(crate) async fn certificate(account: &Account, dns: &Dns, name: &str) -> anyhow::Result<Duration> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let csr = CertificateParams::new([name.to_owned()])?.serialize_request(&key)?;
    let identifiers = [Identifier::Dns(name.to_owned())];
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
    prove(&mut order, dns, name).await?;
    let mut paused = until_ready(&mut order).await?;
    order.finalize_csr(csr.der()).await?;
    for _ in 0..QUESTIONS {
        if order.certificate().await?.is_some() {
            return Ok(paused);
        }
        paused += measured_pause().await;
    }
    bail!("no certificate for {name}")
}

async fn prove(order: &mut Order, dns: &Dns, name: &str) -> anyhow::Result<()> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        let mut challenge = authorization.challenge(ChallengeType::Dns01).context("no dns-01")?;
        let value = challenge.key_authorization().dns_value();
        dns.set_txt(&format!("_acme-challenge.{name}"), vec![value])?;
        challenge.set_ready().await?;
    }
    Ok(())
}

async fn until_ready(order: &mut Order) -> anyhow::Result<Duration> {
    let mut paused = Duration::ZERO;
    for _ in 0..QUESTIONS {
        match order.refresh().await?.status {
            OrderStatus::Pending => paused += measured_pause().await,
            status => {
                ensure!(status == OrderStatus::Ready, "the order is {status:?}");
                return Ok(paused);
            }
        }
    }
    bail!("the order does not become ready")
}

/// Timers come late, so what is counted is what it took.
async fn measured_pause() -> Duration {
    let watch = Stopwatch::start();
    pause(PAUSE).await;
    watch.elapsed()
}

/// instant-acme's own client leaves Nagle's algorithm on, which costs 40 ms a request.
struct NodelayClient(Client<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>);

impl NodelayClient {
    fn trusting(roots_pem: &str) -> anyhow::Result<Self> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let tls = sandbox::pki::client_config(roots_pem)?;
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_all_versions();
        Ok(Self(Client::builder(TokioExecutor::new()).build(https.wrap_connector(tcp))))
    }
}

impl HttpClient for NodelayClient {
    fn request(
        &self,
        mut request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, instant_acme::Error>> + Send>> {
        request.headers_mut().remove(header::HOST);
        let answer = self.0.request(request);
        Box::pin(async move {
            let other = |error| instant_acme::Error::Other(error);
            let (parts, body) = answer.await.map_err(|error| other(Box::new(error)))?.into_parts();
            let body = body.collect().await.map_err(|error| other(Box::new(error)))?.to_bytes();
            Ok(BytesResponse { parts, body: Box::new(body) })
        })
    }
}
