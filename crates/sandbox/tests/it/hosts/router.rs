//! The platform's router.

use sandbox::{BROKER_HOST, Client};

use super::fixture::{Broker, Scene};

#[tokio::test]
async fn a_foreign_name_is_404_whatever_the_path() {
    let scene = Scene::start().await.unwrap();
    scene.sandbox.dns().set_cname("www.example.gov", BROKER_HOST).unwrap();
    for path in ["/", "/.well-known/acme-challenge/token-1"] {
        let answer = scene.get("www.example.gov", path).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.header("x-cf-routererror")), (404, "unknown_route"));
        assert_eq!(answer.body, "404 Not Found: Requested route ('www.example.gov') does not exist.\n");
    }
    assert!(scene.broker.asked().is_empty());
    assert_eq!(scene.get(BROKER_HOST, "/v2/catalog").await.unwrap().status, 404, "the broker's own answer");
    assert_eq!(scene.broker.asked(), [format!("http {BROKER_HOST}/v2/catalog")]);
}

#[tokio::test]
async fn processes_take_turns_and_a_dead_one_is_passed_over() {
    let scene = Scene::start().await.unwrap();
    let second = Broker::start().await.unwrap();
    scene.sandbox.router().map(BROKER_HOST, crate::edge::fixture::nobody().await.unwrap());
    scene.sandbox.router().map(BROKER_HOST, second.address);
    for _ in 0..6 {
        assert_eq!(scene.get(BROKER_HOST, "/").await.unwrap().status, 404);
    }
    let asked = [scene.broker.asked().len(), second.asked().len()];
    assert_eq!(asked.iter().sum::<usize>(), 6);
    assert!(asked.iter().all(|count| *count >= 2), "{asked:?}");
}

#[tokio::test]
async fn a_name_whose_processes_are_all_dead_is_502() {
    let scene = Scene::start().await.unwrap();
    scene.sandbox.router().map("dead.example.net", crate::edge::fixture::nobody().await.unwrap());
    let router = scene.sandbox.router().http().ip();
    scene.sandbox.dns().set_a("dead.example.net", vec![router]).unwrap();
    let answer = scene.get("dead.example.net", "/").await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.header("x-cf-routererror")), (502, "endpoint_failure"));
}

#[tokio::test]
async fn https_is_spoken_on_the_shared_port() {
    let scene = Scene::start().await.unwrap();
    let router = scene.sandbox.router().https();
    assert_eq!(router.port(), scene.sandbox.ports().https);
    // Nobody here trusts its certificate: the handshake is refused by us, so a server speaks TLS there.
    let refused = Client::trusting("").unwrap().get(&format!("https://{router}/")).await.unwrap_err();
    assert!(format!("{refused:#}").contains("certificate"), "{refused:#}");
}
