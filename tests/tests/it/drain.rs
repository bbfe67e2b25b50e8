//! SIGTERM under load, as Cloud Foundry stops an instance: whoever was heard is answered, and another broker goes on.

use anyhow::{Context, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sandbox::aws::{FaultKind, Outage};
use sandbox::{BrokerProcess, Postgres, wait_for};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::{BOUND, House, provision_body};

/// How many are being worked on, and how many are being asked for, when it comes.
const WORKED_ON: usize = 4;
const ASKED_FOR: usize = 12;

/// A request of which one half has been sent.
struct Half {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Half {
    async fn send(address: &str, number: usize) -> anyhow::Result<Self> {
        let body = provision_body(&json!({"domain": domain(number)})).to_string();
        let head = format!(
            "PUT /v2/service_instances/{}?accepts_incomplete=true HTTP/1.1\r\nhost: {address}\r\n\
             authorization: Basic {}\r\nx-broker-api-version: 2.15\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            id(number),
            STANDARD.encode("sandbox:sandbox"),
            body.len()
        );
        let (first, rest) = body.split_at(body.len() / 2);
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(format!("{head}{first}").as_bytes()).await?;
        Ok(Self { stream, rest: rest.as_bytes().to_vec() })
    }

    /// Sends the other half and reads until the connection ends: status and body.
    async fn finish(mut self) -> anyhow::Result<(String, Value)> {
        self.stream.write_all(&self.rest).await?;
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").with_context(|| format!("cut off: {answer:?}"))?;
        Ok((head.lines().next().unwrap_or_default().to_owned(), serde_json::from_str(body)?))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_who_was_heard_is_answered_and_another_broker_goes_on() -> anyhow::Result<()> {
    let server = Postgres::start().await?;
    let mut house = House::without_broker(|settings| settings.aws.certificate_quota = 40).await?;
    // Longer than anything is waited for here: what goes on has been given back, and did not run out.
    let mut settings = house.hasty_settings("10m")?;
    settings.database_url = server.database("drained").await?;
    house.add_broker(&settings).await?;
    let outcome = drained(&mut house, &settings.database_url).await;
    outcome.with_context(|| house.last_words())
}

async fn drained(house: &mut House, database_url: &str) -> anyhow::Result<()> {
    // The cloud takes calls and does not answer: steps are running when the signal comes, and will not end.
    let faults = house.sandbox.aws().faults();
    faults.break_down(Outage { op: "CreateDistribution*".to_owned(), kind: FaultKind::Hold });
    for number in 0..WORKED_ON {
        let accepted = house.provision(&id(number), json!({"domain": domain(number)})).await?;
        ensure!(accepted.status == 202, "{accepted:?}");
    }
    wait_for("steps to run", BOUND, || async { Ok((faults.held().len() == WORKED_ON).then_some(())) })
        .await?;

    let mut settings = house.hasty_settings("10m")?;
    database_url.clone_into(&mut settings.database_url);
    house.add_broker(&settings).await?;
    let mut first = house.brokers.remove(0);
    let address = first.url().trim_start_matches("http://").to_owned();
    let mut halves = Vec::new();
    for number in WORKED_ON..WORKED_ON + ASKED_FOR {
        halves.push(Half::send(&address, number).await?);
    }
    // Somebody who is answered, on a connection that was made later, shows that the others have been taken.
    ensure!(house.call_at(&first.url(), http::Method::GET, "/v2/catalog", None).await?.status == 200);
    tokio::try_join!(stop(&mut first), answered(&address, halves))?;

    house.sandbox.aws().faults().clear();
    for number in 0..WORKED_ON + ASKED_FOR {
        house.prove(&id(number), 1).await?;
    }
    for number in 0..WORKED_ON + ASKED_FOR {
        house.until_succeeded(&id(number)).await?;
    }
    let made = house.sandbox.aws().state().distributions.len();
    ensure!(made == WORKED_ON + ASKED_FOR, "{made} distributions");
    Ok(())
}

/// It ends by itself, and well.
async fn stop(broker: &mut BrokerProcess) -> anyhow::Result<()> {
    broker.stop().await?;
    let status = broker.ended().await?;
    ensure!(status.success(), "{status}");
    Ok(())
}

/// When nobody else is heard any more, the others say the rest, and each is answered.
async fn answered(address: &str, halves: Vec<Half>) -> anyhow::Result<()> {
    wait_for("the broker to listen no more", BOUND, || async {
        Ok(TcpStream::connect(address).await.is_err().then_some(()))
    })
    .await?;
    for half in halves {
        let (status, body) = half.finish().await?;
        ensure!(status == "HTTP/1.1 202 Accepted" && body["operation"].is_string(), "{status}: {body}");
    }
    Ok(())
}

fn id(number: usize) -> String {
    format!("3f1c9a52-0000-4000-8000-0000000005{number:02}")
}

fn domain(number: usize) -> String {
    format!("www{number}.example.gov")
}
