//! A connection that sends what no HTTP library would.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use crate::draw::Sent;

/// Longer than any limit of the server: who has not been answered then never will be.
const BOUND: Duration = Duration::from_mins(1);

type Halves = (OwnedReadHalf, OwnedWriteHalf);

/// A connection that is opened when it is needed.
pub(crate) struct Line {
    address: String,
    open: Option<Halves>,
}

/// What has come back.
#[derive(Default)]
pub(crate) struct Answer {
    version: String,
    /// `None` when the connection was closed instead.
    pub(crate) status: Option<u16>,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = self.body.get(..400).unwrap_or(&self.body).escape_ascii();
        write!(f, "{} {:?} {:?} {body}", self.version, self.status, self.headers)
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// HTTP/1.0 closes behind each answer (RFC 9112, section 9.3).
    fn stays_open(&self) -> bool {
        self.version == "HTTP/1.1" && self.header("connection") != Some("close")
    }
}

impl Line {
    pub(crate) fn to(address: &str) -> Self {
        Self { address: address.to_owned(), open: None }
    }

    /// Sends a request and reads the first answer that is final. A server may end a connection that is open for the next
    /// request (RFC 9112, section 9.3.1): then the request is sent once more, on a new one.
    pub(crate) async fn exchange(&mut self, sent: &Sent) -> anyhow::Result<Answer> {
        if let Some(open) = self.open.take() {
            let answer = self.exchange_on(open, sent).await?;
            if answer.status.is_some() {
                return Ok(answer);
            }
        }
        let new = TcpStream::connect(&self.address).await.context("cannot connect")?;
        self.exchange_on(new.into_split(), sent).await
    }

    async fn exchange_on(&mut self, halves: Halves, sent: &Sent) -> anyhow::Result<Answer> {
        let (mut reading, mut writing) = halves;
        let (bytes, is_cut_short) = (sent.bytes.clone(), sent.is_cut_short);
        // Who refuses a long request may answer before it has read all of it, and close.
        let sending = tokio::spawn(async move {
            let _ = writing.write_all(&bytes).await;
            if is_cut_short {
                // Nothing more comes; nobody has to wait for it.
                let _ = writing.shutdown().await;
            }
            writing
        });
        let answer = timeout(BOUND, read(&mut reading, sent)).await.context("it hangs")??;
        let writing = sending.await.context("the sender")?;
        // A request that was understood leaves the connection as it was; any other may have left something in it.
        let can_go_on = !sent.is_cut_short && answer.status.is_some_and(|status| status < 400);
        if can_go_on && answer.stays_open() {
            self.open = Some((reading, writing));
        }
        Ok(answer)
    }
}

/// Reads one answer; interim ones (1xx) are passed over.
async fn read(reading: &mut OwnedReadHalf, sent: &Sent) -> anyhow::Result<Answer> {
    loop {
        let Some(head) = head(reading).await? else {
            return Ok(Answer::default());
        };
        let mut answer = parse(&head)?;
        if answer.status.is_some_and(|status| (100..200).contains(&status)) {
            continue;
        }
        let length = answer.header("content-length").and_then(|text| text.parse::<usize>().ok());
        let has_body = !sent.is_head && answer.status != Some(304) && answer.status != Some(204);
        if has_body {
            let length = length.context("an answer without a length")?;
            answer.body.resize(length, 0);
            reading.read_exact(&mut answer.body).await.context("an answer that is cut short")?;
        }
        return Ok(answer);
    }
}

/// Everything up to the empty line; `None` when the connection ends before the first byte.
async fn head(reading: &mut OwnedReadHalf) -> anyhow::Result<Option<String>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match reading.read(&mut byte).await {
            Ok(1) => head.push(byte[0]),
            // A reset behind an answer takes with it what was not read; before one it is a refusal like a close.
            Ok(_) | Err(_) if head.is_empty() => return Ok(None),
            Ok(_) => bail!("an answer that is cut short"),
            Err(error) => return Err(error).context("an answer that is cut short"),
        }
    }
    Ok(Some(String::from_utf8_lossy(&head).into_owned()))
}

fn parse(head: &str) -> anyhow::Result<Answer> {
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let version = first.next().unwrap_or_default().to_owned();
    let status = first.next().and_then(|code| code.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    Ok(Answer { version, status: Some(status.context("no status")?), headers, body: Vec::new() })
}
