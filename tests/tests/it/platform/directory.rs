//! The port over HTTP: the promises, the token, and what happens when the other side is not well.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use broker::{CloudController, PlatformSettings};
use contract::testing::ManualClock;
use contract::testing::conformance::platform::{Registrar, Subject, run};
use contract::{DomainName, Place, PlatformDirectory, PlatformDomain, PortError, Remedy, Secret};
use sandbox::pki::Ca;
use sandbox::platform::{BROKER_CLIENT, Platform, PlatformFault};

use crate::house::BOUND;

/// A platform and a broker's client of it.
struct Town {
    platform: Arc<Platform>,
    clock: ManualClock,
    directory: CloudController,
}

fn settings(platform: &Platform) -> PlatformSettings {
    PlatformSettings {
        api_address: platform.api_url(),
        client_id: BROKER_CLIENT.0.to_owned(),
        client_secret: Secret::new(BROKER_CLIENT.1),
        root_certificates_pem: None,
    }
}

impl Town {
    async fn found() -> anyhow::Result<Self> {
        let platform = Platform::start(None).await?;
        platform.set_organization("org-1", "my org");
        platform.set_space("space-1", "dev", "org-1");
        platform.own_domain("example.gov", "org-1", &[]);
        let clock = ManualClock::new();
        let directory = CloudController::new(&settings(&platform), Arc::new(clock.clone()))?;
        Ok(Self { platform: Arc::new(platform), clock, directory })
    }

    /// Asks for a name; no question takes for ever.
    async fn ask(&self, name: &str) -> Result<PlatformDomain, PortError> {
        let names = [DomainName::parse(name).unwrap()];
        let asked = self.directory.domains("org-1", &names);
        let found = tokio::time::timeout(BOUND, asked).await.unwrap()?;
        Ok(found[0].clone())
    }

    /// How often a path was asked for, and with which statuses it was answered.
    fn answers(&self, path: &str) -> Vec<u16> {
        let requests = self.platform.requests();
        requests.iter().filter(|one| one.what.contains(path)).map(|one| one.status).collect()
    }
}

/// The registrar of the conformance suite is the platform's administrator.
struct Desk(Arc<Platform>);

#[async_trait]
impl Registrar for Desk {
    async fn share_with_all(&self, domain: &str) {
        self.0.share_domain(domain);
    }

    async fn own(&self, domain: &str, organizations: &[&str]) {
        self.0.own_domain(domain, organizations[0], &organizations[1..]);
    }

    async fn settle(&self, organization: (&str, &str), space: (&str, &str)) {
        self.0.set_organization(organization.0, organization.1);
        self.0.set_space(space.0, space.1, organization.0);
    }
}

#[tokio::test]
async fn it_keeps_the_promises_of_its_port() -> anyhow::Result<()> {
    let town = Town::found().await?;
    town.platform.remove_domain("example.gov");
    run(&Subject::new(Arc::new(town.directory), Desk(Arc::clone(&town.platform)))).await;
    Ok(())
}

#[tokio::test]
async fn it_keeps_them_when_every_list_comes_in_pages_of_one() -> anyhow::Result<()> {
    let town = Town::found().await?;
    town.platform.remove_domain("example.gov");
    town.platform.set_largest_page(1);
    run(&Subject::new(Arc::new(town.directory.clone()), Desk(Arc::clone(&town.platform)))).await;
    assert!(!town.answers("page=2").is_empty(), "there were other pages");
    Ok(())
}

