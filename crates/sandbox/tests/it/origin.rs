use sandbox::origin::Origin;
use sandbox::pki::Ca;

use crate::web;

#[tokio::test]
async fn the_page_over_http_says_what_the_origin_saw() {
    let ca = Ca::new("origin test").unwrap();
    let origin = Origin::start(&ca, &["localhost"]).await.unwrap();
    let request = http::Request::post(format!("http://{}/some/path?a=b", origin.http()))
        .header("Host", "www.example.gov")
        .header("X-Colour", "green")
        .body(http_body_util::Full::from("ignored"))
        .unwrap();
    let page = web::send(ca.pem(), request).await.unwrap();
    let body = String::from_utf8(page.into_body().to_vec()).unwrap();
    for line in [
        "Hello from the origin, asked for www.example.gov",
        "scheme: http",
        "host: www.example.gov",
        "method: POST",
        "path: /some/path?a=b",
        "header x-colour: green",
    ] {
        assert!(body.lines().any(|seen| seen == line), "no line `{line}` in:\n{body}");
    }
}

#[tokio::test]
async fn the_page_over_https_is_served_under_the_given_authority_only() {
    let ca = Ca::new("origin test").unwrap();
    let origin = Origin::start(&ca, &["localhost"]).await.unwrap();
    let url = format!("https://localhost:{}/", origin.https().port());
    let page = web::get(ca.pem(), &url).await.unwrap();
    assert!(String::from_utf8_lossy(page.body()).contains("\nscheme: https\n"));

    let stranger = Ca::new("somebody else").unwrap();
    assert!(web::get(stranger.pem(), &url).await.is_err());
}
