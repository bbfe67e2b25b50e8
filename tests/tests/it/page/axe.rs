//! What axe-core finds wrong for people who cannot see the page, or see it badly.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::browser::Browser;

/// Below these nothing is let pass.
const GRAVE: [&str; 2] = ["serious", "critical"];

fn source() -> anyhow::Result<String> {
    let tests = std::env::current_exe()?;
    let target = tests.ancestors().nth(3).context("the test program lies in no target folder")?;
    let file: PathBuf = target.join("axe/axe.min.js");
    std::fs::read_to_string(&file).with_context(|| format!("no {}: run `make setup`", file.display()))
}

impl Browser {
    /// Nothing on the page is a serious obstacle to anybody.
    pub(super) async fn is_accessible(&self) -> anyhow::Result<()> {
        self.driver.execute(source()?, Vec::new()).await?;
        let told = self
            .driver
            .execute_async(
                "const done = arguments[0]; axe.run(document).then(done, (e) => done(String(e)));",
                Vec::new(),
            )
            .await?;
        let found = told.json().get("violations").and_then(Value::as_array).cloned();
        let found = found.with_context(|| format!("axe has not run: {:?}", told.json()))?;
        let passed = told.json()["passes"].as_array().map_or(0, Vec::len);
        ensure!(passed > 10, "axe has looked at nothing");
        let grave: Vec<String> = found.iter().filter(|one| is_grave(one)).map(described).collect();
        ensure!(grave.is_empty(), "{}", grave.join("\n"));
        Ok(())
    }
}

fn is_grave(violation: &Value) -> bool {
    violation["impact"].as_str().is_some_and(|impact| GRAVE.contains(&impact))
}

fn described(violation: &Value) -> String {
    let nodes = violation["nodes"].as_array().into_iter().flatten().map(|node| node["html"].to_string());
    format!("{} ({}): {}", violation["help"], violation["impact"], nodes.collect::<Vec<_>>().join(", "))
}
