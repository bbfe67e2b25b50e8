//! What a behaviour says: viewer protocol, methods, forwarding.

use http::Request;
use http_body_util::Full;

use super::fixture::Scene;
use crate::aws::fixture::{BEHAVIOUR, config, replaced};

#[tokio::test]
async fn redirect_to_https_redirects_reads_and_refuses_the_rest() {
    let scene = Scene::start().await.unwrap();
    let domain = scene.deployed(&config("one")).await.unwrap();
    let port = scene.edge.https().port();
    for method in ["GET", "HEAD"] {
        let answer = scene.plain(method, &domain, "/a?b=c").await.unwrap();
        assert_eq!(answer.status, 301);
        assert_eq!(answer.header("location"), format!("https://{domain}:{port}/a?b=c"));
    }
    assert_eq!(scene.plain("POST", &domain, "/").await.unwrap().status, 403);
}

#[tokio::test]
async fn https_only_refuses_and_allow_all_allows() {
    let scene = Scene::start().await.unwrap();
    let with = |reference: &str, policy: &str| config(reference).replace("redirect-to-https", policy);
    let strict = scene.deployed(&with("strict", "https-only")).await.unwrap();
    assert_eq!(scene.plain("GET", &strict, "/").await.unwrap().status, 403);
    assert_eq!(scene.secure(&strict, "/").await.unwrap().answer.status, 200);
    let open = scene.deployed(&with("open", "allow-all")).await.unwrap();
    let answer = scene.plain("GET", &open, "/").await.unwrap();
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn methods_that_are_not_listed_are_refused() {
    let scene = Scene::start().await.unwrap();
    let open = config("one").replace("redirect-to-https", "allow-all");
    let domain = scene.deployed(&open).await.unwrap();
    assert_eq!(scene.plain("POST", &domain, "/").await.unwrap().status, 403);
    let methods = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"];
    let items = methods.map(|method| format!("<Method>{method}</Method>")).concat();
    let all = format!("<AllowedMethods><Quantity>7</Quantity><Items>{items}</Items></AllowedMethods>");
    let posting = replaced(&open.replace(">one<", ">two<"), "AllowedMethods", &all);
    let domain = scene.deployed(&posting).await.unwrap();
    assert!(scene.plain("POST", &domain, "/").await.unwrap().body.contains("method: POST"));
}

#[tokio::test]
async fn paths_choose_behaviours_in_order() {
    let scene = Scene::start().await.unwrap();
    let open = BEHAVIOUR.replace("redirect-to-https", "allow-all");
    let strict = BEHAVIOUR.replace("redirect-to-https", "https-only");
    let others = format!(
        "<CacheBehaviors><Quantity>2</Quantity><Items>\
         <CacheBehavior><PathPattern>/.well-known/acme-challenge/*</PathPattern>{open}</CacheBehavior>\
         <CacheBehavior><PathPattern>/.well-known/*</PathPattern>{strict}</CacheBehavior></Items></CacheBehaviors>"
    );
    let domain = scene.deployed(&replaced(&config("one"), "CacheBehaviors", &others)).await.unwrap();
    for (path, status) in
        [("/.well-known/acme-challenge/token", 200), ("/.well-known/other", 403), ("/", 301)]
    {
        assert_eq!(scene.plain("GET", &domain, path).await.unwrap().status, status, "{path}");
    }
}

#[tokio::test]
async fn the_host_is_forwarded_only_when_the_behaviour_says_so() {
    let scene = Scene::start().await.unwrap();
    let headers = |names: &[&str]| {
        let items: Vec<String> = names.iter().map(|name| format!("<Name>{name}</Name>")).collect();
        let items = items.concat();
        let list = format!("<Headers><Quantity>{}</Quantity><Items>{items}</Items></Headers>", names.len());
        format!("<Cookies><Forward>all</Forward></Cookies>{list}")
    };
    let plain = "<Cookies><Forward>all</Forward></Cookies>";
    for (reference, listed, forwards) in [
        ("none", plain.to_owned(), false),
        ("host", headers(&["Host"]), true),
        ("other", headers(&["Accept"]), false),
        ("all", headers(&["*"]), true),
    ] {
        let wanted = config(reference).replace(plain, &listed);
        let domain = scene.deployed(&wanted).await.unwrap();
        let seen = scene.secure(&domain, "/").await.unwrap();
        let host = if forwards { domain.as_str() } else { "app.example.gov" };
        assert!(seen.answer.body.contains(&format!("host: {host}\n")), "{reference}: {}", seen.answer.body);
    }
}

#[tokio::test]
async fn managed_policies_forward_what_their_names_say() {
    let scene = Scene::start().await.unwrap();
    let caching = "<CachePolicyId>4135ea2d-6df8-44a3-9df3-4b5a84be39ad</CachePolicyId>";
    let all = "<OriginRequestPolicyId>216adef6-5c7f-47e4-b989-5492eafa07d3</OriginRequestPolicyId>";
    let but_host = "<OriginRequestPolicyId>b689b0a8-53d0-40ab-baf2-68738e2966ac</OriginRequestPolicyId>";
    for (reference, policies, host, query) in [
        ("disabled", caching.to_owned(), false, false),
        ("all-viewer", format!("{caching}{all}"), true, true),
        ("except-host", format!("{caching}{but_host}"), false, true),
    ] {
        let wanted =
            replaced(&config(reference), "ForwardedValues", &policies).replace("<MinTTL>0</MinTTL>", "");
        let domain = scene.deployed(&wanted).await.unwrap();
        let body = scene.secure(&domain, "/x?q=1").await.unwrap().answer.body;
        assert_eq!(body.contains(&format!("host: {domain}\n")), host, "{reference}: {body}");
        assert_eq!(body.contains("path: /x?q=1\n"), query, "{reference}: {body}");
    }
}

#[tokio::test]
async fn query_cookies_and_headers_follow_the_forwarded_values() {
    let scene = Scene::start().await.unwrap();
    let domain = scene.deployed(&config("all")).await.unwrap();
    let withholding = config("none")
        .replace("<QueryString>true", "<QueryString>false")
        .replace("<Forward>all", "<Forward>none");
    let none = scene.deployed(&withholding).await.unwrap();
    for (host, forwards) in [(&domain, true), (&none, false)] {
        let request = Request::get("/p?q=1")
            .header("host", host)
            .header("cookie", "a=1; b=2")
            .header("user-agent", "a browser")
            .header("x-forwarded-for", "192.0.2.1")
            .body(Full::default())
            .unwrap();
        let body = scene.with(scene.trusting().unwrap(), host, request).await.unwrap().answer.body;
        assert_eq!(body.contains("path: /p?q=1\n"), forwards, "{body}");
        assert_eq!(body.contains("header cookie: a=1; b=2\n"), forwards, "{body}");
        assert!(body.contains("header user-agent: Amazon CloudFront\n"), "{body}");
        assert!(body.contains("header x-forwarded-for: 192.0.2.1, 127.0.0.1\n"), "{body}");
    }
}
