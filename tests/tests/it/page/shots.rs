//! Pictures of pages, kept in `target/page-shots` for people to look at.

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::browser::Browser;

/// Width in pixels, what is emulated, and what the picture is called after it.
const FORMS: [(u32, bool, &str); 2] = [(1280, false, "desktop"), (390, true, "phone")];

impl Browser {
    /// Takes a picture of the whole page in each form, by day and by night, and lets axe-core look at each.
    pub(super) async fn pictures(&self, name: &str) -> anyhow::Result<()> {
        for (width, is_phone, form) in FORMS {
            let metrics = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": is_phone});
            self.cdp("Emulation.setDeviceMetricsOverride", metrics).await?;
            for scheme in ["light", "dark"] {
                let feature = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
                self.cdp("Emulation.setEmulatedMedia", feature).await?;
                self.picture(&format!("{name}-{form}-{scheme}.png")).await?;
                self.is_accessible().await.with_context(|| format!("{name}, {form}, {scheme}"))?;
                let wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
                anyhow::ensure!(
                    self.value(wider).await? == json!(0),
                    "{name}: a {form} has to scroll sideways"
                );
            }
        }
        self.cdp("Emulation.clearDeviceMetricsOverride", json!({})).await?;
        Ok(())
    }

    async fn picture(&self, file: &str) -> anyhow::Result<()> {
        let taken = self
            .cdp("Page.captureScreenshot", json!({"format": "png", "captureBeyondViewport": true}))
            .await?;
        let picture = STANDARD.decode(taken["data"].as_str().context("no picture")?)?;
        let tests = std::env::current_exe()?;
        let target = tests.ancestors().nth(3).context("the test program lies in no target folder")?;
        let folder = target.join("page-shots");
        std::fs::create_dir_all(&folder)?;
        Ok(std::fs::write(folder.join(file), picture)?)
    }
}
