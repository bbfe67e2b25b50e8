use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use async_trait::async_trait;
use contract::{Clock, Messenger, Notice, Parcel, PortError, PortResult, Remedy, Timestamp};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::text;
use crate::config::{MailConfig, MailTls};

/// How long handing over a mail may take, from the connection to the receipt.
const TIME: Duration = Duration::from_secs(20);
/// How long the server may take for one step of that.
const STEP_TIME: Duration = Duration::from_secs(10);

/// The mail server.
#[derive(Clone)]
pub(super) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    host: String,
    from: Mailbox,
    clock: Arc<dyn Clock>,
}

/// What is in a mail.
struct Mail<'a> {
    to: &'a [Mailbox],
    subject: String,
    text: String,
    parcel: &'a Parcel,
}

impl Smtp {
    pub(super) fn new(
        config: &MailConfig,
        roots_pem: Option<&str>,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let tls = tls(config, roots_pem).context("the roots of ALERT_ROOT_CA")?;
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port)
            .tls(tls)
            .timeout(Some(STEP_TIME));
        let builder = match &config.credentials {
            Some((user, password)) => {
                let password = password.expose_str().unwrap_or_default().to_owned();
                builder.credentials(Credentials::new(user.clone(), password))
            }
            None => builder,
        };
        let (host, from) = (config.host.clone(), config.from.clone());
        Ok(Self { transport: builder.build(), host, from, clock })
    }

    /// Hands a mail over. `refused` is what to do about an address or a mail that the server will never take.
    async fn send(&self, mail: Mail<'_>, refused: Remedy) -> PortResult<()> {
        let doing = || format!("send a mail through {}", self.host);
        let message = self.message(mail).map_err(|error| PortError::new(doing(), Remedy::GiveUp, error))?;
        let again = Remedy::Retry { after: None };
        match tokio::time::timeout(TIME, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                let remedy = if error.is_permanent() { refused } else { again };
                Err(PortError::new(doing(), remedy, error))
            }
            Err(_) => {
                let why = format!("it is not done within {} seconds", TIME.as_secs());
                Err(PortError::new(doing(), again, why))
            }
        }
    }

    fn message(&self, mail: Mail<'_>) -> Result<Message, lettre::error::Error> {
        let id = |name: &str| format!("<{name}@{}>", self.from.email.domain());
        let first = id(&format!("{}-1", mail.parcel.about));
        let own = id(&mail.parcel.id);
        let mut builder = Message::builder()
            .from(self.from.clone())
            .subject(text::one_line(&mail.subject))
            .date(moment(self.clock.now()))
            .message_id(Some(own.clone()))
            .header(ContentType::TEXT_PLAIN)
            // No answer is wanted, least of all one from a machine (RFC 3834).
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        if first != own {
            builder = builder.in_reply_to(first.clone()).references(first);
        }
        for to in mail.to {
            builder = builder.to(to.clone());
        }
        builder.body(mail.text)
    }
}

/// Reports to the operators.
pub(super) struct OperatorMail {
    smtp: Smtp,
    to: Vec<Mailbox>,
}

impl OperatorMail {
    pub(super) fn new(smtp: Smtp, to: Vec<Mailbox>) -> Self {
        Self { smtp, to }
    }
}

#[async_trait]
impl Messenger for OperatorMail {
    fn target(&self) -> &'static str {
        "email"
    }

    fn takes(&self, notice: &Notice) -> bool {
        matches!(notice, Notice::Incident(_))
    }

    async fn deliver(&self, parcel: &Parcel) -> PortResult<()> {
        let Notice::Incident(report) = &parcel.notice else {
            return Err(PortError::new("mail a letter", Remedy::GiveUp, "it is not for the operators"));
        };
        let subject = format!("[cdn-broker] {}", text::headline(report));
        let mail = Mail { to: &self.to, subject, text: text::body(report), parcel };
        // Operators mend their mail server within the day.
        self.smtp.send(mail, Remedy::Retry { after: None }).await
    }
}

/// Letters to tenants.
pub(super) struct Letters {
    smtp: Smtp,
}

