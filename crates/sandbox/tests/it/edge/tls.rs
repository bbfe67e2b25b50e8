//! Which certificate is shown, and domain fronting.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use sandbox::pki::client_config;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::fixture::Scene;
use crate::aws::fixture::{config, with_aliases, with_certificate};

const NAME: &str = "www.example.org";

#[tokio::test]
async fn a_name_is_served_under_its_certificate_with_its_chain() {
    let scene = Scene::start().await.unwrap();
    scene.site("one", &[NAME]).await.unwrap();
    let only_the_root = client_config(&scene.cloud.authority.root_pem).unwrap();
    let request = Request::get("/").header("host", NAME).body(Full::default()).unwrap();
    let seen = scene.with(only_the_root, NAME, request).await.unwrap();
    assert_eq!(seen.answer.status, 200);
    assert!(seen.answer.body.contains("Hello from the origin"));
    assert_eq!(seen.answer.header("x-cache"), "Miss from cloudfront");
    let fields = [("ServerCertificateName", "one")];
    let stored = scene.cloud.iam("GetServerCertificate", &fields).await.unwrap();
    let stored = CertificateDer::from_pem_slice(stored.text("CertificateBody").as_bytes()).unwrap();
    assert_eq!(seen.certificate, stored);
}

#[tokio::test]
async fn http_2_is_spoken_to_viewers() {
    let scene = Scene::start().await.unwrap();
    scene.site("one", &[NAME]).await.unwrap();
    let mut config = client_config(&scene.cloud.authority.root_pem).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(scene.edge.https()).await.unwrap();
    let name = ServerName::try_from(NAME).unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(format!("https://{NAME}/two?x=1")).body(Full::<Bytes>::default()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&body).contains("path: /two?x=1\n"));
}

#[tokio::test]
async fn other_names_get_cloudfronts_own_certificate() {
    let scene = Scene::start().await.unwrap();
    let domain = scene.deployed(&config("one")).await.unwrap();
    assert_eq!(scene.secure(&domain, "/").await.unwrap().answer.status, 200);
    let error = scene.secure(NAME, "/").await.err().unwrap();
    assert!(format!("{error:#}").contains("not valid for name"), "{error:#}");
}

#[tokio::test]
async fn the_old_certificate_is_shown_until_the_new_one_is_deployed() {
    let scene = Scene::start().await.unwrap();
    let domain = scene.site("old", &[NAME]).await.unwrap();
    let old = scene.secure(NAME, "/").await.unwrap().certificate;
    let certificate = scene.cloud.certificate("new", &[NAME]).await.unwrap();
    let wanted = with_aliases(&with_certificate(&config("old"), &certificate), &[NAME]);
    scene.change(&domain, &wanted).await.unwrap();
    assert_eq!(scene.secure(NAME, "/").await.unwrap().certificate, old);
    scene.later();
    assert_ne!(scene.secure(NAME, "/").await.unwrap().certificate, old);
}

#[tokio::test]
async fn the_host_decides_within_an_account() {
    let scene = Scene::start().await.unwrap();
    scene.site("one", &[NAME]).await.unwrap();
    scene.site("two", &["two.example.org"]).await.unwrap();
    let seen = scene.fronted(NAME, "two.example.org", "/").await.unwrap();
    assert_eq!(seen.answer.status, 200);
    assert_eq!(scene.fronted(NAME, "none.example.org", "/").await.unwrap().answer.status, 403);
}

#[tokio::test]
async fn another_name_behind_cloudfronts_certificate_is_misdirected() {
    let scene = Scene::start().await.unwrap();
    let domain = scene.site("one", &[NAME]).await.unwrap();
    assert_eq!(scene.fronted(&domain, NAME, "/").await.unwrap().answer.status, 421);
    let other = scene.deployed(&config("two")).await.unwrap();
    assert_eq!(
        scene.fronted(&domain, &other, "/").await.unwrap().answer.status,
        200,
        "covered by *.cloudfront.net"
    );
}

#[tokio::test]
async fn without_a_name_cloudfronts_certificate_is_shown_and_the_host_decides() {
    let scene = Scene::start().await.unwrap();
    scene.site("one", &[NAME]).await.unwrap();
    let mut config = scene.trusting().unwrap();
    config.enable_sni = false;
    let request = Request::get("/").header("host", NAME).body(Full::default()).unwrap();
    let seen = scene.with(config, "d1.cloudfront.net", request).await.unwrap();
    assert_eq!(seen.answer.status, 200);
}

#[tokio::test]
async fn the_policy_of_a_distribution_sets_the_lowest_version() {
    let scene = Scene::start().await.unwrap();
    let certificate = scene.cloud.certificate("one", &[NAME]).await.unwrap();
    let wanted = with_aliases(&with_certificate(&config("one"), &certificate), &[NAME]);
    scene.deployed(&wanted.replace("TLSv1.2_2021", "TLSv1.3_2025")).await.unwrap();
    let twelve = || {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(scene.cloud.authority.root_pem.as_bytes())?;
        roots.add(root)?;
        let builder = rustls::ClientConfig::builder_with_provider(provider);
        let builder = builder.with_protocol_versions(&[&rustls::version::TLS12])?;
        anyhow::Ok(builder.with_root_certificates(roots).with_no_client_auth())
    };
    let request = || Request::get("/").header("host", NAME).body(Full::default()).unwrap();
    assert!(scene.with(twelve().unwrap(), NAME, request()).await.is_err());
    assert_eq!(scene.secure(NAME, "/").await.unwrap().answer.status, 200);
    let two = scene.site("two", &["two.example.org"]).await;
    assert!(two.is_ok());
    let request = Request::get("/").header("host", "two.example.org").body(Full::default()).unwrap();
    assert_eq!(scene.with(twelve().unwrap(), "two.example.org", request).await.unwrap().answer.status, 200);
}
