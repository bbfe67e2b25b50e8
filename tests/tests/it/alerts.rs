//! Who must know is told: real brokers, a real web server that takes posts, and a real mail server with TLS.

mod command;
mod day;
mod letters;

use anyhow::{Context, ensure};
use sandbox::aws::{FaultKind, Outage};
use sandbox::pki::Ca;
use sandbox::sinks::{HookManners, HookSink, MailSink, MailTls};
use sandbox::{BrokerSettings, Postgres, wait_for};
use serde_json::{Value, json};

use crate::house::{BOUND, House};

const ID: &str = "3f1c9a52-0000-4000-8000-000000000901";

/// The targets of alerts, and the environment that leads there.
struct Sinks {
    ca: Ca,
    hook: HookSink,
    mail: MailSink,
}

impl Sinks {
    async fn start() -> anyhow::Result<Self> {
        let ca = Ca::new("the operator's own authority")?;
        let certificate = ca.server_certificate(&["127.0.0.1"])?;
        let hook = HookSink::start(Some(&certificate)).await?;
        let mail = MailSink::start(MailTls::Starttls, &certificate).await?;
        Ok(Self { ca, hook, mail })
    }

    fn lead(&self, settings: &mut BrokerSettings, house: &House) -> anyhow::Result<()> {
        let roots = house.folder().join("operator.pem");
        std::fs::write(&roots, self.ca.pem())?;
        let smtp = format!("smtp://cdn:pass%40word@127.0.0.1:{}", self.mail.port());
        let more = [
            ("ALERT_ROOT_CA", roots.display().to_string()),
            ("ALERT_WEBHOOK_URL", self.hook.url()),
            ("ALERT_WEBHOOK_TOKEN", "hook-token".to_owned()),
            ("ALERT_WEBHOOK_SECRET", "hook-secret".to_owned()),
            ("SMTP_URL", smtp),
            ("ALERT_EMAIL_FROM", "CDN broker <cdn@example.gov>".to_owned()),
            ("ALERT_EMAIL_TO", "ops@example.gov, second@example.gov".to_owned()),
        ];
        settings.more.extend(more.map(|(name, value)| (name.to_owned(), value)));
        Ok(())
    }

    /// What was taken of what was posted: the change and the subject of each.
    fn taken(&self) -> anyhow::Result<Vec<(String, String)>> {
        let posts = self.hook.posts();
        let told = posts.iter().filter(|post| post.taken).map(|post| {
            let body: Value = serde_json::from_slice(&post.body)?;
            let field = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
            Ok((field("change"), field("subject")))
        });
        told.collect()
    }

    /// The subject lines of the mails.
    fn subjects(&self) -> Vec<String> {
        let mails = self.mail.mails();
        let subject =
            |text: &str| text.lines().find_map(|line| line.strip_prefix("Subject: ").map(str::to_owned));
        mails.iter().filter_map(|mail| subject(&mail.text)).collect()
    }

    async fn until_taken(&self, count: usize) -> anyhow::Result<()> {
        wait_for("the posts", BOUND, || async { Ok((self.taken()?.len() >= count).then_some(())) }).await
    }

    async fn until_mailed(&self, count: usize) -> anyhow::Result<()> {
        wait_for("the mails", BOUND, || async { Ok((self.subjects().len() >= count).then_some(())) }).await
    }
}

