//! As much of SMTP (RFC 5321) as a client needs that hands over one mail: EHLO, STARTTLS (RFC 3207), AUTH PLAIN (RFC 4954),
//! MAIL, RCPT, DATA, QUIT.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::pki::ServerCertificate;

/// How the server protects its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailTls {
    /// From the first byte on.
    Implicit,
    /// After STARTTLS; before, it takes no mail.
    Starttls,
    /// Not at all.
    None,
}

/// A mail that was taken.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The sender of the envelope.
    pub from: String,
    /// The recipients of the envelope.
    pub to: Vec<String>,
    /// Headers and body, with `\n` between lines.
    pub text: String,
    /// Whether it came over TLS.
    pub protected: bool,
    /// What the client gave as its credentials (AUTH PLAIN, base64), if it did.
    pub credentials: Option<String>,
}

/// A mail server that takes everything. Dropping it closes it.
pub struct MailSink {
    address: SocketAddr,
    desk: Arc<Desk>,
    _accepting: JoinSet<()>,
}

struct Desk {
    tls: MailTls,
    acceptor: TlsAcceptor,
    /// What is answered to each recipient instead of "ok".
    refusal: Mutex<Option<String>>,
    mails: Mutex<Vec<Mail>>,
}

/// What a connection has said so far.
#[derive(Default)]
struct Session {
    from: String,
    to: Vec<String>,
    credentials: Option<String>,
}

/// What follows after a conversation.
enum End {
    Closed,
    Starttls,
}

impl MailSink {
    /// Listens on a free port of 127.0.0.1.
    pub async fn start(tls: MailTls, certificate: &ServerCertificate) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("cannot listen")?;
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(certificate.server_config()?);
        let desk = Arc::new(Desk { tls, acceptor, refusal: Mutex::default(), mails: Mutex::default() });
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, Arc::clone(&desk)));
        Ok(Self { address, desk, _accepting: accepting })
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Answers each recipient with this from now on, such as `451 later`; `None`: takes them again.
    pub fn refuse(&self, answer: Option<&str>) {
        *self.desk.refusal.lock().unwrap_or_else(PoisonError::into_inner) = answer.map(str::to_owned);
    }

    /// Everything that was taken, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.desk.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn accept(listener: TcpListener, desk: Arc<Desk>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let desk = Arc::clone(&desk);
        connections.spawn(async move {
            // A client that goes away has failed by itself; the test looks at what was taken.
            if let Err(error) = serve(stream, &desk).await {
                tracing::debug!(%error, "a mail connection ended early");
            }
        });
    }
}

async fn serve(stream: TcpStream, desk: &Desk) -> anyhow::Result<()> {
    if desk.tls == MailTls::Implicit {
        let mut secure = BufStream::new(desk.acceptor.accept(stream).await?);
        say(&mut secure, "220 sink").await?;
        return talk(&mut secure, desk, true).await.map(drop);
    }
    let mut plain = BufStream::new(stream);
    say(&mut plain, "220 sink").await?;
    if let End::Starttls = talk(&mut plain, desk, false).await? {
        let mut secure = BufStream::new(desk.acceptor.accept(plain.into_inner()).await?);
        talk(&mut secure, desk, true).await?;
    }
    Ok(())
}

async fn talk<S>(stream: &mut BufStream<S>, desk: &Desk, protected: bool) -> anyhow::Result<End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut session = Session::default();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(End::Closed);
        }
        let line = line.trim_end();
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" if protected || desk.tls != MailTls::Starttls => "250-sink\r\n250 AUTH PLAIN".to_owned(),
            "EHLO" => "250-sink\r\n250 STARTTLS".to_owned(),
            "STARTTLS" if !protected && desk.tls == MailTls::Starttls => {
                say(stream, "220 go ahead").await?;
                return Ok(End::Starttls);
            }
            "QUIT" => {
                say(stream, "221 bye").await?;
                return Ok(End::Closed);
            }
            "MAIL" | "RCPT" | "DATA" if !protected && desk.tls == MailTls::Starttls => {
                "530 must issue a STARTTLS command first".to_owned()
            }
            "DATA" => {
                say(stream, "354 go on").await?;
                let text = data(stream).await?;
                desk.keep(&mut session, text, protected);
                "250 taken".to_owned()
            }
            _ => desk.note(&mut session, &verb, line),
        };
        say(stream, &answer).await?;
    }
}

impl Desk {
    fn note(&self, session: &mut Session, verb: &str, line: &str) -> String {
        let address = || line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(one, _)| one);
        match verb {
            "AUTH" => session.credentials = line.rsplit(' ').next().map(str::to_owned),
            "MAIL" => address().unwrap_or_default().clone_into(&mut session.from),
            "RCPT" => {
                if let Some(refusal) = &*self.refusal.lock().unwrap_or_else(PoisonError::into_inner) {
                    return refusal.clone();
                }
                session.to.push(address().unwrap_or_default().to_owned());
            }
            "NOOP" | "RSET" => {}
            _ => return "502 not known".to_owned(),
        }
        let code = if verb == "AUTH" { 235 } else { 250 };
        format!("{code} ok")
    }

    fn keep(&self, session: &mut Session, text: String, protected: bool) {
        let Session { from, to, credentials } = std::mem::take(session);
        let mail = Mail { from, to, text, protected, credentials: credentials.clone() };
        session.credentials = credentials;
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
    }
}

/// The lines up to the dot that stands alone; a leading dot was doubled (RFC 5321, section 4.5.2).
async fn data<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<S>) -> anyhow::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        anyhow::ensure!(stream.read_line(&mut line).await? > 0, "the mail broke off");
        let line = line.trim_end_matches(['\r', '\n']);
        if line == "." {
            return Ok(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(line));
        text.push('\n');
    }
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<S>, line: &str) -> anyhow::Result<()> {
    stream.write_all(line.as_bytes()).await?;
    stream.write_all(b"\r\n").await?;
    Ok(stream.flush().await?)
}
