mod explained;
mod lingering;
mod requests;
mod tls;

use std::future::{Future, poll_fn};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::server::TlsStream;

use self::explained::Explained;
use self::lingering::{Lingering, Unread};
use self::requests::Desk;
pub use self::tls::{Tls, TlsError};
use crate::Service;

/// Where the API is served, and how.
#[derive(Clone, Debug)]
pub struct Listening {
    /// The address.
    pub address: SocketAddr,
    /// What one client may take.
    pub limits: ServerLimits,
    /// Certificate and key; `None` for plain HTTP, where something before this process speaks TLS (R19).
    pub tls: Option<Arc<Tls>>,
}

/// What one client may take of the server.
#[derive(Clone, Debug)]
pub struct ServerLimits {
    /// The largest body, in bytes (R17).
    pub body: usize,
    /// How long the head of a request may take to arrive.
    pub head_time: Duration,
    /// How long the body may take to arrive, and again how long the answer may take to be made.
    pub request_time: Duration,
    /// How many connections may be open at once; more wait to be accepted.
    pub connections: usize,
    /// How long running requests may take to finish when the server stops.
    pub drain: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            body: 128 * 1024,
            head_time: Duration::from_secs(10),
            request_time: Duration::from_secs(15),
            connections: 1024,
            drain: Duration::from_secs(5),
        }
    }
}

/// How long it may take to notice what a client has sent before the server stopped.
const NOTICE: Duration = Duration::from_millis(500);

/// The API could not be served.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
}

/// Serves the API until `stop` turns true, then lets running requests finish.
///
/// warp's own server has neither limits nor a bound on its drain, so that warp's filter is served through hyper here.
pub async fn serve(
    service: Service,
    listening: Listening,
    mut stop: watch::Receiver<bool>,
) -> Result<(), ServerError> {
    let Listening { address, limits, tls } = listening;
    let listen = |source| ServerError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let bound = listener.local_addr().map_err(listen)?;
    tracing::info!(address = %bound, tls = tls.is_some(), "listening");
    let open = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    while !*stop.borrow() {
        let accepted = tokio::select! {
            _ = stop.changed() => continue,
            accepted = accept(&listener, &open) => accepted,
        };
        if let Some((stream, peer, permit)) = accepted {
            let (limits, tls) = (limits.clone(), tls.clone());
            let client = Client { service: service.clone(), limits, peer, watcher: graceful.watcher() };
            let stop = stop.clone();
            tokio::spawn(async move {
                client.converse(stream, tls, stop).await;
                drop(permit);
            });
        }
    }
    drop(listener);
    if tokio::time::timeout(limits.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("stopping with requests still open");
    }
    Ok(())
}

/// The next connection, once there is room for one. A failed accept (too many files, a client that has gone) is the
/// client's loss, not the server's end.
async fn accept(
    listener: &TcpListener,
    open: &Arc<Semaphore>,
) -> Option<(TcpStream, IpAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(open).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            // Answers are small and written at once; without this they would wait for an acknowledgement.
            let _ = stream.set_nodelay(true);
            Some((stream, peer.ip(), permit))
        }
        Err(error) => {
            tracing::warn!(%error, "could not accept a connection");
            tokio::task::yield_now().await;
            None
        }
    }
}

/// Somebody who has connected.
struct Client {
    service: Service,
    limits: ServerLimits,
    peer: IpAddr,
    /// Ends the connection when the server ends.
    watcher: Watcher,
}

impl Client {
    /// Answers until the other side or the server ends.
    async fn converse(self, stream: TcpStream, tls: Option<Arc<Tls>>, stop: watch::Receiver<bool>) {
        if !self.speaks(&stream, stop.clone()).await {
            return;
        }
        match tls {
            None => self.answer(stream, stop).await,
            Some(tls) => {
                if let Some(stream) = self.shake_hands(&tls, stream, stop.clone()).await {
                    self.answer(stream, stop).await;
                }
            }
        }
    }

    /// Waits until the client says something; `false` if it does not. When the server stops, what was sent before is still
    /// noticed.
    async fn speaks(&self, stream: &TcpStream, mut stop: watch::Receiver<bool>) -> bool {
        tokio::select! {
            heard = tokio::time::timeout(self.limits.head_time, stream.readable()) => return heard.is_ok(),
            _ = stop.wait_for(|stopped| *stopped) => {}
        }
        tokio::time::timeout(NOTICE, stream.readable()).await.is_ok()
    }

    /// Nobody waits for a handshake but who makes it, and not for longer than for the head of a request.
    async fn shake_hands(
        &self,
        tls: &Tls,
        stream: TcpStream,
        mut stop: watch::Receiver<bool>,
    ) -> Option<TlsStream<TcpStream>> {
        let shaken = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return None,
            shaken = tokio::time::timeout(self.limits.head_time, tls.accept(stream)) => shaken,
        };
        match shaken {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
        None
    }

    /// hyper drops a connection at once of which it has read nothing when it is told of the stop, also when a whole request
    /// waits to be read: so it is made to read before.
    async fn answer(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        stop: watch::Receiver<bool>,
    ) {
        let Self { service, limits, peer, watcher } = self;
        let (unread, head_time) = (Unread::default(), limits.head_time);
        let stream = Explained::new(Lingering::new(stream, unread.clone()), unread.clone());
        let desk = Desk { service, limits, peer, unread, stop };
        let requests = TowerToHyperService::new(warp::service(requests::filter(desk)));
        let mut connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head_time)
            .max_headers(100)
            .max_buf_size(64 * 1024)
            .serve_connection(
                TokioIo::new(stream),
                service_fn(move |request| requests.call(requests::with_path(request))),
            );
        let ended = match poll_fn(|context| Poll::Ready(Pin::new(&mut connection).poll(context))).await {
            Poll::Ready(ended) => ended,
            Poll::Pending => watcher.watch(connection).await,
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}
