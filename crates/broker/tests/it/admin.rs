//! The operator's overview.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use broker::{AdminStores, Service};
use bytes::Bytes;
use contract::testing::{MockAllowance, sample};
use contract::{Clock, Incident, IncidentId, IncidentStore, KnownLimit, OperationState, RoomOf};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use osb_core::Request;

use crate::harness::{Bench, ID, headers};

impl Bench {
    fn service_with_an_overview(&self) -> Service {
        let store = Arc::new(self.world.store.clone());
        self.service().with_admin(AdminStores {
            census: store.clone(),
            incidents: store.clone(),
            breakers: store.clone(),
            checks: store,
            allowance: Arc::new(allowance()),
        })
    }
}

/// An authority with a limit of each kind: one is free, of another only renewals may take, the third is used up.
fn allowance() -> MockAllowance {
    let limit = |limit, most, kept, rooms: &[(Option<&str>, f64)]| KnownLimit {
        limit,
        most,
        period: Duration::from_hours(7 * 24),
        kept,
        rooms: rooms.iter().map(|(of, left)| RoomOf { whose: of.map(str::to_owned), left: *left }).collect(),
    };
    let mut allowance = MockAllowance::new();
    allowance.expect_limits().returning(move |_| {
        Ok(vec![
            limit("orders", 300, 60.0, &[(None, 211.7)]),
            limit(
                "certificates-per-domain",
                50,
                10.0,
                &[(Some("example.gov"), 0.4), (Some("<b>.org"), 10.999)],
            ),
            limit("certificates-per-set", 5, 0.0, &[(Some("3q2-7wAbCdEfGh"), 4.999_999_9)]),
            limit("failures", 5, 0.0, &[]),
        ])
    });
    allowance
}

/// The part of the page that is about the limits, without markup.
fn room(page: &str) -> Vec<String> {
    let (_, part) = page.split_once("h-ledger\">").unwrap();
    let (part, _) = part.split_once("</section>").unwrap();
    let mut lines = Vec::new();
    for line in part.split("</p>").flat_map(|part| part.split("</li>")).flat_map(|part| part.split("</h2>")) {
        let mut text = String::new();
        for piece in line.split('<') {
            text.push_str(piece.split_once('>').map_or(piece, |(_, text)| text));
        }
        lines.push(text);
    }
    lines
}

#[tokio::test]
async fn the_room_under_the_authoritys_limits_is_on_the_overview() {
    let bench = Bench::new();
    let page = text(&get(&bench.service_with_an_overview(), "/admin", &headers()).await);
    insta::assert_snapshot!("room", room(&page).join("\n"));
}

async fn get(service: &Service, path: &str, headers: &HeaderMap) -> Response<Bytes> {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let request = Request { method: &Method::GET, path, query, headers, body: b"" };
    service.answer_page(&request).await.unwrap()
}

fn text(answer: &Response<Bytes>) -> String {
    String::from_utf8(answer.body().to_vec()).unwrap()
}

#[tokio::test]
async fn the_overview_is_the_operators_alone() {
    let bench = Bench::new();
    bench.provision_both().await;
    let service = bench.service_with_an_overview();
    let mut wrong = HeaderMap::new();
    wrong.insert("authorization", HeaderValue::from_static("Basic dXNlcjp3cm9uZw=="));
    for stranger in [HeaderMap::new(), wrong] {
        for path in ["/admin", "/admin/instances"] {
            let answer = get(&service, path, &stranger).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
            assert!(answer.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic"));
            assert_eq!(answer.headers()["cache-control"], "no-store");
            assert!(!text(&answer).contains(ID));
        }
    }
}

#[tokio::test]
async fn the_overview_counts_what_there_is_and_says_what_is_wrong() {
    let bench = Bench::serving().await;
    assert_eq!(bench.latest().await, Some(OperationState::Succeeded));
    let now = bench.world.clock.now();
    let incident = Incident {
        id: IncidentId::new("i-1"),
        subject: "the vault".to_owned(),
        message: "<b>AccessDenied</b> (request r-1)".to_owned(),
        side: None,
        affected: vec![sample::instance(ID, &["www.example.gov"]).id],
        opened_at: now,
        last_at: now,
        raised: 1,
        turns: 1,
        closed_at: None,
        version: 1,
    };
    assert!(IncidentStore::open(&bench.world.store, &incident, &[]).await.unwrap());
    let service = bench.service_with_an_overview();
    let page = text(&get(&service, "/admin", &headers()).await);
    for part in [
        "<dt>ready</dt><dd>1</dd>",
        "60 and more",
        "Open incidents",
        "None has been run.",
        "For users, who prove their domains",
    ] {
        assert!(page.contains(part), "`{part}` is not in {page}");
    }
    assert!(!page.contains("<b>AccessDenied"));
    let list = text(&get(&service, "/admin/instances", &headers()).await);
    assert!(list.contains(ID) && list.contains("www.example.gov and docs.example.gov"), "{list}");
    let rest = text(&get(&service, &format!("/admin/instances?after={ID}"), &headers()).await);
    assert!(rest.contains("There are no more."), "{rest}");
}

/// R118: wrong passwords at the overview are counted with those at the API; who has the right one is let in all the same.
#[tokio::test]
async fn r118_wrong_passwords_at_the_overview_are_those_of_the_api() {
    let bench = Bench::new();
    let service = bench.service_with_an_overview();
    let mut wrong = HeaderMap::new();
    wrong.insert("authorization", HeaderValue::from_static("Basic dXNlcjp3cm9uZw=="));
    let peer = Some(IpAddr::from([192, 0, 2, 7]));
    let request = |path, headers| Request { method: &Method::GET, path, query: None, headers, body: b"" };
    let mut statuses = Vec::new();
    for _ in 0..101 {
        let answer = service.answer_page_to(&request("/admin", &wrong), peer).await.unwrap();
        statuses.push(answer.status());
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            assert_eq!(answer.headers()["retry-after"], "1");
        }
    }
    assert!(statuses[..100].iter().all(|status| *status == StatusCode::UNAUTHORIZED), "{statuses:?}");
    assert_eq!(statuses[100], StatusCode::TOO_MANY_REQUESTS);
    let at_the_api = service.answer_to(&request("/v2/catalog", &wrong), peer).await;
    assert_eq!(at_the_api.status(), StatusCode::TOO_MANY_REQUESTS, "it is one count");
    let right = service.answer_page_to(&request("/admin", &headers()), peer).await.unwrap();
    assert_eq!(right.status(), StatusCode::OK);
}
