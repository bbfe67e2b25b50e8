//! A domain owner who does at once what the instructions say.

use std::net::SocketAddr;
use std::time::Duration;

use http::Request;
use http_body_util::Full;
use sandbox::{Client, Owner, wait_for};
use serde_json::json;

use super::fixture::Scene;

const VALUE: &str = "LPsIwTo7o8BoG0-vjCyGQGBWSVIPxI-i_X336eUOQZo";
const NAME: &str = "_acme-challenge.www.example.gov";
const BOUND: Duration = Duration::from_secs(30);

fn records(scene: &Scene) -> Vec<String> {
    let records = scene.sandbox.dns().records().into_iter();
    records.filter(|set| set.name == NAME).flat_map(|set| set.txt).collect()
}

#[tokio::test]
async fn what_the_last_operation_of_a_created_instance_names_is_set() {
    let scene = Scene::start().await.unwrap();
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let owner = scene.sandbox.owner(scene.broker.address, any_port).await.unwrap();
    scene.broker.answer("/v2/service_instances/one", r#"{"operation":"op 1"}"#);
    let last = "/v2/service_instances/one/last_operation";
    let said = |state: &str| {
        let description = format!("Set this:\n  {NAME}. 60 IN TXT \"{VALUE}\"\n");
        json!({ "state": state, "description": description }).to_string()
    };
    scene.broker.answer(last, &said("in progress"));

    let client = Client::trusting("").unwrap();
    let looked = client.get(&format!("{}/v2/service_instances/one", owner.url())).await.unwrap();
    assert_eq!(looked.body().as_ref(), br#"{"operation":"op 1"}"#, "everything is passed on");
    assert!(records(&scene).is_empty(), "nothing was created");

    create(&owner, "one").await.unwrap();
    let set = || async { Ok((records(&scene) == [VALUE]).then_some(())) };
    wait_for("the record to be set", BOUND, set).await.unwrap();
    let polled = scene.broker.asked().into_iter().find(|asked| asked.contains(last)).unwrap();
    assert!(polled.ends_with("/last_operation?operation=op+1"), "{polled}");

    scene.broker.answer(last, &said("succeeded"));
    let reads = |id: &str| {
        let end = format!("/{id}/last_operation");
        scene.broker.asked().iter().filter(|asked| asked.contains(&end)).count()
    };
    // In each round every open instance is read: when a later one has been read twice, the rounds go on without the first.
    scene.broker.answer("/v2/service_instances/two/last_operation", &said("in progress"));
    create(&owner, "two").await.unwrap();
    let twice = |than: usize| {
        let reads = &reads;
        move || async move { Ok((reads("two") >= than).then_some(())) }
    };
    wait_for("a round in which the end is read", BOUND, twice(2)).await.unwrap();
    let before = reads("one");
    wait_for("two more rounds", BOUND, twice(reads("two") + 2)).await.unwrap();
    assert_eq!(reads("one"), before, "an instance that is done is not read any more");
}

async fn create(owner: &Owner, id: &str) -> anyhow::Result<()> {
    let create = Request::put(format!("{}/v2/service_instances/{id}?accepts_incomplete=true", owner.url()));
    let create = create.header("authorization", "Basic eDp5").body(Full::from("{}"))?;
    Client::trusting("")?.send(create).await?;
    Ok(())
}
