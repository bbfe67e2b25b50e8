//! A body for what hyper refuses by itself.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::lingering::Unread;

/// What cannot be read as HTTP, hyper answers with a status alone, and lets nobody else do it. Whoever looks at what is
/// written sees such an answer, since no other error goes out without a body, and gives it the body that every error has.
pub(super) struct Explained<S> {
    stream: S,
    /// What is still to be written instead of what was.
    instead: Bytes,
    /// To be told of what is refused: nobody reads what comes after it.
    unread: Unread,
    /// Whether something was read.
    has_read: bool,
}

impl<S> Explained<S> {
    pub(super) fn new(stream: S, unread: Unread) -> Self {
        Self { stream, instead: Bytes::new(), unread, has_read: false }
    }
}

impl<S: AsyncWrite + Unpin> Explained<S> {
    fn poll_instead(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        while self.instead.has_remaining() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.instead))?;
            if written == 0 {
                return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
            }
            self.instead.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Explained<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if !self.has_read {
            spoil_preface(&mut buffer.filled_mut()[before..]);
        }
        self.has_read = true;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Explained<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        ready!(self.poll_instead(context))?;
        match explanation(bytes) {
            Some(instead) => {
                self.instead = instead;
                self.unread.note();
                Poll::Ready(Ok(bytes.len()))
            }
            None => Pin::new(&mut self.stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        match pieces.iter().find(|piece| !piece.is_empty()) {
            Some(first) if explanation(first).is_some() => self.poll_write(context, first),
            _ => {
                ready!(self.poll_instead(context))?;
                Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(self.poll_instead(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(self.poll_instead(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// hyper ends a connection without a word when somebody begins with HTTP/2 (RFC 9113, section 3.4), unasked. What is no
/// method is refused like everything that is no request.
fn spoil_preface(first: &mut [u8]) {
    if let [b'P', b'R', b'I', b' ', ..] = first {
        first[0] = b'\0';
    }
}

/// What to write instead of an error without a body; `None` for everything else.
fn explanation(bytes: &[u8]) -> Option<Bytes> {
    let refused = [b"HTTP/1.1 4", b"HTTP/1.0 4"].iter().any(|start| bytes.starts_with(*start));
    if !refused || !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let head = std::str::from_utf8(bytes).ok()?;
    let is_bare = head.lines().any(|line| line.eq_ignore_ascii_case("content-length: 0"));
    let code = head.split(' ').nth(1).filter(|_| is_bare)?;
    let sentence = match code {
        "414" => "The path of the request is too long. Send a shorter one.",
        "431" => "The headers of the request are too many or too long. Send fewer.",
        _ => "The request is not one of HTTP/1.1. Send it again in its form.",
    };
    let body = serde_json::json!({ "error": "InvalidRequest", "description": sentence }).to_string();
    let status = head.lines().next()?;
    let length = body.len();
    Some(Bytes::from(format!(
        "{status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )))
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    async fn written(bytes: &[u8]) -> String {
        let mut stream = Explained::new(Vec::new(), Unread::default());
        stream.write_all(bytes).await.expect("a vector takes everything");
        stream.flush().await.expect("likewise");
        String::from_utf8(stream.stream).expect("text")
    }

    #[tokio::test]
    async fn an_error_without_a_body_gets_one() {
        for code in ["400 Bad Request", "414 URI Too Long", "431 Request Header Fields Too Large"] {
            let bare =
                format!("HTTP/1.1 {code}\r\nconnection: close\r\ncontent-length: 0\r\ndate: x\r\n\r\n");
            let answer = written(bare.as_bytes()).await;
            let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
            assert!(head.starts_with(&format!("HTTP/1.1 {code}")), "{head}");
            assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
            let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
            assert!(body["description"].is_string(), "{body}");
        }
    }

    #[tokio::test]
    async fn everything_else_goes_out_as_it_is() {
        for bytes in [
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 12\r\n\r\n",
            "HTTP/1.1 4",
            "x content-length: 0\r\n\r\n",
        ] {
            assert_eq!(written(bytes.as_bytes()).await, bytes);
        }
    }
}
