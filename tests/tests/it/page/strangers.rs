//! What nobody may see, and what nobody may do through a page.

use anyhow::ensure;
use serde_json::json;

use super::browser::Browser;
use super::{ID, WWW};
use crate::house::House;

const OTHER: &str = "3f1c9a52-0000-4000-8000-000000000092";
const REFUSED: &str = "This page cannot be shown";

/// Somebody with a page of their own sees nothing of another organization's, and no forged link leads anywhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_shown_to_nobody_else() -> anyhow::Result<()> {
    let house = House::start().await?;
    let link = house.asked_for_a_page(ID, WWW).await?;
    house.asked_for_a_page(OTHER, "other.example.gov").await?;
    let origin = house.origin()?;
    Browser::with(async |browser| {
        browser.open(&link).await?;
        house.shows("one's own page", || async { browser.sees("Waiting for you").await }).await?;
        let (_, secret) = link.rsplit_once('/').unwrap_or_default();
        for path in [
            format!("/instances/{OTHER}"),
            format!("/instances/{OTHER}/part"),
            format!("/instances/{OTHER}/status.json"),
            format!("/instances/{OTHER}/open/{secret}"),
            format!("/instances/{ID}/open/A{}", &secret[1..]),
            "/instances/nobody-knows".to_owned(),
        ] {
            browser.open(&format!("{origin}{path}")).await?;
            let text = browser.text().await?;
            ensure!(text.contains(REFUSED) && text.contains("cf update-service"), "{path}: {text}");
            ensure!(!text.contains("example.gov"), "{path}: {text}");
        }
        browser.pictures("refused").await?;

        // A session whose end somebody has put off.
        browser.open(&format!("{origin}/instances/{ID}")).await?;
        let cookie = browser.driver.get_named_cookie("cdn-page").await?;
        let forged = cookie.value.replacen("manage.", "manage.9", 1);
        let cookie = json!({"name": "cdn-page", "value": forged, "url": format!("{origin}/instances/{ID}"), "path": format!("/instances/{ID}")});
        browser.cdp("Network.setCookie", cookie).await?;
        browser.open(&format!("{origin}/instances/{ID}")).await?;
        ensure!(browser.text().await?.contains(REFUSED), "{}", browser.text().await?);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_whose_link_is_revoked_goes_away_by_itself() -> anyhow::Result<()> {
    let mut house = House::without_broker(|_| {}).await?;
    let settings = house.settings()?;
    house.add_broker(&settings).await?;
    let link = house.asked_for_a_page(ID, WWW).await?;
    let shown = house.command(&settings, &["instances", "show", ID, "--link"]).await?;
    ensure!((shown.code, shown.out.trim()) == (0, link.as_str()), "{shown:?}");
    Browser::with(async |browser| {
        browser.open(&link).await?;
        house.shows("the page", || async { browser.sees("Waiting for you").await }).await?;
        let revoked =
            house.command(&settings, &["instances", "show", ID, "--revoke-link", "--yes", "--json"]).await?;
        let fresh = revoked.json()?["link"].as_str().unwrap_or_default().to_owned();
        ensure!(revoked.code == 0 && fresh != link && fresh.contains(ID), "{revoked:?}");
        house.shows("that it is gone", || async { browser.sees(REFUSED).await }).await?;
        browser.open(&link).await?;
        ensure!(browser.text().await?.contains(REFUSED));
        browser.open(&fresh).await?;
        house.shows("the page again", || async { browser.sees("Waiting for you").await }).await
    })
    .await
}

/// Whoever owns a name writes into its zone what they like.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_dns_is_shown_and_never_run() -> anyhow::Result<()> {
    const HOSTILE: &str =
        "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">";
    let house = House::start().await?;
    let link = house.asked_for_a_page(ID, WWW).await?;
    house.sandbox.dns().set_txt(&format!("_acme-challenge.{WWW}."), vec![HOSTILE.to_owned()])?;
    Browser::with(async |browser| {
        browser.open(&link).await?;
        house
            .shows("the hostile value", || async {
                browser.value("(document.querySelector('#look-now:not([disabled])')?.click(), true)").await?;
                browser.sees("<script>document.title").await
            })
            .await?;
        let images = browser.value("document.querySelectorAll('main img, main script').length").await?;
        let title = browser.driver.title().await?;
        ensure!(images == json!(0) && title.contains(WWW), "{images} {title}");
        Ok(())
    })
    .await
}
