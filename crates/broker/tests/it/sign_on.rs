//! Users whom the platform signs on.

use std::sync::Arc;
use std::time::Duration;

use broker::{Pages, PublicUrl, Service};
use bytes::Bytes;
use contract::testing::MockSignOn;
use contract::{Permissions, PortError, Remedy};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use osb_core::Request;
use serde_json::json;

use crate::harness::{Bench, DOMAINS, ID, ask, headers, path, provision_body};

const ORIGIN: &str = "https://broker.example.gov";
const MANAGER: Permissions = Permissions { manage: true, read: true };
const READER: Permissions = Permissions { manage: false, read: true };
const NOBODY: Permissions = Permissions { manage: false, read: false };

impl Bench {
    /// A service whose platform gives everybody who comes with the code `good` these permissions.
    fn service_with_sign_on(&self, permissions: Option<Permissions>) -> Service {
        let mut sign_on = MockSignOn::new();
        sign_on.expect_url().returning(|back, state| {
            assert_eq!(back, format!("{ORIGIN}/sso/callback"));
            Ok(format!("https://login.example.gov/oauth/authorize?state={state}"))
        });
        sign_on.expect_permissions().returning(move |code, _, id| {
            assert_eq!(id.as_str(), ID);
            Ok(permissions.filter(|_| code == "good"))
        });
        let store = Arc::new(self.world.store.clone());
        let pages = Pages::new(store.clone(), store, PublicUrl::new(ORIGIN));
        self.service().with_pages(pages.with_sign_on(Arc::new(sign_on)))
    }
}

/// A browser with everything that it was told to keep.
struct Browser<'a> {
    service: &'a Service,
    cookies: Vec<String>,
}

impl Browser<'_> {
    async fn ask(&mut self, method: Method, path: &str, body: &str) -> Response<Bytes> {
        let mut headers = HeaderMap::new();
        headers.insert("cookie", HeaderValue::from_str(&self.cookies.join("; ")).unwrap());
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let request = Request { method: &method, path, query, headers: &headers, body: body.as_bytes() };
        let answer = self.service.answer_page(&request).await.unwrap();
        let told = answer.headers().get_all("set-cookie").into_iter();
        let told = told.filter_map(|cookie| cookie.to_str().unwrap().split(';').next().map(str::to_owned));
        self.cookies.extend(told);
        answer
    }

    async fn get(&mut self, path: &str) -> Response<Bytes> {
        self.ask(Method::GET, path, "").await
    }

    /// Asks for the page, and gives the state that goes to UAA and comes back.
    async fn sent_away(&mut self) -> String {
        let answer = self.get(&format!("/instances/{ID}")).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{answer:?}");
        let (_, state) = header(&answer, "location").split_once("?state=").unwrap();
        state.to_owned()
    }

    async fn back(&mut self, code: &str, state: &str) -> Response<Bytes> {
        self.get(&format!("/sso/callback?code={code}&state={state}")).await
    }
}

fn header<'a>(answer: &'a Response<Bytes>, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

fn text(answer: &Response<Bytes>) -> String {
    String::from_utf8(answer.body().to_vec()).unwrap()
}

async fn provisioned(bench: &Bench, service: &Service) -> String {
    let body = provision_body(&json!({"domain": DOMAINS[0]}));
    let asked = format!("{}?accepts_incomplete=true", path());
    let answer = ask(service, Method::PUT, &asked, &headers(), Some(body)).await;
    bench.worker().run_due().await.unwrap();
    answer.text("dashboard_url").to_owned()
}

#[tokio::test]
async fn whoever_may_manage_is_let_in_for_a_while() {
    let bench = Bench::new();
    let service = bench.service_with_sign_on(Some(MANAGER));
    assert_eq!(provisioned(&bench, &service).await, format!("{ORIGIN}/instances/{ID}"), "nothing secret");
    let mut browser = Browser { service: &service, cookies: Vec::new() };
    let state = browser.sent_away().await;
    let answer = browser.back("good", &state).await;
    assert_eq!(
        (answer.status(), header(&answer, "location")),
        (StatusCode::SEE_OTHER, &*format!("/instances/{ID}"))
    );
    assert!(text(&browser.get(&format!("/instances/{ID}")).await).contains("Look now"));
    bench.world.clock.advance(Duration::from_mins(15));
    browser.sent_away().await;
    assert_eq!(
        browser.get(&format!("/instances/{ID}/part")).await.status(),
        403,
        "a script is not sent away"
    );
}

#[tokio::test]
async fn whoever_may_only_read_reads() {
    let bench = Bench::new();
    let service = bench.service_with_sign_on(Some(READER));
    provisioned(&bench, &service).await;
    let mut browser = Browser { service: &service, cookies: Vec::new() };
    let state = browser.sent_away().await;
    browser.back("good", &state).await;
    let page = text(&browser.get(&format!("/instances/{ID}")).await);
    assert!(page.contains("You may see this, and not change it.") && !page.contains("Look now"), "{page}");
    let looked = browser.ask(Method::POST, &format!("/instances/{ID}/look"), "token=x").await;
    assert_eq!(looked.status(), 403);
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let bench = Bench::new();
    for (permissions, code) in [(Some(NOBODY), "good"), (None, "good"), (Some(MANAGER), "bad")] {
        let service = bench.service_with_sign_on(permissions);
        provisioned(&bench, &service).await;
        let mut browser = Browser { service: &service, cookies: Vec::new() };
        let state = browser.sent_away().await;
        let refused = browser.back(code, &state).await;
        assert_eq!(refused.status(), 403, "{permissions:?} {code}");
        assert!(!text(&refused).contains("example.gov"), "{refused:?}");
    }
}

/// Somebody who is led to the end of a way that another has begun would be let in as that other.
#[tokio::test]
async fn a_state_is_of_the_browser_that_has_begun() {
    let bench = Bench::new();
    let service = bench.service_with_sign_on(Some(MANAGER));
    provisioned(&bench, &service).await;
    let mut attacker = Browser { service: &service, cookies: Vec::new() };
    let state = attacker.sent_away().await;
    let mut victim = Browser { service: &service, cookies: Vec::new() };
    assert_eq!(victim.back("good", &state).await.status(), 403, "without a cookie");
    victim.sent_away().await;
    assert_eq!(victim.back("good", &state).await.status(), 403, "with one of their own");
    for wrong in ["", "1.A.b", "error=access_denied"] {
        assert_eq!(attacker.back("good", wrong).await.status(), 403, "{wrong}");
    }
    bench.world.clock.advance(Duration::from_mins(10));
    assert_eq!(attacker.back("good", &state).await.status(), 403, "over");
}

#[tokio::test]
async fn a_platform_that_does_not_answer_is_said_so() {
    let bench = Bench::new();
    let mut sign_on = MockSignOn::new();
    sign_on
        .expect_url()
        .returning(|_, _| Err(PortError::new("sign on", Remedy::Retry { after: None }, "gone")));
    let store = Arc::new(bench.world.store.clone());
    let pages = Pages::new(store.clone(), store, PublicUrl::new(ORIGIN)).with_sign_on(Arc::new(sign_on));
    let service = bench.service().with_pages(pages);
    let mut browser = Browser { service: &service, cookies: Vec::new() };
    assert_eq!(browser.get(&format!("/instances/{ID}")).await.status(), 503);
}
