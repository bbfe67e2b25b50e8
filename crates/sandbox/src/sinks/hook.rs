use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::pki::ServerCertificate;
use crate::web::{Answer, Server, redirect, text};

/// How a web server takes posts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookManners {
    /// It takes them.
    Kind,
    /// It answers with this status.
    Answers(u16),
    /// It never answers.
    Hangs,
    /// It leads elsewhere.
    LeadsTo(String),
}

/// What was posted, whatever was answered.
#[derive(Clone, Debug)]
pub struct Post {
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Whether it was taken.
    pub taken: bool,
}

/// A web server that takes posts. Dropping it closes it.
pub struct HookSink {
    server: Server,
    is_tls: bool,
    desk: Arc<Desk>,
}

struct Desk {
    manners: Mutex<HookManners>,
    posts: Mutex<Vec<Post>>,
}

impl HookSink {
    /// Listens on a free port of 127.0.0.1, with TLS when there is a certificate.
    pub async fn start(certificate: Option<&ServerCertificate>) -> anyhow::Result<Self> {
        let desk = Arc::new(Desk { manners: Mutex::new(HookManners::Kind), posts: Mutex::default() });
        let tls = certificate.map(ServerCertificate::server_config).transpose()?;
        let (is_tls, taker) = (tls.is_some(), Arc::clone(&desk));
        let handler = move |request| {
            let desk = Arc::clone(&taker);
            async move { desk.take(request).await }
        };
        let server = Server::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), tls, handler).await?;
        Ok(Self { server, is_tls, desk })
    }

    /// Where to post to.
    pub fn url(&self) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}/hook", self.server.address())
    }

    /// Changes how it takes posts from now on.
    pub fn behave(&self, manners: HookManners) {
        *self.desk.manners.lock().unwrap_or_else(PoisonError::into_inner) = manners;
    }

    /// Everything that was posted, oldest first.
    pub fn posts(&self) -> Vec<Post> {
        self.desk.posts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Desk {
    async fn take(&self, request: Request<Incoming>) -> Answer {
        let manners = self.manners.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let taken = manners == HookManners::Kind && parts.method == Method::POST;
        let post = Post { headers: parts.headers, body, taken };
        self.posts.lock().unwrap_or_else(PoisonError::into_inner).push(post);
        match manners {
            HookManners::Kind => text(StatusCode::OK, "ok\n".to_owned()),
            HookManners::Answers(status) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                text(status, "no\n".to_owned())
            }
            HookManners::Hangs => std::future::pending().await,
            HookManners::LeadsTo(place) => redirect(StatusCode::TEMPORARY_REDIRECT, &place),
        }
    }
}
