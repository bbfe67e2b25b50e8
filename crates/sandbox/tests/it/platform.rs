//! The platform, asked as a broker and an administrator ask it.

use std::time::Duration;

use http::{Request, StatusCode};
use http_body_util::Full;
use sandbox::pki::Ca;
use sandbox::platform::{ADMIN_CLIENT, BROKER_CLIENT, Platform, PlatformFault};
use serde_json::{Value, json};

use crate::web;

async fn token(platform: &Platform, (id, secret): (&str, &str)) -> anyhow::Result<Value> {
    let form =
        url_form(&[("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)]);
    let answer = web::post("", &format!("{}/oauth/token", platform.uaa_url()), &form).await?;
    Ok(json!({ "status": answer.status().as_u16(), "body": serde_json::from_slice::<Value>(answer.body())? }))
}

fn url_form(pairs: &[(&str, &str)]) -> String {
    let encoded = |text: &str| text.bytes().fold(String::new(), |text, b| text + &format!("%{b:02X}"));
    pairs.iter().map(|(key, value)| format!("{key}={}", encoded(value))).collect::<Vec<_>>().join("&")
}

async fn bearer(platform: &Platform, client: (&str, &str)) -> anyhow::Result<String> {
    let token = token(platform, client).await?;
    Ok(token["body"]["access_token"].as_str().unwrap_or_default().to_owned())
}

async fn ask(
    platform: &Platform,
    token: &str,
    method: &str,
    path: &str,
    body: Value,
) -> anyhow::Result<(StatusCode, Value)> {
    let request = Request::builder()
        .method(method)
        .uri(format!("{}{path}", platform.api_url()))
        .header("authorization", format!("bearer {token}"))
        .body(Full::from(body.to_string()))?;
    let answer = web::send("", request).await?;
    Ok((answer.status(), serde_json::from_slice(answer.body()).unwrap_or_default()))
}

fn names(list: &Value) -> Vec<&str> {
    let resources = list["resources"].as_array().map(Vec::as_slice).unwrap_or_default();
    resources.iter().filter_map(|one| one["name"].as_str()).collect()
}

#[tokio::test]
async fn the_root_says_where_the_uaa_is_and_asks_for_nothing() -> anyhow::Result<()> {
    let platform = Platform::start(None).await?;
    let root = web::get("", &platform.api_url()).await?;
    let root: Value = serde_json::from_slice(root.body())?;
    assert_eq!(root["links"]["uaa"]["href"], platform.uaa_url());
    let refused = web::get("", &format!("{}/v3/domains", platform.api_url())).await?;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    Ok(())
}

#[tokio::test]
async fn a_client_gets_a_token_for_its_secret_and_for_a_while() -> anyhow::Result<()> {
    let platform = Platform::start(None).await?;
    let given = token(&platform, BROKER_CLIENT).await?;
    assert_eq!((&given["status"], &given["body"]["token_type"]), (&json!(200), &json!("bearer")));
    let refused = token(&platform, (BROKER_CLIENT.0, "guess")).await?;
    assert_eq!((&refused["status"], &refused["body"]["error"]), (&json!(401), &json!("unauthorized")));

    let held = bearer(&platform, BROKER_CLIENT).await?;
    let list = "/v3/domains";
    assert_eq!(ask(&platform, &held, "GET", list, Value::Null).await?.0, StatusCode::OK);
    platform.forget_tokens();
    let (status, error) = ask(&platform, &held, "GET", list, Value::Null).await?;
    assert_eq!(
        (status, &error["errors"][0]["title"]),
        (StatusCode::UNAUTHORIZED, &json!("CF-InvalidAuthToken"))
    );
    platform.set_token_life(0);
    let over = bearer(&platform, BROKER_CLIENT).await?;
    assert_eq!(ask(&platform, &over, "GET", list, Value::Null).await?.0, StatusCode::UNAUTHORIZED);
    Ok(())
}

#[tokio::test]
async fn lists_are_filtered_and_come_in_pages() -> anyhow::Result<()> {
    let platform = Platform::start(None).await?;
    platform.set_organization("org-1", "one");
    platform.share_domain("apps.example.com");
    for name in ["a.example.gov", "b.example.gov", "c.example.gov"] {
        platform.own_domain(name, "org-1", &["org-2"]);
    }
    let token = bearer(&platform, BROKER_CLIENT).await?;
    let wanted = "/v3/domains?names=a.example.gov,c.example.gov,apps.example.com&per_page=2";
    let (_, first) = ask(&platform, &token, "GET", wanted, Value::Null).await?;
    assert_eq!(names(&first), ["apps.example.com", "a.example.gov"]);
    assert_eq!(first["pagination"]["total_results"], 3);
    assert_eq!(first["resources"][0]["relationships"]["organization"]["data"], Value::Null);
    let shared = &first["resources"][1]["relationships"]["shared_organizations"]["data"];
    assert_eq!(*shared, json!([{"guid": "org-2"}]));
    let next = first["pagination"]["next"]["href"].as_str().unwrap_or_default();
    let next = next.strip_prefix(&platform.api_url()).unwrap_or_default();
    let (_, second) = ask(&platform, &token, "GET", next, Value::Null).await?;
    assert_eq!((names(&second), &second["pagination"]["next"]), (vec!["c.example.gov"], &Value::Null));
    for (path, status) in [
        ("/v3/domains?colour=red", 400),
        ("/v3/domains?per_page=5001", 400),
        ("/v3/organizations/org-9", 404),
        ("/v3/organizations/org-1", 200),
        ("/v3/organizations/org-1/domains", 200),
        ("/v3/routes", 404),
    ] {
        assert_eq!(ask(&platform, &token, "GET", path, Value::Null).await?.0, status, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn a_client_without_rights_sees_what_belongs_to_nobody() -> anyhow::Result<()> {
    let platform = Platform::start(None).await?;
    platform.set_organization("org-1", "one");
    platform.share_domain("apps.example.com");
    platform.own_domain("a.example.gov", "org-1", &[]);
    platform.set_client("poor", "poor", &["cloud_controller.read"]);
    platform.set_client("stranger", "stranger", &["openid"]);
    let poor = bearer(&platform, ("poor", "poor")).await?;
    assert_eq!(
        names(&ask(&platform, &poor, "GET", "/v3/domains", Value::Null).await?.1),
        ["apps.example.com"]
    );
    assert_eq!(names(&ask(&platform, &poor, "GET", "/v3/organizations", Value::Null).await?.1), [""; 0]);
    let stranger = bearer(&platform, ("stranger", "stranger")).await?;
    assert_eq!(ask(&platform, &stranger, "GET", "/v3/domains", Value::Null).await?.0, StatusCode::FORBIDDEN);
    let made = ask(&platform, &poor, "POST", "/v3/domains", json!({"name": "b.example.gov"})).await?;
    assert_eq!(made.0, StatusCode::FORBIDDEN);
    Ok(())
}

#[tokio::test]
async fn an_administrator_makes_and_shares_domains() -> anyhow::Result<()> {
    let platform = Platform::start(None).await?;
    platform.set_organization("org-1", "one");
    platform.set_organization("org-2", "two");
    let token = bearer(&platform, ADMIN_CLIENT).await?;
    let of = |name: &str, guid: &str| json!({"name": name, "relationships": {"organization": {"data": {"guid": guid}}}});
    let create = |body: Value| ask(&platform, &token, "POST", "/v3/domains", body);
    let (status, made) = create(of("Example.gov", "org-1")).await?;
    assert_eq!((status, &made["name"]), (StatusCode::CREATED, &json!("example.gov")));
    for refused in [of("example.gov", "org-1"), of("www.example.gov", "org-2"), of("x.gov", "org-9")] {
        assert_eq!(create(refused).await?.0, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(create(of("www.example.gov", "org-1")).await?.0, StatusCode::CREATED);
    let guid = made["guid"].as_str().unwrap_or_default();
    let share = format!("/v3/domains/{guid}/relationships/shared_organizations");
    let (status, shared) =
        ask(&platform, &token, "POST", &share, json!({"data": [{"guid": "org-2"}]})).await?;
    assert_eq!((status, shared), (StatusCode::OK, json!({"data": [{"guid": "org-2"}]})));
    let path = format!("/v3/domains/{guid}");
    assert_eq!(ask(&platform, &token, "DELETE", &path, Value::Null).await?.0, StatusCode::ACCEPTED);
    assert_eq!(ask(&platform, &token, "DELETE", &path, Value::Null).await?.0, StatusCode::NOT_FOUND);
    Ok(())
}

#[tokio::test]
async fn it_can_be_closed_silent_and_broken() -> anyhow::Result<()> {
    let platform = Platform::start(None).await?;
    let url = platform.api_url();
    let get = || web::get("", &url);
    platform.set_fault(Some(PlatformFault::Status(502)));
    assert_eq!(get().await?.status(), StatusCode::BAD_GATEWAY);
    platform.set_fault(Some(PlatformFault::Silent));
    assert!(tokio::time::timeout(Duration::from_millis(200), get()).await.is_err());
    platform.set_fault(None);
    platform.close();
    assert!(get().await.is_err());
    platform.open().await?;
    assert_eq!(get().await?.status(), StatusCode::OK);
    let seen: Vec<u16> = platform.requests().iter().map(|request| request.status).collect();
    assert_eq!(seen, [502, 0, 200]);
    Ok(())
}

#[tokio::test]
async fn it_speaks_https_with_a_certificate() -> anyhow::Result<()> {
    let ca = Ca::new("platform")?;
    let platform = Platform::start(Some(&ca.server_certificate(&["127.0.0.1"])?)).await?;
    assert!(platform.api_url().starts_with("https://"));
    assert_eq!(web::get(ca.pem(), &platform.api_url()).await?.status(), StatusCode::OK);
    Ok(())
}
