//! Debian's Chromium, led through its driver.

use std::process::Stdio;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use thirtyfour::prelude::*;
use thirtyfour::{BrowserLogEntry, ChromiumLikeCapabilities, LoggingPrefsLogLevel};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A browser of its own, without a history. It ends with the driver.
pub(super) struct Browser {
    pub(super) driver: WebDriver,
    _process: Child,
}

impl Browser {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let (process, port) = driver().await?;
        let mut wanted = DesiredCapabilities::chrome();
        wanted.set_binary("/usr/bin/chromium")?;
        wanted.set_browser_log_level(LoggingPrefsLogLevel::Warning)?;
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
        ] {
            wanted.add_arg(argument)?;
        }
        let driver =
            WebDriver::new(format!("http://127.0.0.1:{port}"), wanted).await.context("no browser")?;
        Ok(Self { driver, _process: process })
    }

    /// Does something with the browser and ends it, whatever comes out.
    pub(super) async fn with<T>(work: impl AsyncFnOnce(&Self) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let browser = Self::start().await?;
        let outcome = work(&browser).await;
        let complaints = browser.complaints().await;
        browser.driver.clone().quit().await?;
        let outcome = outcome?;
        let complaints = complaints?;
        ensure!(complaints.is_empty(), "the browser complains: {complaints:?}");
        Ok(outcome)
    }

    pub(super) async fn open(&self, url: &str) -> anyhow::Result<()> {
        Ok(self.driver.goto(url).await?)
    }

    /// What an expression of JavaScript gives.
    pub(super) async fn value(&self, expression: &str) -> anyhow::Result<Value> {
        let told = self.driver.execute(format!("return ({expression});"), Vec::new()).await?;
        Ok(told.json().clone())
    }

    /// The text of everything that is shown.
    pub(super) async fn text(&self) -> anyhow::Result<String> {
        self.text_of("main").await
    }

    /// The text of the first element of this kind; empty when there is none.
    pub(super) async fn text_of(&self, selector: &str) -> anyhow::Result<String> {
        let found =
            self.value(&format!("document.querySelector({})?.innerText ?? ''", json!(selector))).await?;
        Ok(found.as_str().unwrap_or_default().to_owned())
    }

    /// `Some` as soon as the page shows a text.
    pub(super) async fn sees(&self, text: &str) -> anyhow::Result<Option<()>> {
        Ok(self.text().await?.contains(text).then_some(()))
    }

    pub(super) async fn click(&self, selector: &str) -> anyhow::Result<()> {
        Ok(self.driver.find(By::Css(selector)).await?.click().await?)
    }

    /// A command of the `DevTools` protocol.
    pub(super) async fn cdp(&self, method: &str, parameters: Value) -> anyhow::Result<Value> {
        Ok(self.driver.cdp().send_raw(method, parameters).await?)
    }

    /// What the browser would not do, such as what the content security policy forbids.
    async fn complaints(&self) -> anyhow::Result<Vec<String>> {
        let log = self.driver.browser_log().await?;
        let complaint = |entry: &BrowserLogEntry| {
            let text = entry.message.clone();
            // Browsers ask for a picture of every site, and call every refusal an error.
            let expected = ["favicon.ico", "with a status of 403", "with a status of 429"];
            let is_expected = expected.iter().any(|part| text.contains(part));
            (!is_expected).then_some(text)
        };
        Ok(log.iter().filter_map(complaint).collect())
    }
}

/// Starts the driver on a port of its own choice, which it prints.
async fn driver() -> anyhow::Result<(Child, u16)> {
    let mut process = Command::new("chromedriver")
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("chromedriver cannot be started: run `make setup`")?;
    let output = process.stdout.take().context("chromedriver prints nothing")?;
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            let port = port.trim_end_matches('.').parse().context(line.clone())?;
            // It goes on printing, and must not be kept from it.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok((process, port));
        }
    }
    anyhow::bail!("chromedriver has ended")
}
