//! R19: TLS in the process, with files that are replaced while it runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;
use http::Request;
use http_body_util::Full;
use sandbox::pki::{Ca, ServerCertificate};
use sandbox::{BrokerProcess, Client, wait_for};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::house::{BOUND, House, program};

/// Two PEM files, one of a certificate and one of its key.
struct Files {
    folder: TempDir,
}

impl Files {
    fn new(certificate: &ServerCertificate) -> anyhow::Result<Self> {
        let files = Self { folder: tempfile::tempdir()? };
        std::fs::write(files.certificate(), &certificate.chain_pem)?;
        std::fs::write(files.key(), &certificate.key_pem)?;
        Ok(files)
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("tls.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("tls-key.pem")
    }
}

/// A broker that speaks TLS, and the URL of its catalog.
async fn secured(house: &mut House, files: &Files) -> anyhow::Result<String> {
    let settings = house.settings()?;
    let mut environment = house.sandbox.broker_environment(&settings);
    for (name, file) in [("TLS_CERT", files.certificate()), ("TLS_KEY", files.key())] {
        environment.push((name.to_owned(), file.display().to_string()));
    }
    let log = house.sandbox.state().join("broker.log");
    house.brokers.push(BrokerProcess::start(&program("cdn-broker")?, environment, log).await?);
    Ok(format!("https://127.0.0.1:{}/v2/catalog", settings.port))
}

/// What somebody reads who trusts this authority, on a connection of their own.
async fn catalog(url: &str, authority: &str) -> anyhow::Result<u16> {
    let request = Request::get(url)
        .header("authorization", "Basic c2FuZGJveDpzYW5kYm94")
        .header("x-broker-api-version", "2.17")
        .body(Full::default())?;
    Ok(Client::trusting(authority)?.send(request).await?.status().as_u16())
}

#[tokio::test(flavor = "multi_thread")]
async fn r19_the_api_speaks_tls_and_takes_up_files_that_are_replaced() -> anyhow::Result<()> {
    let (first, second) = (Ca::new("first")?, Ca::new("second")?);
    let files = Files::new(&first.server_certificate(&["127.0.0.1"])?)?;
    let mut house = House::without_broker(|_| {}).await?;
    let url = secured(&mut house, &files).await?;
    assert_eq!(catalog(&url, first.pem()).await?, 200);
    assert!(catalog(&url, second.pem()).await.is_err(), "the wrong authority");
    assert!(catalog(&url.replace("https", "http"), "").await.is_err(), "plain HTTP");

    // A half that does not fit to the other half changes nothing.
    let fresh = second.server_certificate(&["127.0.0.1"])?;
    std::fs::write(files.key(), &fresh.key_pem)?;
    wait_for("the mismatch to be seen", BOUND, || async {
        Ok(house.log()?.contains("the certificate of the API stays as it is").then_some(()))
    })
    .await?;
    assert_eq!(catalog(&url, first.pem()).await?, 200);

    std::fs::write(files.certificate(), &fresh.chain_pem)?;
    wait_for("the new certificate to be shown", BOUND, || async {
        Ok(catalog(&url, second.pem()).await.is_ok_and(|status| status == 200).then_some(()))
    })
    .await?;
    ensure!(house.log()?.contains("the certificate of the API was replaced"), "it is not said");
    let key: String = fresh.key_pem.lines().nth(1).unwrap_or("no key").to_owned();
    ensure!(!house.log()?.contains(&key), "the key is in the log");
    house.brokers[0].stop().await
}

/// Whoever connects and says nothing holds up nobody else, and no stop.
#[tokio::test(flavor = "multi_thread")]
async fn r19_a_handshake_that_hangs_holds_up_nobody() -> anyhow::Result<()> {
    let authority = Ca::new("the authority")?;
    let files = Files::new(&authority.server_certificate(&["127.0.0.1"])?)?;
    let mut house = House::without_broker(|_| {}).await?;
    let url = secured(&mut house, &files).await?;
    let address = url.trim_start_matches("https://").trim_end_matches("/v2/catalog");
    let mut silent = Vec::new();
    for number in 0..100 {
        let mut stream = TcpStream::connect(address).await?;
        if number % 2 == 0 {
            stream.write_all(&[22, 3, 1, 2, 0, 1]).await?;
        }
        silent.push(stream);
    }
    assert_eq!(catalog(&url, authority.pem()).await?, 200);
    house.brokers[0].stop().await
}

#[test]
fn r19_files_that_cannot_be_used_are_a_mistake_at_the_start() -> anyhow::Result<()> {
    let authority = Ca::new("the authority")?;
    let (one, other) = (authority.server_certificate(&["a"])?, authority.server_certificate(&["a"])?);
    let (ours, theirs) = (Files::new(&one)?, Files::new(&other)?);
    let missing = PathBuf::from("/no/such/file.pem");
    for (certificate, key, told) in [
        (Some(ours.certificate()), Some(theirs.key()), "does not belong to"),
        (Some(missing.clone()), Some(ours.key()), "/no/such/file.pem"),
        (Some(ours.certificate()), Some(missing), "/no/such/file.pem"),
        (Some(ours.key()), Some(ours.key()), "no certificate"),
        (Some(ours.certificate()), Some(ours.certificate()), "no private key"),
        (Some(ours.certificate()), None, "TLS_KEY is not set"),
        (None, Some(ours.key()), "TLS_CERT is not set"),
    ] {
        let complaint = complaint(certificate.as_deref(), key.as_deref())?;
        assert!(complaint.contains(told), "{told}: {complaint}");
        assert!(!complaint.contains("PRIVATE"), "{complaint}");
    }
    Ok(())
}

/// What a broker says that is started with these files.
fn complaint(certificate: Option<&Path>, key: Option<&Path>) -> anyhow::Result<String> {
    let mut command = Command::new(program("cdn-broker")?);
    command.arg("serve").env_clear();
    command.envs(certificate.map(|file| ("TLS_CERT", file))).envs(key.map(|file| ("TLS_KEY", file)));
    let output = command.output()?;
    ensure!(output.status.code() == Some(64), "{output:?}");
    Ok(String::from_utf8(output.stderr)?)
}
