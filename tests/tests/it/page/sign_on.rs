//! Users whom the platform signs on, with its UAA and its Cloud Controller in a real browser.

use anyhow::ensure;
use http::Method;

use super::browser::Browser;
use super::{ID, WWW};
use crate::house::House;

const OTHER: &str = "3f1c9a52-0000-4000-8000-000000000093";

/// A house whose platform signs users on. Its broker is registered: the platform has read the catalog.
async fn house() -> anyhow::Result<House> {
    let mut house = House::without_broker(|_| {}).await?;
    let mut settings = house.settings()?;
    (settings.platform, settings.sign_on) = (true, true);
    house.sandbox.platform().set_organization("org-1", "one");
    house.sandbox.platform().set_space("space-1", "one", "org-1");
    for domain in [WWW, "other.example.gov"] {
        house.sandbox.platform().own_domain(domain, "org-1", &[]);
    }
    house.add_broker(&settings).await?;
    let catalog = house.call(Method::GET, "/v2/catalog", None).await?;
    house.sandbox.platform().take_catalog(&catalog.body);
    Ok(house)
}

/// R47: the platform makes the client that the catalog offers, and its users are let in as far as it lets them.
#[tokio::test(flavor = "multi_thread")]
async fn r47_users_are_let_in_as_far_as_the_platform_lets_them() -> anyhow::Result<()> {
    let house = house().await?;
    let platform = house.sandbox.platform();
    platform.permit("manager", ID, true, true);
    platform.permit("auditor", ID, false, true);
    platform.permit("stranger", ID, false, false);
    platform.permit("manager", OTHER, false, false);
    let address = house.asked_for_a_page(ID, WWW).await?;
    house.asked_for_a_page(OTHER, "other.example.gov").await?;
    ensure!(address == format!("{}/instances/{ID}", house.origin()?), "{address}");

    Browser::with(async |browser| {
        browser.open(&address).await?;
        ensure!(browser.text().await?.contains("Sign in"), "nobody is signed in");
        platform.sign_in(Some("manager"));
        browser.open(&address).await?;
        house.shows("the page", || async { browser.sees("Waiting for you").await }).await?;
        ensure!(browser.driver.current_url().await?.as_str() == address, "the code stays in the address bar");
        ensure!(browser.text().await?.contains("Look now"));
        browser.open(&address.replace(ID, OTHER)).await?;
        ensure!(
            browser.text().await?.contains("This page cannot be shown"),
            "another organization's instance"
        );

        for (user, part) in
            [("auditor", "You may see this, and not change it."), ("stranger", "This page cannot be shown")]
        {
            browser.driver.delete_all_cookies().await?;
            browser.open(&address).await?;
            browser.driver.delete_all_cookies().await?;
            platform.sign_in(Some(user));
            browser.open(&address).await?;
            let text = browser.text().await?;
            ensure!(text.contains(part) && !text.contains("Look now"), "{user}: {text}");
        }
        Ok(())
    })
    .await
}

/// A session that is over is begun again with the platform, unseen; one that somebody has made up is none.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_over_begins_again() -> anyhow::Result<()> {
    let house = house().await?;
    let platform = house.sandbox.platform();
    platform.permit("manager", ID, true, true);
    platform.sign_in(Some("manager"));
    let address = house.asked_for_a_page(ID, WWW).await?;
    Browser::with(async |browser| {
        browser.open(&address).await?;
        house.shows("the page", || async { browser.sees("Waiting for you").await }).await?;
        let cookie = serde_json::json!({
            "name": "cdn-page", "value": "manage.1.AAAA", "url": address, "path": format!("/instances/{ID}"), "httpOnly": true,
        });
        browser.cdp("Network.setCookie", cookie).await?;
        house.shows("the page again", || async {
            let fresh = browser.driver.get_named_cookie("cdn-page").await?.value != "manage.1.AAAA";
            Ok(browser.sees("Waiting for you").await?.filter(|()| fresh))
        })
        .await
    })
    .await
}