/// From now on, or no more, nothing can be done in the account.
fn expire(house: &House) {
    let outage = Outage { op: "*".to_owned(), kind: FaultKind::ExpiredToken };
    house.sandbox.aws().faults().break_down(outage);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_brokers_tell_each_target_once_of_an_incident_and_once_of_its_end() -> anyhow::Result<()> {
    let (server, sinks) = (Postgres::start().await?, Sinks::start().await?);
    let mut house = House::without_broker(|_| {}).await?;
    let mut settings = house.hasty_settings("2s")?;
    settings.database_url = server.database("alerts").await?;
    sinks.lead(&mut settings, &house)?;
    house.add_broker(&settings).await?;
    let other = BrokerSettings { port: house.settings()?.port, ..settings.clone() };
    house.add_broker(&other).await?;
    told_once(&house, &sinks, &settings).await.with_context(|| house.last_words())
}

async fn told_once(house: &House, sinks: &Sinks, settings: &BrokerSettings) -> anyhow::Result<()> {
    expire(house);
    let accepted = house.provision(ID, json!({"domain": "www.example.gov"})).await?;
    ensure!(accepted.status == 202, "{accepted:?}");
    tokio::try_join!(sinks.until_taken(1), sinks.until_mailed(1))?;
    house.sandbox.aws().faults().heal();
    tokio::try_join!(sinks.until_taken(2), sinks.until_mailed(2))?;
    house.prove(ID, 1).await?;
    house.until_succeeded(ID).await?;
    let subject = "breaker account".to_owned();
    let told = |change: &str| (change.to_owned(), subject.clone());
    assert_eq!(sinks.taken()?, [told("opened"), told("resolved")]);
    assert_eq!(
        sinks.subjects(),
        ["[cdn-broker] ALERT: breaker account", "[cdn-broker] RESOLVED: breaker account"]
    );
    posts_are_authentic(sinks)?;
    mails_are_protected(sinks)?;
    listed(house, settings).await
}

fn posts_are_authentic(sinks: &Sinks) -> anyhow::Result<()> {
    for post in sinks.hook.posts() {
        let header =
            |name: &str| post.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert_eq!(header("authorization"), "Bearer hook-token");
        ensure!(header("x-cdn-broker-signature").starts_with("t="), "{post:?}");
        let body: Value = serde_json::from_slice(&post.body)?;
        assert_eq!(header("idempotency-key"), body["id"]);
        assert_eq!((&body["version"], &body["side"]), (&json!(1), &json!("aws")));
    }
    Ok(())
}

fn mails_are_protected(sinks: &Sinks) -> anyhow::Result<()> {
    for mail in sinks.mail.mails() {
        ensure!(mail.protected, "{mail:?}");
        assert_eq!(mail.to, ["ops@example.gov", "second@example.gov"]);
        assert_eq!(mail.from, "cdn@example.gov");
        // AUTH PLAIN: NUL user NUL password (RFC 4616).
        assert_eq!(mail.credentials.as_deref(), Some("AGNkbgBwYXNzQHdvcmQ="));
        ensure!(mail.text.contains("ExpiredToken"), "the cause is told: {}", mail.text);
    }
    Ok(())
}

async fn listed(house: &House, settings: &BrokerSettings) -> anyhow::Result<()> {
    let list = ["alerts", "list", "--all", "--json"];
    let told = wait_for("every delivery to be noted", BOUND, || async {
        let printed = house.command(settings, &list).await?;
        ensure!(printed.code == 0, "{printed:?}");
        let incident = printed.json()?;
        let deliveries = incident["deliveries"].as_array().cloned().unwrap_or_default();
        let is_done = deliveries.iter().all(|one| one["state"] == "delivered");
        Ok((is_done && deliveries.len() == 4).then_some(incident))
    })
    .await?;
    assert_eq!((&told["subject"], &told["side"]), (&json!("breaker account"), &json!("aws")));
    ensure!(told["closed_at"].is_string(), "{told}");
    let printed = house.command(settings, &["alerts", "list"]).await?;
    assert_eq!((printed.code, printed.out.trim()), (0, "No incident is open."));
    Ok(())
}

/// The web server answers 500, then leads elsewhere, then the broker dies; when both are back the message comes, once.
#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_was_away_is_told_when_it_is_back() -> anyhow::Result<()> {
    let (sinks, elsewhere) = (Sinks::start().await?, HookSink::start(None).await?);
    let mut house = House::without_broker(|_| {}).await?;
    let mut settings = house.hasty_settings("2s")?;
    sinks.lead(&mut settings, &house)?;
    sinks.hook.behave(HookManners::Answers(500));
    house.add_broker(&settings).await?;
    expire(&house);
    house.provision(ID, json!({"domain": "www.example.gov"})).await?;
    sinks.until_mailed(1).await?;
    refused(&sinks, 1).await?;
    sinks.hook.behave(HookManners::LeadsTo(elsewhere.url()));
    refused(&sinks, 2).await?;
    house.brokers[0].kill().await?;
    sinks.hook.behave(HookManners::Kind);
    house.brokers[0].restart().await?;
    sinks.until_taken(1).await.with_context(|| house.last_words())?;
    assert_eq!(sinks.taken()?, [("opened".to_owned(), "breaker account".to_owned())]);
    assert_eq!(elsewhere.posts().len(), 0, "nobody but the operator says where alerts go");
    ensure!(house.log()?.contains("redirects are not followed"), "{}", house.last_words());
    assert_eq!(sinks.subjects().len(), 1, "the other target has heard of it once");
    Ok(())
}

async fn refused(sinks: &Sinks, count: usize) -> anyhow::Result<()> {
    wait_for("a post that is refused", BOUND, || async {
        Ok((sinks.hook.posts().len() >= count).then_some(()))
    })
    .await
}

/// A web server that never answers delays neither the mail nor the work.
#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_hangs_delays_nobody() -> anyhow::Result<()> {
    let sinks = Sinks::start().await?;
    let mut house = House::without_broker(|_| {}).await?;
    let mut settings = house.hasty_settings("2s")?;
    sinks.lead(&mut settings, &house)?;
    sinks.hook.behave(HookManners::Hangs);
    house.add_broker(&settings).await?;
    expire(&house);
    house.provision(ID, json!({"domain": "www.example.gov"})).await?;
    sinks.until_mailed(1).await?;
    house.sandbox.aws().faults().heal();
    house.prove(ID, 1).await?;
    house.until_succeeded(ID).await?;
    wait_for("the word that it hangs", BOUND, || async {
        Ok(house.log()?.contains("no answer within 10 seconds").then_some(()))
    })
    .await
}
