//! The admin interface.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use sandbox::dns::{Dns, DnsAdmin, NameServer};
use serde_json::{Value, json};

use super::client::{answers, at, code, over_udp, start};
use crate::web;

async fn admin() -> anyhow::Result<(Arc<Dns>, DnsAdmin)> {
    let dns = Arc::new(start().await?);
    let admin = DnsAdmin::start(Arc::clone(&dns), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    Ok((dns, admin))
}

async fn post(admin: &DnsAdmin, path: &str, body: &Value) -> anyhow::Result<()> {
    let answer = web::post("", &format!("{}{path}", admin.url()), &body.to_string()).await?;
    anyhow::ensure!(answer.status() == 200, "{path} {body}: {:?}", answer.body());
    Ok(())
}

#[tokio::test]
async fn records_are_changed_over_http() {
    let (dns, admin) = admin().await.unwrap();
    for (path, body) in [
        ("/set-txt", json!({ "host": "_acme-challenge.example.gov.", "value": "one" })),
        ("/set-txt", json!({ "host": "_acme-challenge.example.gov.", "value": "two" })),
        ("/set-txt", json!({ "host": "_acme-challenge.example.gov.", "value": "gone" })),
        ("/remove-txt", json!({ "host": "_acme-challenge.example.gov.", "value": "gone" })),
        ("/set-cname", json!({ "host": "www.example.gov", "target": "d1.cloudfront.net" })),
        ("/set-a", json!({ "host": "docs.example.gov", "addresses": ["127.0.0.9", "::1"] })),
        ("/set-caa", json!({ "host": "example.gov", "values": ["0 issue \"ca.example\""] })),
        ("/set-alias", json!({ "host": "example.gov", "target": "www.example.gov" })),
        ("/set-a", json!({ "host": "gone.example.gov", "addresses": ["127.0.0.9"] })),
        ("/clear", json!({ "host": "gone.example.gov" })),
        ("/set-a", json!({ "host": "docs.example.gov", "addresses": ["127.0.0.8"], "at": "second" })),
    ] {
        post(&admin, path, &body).await.unwrap();
    }
    let answer = web::get("", &format!("{}/records", admin.url())).await.unwrap();
    let all: Value = serde_json::from_slice(answer.body()).unwrap();
    let server = |set: &&Value| {
        let name = set["name"].as_str().unwrap();
        name.starts_with("ns") || name.ends_with("root-servers.net")
    };
    let own: Vec<_> = all["records"].as_array().unwrap().iter().filter(|set| !server(set)).collect();
    assert_eq!(
        json!(own),
        json!([
            { "name": "example.gov", "flattened": "www.example.gov", "caa": ["0 issue \"ca.example\""] },
            { "name": "_acme-challenge.example.gov", "txt": ["one", "two"] },
            { "name": "docs.example.gov", "addresses": ["127.0.0.9", "::1"] },
            { "name": "www.example.gov", "cname": "d1.cloudfront.net" },
            { "name": "docs.example.gov", "addresses": ["127.0.0.8"], "at": "second" },
        ])
    );
    post(&admin, "/clear-txt", &json!({ "host": "_acme-challenge.example.gov" })).await.unwrap();
    let answer = over_udp(&dns, "_acme-challenge.example.gov.", RecordType::TXT).await.unwrap();
    assert!(answer.answers.is_empty());
    post(&admin, "/agree", &json!({ "host": "docs.example.gov" })).await.unwrap();
    let answer = at(&dns, NameServer::Second, "docs.example.gov.", RecordType::A).await.unwrap();
    assert_eq!(answers(&answer), ["A 127.0.0.9"]);
}

#[tokio::test]
async fn zones_and_faults_are_set_over_http() {
    let (dns, admin) = admin().await.unwrap();
    post(&admin, "/zone", &json!({ "host": "deep.example.gov" })).await.unwrap();
    let servers = over_udp(&dns, "deep.example.gov.", RecordType::NS).await.unwrap();
    assert_eq!(servers.answers.len(), 2);
    post(&admin, "/name-servers", &json!({ "host": "deep.example.gov", "values": ["ns.lost.test"] }))
        .await
        .unwrap();
    let servers = over_udp(&dns, "deep.example.gov.", RecordType::NS).await.unwrap();
    assert_eq!(answers(&servers), ["NS ns.lost.test."]);

    let fault = json!({ "name": "*.gov", "kind": "TXT", "servers": ["first"], "fault": "serv_fail" });
    post(&admin, "/fault", &fault).await.unwrap();
    let txt = || at(&dns, NameServer::First, "deep.example.gov.", RecordType::TXT);
    assert_eq!(code(&txt().await.unwrap()), ResponseCode::ServFail);
    post(&admin, "/heal", &json!({})).await.unwrap();
    assert_eq!(code(&txt().await.unwrap()), ResponseCode::NoError);

    let asked = web::get("", &format!("{}/asked", admin.url())).await.unwrap();
    let asked: Value = serde_json::from_slice(asked.body()).unwrap();
    assert_eq!(asked["asked"][0], json!({ "server": "resolver", "name": "deep.example.gov", "kind": "NS" }));
}

#[tokio::test]
async fn a_mistake_over_http_is_named() {
    let (_dns, admin) = admin().await.unwrap();
    for (path, body, status, word) in [
        ("/set-txt", r#"{"host":"www.example.gov"}"#, 400, "value"),
        ("/set-caa", r#"{"host":"www.example.gov","values":["nonsense"]}"#, 400, "CAA"),
        ("/set-txt", "host=www", 400, "JSON"),
        ("/set-txt", r#"{"host":"www.example.gov","value":"v","at":"third"}"#, 400, "third"),
        ("/fault", r#"{"name":"*","fault":"sulk"}"#, 400, "sulk"),
        ("/set-a", r#"{"host":"..","addresses":[]}"#, 400, "not a DNS name"),
        ("/set-mx", r#"{"host":"www.example.gov"}"#, 404, "/set-mx"),
    ] {
        let answer = web::post("", &format!("{}{path}", admin.url()), body).await.unwrap();
        assert_eq!(answer.status(), status, "{path} {body}");
        assert!(String::from_utf8_lossy(answer.body()).contains(word), "{path} {body}: {:?}", answer.body());
    }
}
