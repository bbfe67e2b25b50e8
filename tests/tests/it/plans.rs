//! A plan is taken out of the catalog while service instances have it.

use anyhow::ensure;
use http::Method;
use sandbox::{BrokerSettings, wait_for};
use serde_json::{Value, json};

use crate::house::{BOUND, House, PLAN_ID, SERVICE_ID, provision_body};

const ID: &str = "3f1c9a52-0000-4000-8000-000000000901";

/// Settings of a broker with a catalog of these plans.
fn offering(house: &House, plans: &Value) -> anyhow::Result<BrokerSettings> {
    let service = json!({ "id": SERVICE_ID, "name": "cdn-route", "description": "A CDN.", "plans": plans });
    let file = house.folder().join("catalog.json");
    std::fs::write(&file, json!({ "services": [service] }).to_string())?;
    let mut settings = house.hasty_settings("5s")?;
    settings.more.push(("CATALOG_FILE".to_owned(), file.display().to_string()));
    Ok(settings)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_removed_is_named_and_retiring_it_lets_its_instances_go() -> anyhow::Result<()> {
    let mut house = House::without_broker(|_| {}).await?;
    let other = json!({ "id": "another-plan", "name": "another", "description": "Another." });
    let mut plan = json!({ "id": PLAN_ID, "name": "cdn-route", "description": "The one." });
    let settings = offering(&house, &json!([plan, other]))?;
    house.add_broker(&settings).await?;
    house.provisioned(ID, &["www.example.gov"]).await?;
    let checked = house.command(&settings, &["config", "check"]).await?;
    ensure!(checked.out.contains("the catalog has the plan of every service instance"), "{checked:?}");

    let settings = offering(&house, &json!([other]))?;
    house.brokers[0].restart().await?;
    let named = format!(
        "1 service instance has the plan {PLAN_ID} of the service {SERVICE_ID}, which the catalog lacks"
    );
    wait_for("the warning", BOUND, || async { Ok(house.log()?.contains(&named).then_some(())) }).await?;
    let checked = house.command(&settings, &["config", "check"]).await?;
    let all = format!("{}{}", checked.out, checked.err);
    ensure!(
        checked.code != 0 && all.contains(&named) && all.contains("plans does not work: put the plan back"),
        "{all}"
    );
    let query = format!("accepts_incomplete=true&service_id={SERVICE_ID}&plan_id={PLAN_ID}");
    let refused = house.call(Method::DELETE, &format!("/v2/service_instances/{ID}?{query}"), None).await?;
    let text = refused.text("description");
    ensure!(
        refused.status == 400 && text.contains("Ask the operators of this service to put the plan back"),
        "{refused:?}"
    );
    // Who asks for something new hears that the platform is behind.
    let body = provision_body(&json!({ "domain": "new.example.gov" }));
    let refused =
        house.call(Method::PUT, "/v2/service_instances/new?accepts_incomplete=true", Some(&body)).await?;
    let text = refused.text("description");
    ensure!(
        refused.status == 400 && text.contains("Update the service broker in the platform"),
        "{refused:?}"
    );

    plan["retired"] = json!(true);
    offering(&house, &json!([plan, other]))?;
    house.brokers[0].restart().await?;
    ensure!(house.deprovision(ID).await?.status == 202);
    house.until_succeeded(ID).await?;
    Ok(())
}
