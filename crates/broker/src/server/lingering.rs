//! An end that lets the other side read the last answer.

use std::future::{Future, Pending, pending};
use std::io::Result;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Timeout;

/// For how long, and how many bytes, whoever still sends is listened to after the last answer.
const TIME: Duration = Duration::from_secs(2);
const BYTES: usize = 16 * 1024 * 1024;

/// Whether a connection ends before everything was read that the other side sends.
#[derive(Clone, Default)]
pub(super) struct Unread(Arc<AtomicBool>);

impl Unread {
    pub(super) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_noted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A connection that is closed while bytes wait to be read is reset, and what the other side has not read yet is lost with it:
/// the answer that says why. So what it still sends is read for a while, and thrown away (RFC 9112, section 9.6).
pub(super) struct Lingering<S> {
    stream: S,
    unread: Unread,
    /// Bytes that may still come.
    left: usize,
    /// Runs once the last byte is written.
    bound: Option<Pin<Box<Timeout<Pending<()>>>>>,
}

impl<S> Lingering<S> {
    pub(super) fn new(stream: S, unread: Unread) -> Self {
        Self { stream, unread, left: BYTES, bound: None }
    }
}

impl<S: AsyncRead + Unpin> Lingering<S> {
    /// Reads until the other side ends, or has sent or taken too much.
    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let bound = self.bound.get_or_insert_with(|| Box::pin(tokio::time::timeout(TIME, pending())));
        while self.left > 0 && bound.as_mut().poll(context).is_pending() {
            let mut scrap = [MaybeUninit::uninit(); 8 * 1024];
            let mut scrap = ReadBuf::uninit(&mut scrap);
            let read = ready!(Pin::new(&mut self.stream).poll_read(context, &mut scrap));
            let count = scrap.filled().len();
            if read.is_err() || count == 0 {
                break;
            }
            self.left = self.left.saturating_sub(count);
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[std::io::IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        if self.bound.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        }
        if self.unread.is_noted() {
            ready!(self.poll_rest(context));
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Ends a connection on which the other side sends without an end, and gives what it could send.
    async fn ended(unread: Unread) -> usize {
        let (ours, mut theirs) = tokio::io::duplex(64 * 1024);
        let ending = async move { Lingering::new(ours, unread).shutdown().await };
        let sending = async {
            let mut sent = 0;
            while theirs.write_all(&[0; 1024]).await.is_ok() {
                sent += 1024;
            }
            sent
        };
        let (ended, sent) = tokio::join!(ending, sending);
        ended.expect("it ends");
        sent
    }

    #[tokio::test]
    async fn what_is_still_sent_is_read_up_to_a_bound() {
        let unread = Unread::default();
        assert!(ended(unread.clone()).await < BYTES);
        unread.note();
        let sent = ended(unread).await;
        assert!((BYTES..BYTES + 1024 * 1024).contains(&sent), "{sent}");
    }

    #[tokio::test]
    async fn the_answer_is_there_and_nothing_is_waited_for_once_the_other_side_has_ended() {
        let (ours, mut theirs) = tokio::io::duplex(1024);
        let unread = Unread::default();
        unread.note();
        let mut ours = Lingering::new(ours, unread);
        let ending = async move {
            ours.write_all(b"no").await?;
            ours.shutdown().await
        };
        let reading = async move {
            theirs.write_all(b"what nobody wanted").await?;
            let mut answer = Vec::new();
            theirs.read_to_end(&mut answer).await.map(|_| answer)
        };
        let (ended, answer) = tokio::join!(ending, reading);
        ended.expect("it ends");
        assert_eq!(answer.expect("the answer is there"), b"no");
    }
}