#[tokio::test]
async fn a_token_is_fetched_once_and_again_before_its_end() -> anyhow::Result<()> {
    let town = Town::found().await?;
    town.platform.set_token_life(600);
    for name in ["a.example.gov", "b.example.gov", "no.example.org"] {
        town.ask(name).await?;
    }
    assert_eq!(town.answers("/oauth/token"), [200]);
    town.clock.advance(Duration::from_secs(539));
    town.ask("c.example.gov").await?;
    assert_eq!(town.answers("/oauth/token"), [200]);
    town.clock.advance(Duration::from_secs(1));
    town.ask("d.example.gov").await?;
    assert_eq!(town.answers("/oauth/token"), [200, 200]);
    assert_eq!(town.answers("/v3/domains"), [200; 5], "no token was ever refused");
    Ok(())
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once() -> anyhow::Result<()> {
    let town = Town::found().await?;
    town.ask("a.example.gov").await?;
    town.platform.forget_tokens();
    assert_eq!(town.ask("b.example.gov").await?, PlatformDomain::Usable);
    assert_eq!(town.answers("/v3/domains"), [200, 401, 200]);
    assert_eq!(town.answers("/oauth/token"), [200, 200]);
    // A UAA whose tokens nobody takes is not asked for ever.
    town.platform.set_token_life(0);
    town.platform.forget_tokens();
    let error = town.ask("c.example.gov").await.expect_err("no token is good");
    assert_eq!(error.remedy(), Remedy::AwaitOperator, "{error}");
    assert_eq!(town.answers("/v3/domains"), [200, 401, 200, 401, 401]);
    assert!(error.to_string().contains("CF-InvalidAuthToken"), "{error}");
    assert!(error.request_id().is_some_and(|id| id.starts_with("api-request-")), "{error}");
    Ok(())
}

#[tokio::test]
async fn who_is_not_let_in_needs_the_operator_and_no_secret_is_told() -> anyhow::Result<()> {
    let town = Town::found().await?;
    let (id, secret) = BROKER_CLIENT;
    town.platform.set_client(id, "another", &["cloud_controller.read"]);
    let error = town.ask("a.example.gov").await.expect_err("the secret is wrong");
    assert_eq!(error.remedy(), Remedy::AwaitOperator);
    assert!(error.to_string().contains("401") && error.to_string().contains("CLIENT_SECRET"), "{error}");
    assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
    town.platform.set_client(id, secret, &["openid"]);
    let error = town.ask("a.example.gov").await.expect_err("the client may not read");
    assert_eq!(error.remedy(), Remedy::AwaitOperator);
    assert!(error.to_string().contains("CF-NotAuthorized"), "{error}");
    // One that may read but sees no organization is found by `config check`.
    town.platform.set_client(id, secret, &["cloud_controller.read"]);
    town.platform.forget_tokens();
    assert_eq!(town.directory.view().await?.organizations, 0);
    town.platform.set_client(id, secret, &["cloud_controller.admin_read_only"]);
    town.platform.forget_tokens();
    assert_eq!(town.directory.view().await?.organizations, 1);
    Ok(())
}

#[tokio::test]
async fn a_platform_that_is_not_well_is_asked_again_later() -> anyhow::Result<()> {
    let town = Town::found().await?;
    let retry = Remedy::Retry { after: None };
    for fault in [PlatformFault::Silent, PlatformFault::Status(503), PlatformFault::Status(429)] {
        town.platform.set_fault(Some(fault));
        let error = town.ask("a.example.gov").await.expect_err("not well");
        assert_eq!(error.remedy(), retry, "{fault:?}: {error}");
    }
    town.platform.set_fault(None);
    town.platform.close();
    let error = town.ask("a.example.gov").await.expect_err("dead");
    assert_eq!(error.remedy(), retry, "{error}");
    town.platform.open().await?;
    assert_eq!(town.ask("a.example.gov").await?, PlatformDomain::Usable);
    Ok(())
}

#[tokio::test]
async fn what_was_usable_and_how_things_are_called_is_remembered_for_a_while() -> anyhow::Result<()> {
    let town = Town::found().await?;
    let named = Place { organization: Some("my org".into()), space: Some("dev".into()) };
    assert_eq!(town.ask("*.example.gov").await?, PlatformDomain::Usable);
    assert_eq!(town.directory.place("org-1", "space-1").await?, named);
    town.platform.close();
    assert_eq!(town.ask("example.gov").await?, PlatformDomain::Usable);
    assert_eq!(town.directory.place("org-1", "space-1").await?, named);
    town.clock.advance(Duration::from_mins(1));
    assert!(town.ask("example.gov").await.is_err());
    assert_eq!(town.directory.place("org-1", "space-1").await?, named);
    town.platform.open().await?;
    town.platform.set_organization("org-1", "renamed");
    town.clock.advance(Duration::from_mins(9));
    let renamed = Place { organization: Some("renamed".into()), ..named };
    assert_eq!(town.directory.place("org-1", "space-1").await?, renamed);
    // What could not be a GUID is asked of nobody.
    assert_eq!(town.directory.place("../v3/users", "").await?, Place::default());
    assert_eq!(town.answers("users"), [0; 0]);
    Ok(())
}

#[tokio::test]
async fn it_speaks_tls_with_the_roots_that_it_is_given() -> anyhow::Result<()> {
    let ca = Ca::new("platform")?;
    let platform = Platform::start(Some(&ca.server_certificate(&["127.0.0.1"])?)).await?;
    platform.set_organization("org-1", "one");
    let with_root =
        PlatformSettings { root_certificates_pem: Some(ca.pem().to_owned()), ..settings(&platform) };
    let directory = CloudController::new(&with_root, Arc::new(ManualClock::new()))?;
    assert_eq!(directory.view().await?.organizations, 1);
    let stranger = PlatformSettings {
        root_certificates_pem: Some(Ca::new("another")?.pem().to_owned()),
        ..settings(&platform)
    };
    let directory = CloudController::new(&stranger, Arc::new(ManualClock::new()))?;
    let error = directory.view().await.expect_err("nobody we know");
    assert!(error.to_string().to_lowercase().contains("certificate"), "{error}");
    Ok(())
}
