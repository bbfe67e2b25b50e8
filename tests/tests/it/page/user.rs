//! A user who has asked for a domain, from the first look at the page until the site is live.

use anyhow::{Context, ensure};
use sandbox::wait_for;
use serde_json::json;

use super::browser::Browser;
use super::{ID, WWW};
use crate::house::{BOUND, House};

impl Browser {
    /// The TXT record as it stands on the page, to be copied.
    async fn record(&self) -> anyhow::Result<(String, String)> {
        let cells = self
            .value("[...document.querySelectorAll('.way .record code')].map((one) => one.textContent)")
            .await?;
        let cells: Vec<String> = serde_json::from_value(cells)?;
        let [name, value] = &cells[..] else { anyhow::bail!("{cells:?} on\n{}", self.text().await?) };
        Ok((name.clone(), value.clone()))
    }

    /// Lets the broker look as soon as it may, until the page shows a text.
    async fn looks_until(&self, text: &str) -> anyhow::Result<Option<()>> {
        let button = "(document.querySelector('#look-now:not([disabled])')?.click(), true)";
        self.value(button).await?;
        self.sees(text).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_sets_what_the_page_shows_and_sees_it_go_live_without_a_reload() -> anyhow::Result<()> {
    let house = House::start().await?;
    let link = house.asked_for_a_page(ID, WWW).await?;
    Browser::with(async |browser| {
        browser.open(&link).await?;
        let address = browser.driver.current_url().await?.to_string();
        ensure!(address == format!("{}/instances/{ID}", house.origin()?), "{address}");
        browser.value("(window.untouched = true)").await?;
        house.shows("the record", || async { browser.sees("Waiting for you").await }).await?;
        house.shows("a first look", || async { browser.sees("does not exist yet (NXDOMAIN)").await }).await?;
        browser.pictures("waiting").await?;
        keyboard_reaches_the_content(browser).await?;
        copies(browser).await?;

        let (name, value) = browser.record().await?;
        house.sandbox.dns().set_txt(&name, vec![value])?;
        house.shows("the tick", || async { browser.looks_until("Proven").await }).await?;
        house.shows("the certificate", || async { browser.sees("Days left").await }).await?;
        house
            .shows("that it serves", || async {
                browser.sees("The CDN serves www.example.gov over HTTPS").await
            })
            .await?;
        house
            .shows("where the name leads", || async { browser.sees("www.example.gov has no address").await })
            .await?;

        let target = browser.text_of("#target").await?;
        house.sandbox.dns().set_cname(WWW, &target)?;
        house
            .shows("that it leads there", || async {
                browser.looks_until(&format!("{WWW} leads to {target}: right.")).await
            })
            .await?;
        let visit = house.sandbox.visit(WWW, "/").await?;
        ensure!(visit.status == 200, "{visit:?}");
        let shown = browser.text_of(".facts").await?;
        ensure!(shown.contains(WWW) && shown.contains("Pebble"), "{shown}");
        ensure!(browser.text_of(".hero .badge").await? == "Serving");
        ensure!(browser.value("window.untouched === true").await? == json!(true), "the page was reloaded");
        browser.pictures("serving").await
    })
    .await
}

/// The first stop of the keyboard leads past the head of the page.
async fn keyboard_reaches_the_content(browser: &Browser) -> anyhow::Result<()> {
    for kind in ["rawKeyDown", "keyUp"] {
        let key = json!({"type": kind, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9});
        browser.cdp("Input.dispatchKeyEvent", key).await?;
    }
    let focused = browser.value("document.activeElement.textContent").await?;
    ensure!(focused == json!("Skip to the content"), "{focused}");
    Ok(())
}

async fn copies(browser: &Browser) -> anyhow::Result<()> {
    let grant = json!({"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]});
    browser.cdp("Browser.grantPermissions", grant).await?;
    let value = browser.text_of(".way .record div:nth-child(3) code").await?;
    browser.click(".way .record div:nth-child(3) button").await?;
    let told = browser.driver.execute_async(
        "navigator.clipboard.readText().then(arguments[0], (e) => arguments[0](String(e)));",
        Vec::new(),
    );
    let copied = told.await?.json().clone();
    ensure!(copied == json!(value), "{copied} instead of {value}");
    ensure!(browser.text().await?.contains("Copied"), "the button does not say so");
    Ok(())
}

/// Nothing of what a page is for needs a script.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_works_without_a_script() -> anyhow::Result<()> {
    let house = House::start().await?;
    let link = house.asked_for_a_page(ID, WWW).await?;
    Browser::with(async |browser| {
        browser.cdp("Emulation.setScriptExecutionDisabled", json!({"value": true})).await?;
        browser.open(&link).await?;
        let source = browser.driver.source().await?;
        let value = source.split("id=\"value-0-0\">").nth(1).and_then(|rest| rest.split('<').next());
        let value = value.with_context(|| source.clone())?.to_owned();
        ensure!(source.contains("Look now") && source.contains("reload it to see what is new"), "{source}");
        house.sandbox.dns().set_txt(&format!("_acme-challenge.{WWW}."), vec![value])?;
        browser.click("#look-now").await?;
        // A click ends before the page that answers it is there.
        wait_for("the answer to the click", BOUND, || async {
            let source = browser.driver.source().await.unwrap_or_default();
            Ok(source.contains("The broker has looked just now").then_some(()))
        })
        .await?;
        house.until_succeeded(ID).await?;
        browser.driver.refresh().await?;
        let serving = browser.driver.source().await?;
        ensure!(serving.contains("The CDN serves www.example.gov over HTTPS"), "{serving}");
        browser.cdp("Emulation.setScriptExecutionDisabled", json!({"value": false})).await?;
        Ok(())
    })
    .await
}
