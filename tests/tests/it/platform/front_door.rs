//! The whole broker in front of a platform.

use anyhow::{Context, ensure};
use http::{Method, StatusCode};
use sandbox::platform::PlatformFault;
use serde_json::{Value, json};

use crate::house::{Answer, House, nothing_left, provision_body};

async fn house() -> anyhow::Result<House> {
    let mut house = House::without_broker(|_| {}).await?;
    let mut settings = house.hasty_settings("45s")?;
    settings.platform = true;
    house.add_broker(&settings).await?;
    let platform = house.sandbox.platform();
    platform.set_organization("org-1", "my org");
    platform.set_space("space-1", "dev", "org-1");
    platform.set_organization("org-2", "other");
    platform.share_domain("apps.example.com");
    platform.own_domain("example.gov", "org-1", &[]);
    platform.own_domain("lent.example.org", "org-2", &["org-1"]);
    platform.own_domain("foreign.example.org", "org-2", &[]);
    Ok(house)
}

async fn update(house: &House, id: &str, parameters: Value) -> anyhow::Result<Answer> {
    let mut body = provision_body(&parameters);
    body["previous_values"] = json!({});
    house
        .call(Method::PATCH, &format!("/v2/service_instances/{id}?accepts_incomplete=true"), Some(&body))
        .await
}

async fn is_stored(house: &House, id: &str) -> anyhow::Result<bool> {
    Ok(house.poll(id).await?.status == StatusCode::OK)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_must_exist_for_the_organization_that_asks() -> anyhow::Result<()> {
    let house = house().await?;
    for (id, domain) in [
        ("own", "example.gov"),
        ("parent", "a.www.example.gov,*.docs.example.gov"),
        ("shared-with-it", "lent.example.org"),
        ("shared-with-all", "my.apps.example.com"),
    ] {
        let accepted = house.provision(id, json!({"domain": domain})).await?;
        ensure!(accepted.status == 202, "{domain}: {accepted:?}");
    }
    for (id, domain, command) in [
        ("unknown", "www.example.net", "cf create-domain 'my org' www.example.net"),
        ("sibling", "notexample.gov", "cf create-domain 'my org' notexample.gov"),
        ("foreign", "www.foreign.example.org", "cf share-private-domain 'my org' foreign.example.org"),
        ("one-of-two", "www.example.gov,*.example.net", "cf create-domain 'my org' example.net"),
    ] {
        // Somebody's own origin makes no difference (D28).
        for parameters in [json!({"domain": domain}), json!({"domain": domain, "origin": "shop.example.net"})]
        {
            let refused = house.provision(id, parameters).await?;
            ensure!(refused.status == 400, "{domain}: {refused:?}");
            ensure!(refused.text("description").ends_with(&format!("\n  {command}")), "{refused:?}");
            ensure!(!is_stored(&house, id).await?, "{domain} was stored");
        }
    }
    // Whoever does what they were told is let in at once.
    house.sandbox.platform().own_domain("www.example.net", "org-1", &[]);
    let accepted = house.provision("unknown", json!({"domain": "www.example.net"})).await?;
    ensure!(accepted.status == 202, "{accepted:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_the_platform_stops_what_is_new_and_nothing_else() -> anyhow::Result<()> {
    let house = house().await?;
    let platform = house.sandbox.platform();
    let accepted = house.provision("early", json!({"domain": "www.example.gov"})).await?;
    ensure!(accepted.status == 202, "{accepted:?}");

    platform.close();
    let refused = house.provision("late", json!({"domain": "late.example.gov"})).await?;
    ensure!(refused.status == 503 && !is_stored(&house, "late").await?, "{refused:?}");
    ensure!(refused.text("description").contains("Try again in a few minutes"), "{refused:?}");
    house.prove("early", 1).await?;
    house.until_succeeded("early").await.with_context(|| house.last_words())?;
    let changed = update(&house, "early", json!({"default_ttl": 60})).await?;
    ensure!(changed.status == 202, "{changed:?}");
    house.until_succeeded("early").await?;
    let refused = update(&house, "early", json!({"domain": "www.example.gov,more.example.gov"})).await?;
    ensure!(refused.status == 503, "{refused:?}");

    platform.open().await?;
    platform.set_fault(Some(PlatformFault::Silent));
    let refused = house.provision("late", json!({"domain": "late.example.gov"})).await?;
    ensure!(refused.status == 503 && !is_stored(&house, "late").await?, "{refused:?}");
    platform.set_fault(None);
    let refused = update(&house, "early", json!({"domain": "www.example.gov,more.example.net"})).await?;
    ensure!(refused.status == 400, "{refused:?}");
    ensure!(
        refused.text("description").ends_with("cf create-domain 'my org' more.example.net"),
        "{refused:?}"
    );
    let accepted = house.provision("late", json!({"domain": "late.example.gov"})).await?;
    ensure!(accepted.status == 202, "{accepted:?}");

    platform.close();
    for id in ["early", "late"] {
        ensure!(house.deprovision(id).await?.status == 202);
        house.until_succeeded(id).await?;
    }
    nothing_left(&house.sandbox.aws().state())
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_over_are_replaced_and_what_is_made_is_called_by_its_names() -> anyhow::Result<()> {
    let house = house().await?;
    let platform = house.sandbox.platform();
    // A token of a second is used for half of it, and may be over when it arrives.
    platform.set_token_life(1);
    for number in 0..4 {
        let domain = format!("n{number}.example.gov");
        let accepted = house.provision(&format!("n{number}"), json!({"domain": domain})).await?;
        ensure!(accepted.status == 202, "{accepted:?}");
        platform.forget_tokens();
    }
    house.prove("n0", 1).await?;
    house.until_succeeded("n0").await.with_context(|| house.last_words())?;
    let state = house.sandbox.aws().state();
    let tags: Vec<_> = state.distributions.iter().flat_map(|one| &one.tags).collect();
    ensure!(
        tags.iter().any(|(key, value)| (key.as_str(), value.as_str()) == ("OrganizationName", "my org")),
        "{tags:?}"
    );
    ensure!(
        tags.iter().any(|(key, value)| (key.as_str(), value.as_str()) == ("SpaceName", "dev")),
        "{tags:?}"
    );
    let log = house.log()?;
    ensure!(!log.contains("sandbox-client+secret") && !log.contains("token-0000"), "a secret is in the log");
    Ok(())
}
