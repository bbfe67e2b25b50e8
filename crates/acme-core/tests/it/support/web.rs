use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use rustls::ServerConfig;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What a web server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Page {
    /// Status, headers, body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Takes the request and says nothing.
    Silence,
    /// Something that is no HTTP.
    Garbage,
}

impl Page {
    pub(crate) fn ok(body: &str) -> Self {
        Self::Answer(200, vec![], body.to_owned())
    }

    pub(crate) fn redirect(status: u16, to: &str) -> Self {
        Self::Answer(status, vec![("location", to.to_owned())], String::new())
    }
}

type Pages = Arc<Mutex<HashMap<String, Page>>>;

/// A web server that knows its pages by `HOST/PATH`, answers 404 to everything else, and remembers who was asked for.
pub(crate) struct WebServer {
    pub(crate) address: SocketAddr,
    pages: Pages,
    asked: Arc<Mutex<Vec<String>>>,
    _serving: JoinSet<()>,
}

impl WebServer {
    pub(crate) async fn start() -> Result<Self> {
        Self::start_at("127.0.0.1:0".parse()?, None).await
    }

    pub(crate) async fn start_at(address: SocketAddr, tls: Option<TlsAcceptor>) -> Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let (address, pages, asked) = (listener.local_addr()?, Pages::default(), Arc::default());
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, tls, Arc::clone(&pages), Arc::clone(&asked)));
        Ok(Self { address, pages, asked, _serving: serving })
    }

    /// A server with a certificate that nobody trusts, for another name, and expired.
    pub(crate) async fn start_tls(versions: &[&'static rustls::SupportedProtocolVersion]) -> Result<Self> {
        let key = rcgen::KeyPair::generate()?;
        let mut params = rcgen::CertificateParams::new(["other.invalid".to_owned()])?;
        params.not_after = rcgen::date_time_ymd(2001, 1, 1);
        let certificate = params.self_signed(&key)?.der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)?;
        Self::start_at("127.0.0.1:0".parse()?, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    pub(crate) fn set(&self, host_and_path: &str, page: Page) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.insert(host_and_path.to_owned(), page);
    }

    /// Every `HOST/PATH` that was asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    pages: Pages,
    asked: Arc<Mutex<Vec<String>>>,
) {
    let mut talks = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, pages, asked) = (tls.clone(), Arc::clone(&pages), Arc::clone(&asked));
        talks.spawn(async move {
            match tls {
                None => talk(stream, &pages, &asked).await,
                Some(tls) => talk(tls.accept(stream).await?, &pages, &asked).await,
            }
        });
    }
}

async fn talk(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    pages: &Pages,
    asked: &Mutex<Vec<String>>,
) -> Result<()> {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            length => request.extend_from_slice(&buffer[..length]),
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let path = request.split_whitespace().nth(1).unwrap_or_default();
    let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    let key = format!("{}{path}", host.split(':').next().unwrap_or_default());
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(key.clone());
    let page = pages.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    match page.unwrap_or(Page::Answer(404, vec![], "nothing here".to_owned())) {
        Page::Silence => std::future::pending().await,
        Page::Garbage => stream.write_all(b"220 mail ready\r\n\r\n").await?,
        Page::Answer(status, headers, body) => {
            let mut answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                write!(answer, "{name}: {value}\r\n")?;
            }
            stream.write_all(format!("{answer}\r\n{body}").as_bytes()).await?;
        }
    }
    stream.shutdown().await?;
    Ok(())
}
