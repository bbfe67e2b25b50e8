//! The page of an instance, as a browser without a script sees it.

use std::sync::Arc;
use std::time::Duration;

use broker::{Pages, PublicUrl, Service};
use bytes::Bytes;
use contract::testing::sample;
use contract::{
    Clock, InstanceId, Lead, LeadEnd, OperationState, OperationStore, PageStore, PortError, Reach, Remedy,
    Sight, SiteFinding, Survey, TroubleStore, Upstream,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use osb_core::Request;
use serde_json::{Value, json};

use crate::harness::{Bench, DOMAINS, ID, ask, headers, path, provision_body};

const ORIGIN: &str = "https://broker.example.gov";

/// Somebody who opens pages, with what their browser keeps.
struct Browser {
    service: Service,
    cookie: Option<String>,
}

impl Bench {
    fn pages(&self) -> Pages {
        let store = Arc::new(self.world.store.clone());
        Pages::new(store.clone(), store, PublicUrl::new(ORIGIN))
    }

    fn service_with_pages(&self) -> Service {
        self.service().with_pages(self.pages())
    }

    /// Asks for both domains, and gives the link that the platform is told.
    async fn provisioned_with_a_page(&self) -> String {
        let body = provision_body(&json!({"domain": DOMAINS.join(",")}));
        let asked = format!("{}?accepts_incomplete=true", path());
        let answer = ask(&self.service_with_pages(), Method::PUT, &asked, &headers(), Some(body)).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.text("dashboard_url").to_owned()
    }

    async fn visitor(&self) -> Browser {
        let link = self.provisioned_with_a_page().await;
        self.opened(&link).await
    }

    async fn opened(&self, link: &str) -> Browser {
        let mut browser = Browser { service: self.service_with_pages(), cookie: None };
        let answer = browser.open(link).await;
        assert_eq!(answer.status(), 303, "{answer:?}");
        browser
    }
}

impl Browser {
    async fn ask(
        &self,
        method: Method,
        path: &str,
        more: &[(&'static str, &str)],
        body: &str,
    ) -> Response<Bytes> {
        let mut headers = HeaderMap::new();
        if let Some(cookie) = &self.cookie {
            headers.insert("cookie", HeaderValue::from_str(&format!("other=1; {cookie}")).unwrap());
        }
        for (name, value) in more {
            headers.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let request = Request { method: &method, path, query, headers: &headers, body: body.as_bytes() };
        self.service.answer_page(&request).await.unwrap()
    }

    async fn get(&self, path: &str) -> Response<Bytes> {
        self.ask(Method::GET, path, &[], "").await
    }

    /// Opens a link and keeps the cookie.
    async fn open(&mut self, link: &str) -> Response<Bytes> {
        let answer = self.get(link.strip_prefix(ORIGIN).unwrap_or(link)).await;
        if let Some(cookie) = answer.headers().get("set-cookie") {
            self.cookie = cookie.to_str().unwrap().split(';').next().map(str::to_owned);
        }
        answer
    }

    async fn page(&self) -> String {
        let answer = self.get(&format!("/instances/{ID}")).await;
        assert_eq!(answer.status(), 200);
        text(&answer)
    }

    async fn look(&self, token: &str, more: &[(&'static str, &str)]) -> Response<Bytes> {
        self.ask(Method::POST, &format!("/instances/{ID}/look"), more, &format!("token={token}")).await
    }
}

fn text(answer: &Response<Bytes>) -> String {
    String::from_utf8(answer.body().to_vec()).unwrap()
}

fn header<'a>(answer: &'a Response<Bytes>, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// What the form of a page carries.
fn token(page: &str) -> &str {
    let (_, rest) = page.split_once("name=\"token\" value=\"").unwrap();
    rest.split('"').next().unwrap()
}

/// R59, R53, R78, R92: the platform is told where the page is in the first answer, and again whenever it asks.
#[tokio::test]
async fn r59_the_page_is_in_the_first_answer_and_in_those_that_repeat_it() {
    let bench = Bench::new();
    let link = bench.provisioned_with_a_page().await;
    assert!(link.starts_with(&format!("{ORIGIN}/instances/{ID}/open/")), "{link}");
    assert_eq!(bench.provisioned_with_a_page().await, link, "a repeated request");
    bench.prove_all();
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    let service = bench.service_with_pages();
    let shown = ask(&service, Method::GET, &path(), &headers(), None).await;
    assert_eq!(shown.text("dashboard_url"), link);
    bench.pages().revoke(&InstanceId::new(ID)).await.unwrap();
    let body = json!({"service_id": broker::SERVICE_ID, "parameters": {}});
    let asked = format!("{}?accepts_incomplete=true", path());
    let looked = ask(&service, Method::PATCH, &asked, &headers(), Some(body)).await;
    assert!(looked.text("dashboard_url").starts_with(ORIGIN));
    assert_ne!(looked.text("dashboard_url"), link, "the platform learns of the new link");

    let without = ask(&bench.service(), Method::GET, &path(), &headers(), None).await;
    assert_eq!(without.body["dashboard_url"], Value::Null, "nobody knows where browsers would find it");
}

#[tokio::test]
async fn a_link_is_exchanged_for_a_session_and_does_not_stay() {
    let bench = Bench::new();
    let link = bench.provisioned_with_a_page().await;
    let mut browser = Browser { service: bench.service_with_pages(), cookie: None };
    let answer = browser.open(&link).await;
    assert_eq!(
        (answer.status(), header(&answer, "location")),
        (StatusCode::SEE_OTHER, &*format!("/instances/{ID}"))
    );
    let cookie = header(&answer, "set-cookie");
    for part in
        ["__Secure-cdn-page=", "; HttpOnly", "; SameSite=Lax", "; Secure", &format!("; Path=/instances/{ID}")]
    {
        assert!(cookie.contains(part), "{part} is not in {cookie}");
    }
    let page = browser.page().await;
    let secret = link.rsplit('/').next().unwrap();
    assert!(!page.contains(secret), "the secret of the link is on the page");
    assert!(page.contains("www.example.gov and docs.example.gov"), "{page}");
}

/// Whatever is wrong, and whether there is such an instance or not, the answer is the same.
#[tokio::test]
async fn nothing_is_told_to_who_may_not_see_it() {
    let bench = Bench::new();
    let link = bench.provisioned_with_a_page().await;
    let mut browser = Browser { service: bench.service_with_pages(), cookie: None };
    let expected = browser.get("/instances/unknown").await;
    assert_eq!(expected.status(), 403);
    assert!(text(&expected).contains("cf update-service NAME -c '{}'"), "what to do is not said");
    let secret = link.rsplit('/').next().unwrap().to_owned();
    let forged = [
        format!("/instances/{ID}"),
        format!("/instances/{ID}/part"),
        format!("/instances/{ID}/status.json"),
        format!("/instances/{ID}/open/"),
        format!("/instances/{ID}/open/{}", &secret[1..]),
        format!("/instances/{ID}/open/A{}", &secret[1..]),
        format!("/instances/unknown/open/{secret}"),
        format!("/instances/{ID}/nothing"),
        "/instances/".to_owned(),
        "/instances/a%0d%0ab".to_owned(),
        "/assets/nothing".to_owned(),
    ];
    for path in &forged {
        let answer = browser.open(path).await;
        assert_eq!(same(&answer), same(&expected), "{path}");
    }
    let by_post = browser.ask(Method::POST, &format!("/instances/{ID}/look"), &[], "token=").await;
    assert_eq!(same(&by_post), same(&expected));

    // Of another instance, ended, and revoked.
    browser.open(&link).await;
    assert_eq!(
        same(&browser.get("/instances/other").await),
        same(&expected),
        "a session of another instance"
    );
    bench.world.clock.advance(Duration::from_hours(12));
    assert_eq!(
        same(&browser.get(&format!("/instances/{ID}")).await),
        same(&expected),
        "a session that has ended"
    );
    browser.open(&link).await;
    browser.page().await;
    bench.pages().revoke(&InstanceId::new(ID)).await.unwrap();
    assert_eq!(
        same(&browser.get(&format!("/instances/{ID}")).await),
        same(&expected),
        "a session that was revoked"
    );
    assert_eq!(same(&browser.open(&link).await), same(&expected), "a link that was revoked");
}

/// All that an answer tells.
fn same(answer: &Response<Bytes>) -> (StatusCode, String, HeaderMap) {
    (answer.status(), text(answer), answer.headers().clone())
}

#[tokio::test]
async fn a_page_keeps_browsers_to_what_it_is() {
    let bench = Bench::new();
    let browser = bench.visitor().await;
    let answer = browser.get(&format!("/instances/{ID}")).await;
    for (name, part) in [
        ("content-security-policy", "default-src 'none'"),
        ("content-security-policy", "frame-ancestors 'none'"),
        ("content-security-policy", "script-src 'self';"),
        ("content-security-policy", "style-src 'self';"),
        ("x-frame-options", "DENY"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("connection", "close"),
    ] {
        assert!(header(&answer, name).contains(part), "{name}: {:?}", answer.headers());
    }
    let page = text(&answer);
    for inline in ["style=", "<style", "onclick", "javascript:", "<script>"] {
        assert!(!page.contains(inline), "{inline} is in the page");
    }
    for (start, kind) in [("href=\"/assets/", "text/css"), ("src=\"/assets/", "text/javascript")] {
        let (_, rest) = page.split_once(start).unwrap();
        let asset = browser.get(&format!("/assets/{}", rest.split('"').next().unwrap())).await;
        assert_eq!(asset.status(), 200);
        assert!(header(&asset, "content-type").starts_with(kind));
        assert_eq!(header(&asset, "cache-control"), "public, max-age=31536000, immutable");
    }
    let posted = browser.ask(Method::POST, &format!("/instances/{ID}"), &[], "").await;
    assert_eq!((posted.status(), header(&posted, "allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD"));
}

#[tokio::test]
async fn the_page_shows_what_to_do_and_its_part_changes_when_something_has() {
    let bench = Bench::new();
    let browser = bench.visitor().await;
    bench.worker().run_due().await.unwrap();
    let page = browser.page().await;
    for part in
        ["Waiting for you", "To be proven by you", "Set a TXT record", "Prove the domains", "Under way since"]
    {
        assert!(page.contains(part), "`{part}` is not in {page}");
    }
    let part = browser.get(&format!("/instances/{ID}/part")).await;
    let tag = header(&part, "etag").to_owned();
    assert!(page.contains(&text(&part)), "the part is what stands in the page");
    let again =
        browser.ask(Method::GET, &format!("/instances/{ID}/part"), &[("if-none-match", &tag)], "").await;
    assert_eq!(
        (again.status(), again.body().len(), header(&again, "x-again")),
        (StatusCode::NOT_MODIFIED, 0, "3")
    );

    bench.prove_all();
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    let changed =
        browser.ask(Method::GET, &format!("/instances/{ID}/part"), &[("if-none-match", &tag)], "").await;
    assert_eq!(changed.status(), 200);
    for part in [
        "The CDN serves www.example.gov and docs.example.gov over HTTPS",
        "Certificate",
        "Sample Authority (S1)",
        "Days left",
    ] {
        assert!(text(&changed).contains(part), "`{part}` is not in {}", text(&changed));
    }
}

#[tokio::test]
async fn programs_read_the_same_without_what_is_the_operators() {
    let bench = Bench::new();
    let browser = bench.visitor().await;
    bench
        .world
        .plan
        .fail("cdn.ensure", 1, || PortError::new("create", Remedy::Retry { after: None }, "request r-1"));
    bench.worker().run_due().await.unwrap();
    let status: Value =
        serde_json::from_slice(browser.get(&format!("/instances/{ID}/status.json")).await.body()).unwrap();
    assert_eq!((&status["id"], &status["state"]), (&json!(ID), &json!("provisioning")));
    assert_eq!(status["operations"][0]["kind"], json!("provision"));
    assert!(status["description"].as_str().unwrap().contains("Creating the CDN distribution."), "{status:#}");
    assert!(!status.to_string().contains("r-1"), "{status:#}");
    assert!(!browser.page().await.contains("r-1"));
}

#[tokio::test]
async fn a_look_needs_the_form_and_is_taken_once_in_a_while() {
    let bench = Bench::new();
    let browser = bench.visitor().await;
    bench.worker().run_due().await.unwrap();
    bench
        .work_until(async |bench| due(bench).await > bench.world.clock.now() + Duration::from_secs(20))
        .await;
    let page = browser.page().await;
    let (refused, token) = (browser.look("forged", &[]).await, token(&page));
    assert_eq!(refused.status(), 403);
    assert_eq!(browser.look(token, &[("sec-fetch-site", "cross-site")]).await.status(), 403);
    assert!(due(&bench).await > bench.world.clock.now(), "nothing has happened");

    let looked = browser.look(token, &[("sec-fetch-site", "same-origin")]).await;
    assert_eq!(
        (looked.status(), header(&looked, "location")),
        (StatusCode::SEE_OTHER, &*format!("/instances/{ID}?note=looked"))
    );
    assert_eq!(due(&bench).await, bench.world.clock.now(), "the worker goes on at once");
    let soon = browser.look(token, &[]).await;
    assert_eq!(header(&soon, "location"), format!("/instances/{ID}?note=soon"));
    let by_script = browser.look(token, &[("x-page", "1")]).await;
    assert_eq!(
        (by_script.status(), header(&by_script, "retry-after")),
        (StatusCode::TOO_MANY_REQUESTS, "10")
    );
    bench.world.clock.advance(Duration::from_secs(10));
    assert_eq!(browser.look(token, &[("x-page", "1")]).await.status(), 204);
    let noted = browser.get(&format!("/instances/{ID}?note=<b>")).await;
    assert!(!text(&noted).contains("<b>"));
}

/// When the worker goes on with the operation.
async fn due(bench: &Bench) -> contract::Timestamp {
    let standing = bench.world.store.standing(&InstanceId::new(ID)).await.unwrap().unwrap();
    standing.latest.unwrap().next_at
}

/// Whatever comes from the DNS or from users is text.
#[tokio::test]
async fn what_others_have_written_is_escaped() {
    const HOSTILE: &str = "<script>alert(1)</script><img src=x onerror=\"alert(2)\">'`";
    let bench = Bench::new();
    let browser = bench.visitor().await;
    let now = bench.world.clock.now();
    bench.world.issuer.hold_back(now + Duration::from_mins(5), HOSTILE);
    bench.worker().run_due().await.unwrap();
    let waiting = browser.page().await;
    assert!(waiting.contains("&lt;script&gt;alert(1)"), "{waiting}");
    assert!(!waiting.contains("<script>alert") && !waiting.contains("<img"));

    bench.prove_all();
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    let name = sample::name(DOMAINS[0]);
    let lead =
        Lead { aliases: vec!["<b>evil</b>.example".into()], end: LeadEnd::Unclear { saw: HOSTILE.into() } };
    let sights = vec![Sight { name, lead: Some(lead), outlook: None }];
    let survey = Survey { at: bench.world.clock.now(), sights };
    bench.world.store.keep_survey(&InstanceId::new(ID), &survey).await.unwrap();
    let serving = browser.page().await;
    assert!(serving.contains("&lt;img src=x"), "{serving}");
    assert!(!serving.contains("<script>alert") && !serving.contains("<img") && !serving.contains("<b>"));
}

/// Who has lost the key of links has lost the pages, and nothing else.
#[tokio::test]
async fn a_key_that_cannot_be_opened_keeps_nobody_from_the_service() {
    let bench = Bench::new();
    bench.world.plan.fail("pages.ensure_key", 1, || PortError::new("read", Remedy::GiveUp, "another key"));
    assert_eq!(bench.provisioned_with_a_page().await, "", "accepted, without a link");
}

/// One that the operator can put back is told to them.
#[tokio::test]
async fn a_key_that_is_missing_keeps_nobody_from_the_service_and_is_told() {
    let bench = Bench::new();
    bench.world.plan.fail("pages.ensure_key", 1, || {
        PortError::new("read the key of links", Remedy::AwaitOperator, "not configured")
            .stopping(Upstream::SealingKeys, Reach::Everything)
    });
    assert_eq!(bench.provisioned_with_a_page().await, "", "accepted, without a link");
    let raised = bench.world.alerts.raised();
    assert_eq!(raised.iter().map(|one| one.subject.as_str()).collect::<Vec<_>>(), ["breaker sealing-keys"]);
}

/// When the store does not answer, nothing is said about the instance.
#[tokio::test]
async fn a_page_says_when_it_cannot_be_shown() {
    let bench = Bench::new();
    let browser = bench.visitor().await;
    bench
        .world
        .plan
        .fail("operations.standing", 1, || PortError::new("read", Remedy::Retry { after: None }, "gone"));
    let answer = browser.get(&format!("/instances/{ID}")).await;
    assert_eq!((answer.status(), header(&answer, "retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "30"));
    assert!(text(&answer).contains("reload this page in a minute"));
}

/// What `live-sites` has found stands with its domain, for people and for programs.
#[tokio::test]
async fn what_visits_have_found_is_on_the_page() {
    let bench = Bench::new();
    let browser = bench.visitor().await;
    bench.worker().run_due().await.unwrap();
    bench.prove_all();
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    let now = bench.world.clock.now();
    let finding = |domain: &str, told| SiteFinding {
        name: sample::name(domain),
        kind: "challenge-path".to_owned(),
        sentence: format!("<b>{domain}</b> answers with 403."),
        since: now,
        last: now,
        looks: 2,
        told,
    };
    let found = [finding(DOMAINS[0], true), finding(DOMAINS[1], false)];
    bench.world.store.keep_findings(&InstanceId::new(ID), &found).await.unwrap();
    let page = browser.page().await;
    let told =
        "&lt;b&gt;www.example.gov&lt;/b&gt; answers with 403. The operators of this service have been told.";
    assert!(page.contains(told) && page.contains("first "), "{page}");
    assert!(
        !page.contains("docs.example.gov</b> answers") && !page.contains("docs.example.gov&lt;/b&gt;"),
        "{page}"
    );
    let status: Value =
        serde_json::from_slice(browser.get(&format!("/instances/{ID}/status.json")).await.body()).unwrap();
    assert_eq!(status["findings"].as_array().map(Vec::len), Some(1), "{status:#}");
    assert_eq!(status["findings"][0]["kind"], "challenge-path");
    assert!(status["description"].as_str().unwrap().contains("answers with 403."), "{status:#}");
    bench.world.store.keep_findings(&InstanceId::new(ID), &[]).await.unwrap();
    assert!(!browser.page().await.contains("answers with 403"));
}
