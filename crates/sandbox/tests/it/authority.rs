use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use http::{Method, StatusCode};
use sandbox::authority::{Authority, AuthoritySettings, Moment};
use sandbox::dns::Dns;
use sandbox::wait_for;
use serde_json::Value;

use crate::web;

const BOUND: Duration = Duration::from_secs(30);

async fn start(state: &Path) -> anyhow::Result<(Dns, Authority)> {
    let dns = Dns::start(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let authority = Authority::start(state, dns.address(), &AuthoritySettings::default()).await?;
    Ok((dns, authority))
}

fn trusted(authority: &Authority) -> anyhow::Result<String> {
    Ok(std::fs::read_to_string(authority.root_file())?)
}

#[tokio::test]
async fn the_directory_names_the_gate_and_the_gate_keeps_count() {
    let state = tempfile::tempdir().unwrap();
    let (_dns, authority) = start(state.path()).await.unwrap();
    let url = authority.directory_url();
    let answer = web::get(&trusted(&authority).unwrap(), &url).await.unwrap();

    let directory: Value = serde_json::from_slice(answer.body()).unwrap();
    let gate = url.strip_suffix("/dir").unwrap();
    let new_order = directory["newOrder"].as_str().unwrap();
    assert_eq!(new_order, format!("{gate}{}", authority.gate().new_order_path()));
    let seen: Vec<_> =
        authority.gate().requests().into_iter().map(|seen| (seen.method, seen.path, seen.status)).collect();
    assert_eq!(seen, [(Method::GET, "/dir".to_owned(), StatusCode::OK)]);
}

#[tokio::test]
async fn the_root_file_holds_the_tls_root_and_every_issuing_root() {
    let state = tempfile::tempdir().unwrap();
    let (_dns, authority) = start(state.path()).await.unwrap();
    let file = trusted(&authority).unwrap();
    assert_eq!(authority.roots_pem().len(), 1);
    assert!(file.contains(&authority.roots_pem()[0]));
    assert_eq!(file.matches("-----BEGIN CERTIFICATE-----").count(), 2);
    assert!(authority.log().unwrap().contains("Pebble"));
    authority.stop().await.unwrap();
}

#[tokio::test]
async fn external_accounts_are_required_when_some_are_set() {
    let state = tempfile::tempdir().unwrap();
    let dns = Dns::start(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let settings = AuthoritySettings {
        external_accounts: vec![("kid-1".to_owned(), "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTMy".to_owned())],
        ..AuthoritySettings::default()
    };
    let authority = Authority::start(state.path(), dns.address(), &settings).await.unwrap();
    let answer = web::get(&trusted(&authority).unwrap(), &authority.directory_url()).await.unwrap();
    let directory: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(directory["meta"]["externalAccountRequired"], true);
}

#[tokio::test]
async fn a_fifth_new_order_waits_until_one_of_four_is_made() {
    let state = tempfile::tempdir().unwrap();
    let (_dns, authority) = start(state.path()).await.unwrap();
    let gate = authority.gate();
    let path = gate.new_order_path().to_owned();
    let mut held: Vec<_> = (1..=4).map(|nth| gate.hold(&path, nth, Moment::After)).collect();

    let roots = trusted(&authority).unwrap();
    let url = authority.directory_url().replace("/dir", &path);
    let mut orders = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let (roots, url) = (roots.clone(), url.clone());
        orders.spawn(async move { web::post(&roots, &url, "not signed").await });
    }
    for hold in &held {
        hold.reached(BOUND).await.unwrap();
    }
    let waiting = || async { Ok((gate.orders_waiting() == 1).then_some(())) };
    wait_for("the fifth order to stand before the gate", BOUND, waiting).await.unwrap();
    assert_eq!(gate.requests().len(), 4, "the fifth has not reached Pebble");

    held.pop();
    let fifth = || async { Ok((gate.requests().len() == 5).then_some(())) };
    wait_for("the fifth order to pass", BOUND, fifth).await.unwrap();
    held.clear();
    for answer in orders.join_all().await {
        assert!(answer.unwrap().status().is_client_error(), "Pebble refuses what is not signed");
    }
}

#[tokio::test]
async fn a_request_held_before_is_unseen_by_the_authority_and_goes_on_when_released() {
    let state = tempfile::tempdir().unwrap();
    let (_dns, authority) = start(state.path()).await.unwrap();
    let gate = authority.gate();
    let held = gate.hold("/dir", 2, Moment::Before);
    let (roots, url) = (trusted(&authority).unwrap(), authority.directory_url());
    assert_eq!(web::get(&roots, &url).await.unwrap().status(), StatusCode::OK, "the first is not held");

    let second = tokio::spawn(async move { web::get(&roots, &url).await });
    held.reached(BOUND).await.unwrap();
    assert_eq!(gate.requests().len(), 1);
    drop(held);
    assert_eq!(second.await.unwrap().unwrap().status(), StatusCode::OK);
}
