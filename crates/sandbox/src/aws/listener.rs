//! A listening socket and the connections it accepted, ended together.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// An open port. Dropping or closing it ends its connections too.
#[derive(Debug)]
pub(crate) struct Listener {
    address: SocketAddr,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Listener {
    /// Listens and hands every connection to `serve`.
    pub(crate) async fn open<S, F>(address: SocketAddr, serve: S) -> io::Result<Self>
    where
        S: Fn(TcpStream) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let socket = TcpListener::bind(address).await?;
        let address = socket.local_addr()?;
        let task = Mutex::new(Some(tokio::spawn(accept(socket, serve))));
        Ok(Self { address, task })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the port and every connection; afterwards the port is free.
    pub(crate) async fn close(&self) {
        let task = self.take();
        if let Some(task) = task {
            task.abort();
            // The task was told to end: the only possible answer is that it did.
            drop(task.await);
        }
    }

    fn take(&self) -> Option<JoinHandle<()>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(task) = self.take() {
            task.abort();
        }
    }
}

async fn accept<S, F>(socket: TcpListener, serve: S)
where
    S: Fn(TcpStream) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok((stream, _)) => {
                    // Without it small answers wait for the peer's delayed acknowledgement. Failing costs only time.
                    drop(stream.set_nodelay(true));
                    connections.spawn(serve(stream));
                }
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::task::yield_now().await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}
