//! `cdn-sandbox serve`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::bail;
use sandbox::platform::ADMIN_CLIENT;
use sandbox::{
    BROKER_HOST, BrokerProcess, BrokerSettings, CHALLENGE_HOST, MANAGED_ZONE, Owner, Proofs, Sandbox,
};
use serde::Serialize;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::arguments::ServeOptions;
use crate::setup::{PLAN_ID, SERVICE_ID, State, broker_binary, broker_settings, sandbox_settings};
use crate::ui;

/// The line that says where everything is. Its fields are an interface (`design.md`, 6).
#[derive(Serialize)]
struct Ready<'a> {
    broker: String,
    username: &'a str,
    password: &'a str,
    service_id: &'a str,
    plan_id: &'a str,
    aws: String,
    acme_directory: String,
    acme_root: String,
    dns: String,
    dns_admin: String,
    edge_http: String,
    edge_https: String,
    broker_host: &'a str,
    challenge_url: String,
    challenge_host: &'a str,
    router_http: String,
    router_https: String,
    challenge_host_http: String,
    managed_zone: String,
    sites_admin: String,
    admin: String,
    platform: String,
    platform_admin: String,
    database: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<BTreeMap<String, String>>,
}

/// Serves until told to stop. Everything is stopped before it returns.
pub(crate) async fn run(mut options: ServeOptions) -> anyhow::Result<()> {
    let mut stop = Stop::prepare()?;
    let state = State::prepare(&mut options.setup).await?;
    let mut broker_settings = broker_settings(&options.setup, state.path())?;
    broker_settings.proofs = Proofs::ALL;
    broker_settings.platform = options.with_platform;
    "on".clone_into(&mut broker_settings.checks);
    // With an owner before it, the port is where the owner listens.
    if options.ports.broker_port != 0 && !options.auto_prove {
        broker_settings.port = options.ports.broker_port;
    }
    tokio::select! {
        () = stop.asked() => Ok(()),
        started = start(&options, &state, broker_settings) => started?.serve(stop).await,
    }
}

/// Everything that runs.
struct Serving {
    sandbox: Sandbox,
    broker: Option<BrokerProcess>,
    /// Who proves domains, if somebody does. It stands before the broker.
    _owner: Option<Owner>,
}

async fn start(options: &ServeOptions, state: &State, broker: BrokerSettings) -> anyhow::Result<Serving> {
    let binary = if options.emulators_only { None } else { Some(broker_binary(&options.setup)?) };
    let mut settings = sandbox_settings(&options.setup, state.path());
    settings.authority.port = options.ports.acme_port;
    settings.dns_port = options.ports.dns_port;
    settings.dns_admin_port = options.ports.dns_admin_port;
    settings.edge_address = options.ports.edge_address.map(IpAddr::V4);
    settings.edge_http_port = options.ports.edge_http_port;
    settings.edge_https_port = options.ports.edge_https_port;
    let sandbox = Sandbox::start(settings).await?;
    sandbox.platform().set_organization("org-1", "example-org");
    sandbox.platform().set_space("space-1", "dev", "org-1");
    let process = if let Some(binary) = binary {
        Some(sandbox.start_broker(&binary, &broker).await?)
    } else {
        sandbox.route_broker(broker.port);
        None
    };
    let mut ready = ready(&sandbox, &broker, process.is_none());
    let owner = if options.auto_prove { Some(owner(&sandbox, broker.port, options).await?) } else { None };
    if let Some(owner) = &owner {
        ready.broker = owner.url();
    }
    ui::line(&serde_json::to_string(&ready)?);
    Ok(Serving { sandbox, broker: process, _owner: owner })
}

async fn owner(sandbox: &Sandbox, broker_port: u16, options: &ServeOptions) -> anyhow::Result<Owner> {
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    sandbox.owner(local(broker_port), local(options.ports.broker_port)).await
}

fn ready<'a>(sandbox: &Sandbox, broker: &'a BrokerSettings, emulators_only: bool) -> Ready<'a> {
    let environment = || sandbox.broker_environment(broker).into_iter().collect();
    Ready {
        broker: format!("http://127.0.0.1:{}", broker.port),
        username: &broker.username,
        password: &broker.password,
        service_id: SERVICE_ID,
        plan_id: PLAN_ID,
        aws: sandbox.aws().url(),
        acme_directory: sandbox.authority().directory_url(),
        acme_root: sandbox.authority().root_file().display().to_string(),
        dns: sandbox.dns().address().to_string(),
        dns_admin: sandbox.dns_admin().url(),
        edge_http: sandbox.edge().http().to_string(),
        edge_https: sandbox.edge().https().to_string(),
        broker_host: BROKER_HOST,
        challenge_url: sandbox.challenge_url(),
        challenge_host: CHALLENGE_HOST,
        router_http: sandbox.router().http().to_string(),
        router_https: sandbox.router().https().to_string(),
        challenge_host_http: sandbox.challenge_host().http().to_string(),
        managed_zone: format!("{MANAGED_ZONE}:{}", sandbox.managed_zone()),
        sites_admin: sandbox.sites_admin().url(),
        admin: sandbox.aws().url(),
        platform: sandbox.platform().api_url(),
        platform_admin: [ADMIN_CLIENT.0, ADMIN_CLIENT.1].join(":"),
        database: &broker.database_url,
        environment: emulators_only.then(environment),
    }
}

impl Serving {
    async fn serve(mut self, mut stop: Stop) -> anyhow::Result<()> {
        let ended = async {
            match &mut self.broker {
                Some(broker) => broker.ended().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.asked() => {}
            ended = ended => bail!("the broker ended by itself: {}", ended?),
        }
        if let Some(broker) = &mut self.broker {
            broker.stop().await?;
        }
        self.sandbox.stop().await
    }
}

/// SIGTERM and Ctrl-C.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn prepare() -> anyhow::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
