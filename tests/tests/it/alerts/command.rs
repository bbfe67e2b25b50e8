//! `cdn-broker alerts test`: what each target does with a message, without a broker that runs.

use anyhow::ensure;
use sandbox::pki::Ca;
use sandbox::sinks::{HookManners, HookSink, MailSink, MailTls};
use serde_json::{Value, json};

use super::Sinks;
use crate::house::{House, Printed};

fn lines(printed: &Printed) -> anyhow::Result<Vec<Value>> {
    printed.out.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_says_what_each_target_did() -> anyhow::Result<()> {
    let (house, sinks) = (House::without_broker(|_| {}).await?, Sinks::start().await?);
    let mut settings = house.settings()?;
    let none = house.command(&settings, &["alerts", "test"]).await?;
    ensure!(none.code == 1 && none.err.contains("no target is set up"), "{none:?}");
    sinks.lead(&mut settings, &house)?;
    let arguments = ["alerts", "test", "--letter-to", "tenant@example.org", "--json"];
    let good = house.command(&settings, &arguments).await?;
    ensure!(good.code == 0, "{good:?}");
    let delivered = |target: &str| json!({"target": target, "delivered": true, "error": null});
    assert_eq!(lines(&good)?, [delivered("webhook"), delivered("email"), delivered("letters")]);
    assert_eq!(sinks.taken()?, [("test".to_owned(), "cdn-broker alerts test".to_owned())]);
    assert_eq!(
        sinks.mail.mails().last().map(|mail| mail.to.clone()),
        Some(vec!["tenant@example.org".into()])
    );
    sinks.hook.behave(HookManners::Answers(403));
    sinks.mail.refuse(Some("550 no such user"));
    let bad = house.command(&settings, &["alerts", "test"]).await?;
    ensure!(bad.code == 1, "{bad:?}");
    ensure!(bad.out.contains("it answered 403 Forbidden") && bad.out.contains("no such user"), "{bad:?}");
    for secret in ["hook-token", "hook-secret", "pass%40word", "pass@word"] {
        ensure!(!format!("{good:?}{bad:?}").contains(secret), "{secret} is shown");
    }
    Ok(())
}

/// Certificates of nobody that the operator trusts, a server without TLS where TLS is asked for, nobody at all.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_to_whoever_cannot_prove_who_it_is() -> anyhow::Result<()> {
    let (house, sinks) = (House::without_broker(|_| {}).await?, Sinks::start().await?);
    let stranger = Ca::new("somebody else")?.server_certificate(&["127.0.0.1"])?;
    let (hook, mail) =
        (HookSink::start(Some(&stranger)).await?, MailSink::start(MailTls::Implicit, &stranger).await?);
    let plain = MailSink::start(MailTls::None, &stranger).await?;
    let mut settings = house.settings()?;
    sinks.lead(&mut settings, &house)?;
    for smtp in [
        format!("smtps://cdn:secret@127.0.0.1:{}", mail.port()),
        format!("smtp://cdn:secret@127.0.0.1:{}", plain.port()),
        "smtps://cdn:secret@127.0.0.1:1".to_owned(),
    ] {
        settings.more.push(("ALERT_WEBHOOK_URL".to_owned(), hook.url()));
        settings.more.push(("SMTP_URL".to_owned(), smtp));
        let printed = house.command(&settings, &["alerts", "test", "--json"]).await?;
        ensure!(printed.code == 1, "{printed:?}");
        ensure!(lines(&printed)?.iter().all(|line| line["delivered"] == false), "{printed:?}");
        ensure!(!printed.out.contains("secret"), "{printed:?}");
    }
    assert_eq!((hook.posts().len(), mail.mails().len(), plain.mails().len()), (0, 0, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_gets_a_message_that_chats_take_and_mail_goes_over_implicit_tls() -> anyhow::Result<()> {
    let (house, sinks) = (House::without_broker(|_| {}).await?, Sinks::start().await?);
    let certificate = sinks.ca.server_certificate(&["127.0.0.1"])?;
    let mail = MailSink::start(MailTls::Implicit, &certificate).await?;
    let mut settings = house.settings()?;
    sinks.lead(&mut settings, &house)?;
    settings.more.push(("ALERT_WEBHOOK_FORMAT".to_owned(), "slack".to_owned()));
    settings.more.push(("SMTP_URL".to_owned(), format!("smtps://127.0.0.1:{}", mail.port())));
    let printed = house.command(&settings, &["alerts", "test"]).await?;
    ensure!(printed.code == 0, "{printed:?}");
    let posts = sinks.hook.posts();
    let body: Value = serde_json::from_slice(&posts[0].body)?;
    ensure!(body["text"].as_str().is_some_and(|text| text.starts_with("*TEST: cdn-broker")), "{body}");
    let mails = mail.mails();
    ensure!(mails.len() == 1 && mails[0].protected && mails[0].credentials.is_none(), "{mails:?}");
    Ok(())
}
