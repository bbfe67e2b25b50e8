use contract::Secret;
use http::Uri;
use lettre::message::Mailbox;
use url::Url;

use super::reader::Reader;

/// Where alerts go besides the log, and how letters to tenants are sent.
#[derive(Default)]
pub(crate) struct AlertConfig {
    /// `ALERT_WEBHOOK_URL` and what belongs to it.
    pub(crate) webhook: Option<WebhookConfig>,
    /// `SMTP_URL` and what belongs to it.
    pub(crate) mail: Option<MailConfig>,
    /// The content of `ALERT_ROOT_CA`; the system's roots without it.
    pub(crate) roots_pem: Option<String>,
}

/// A URL that reports are posted to.
pub(crate) struct WebhookConfig {
    /// `ALERT_WEBHOOK_URL`.
    pub(crate) url: Uri,
    /// `ALERT_WEBHOOK_FORMAT`.
    pub(crate) format: WebhookFormat,
    /// `ALERT_WEBHOOK_TOKEN`.
    pub(crate) token: Option<Secret>,
    /// `ALERT_WEBHOOK_SECRET`.
    pub(crate) secret: Option<Secret>,
}

/// What is posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WebhookFormat {
    /// The body of docs/ALERTS.md.
    Json,
    /// A chat message.
    Slack,
}

/// The mail server and who writes to whom.
pub(crate) struct MailConfig {
    /// Its host name, which its certificate must have.
    pub(crate) host: String,
    /// Its port.
    pub(crate) port: u16,
    /// How the connection is protected.
    pub(crate) tls: MailTls,
    /// User and password.
    pub(crate) credentials: Option<(String, Secret)>,
    /// `ALERT_EMAIL_FROM`.
    pub(crate) from: Mailbox,
    /// `ALERT_EMAIL_TO`; empty when only tenants get mail.
    pub(crate) to: Vec<Mailbox>,
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MailTls {
    /// From its first byte (RFC 8314).
    Implicit,
    /// After STARTTLS, without which nothing is sent.
    Starttls,
    /// Not at all.
    None,
}

/// Where a mail server is, without who writes.
type Server = (String, u16, MailTls, Option<(String, Secret)>);

const WEBHOOK_FORM: &str = "it is a URL that begins with https:// or http://";
const SMTP_FORM: &str =
    "it is smtps://USER:PASSWORD@HOST:PORT, or smtp:// for STARTTLS, or smtp://HOST:PORT?tls=none";
const ADDRESS_FORM: &str = "an address is ops@example.gov or Name <ops@example.gov>";

pub(super) fn alerts(reader: &mut Reader<'_>) -> Option<AlertConfig> {
    let webhook = webhook(reader);
    let mail = mail(reader);
    let roots_pem = super::upstream::root_file(reader, "ALERT_ROOT_CA");
    Some(AlertConfig { webhook: webhook?, mail: mail?, roots_pem: roots_pem? })
}

#[expect(
    clippy::option_option,
    reason = "the outer one says whether a mistake was noted, as everywhere here"
)]
fn webhook(reader: &mut Reader<'_>) -> Option<Option<WebhookConfig>> {
    let url = reader.parsed_if_set("ALERT_WEBHOOK_URL", |text| webhook_url(text).ok_or(WEBHOOK_FORM));
    let format = reader.parsed("ALERT_WEBHOOK_FORMAT", |text| match text {
        "json" => Ok(WebhookFormat::Json),
        "slack" => Ok(WebhookFormat::Slack),
        _ => Err("it is either json or slack"),
    });
    let token = reader.parsed_if_set("ALERT_WEBHOOK_TOKEN", |text| {
        let is_sendable = http::HeaderValue::from_str(text).is_ok();
        is_sendable.then(|| Secret::new(text)).ok_or("it holds a character that no header can hold")
    });
    let secret = reader.optional("ALERT_WEBHOOK_SECRET").map(Secret::new);
    let (url, format, token) = (url?, format?, token?);
    if url.is_none() && (token.is_some() || secret.is_some()) {
        reader.mistake("ALERT_WEBHOOK_URL", "is not set, and what belongs to it is");
        return None;
    }
    Some(url.map(|url| WebhookConfig { url, format, token, secret }))
}

