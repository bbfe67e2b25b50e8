//! The front end for any name.

use sandbox::{CHALLENGE_HOST, wait_for};

use super::fixture::Scene;

#[tokio::test]
async fn any_name_is_redirected_to_the_brokers_own() {
    let scene = Scene::start().await.unwrap();
    scene.sandbox.dns().set_cname("www.example.gov", CHALLENGE_HOST).unwrap();
    for host in ["www.example.gov", CHALLENGE_HOST] {
        let answer = scene.get(host, "/.well-known/acme-challenge/token-1").await.unwrap();
        let to = format!("{}/{host}/token-1", scene.sandbox.challenge_url());
        assert_eq!((answer.status.as_u16(), answer.header("location")), (302, to.as_str()));
    }
    let loud = scene.get("WWW.example.gov", "/.well-known/acme-challenge/token-1").await.unwrap();
    assert!(loud.header("location").ends_with("/www.example.gov/token-1"));
}

#[tokio::test]
async fn other_paths_are_not_found_and_https_is_not_spoken() {
    let scene = Scene::start().await.unwrap();
    for path in ["/", "/.well-known/acme-challenge/", "/.well-known/other/token-1"] {
        assert_eq!(scene.get(CHALLENGE_HOST, path).await.unwrap().status, 404, "{path}");
    }
    let mut address = scene.sandbox.challenge_host().http();
    address.set_port(scene.sandbox.ports().https);
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn the_redirect_is_followed_to_the_broker_through_the_platforms_router() {
    let scene = Scene::start().await.unwrap();
    scene.broker.present("www.example.gov", "token-1", "proof");
    let url = url::Url::parse(&scene.sandbox.challenge_url()).unwrap();
    let path = format!("{}/www.example.gov/token-1", url.path());
    let answer = scene.get(url.host_str().unwrap(), &path).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "proof"));
    let asked = wait_for("the broker to be asked", std::time::Duration::from_secs(10), || async {
        Ok(scene.broker.asked().pop())
    });
    assert_eq!(asked.await.unwrap(), format!("http {}{path}", sandbox::BROKER_HOST));
}
