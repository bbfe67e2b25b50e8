//! A web site to put the CDN in front of: it answers every request with what it saw.

use std::fmt::Write as _;
use std::future::{Ready, ready};
use std::net::{Ipv4Addr, SocketAddr};

use http::{Request, StatusCode, header};
use hyper::body::Incoming;

use crate::pki::Ca;
use crate::web::{Answer, Server, text};

/// The site, over HTTP and over HTTPS, each on a free port of 127.0.0.1.
///
/// The page is plain text: a greeting that names the host, then `scheme:`, `host:`, `method:` and `path:`,
/// then one line `header NAME: VALUE` per header that arrived.
pub struct Origin {
    http: Server,
    https: Server,
}

impl Origin {
    /// Starts the site with a certificate of `ca` for `names`.
    pub async fn start(ca: &Ca, names: &[&str]) -> anyhow::Result<Self> {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let tls = ca.server_certificate(names)?.server_config()?;
        Ok(Self {
            http: Server::start(any_port, None, |request| page("http", &request)).await?,
            https: Server::start(any_port, Some(tls), |request| page("https", &request)).await?,
        })
    }

    /// Where it listens for HTTP.
    pub fn http(&self) -> SocketAddr {
        self.http.address()
    }

    /// Where it listens for HTTPS.
    pub fn https(&self) -> SocketAddr {
        self.https.address()
    }
}

fn page(scheme: &'static str, request: &Request<Incoming>) -> Ready<Answer> {
    ready(text(StatusCode::OK, describe(scheme, request)))
}

fn describe<B>(scheme: &str, request: &Request<B>) -> String {
    let host = host_of(request);
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let mut page = format!(
        "Hello from the origin, asked for {host}\nscheme: {scheme}\nhost: {host}\nmethod: {}\npath: {path}\n",
        request.method()
    );
    for (name, value) in request.headers() {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "header {name}: {}", String::from_utf8_lossy(value.as_bytes()));
    }
    page
}

/// HTTP/1.1 names the host in a header, HTTP/2 in the request's target.
fn host_of<B>(request: &Request<B>) -> String {
    let header =
        request.headers().get(header::HOST).map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned());
    header.or_else(|| request.uri().authority().map(ToString::to_string)).unwrap_or_default()
}