fn webhook_url(text: &str) -> Option<Uri> {
    // Read by both, so that what is accepted here is what is asked there.
    let url = Url::parse(text).ok()?;
    let is_known = matches!(url.scheme(), "https" | "http") && url.has_host();
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (is_known && is_plain).then(|| text.parse().ok()).flatten()
}

#[expect(
    clippy::option_option,
    reason = "the outer one says whether a mistake was noted, as everywhere here"
)]
fn mail(reader: &mut Reader<'_>) -> Option<Option<MailConfig>> {
    let server = reader.parsed_if_set("SMTP_URL", |text| server(text).ok_or(SMTP_FORM));
    let from = reader.parsed_if_set("ALERT_EMAIL_FROM", |text| text.parse().map_err(|_| ADDRESS_FORM));
    let to = reader.parsed_if_set("ALERT_EMAIL_TO", |text| {
        let addresses: Result<Vec<Mailbox>, _> = text.split(',').map(|one| one.trim().parse()).collect();
        addresses.map_err(|_| ADDRESS_FORM)
    });
    match (server?, from?, to?) {
        (Some((host, port, tls, credentials)), Some(from), to) => {
            let to = to.unwrap_or_default();
            Some(Some(MailConfig { host, port, tls, credentials, from, to }))
        }
        (None, None, None) => Some(None),
        (Some(_), None, _) => {
            reader.mistake("ALERT_EMAIL_FROM", "is not set, and SMTP_URL is");
            None
        }
        (None, ..) => {
            reader.mistake("SMTP_URL", "is not set, and ALERT_EMAIL_FROM or ALERT_EMAIL_TO is");
            None
        }
    }
}

fn server(text: &str) -> Option<Server> {
    let url = Url::parse(text).ok()?;
    let unprotected = match url.query() {
        None => false,
        Some("tls=none") => true,
        Some(_) => return None,
    };
    let (tls, port) = match (url.scheme(), unprotected) {
        ("smtps", false) => (MailTls::Implicit, 465),
        ("smtp", false) => (MailTls::Starttls, 587),
        ("smtp", true) => (MailTls::None, 25),
        _ => return None,
    };
    let credentials = match (decoded(url.username())?, url.password()) {
        (user, None) if user.is_empty() => None,
        (_, None) => return None,
        // A password is never sent in the clear.
        (_, Some(_)) if tls == MailTls::None => return None,
        (user, Some(password)) => Some((user, Secret::new(decoded(password)?))),
    };
    let is_bare = matches!(url.path(), "" | "/") && url.fragment().is_none();
    let host = url.host_str().filter(|host| is_bare && !host.is_empty())?.to_owned();
    Some((host, url.port().unwrap_or(port), tls, credentials))
}

/// Percent-encoding undone (RFC 3986, section 2.1); `None` when it is broken.
fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'%' {
            let (hex, tail) = rest.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
            rest = tail;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_server_is_read_with_what_it_leaves_open() {
        let read =
            |text| server(text).map(|(host, port, tls, who)| (host, port, tls, who.map(|(user, _)| user)));
        let host = || "mail.example.gov".to_owned();
        assert_eq!(
            read("smtps://a%40b:p%2Fw@mail.example.gov"),
            Some((host(), 465, MailTls::Implicit, Some("a@b".to_owned())))
        );
        assert_eq!(read("smtp://mail.example.gov:2525/"), Some((host(), 2525, MailTls::Starttls, None)));
        assert_eq!(read("smtp://mail.example.gov?tls=none"), Some((host(), 25, MailTls::None, None)));
        let (_, _, _, who) = server("smtps://u:p%2Fw@h").unwrap();
        assert_eq!(who.unwrap().1.expose(), b"p/w");
    }

    #[test]
    fn what_is_no_mail_server_is_refused() {
        for text in [
            "mail.example.gov",
            "https://mail.example.gov",
            "smtp://",
            "smtp://u:p@h?tls=none",
            "smtp://h?tls=opportunistic",
            "smtps://h?tls=none",
            "smtps://user@h",
            "smtps://u:p%zz@h",
            "smtps://h/path",
        ] {
            assert!(server(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_webhook_is_a_plain_url() {
        assert!(webhook_url("https://hooks.example/services/T0/B0/x?y=1").is_some());
        for text in ["hooks.example", "ftp://h/", "https://u:p@h/", "https://h/#f", "file:///etc/passwd"] {
            assert!(webhook_url(text).is_none(), "{text}");
        }
    }
}
