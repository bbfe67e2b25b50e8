//! A session that ends because its time is over: a broker in this process, whose clock is moved by hand, and a real browser.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use broker::{
    Breakers, Listening, Offer, Offering, Pace, Pages, Plans, Ports, PublicUrl, Rules, ServerLimits, Service,
    serve,
};
use contract::DomainName;
use contract::testing::World;
use http::{HeaderMap, HeaderValue, Method};
use osb_core::{Api, Credential, Request};
use sandbox::{BrokerSettings, wait_for};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::browser::Browser;
use super::{ID, WWW};
use crate::house::{BOUND, PLAN_ID, SERVICE_ID};

/// A session that was begun with a link lasts twelve hours (docs/OPERATIONS.md).
const BEFORE_THE_END: Duration = Duration::from_mins(12 * 60 - 1);

/// A broker on fakes that serves its pages over HTTP.
struct Served {
    world: World,
    link: String,
    stop: watch::Sender<bool>,
    server: JoinHandle<Result<(), broker::ServerError>>,
}

impl Served {
    async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = BrokerSettings::new(folder.path())?.port;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let world = World::new();
        let service = service(&world, &format!("http://{address}"))?;
        let link = asked_for(&service).await?;
        let (stop, stopped) = watch::channel(false);
        let listening = Listening { address, limits: ServerLimits::default(), tls: None };
        let server = tokio::spawn(serve(service, listening, stopped));
        wait_for("the broker to listen", BOUND, || async {
            Ok(TcpStream::connect(address).await.is_ok().then_some(()))
        })
        .await?;
        Ok(Self { world, link, stop, server })
    }

    async fn end(self) -> anyhow::Result<()> {
        self.stop.send(true)?;
        Ok(self.server.await??)
    }
}

fn service(world: &World, origin: &str) -> anyhow::Result<Service> {
    let credential = Credential::new("user", "secret").map_err(|error| anyhow::anyhow!("{error}"))?;
    let api = Api::new(Offering::built_in(true).catalog, vec![credential]).context("the catalog")?;
    let rules = Rules {
        default_origin: DomainName::parse("apps.example.org")?,
        offer: Offer::default(),
        deleted_retention: Duration::from_hours(1),
        pace: Pace::default(),
        plans: Plans::default(),
        managed_zone: None,
    };
    let store = Arc::new(world.store.clone());
    let pages = Pages::new(store.clone(), store, PublicUrl::new(origin));
    Ok(Service::new(api, ports(world), rules, Arc::default()).with_pages(pages))
}

fn ports(world: &World) -> Ports {
    let World { store, clock, alerts, randomness, .. } = world.clone();
    let kept = || Arc::new(store.clone());
    let (clock, alerts) = (Arc::new(clock), Arc::new(alerts));
    let breakers = Breakers::new(kept(), kept(), alerts.clone(), clock.clone(), Pace::default().step_timeout);
    Ports {
        issuer: breakers.issuer(Arc::new(world.issuer.clone())),
        names: Arc::new(world.names.clone()),
        cdn: breakers.cdn(Arc::new(world.cdn.clone())),
        vault: breakers.vault(Arc::new(world.vault.clone())),
        site: breakers.site(Arc::new(world.site.clone())),
        managed: None,
        platform: None,
        answers: kept(),
        instances: kept(),
        operations: kept(),
        queue: kept(),
        certificates: kept(),
        domains: kept(),
        renewals: kept(),
        sweeps: kept(),
        chores: kept(),
        troubles: kept(),
        readiness: kept(),
        breakers,
        letters: None,
        alerts,
        clock,
        randomness: Arc::new(randomness),
    }
}

/// Asks for an instance, and gives the link that the platform is told.
async fn asked_for(service: &Service) -> anyhow::Result<String> {
    let mut headers = HeaderMap::new();
    for (name, value) in [("authorization", "Basic dXNlcjpzZWNyZXQ="), ("x-broker-api-version", "2.15")] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let body = json!({
        "service_id": SERVICE_ID, "plan_id": PLAN_ID, "organization_guid": "org-1", "space_guid": "space-1",
        "parameters": {"domain": WWW},
    })
    .to_string();
    let (path, query) = (format!("/v2/service_instances/{ID}"), Some("accepts_incomplete=true"));
    let request =
        Request { method: &Method::PUT, path: &path, query, headers: &headers, body: body.as_bytes() };
    let answer = http::Response::<bytes::Bytes>::from(service.answer(&request).await);
    ensure!(answer.status() == 202, "{answer:?}");
    let body: Value = serde_json::from_slice(answer.body())?;
    Ok(body["dashboard_url"].as_str().context("there is no link")?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_time_is_over_shows_what_to_do_and_the_link_leads_in_again() -> anyhow::Result<()> {
    let served = Served::start().await?;
    let (page, _) = served.link.split_once("/open/").context("a link that opens a page")?;
    let (page, clock) = (page.to_owned(), &served.world.clock);
    Browser::with(async |browser| {
        let shows = async |what: &str| wait_for(what, BOUND, || async { browser.sees(what).await }).await;
        browser.open(&served.link).await?;
        shows("Being created").await?;
        clock.advance(BEFORE_THE_END);
        browser.open(&page).await?;
        shows("Being created").await?;

        // The browser has kept its cookie, and nobody has touched it.
        clock.advance(Duration::from_mins(2));
        browser.open(&page).await?;
        let text = browser.text().await?;
        for part in
            ["This page cannot be shown", "too much time has passed", "cf service NAME", "cf update-service"]
        {
            ensure!(text.contains(part), "`{part}` is not in {text}");
        }
        ensure!(!text.contains("example.gov"), "nothing of the instance is told: {text}");
        ensure!(
            browser.driver.get_named_cookie("cdn-page").await.is_ok(),
            "it is the broker that has refused"
        );
        browser.pictures("expired").await?;

        browser.open(&served.link).await?;
        shows("Being created").await
    })
    .await?;
    served.end().await
}