impl Letters {
    pub(super) fn new(smtp: Smtp) -> Self {
        Self { smtp }
    }
}

#[async_trait]
impl Messenger for Letters {
    fn target(&self) -> &'static str {
        "letters"
    }

    fn takes(&self, notice: &Notice) -> bool {
        matches!(notice, Notice::Letter(_))
    }

    async fn deliver(&self, parcel: &Parcel) -> PortResult<()> {
        let Notice::Letter(letter) = &parcel.notice else {
            return Err(PortError::new("mail a report", Remedy::GiveUp, "it is for the operators"));
        };
        let to: Mailbox = letter.to.parse().map_err(|_| {
            PortError::new("mail a letter", Remedy::GiveUp, format!("`{}` is no address", letter.to))
        })?;
        let (subject, text) = (letter.subject.clone(), letter.text.clone());
        let mail = Mail { to: std::slice::from_ref(&to), subject, text, parcel };
        self.smtp.send(mail, Remedy::GiveUp).await
    }
}

fn tls(config: &MailConfig, roots_pem: Option<&str>) -> anyhow::Result<Tls> {
    if config.tls == MailTls::None {
        return Ok(Tls::None);
    }
    let builder = TlsParameters::builder(config.host.clone());
    let builder = match roots_pem {
        Some(pem) => builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(Certificate::from_pem(pem.as_bytes())?),
        None => builder,
    };
    let parameters = builder.build_rustls()?;
    Ok(match config.tls {
        MailTls::Implicit => Tls::Wrapper(parameters),
        _ => Tls::Required(parameters),
    })
}

fn moment(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + at.since(Timestamp::default())
}

#[cfg(test)]
mod tests {
    use contract::Secret;
    use contract::{Letter, Report, Turn};

    use super::*;
    use crate::clock::SystemClock;

    fn smtp() -> Smtp {
        let config = MailConfig {
            host: "mail.example.gov".into(),
            port: 587,
            tls: MailTls::Starttls,
            credentials: Some(("user".into(), Secret::new("hunter2"))),
            from: "CDN broker <cdn@example.gov>".parse().unwrap(),
            to: vec![],
        };
        Smtp::new(&config, None, Arc::new(SystemClock)).unwrap()
    }

    fn written(parcel: &Parcel, subject: &str, text: &str) -> String {
        let to = ["ops@example.gov".parse().unwrap()];
        let mail = Mail { to: &to, subject: subject.into(), text: text.into(), parcel };
        String::from_utf8(smtp().message(mail).unwrap().formatted()).unwrap()
    }

    #[tokio::test]
    async fn nothing_that_is_told_gets_into_the_headers() {
        let letter = Letter { to: String::new(), subject: String::new(), text: String::new() };
        let parcel = Parcel { id: "x-1".into(), about: "x".into(), notice: Notice::Letter(letter) };
        let mail =
            written(&parcel, "late\r\nBcc: all@example.org\r\n\r\nbody", "a\r\nCc: b@example.org\n.\nc");
        let (headers, _) = mail.split_once("\r\n\r\n").unwrap();
        assert!(!headers.lines().any(|line| line.starts_with("Bcc") || line.starts_with("Cc")), "{mail}");
        assert!(headers.contains("Message-ID: <x-1@example.gov>"), "{mail}");
        assert!(headers.contains("Auto-Submitted: auto-generated"), "{mail}");
        assert!(!headers.contains("In-Reply-To"), "{mail}");
    }

    #[tokio::test]
    async fn what_becomes_of_an_incident_is_an_answer_to_its_first_mail() {
        let at = Timestamp::from_secs(1);
        let report = Report {
            turn: Turn::Resolved,
            subject: "s".into(),
            message: "m".into(),
            side: None,
            affected: vec![],
            opened_at: at,
            at,
        };
        let parcel = Parcel { id: "x-2".into(), about: "x".into(), notice: Notice::Incident(report) };
        assert!(written(&parcel, "s", "t").contains("In-Reply-To: <x-1@example.gov>"));
    }
}
