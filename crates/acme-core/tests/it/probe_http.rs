//! HTTP answers as an authority looks for them: its rules about redirects, ports and addresses, and what is told when
//! something else comes.

use acme_core::{EdgeMark, Probe, ProbeSettings};
use anyhow::Result;
use contract::{DomainName, Hop, HttpQuestion, ProofProbe, Sighting, Verdict};
use hickory_proto::rr::RecordType;
use tokio::net::TcpListener;

use crate::support::{Answer, DnsWorld, NameServer, Page, WebServer, probe_settings};

const TOKEN: &str = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";
const ANSWER: &str =
    "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI";
const PATH: &str = "www.example.gov/.well-known/acme-challenge/LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";
const SHOWN: &str =
    "`http://www.example.gov/.well-known/acme-challenge/LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0`";

/// A resolver, a web server for http and one for https, and a probe that takes them for the world.
struct Scene {
    dns: NameServer,
    web: WebServer,
    tls: WebServer,
    probe: Probe,
}

impl Scene {
    async fn start() -> Result<Self> {
        Self::start_with(|_| {}).await
    }

    async fn start_with(change: impl FnOnce(&mut ProbeSettings)) -> Result<Self> {
        let (dns, web) = (NameServer::start().await?, WebServer::start().await?);
        let tls = WebServer::start_tls(rustls::ALL_VERSIONS).await?;
        for name in ["www.example.gov.", "old.example.gov.", "broker.example."] {
            dns.set(name, Answer::at(&["127.0.0.1"]));
        }
        let mut settings = ProbeSettings {
            http_port: web.address.port(),
            https_port: tls.address.port(),
            ..probe_settings(dns.address)
        };
        change(&mut settings);
        let probe = Probe::new(&settings)?;
        Ok(Self { dns, web, tls, probe })
    }

    async fn look(&self) -> Result<Sighting> {
        Ok(self.probe.http(&question()?).await?)
    }

    /// What is told when the name answers with this page.
    async fn saw(page: Page) -> Result<String> {
        let scene = Self::start().await?;
        scene.web.set(PATH, page);
        told(scene.look().await?)
    }
}

fn question() -> Result<HttpQuestion> {
    Ok(HttpQuestion {
        name: DomainName::parse("www.example.gov")?,
        token: TOKEN.into(),
        answer: ANSWER.into(),
    })
}

fn told(sighting: Sighting) -> Result<String> {
    match sighting.verdict {
        Verdict::Seen => anyhow::bail!("seen"),
        Verdict::NotYet { saw } => Ok(saw),
    }
}

#[tokio::test]
async fn the_answer_is_seen_with_white_space_behind_it() -> Result<()> {
    for body in [ANSWER.to_owned(), format!("{ANSWER}\r\n \t")] {
        let scene = Scene::start().await?;
        scene.web.set(PATH, Page::ok(&body));
        assert_eq!(scene.look().await?, Sighting::seen(vec![]));
    }
    let saw = Scene::saw(Page::ok(&format!(" {ANSWER}"))).await?;
    assert!(saw.contains("answers 200 with ` LoqX"), "{saw}");
    Ok(())
}

#[tokio::test]
async fn redirects_by_301_302_307_and_308_are_followed_to_http_and_https() -> Result<()> {
    for status in [301, 302, 307, 308] {
        let scene = Scene::start().await?;
        scene.web.set(PATH, Page::redirect(status, "https://old.example.gov/a"));
        scene.tls.set("old.example.gov/a", Page::redirect(status, "http://broker.example:80/label/t?x=1#y"));
        scene.web.set("broker.example/label/t?x=1", Page::ok(ANSWER));
        let hop = |to: &str| Hop::Redirect { to: to.into(), status };
        let way = vec![hop("https://old.example.gov/a"), hop("http://broker.example/label/t?x=1")];
        assert_eq!(scene.look().await?, Sighting::seen(way));
    }
    Ok(())
}

#[tokio::test]
async fn other_redirects_are_refused() -> Result<()> {
    for status in [300, 303, 305] {
        assert_eq!(
            Scene::saw(Page::redirect(status, "http://broker.example/")).await?,
            format!(
                "{SHOWN} answers {status}: of all redirects the authority follows only 301, 302, 307 and 308."
            )
        );
    }
    let saw = Scene::saw(Page::Answer(302, vec![], String::new())).await?;
    assert_eq!(saw, format!("{SHOWN} answers 302 without a URL to go to in its header Location."));
    Ok(())
}

#[tokio::test]
async fn relative_redirects_are_followed() -> Result<()> {
    let scene = Scene::start().await?;
    scene.web.set(PATH, Page::redirect(302, "/elsewhere"));
    scene.web.set("www.example.gov/elsewhere", Page::ok(ANSWER));
    assert!(scene.look().await?.is_seen());
    Ok(())
}

#[tokio::test]
async fn ten_redirects_are_followed_and_no_more() -> Result<()> {
    let scene = Scene::start().await?;
    scene.web.set(PATH, Page::redirect(302, "/1"));
    for n in 1..10 {
        scene.web.set(&format!("www.example.gov/{n}"), Page::redirect(302, &format!("/{}", n + 1)));
    }
    scene.web.set("www.example.gov/10", Page::ok(ANSWER));
    let ten = scene.look().await?;
    assert!(ten.is_seen());
    assert_eq!(ten.route.len(), 10);
    scene.web.set("www.example.gov/10", Page::redirect(302, "/11"));
    scene.web.set("www.example.gov/11", Page::ok(ANSWER));
    assert_eq!(
        told(scene.look().await?)?,
        "More than 10 redirects follow each other; the last one leads to `http://www.example.gov/11`."
    );
    Ok(())
}

#[tokio::test]
async fn a_redirect_loop_is_refused() -> Result<()> {
    let scene = Scene::start().await?;
    scene.web.set(PATH, Page::redirect(302, "/a"));
    scene.web.set("www.example.gov/a", Page::redirect(302, "/b"));
    scene.web.set("www.example.gov/b", Page::redirect(302, "/a"));
    assert_eq!(
        told(scene.look().await?)?,
        "The redirects go round in a circle: `http://www.example.gov/b` leads back to `http://www.example.gov/a`."
    );
    assert_eq!(scene.web.asked().len(), 3);
    Ok(())
}

#[tokio::test]
async fn ports_80_and_443_only() -> Result<()> {
    let other = WebServer::start().await?;
    let saw =
        Scene::saw(Page::redirect(302, &format!("http://broker.example:{}/t", other.address.port()))).await?;
    assert!(saw.ends_with("the authority connects only to ports 80 and 443."), "{saw}");
    assert!(other.asked().is_empty());
    Ok(())
}

#[tokio::test]
async fn targets_must_be_host_names_over_http() -> Result<()> {
    for (to, why) in [
        ("http://127.0.0.1/t", "the authority follows redirects to host names only, not to IP addresses."),
        ("http://[::1]/t", "the authority follows redirects to host names only, not to IP addresses."),
        ("http://0x7f.1/t", "the authority follows redirects to host names only, not to IP addresses."),
        ("http://localhost/t", "this is no full domain name, which the authority could find."),
        ("ftp://broker.example/t", "the authority follows only http and https."),
        ("file:///etc/passwd", "the authority follows only http and https."),
    ] {
        let saw = Scene::saw(Page::redirect(302, to)).await?;
        assert!(saw.ends_with(why), "{saw}");
    }
    let long = format!("http://broker.example/{}", "x".repeat(2000));
    let saw = Scene::saw(Page::redirect(302, &long)).await?;
    assert_eq!(saw, format!("{SHOWN} redirects to a URL of more than 2000 characters."));
    Ok(())
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_refused_at_every_hop() -> Result<()> {
    for address in
        ["10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1", "::1", "fd00:ec2::254", "::ffff:10.0.0.1"]
    {
        let scene = Scene::start_with(|settings| settings.allow_private_addresses = false).await?;
        scene.dns.set("www.example.gov.", Answer::at(&[address]));
        assert_eq!(
            told(scene.look().await?)?,
            format!(
                "`www.example.gov` has the address {address}, which is not on the public Internet: the authority \
                 cannot go there."
            )
        );
        assert!(scene.web.asked().is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_connected_to() -> Result<()> {
    let scene = Scene::start().await?;
    let inner = WebServer::start_at(([127, 0, 0, 9], scene.web.address.port()).into(), None).await?;
    inner.set(PATH, Page::ok(ANSWER));
    scene.web.set(PATH, Page::ok("outer"));
    // Rebinding: whoever asks a second time gets another address.
    let turns = vec![Answer::at(&["127.0.0.1"]), Answer::at(&["127.0.0.9"])];
    scene.dns.set_for("www.example.gov.", RecordType::A, Answer::InTurn(turns));
    assert!(told(scene.look().await?)?.contains("answers 200 with `outer`"));
    assert!(inner.asked().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_name_without_an_address_is_told() -> Result<()> {
    let scene = Scene::start().await?;
    scene.dns.set("www.example.gov.", Answer::Nothing);
    assert_eq!(
        told(scene.look().await?)?,
        "`www.example.gov` exists, but has no address (neither A nor AAAA) yet."
    );
    scene.dns.set("www.example.gov.", Answer::Cname("gone.example.".into()));
    let gone = scene.look().await?;
    let alias = Hop::Cname { from: "www.example.gov".into(), to: "gone.example".into() };
    assert_eq!(gone.route, vec![alias]);
    assert_eq!(
        told(gone)?,
        "The CNAME `www.example.gov` -> `gone.example` was followed: `gone.example` does not exist yet (NXDOMAIN)."
    );
    scene.dns.set("www.example.gov.", Answer::ServFail);
    assert!(told(scene.look().await?)?.starts_with("DNS fails for `www.example.gov` (SERVFAIL)"));
    Ok(())
}

#[tokio::test]
async fn the_cnames_of_every_host_are_part_of_the_way() -> Result<()> {
    let scene = Scene::start().await?;
    scene.dns.set("www.example.gov.", Answer::Cname("label.zone.example.".into()));
    scene.dns.set("label.zone.example.", Answer::Cname("challenge.example.".into()));
    scene.dns.set("challenge.example.", Answer::at(&["127.0.0.1"]));
    scene.web.set(PATH, Page::redirect(302, "http://broker.example/www.example.gov/t"));
    let found = vec![("x-acme-responder", "host www.example.gov".to_owned())];
    scene.web.set("broker.example/www.example.gov/t", Page::Answer(200, found, ANSWER.into()));
    let cname = |from: &str, to: &str| Hop::Cname { from: from.into(), to: to.into() };
    assert_eq!(
        scene.look().await?,
        Sighting::seen(vec![
            cname("www.example.gov", "label.zone.example"),
            cname("label.zone.example", "challenge.example"),
            Hop::Redirect { to: "http://broker.example/www.example.gov/t".into(), status: 302 },
            Hop::Responder { place: "host www.example.gov".into() },
        ])
    );
    Ok(())
}

#[tokio::test]
async fn ipv6_is_tried_first_and_ipv4_when_it_does_not_take_the_connection() -> Result<()> {
    let scene = Scene::start().await?;
    scene.dns.set("www.example.gov.", Answer::at(&["127.0.0.1", "::1"]));
    scene.web.set(PATH, Page::ok(ANSWER));
    assert!(scene.look().await?.is_seen());
    let Ok(v6) =
        WebServer::start_at((std::net::Ipv6Addr::LOCALHOST, scene.web.address.port()).into(), None).await
    else {
        return Ok(());
    };
    assert!(told(scene.look().await?)?.contains("answers 404"));
    assert_eq!(v6.asked(), [PATH]);
    Ok(())
}

#[tokio::test]
async fn a_refused_connection_is_told() -> Result<()> {
    let closed = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
    let scene = Scene::start_with(|settings| settings.http_port = closed).await?;
    assert_eq!(told(scene.look().await?)?, "`www.example.gov` (127.0.0.1) refuses connections to port 80.");
    Ok(())
}

#[tokio::test]
async fn an_answer_that_never_comes_is_told() -> Result<()> {
    let saw = Scene::saw(Page::Silence).await?;
    assert_eq!(saw, format!("{SHOWN} gave no complete answer: after 10 seconds the look was over."));
    Ok(())
}

#[tokio::test]
async fn what_is_no_http_is_told() -> Result<()> {
    let saw = Scene::saw(Page::Garbage).await?;
    assert!(saw.starts_with("`www.example.gov` (127.0.0.1) does not answer in HTTP at port 80"), "{saw}");
    Ok(())
}

#[tokio::test]
async fn an_https_target_without_tls_is_told() -> Result<()> {
    let scene = Scene::start_with(|settings| settings.https_port = settings.http_port).await?;
    scene.web.set(PATH, Page::redirect(302, "https://broker.example/t"));
    let saw = told(scene.look().await?)?;
    assert!(
        saw.starts_with("`broker.example` (127.0.0.1) does not speak TLS 1.2 or 1.3 at port 443"),
        "{saw}"
    );
    Ok(())
}

#[tokio::test]
async fn tls_1_2_is_enough_and_the_certificate_does_not_matter() -> Result<()> {
    let tls = WebServer::start_tls(&[&rustls::version::TLS12]).await?;
    let scene = Scene::start_with(|settings| settings.https_port = tls.address.port()).await?;
    scene.web.set(PATH, Page::redirect(302, "https://broker.example/t"));
    tls.set("broker.example/t", Page::ok(ANSWER));
    assert!(scene.look().await?.is_seen());
    Ok(())
}

#[tokio::test]
async fn statuses_other_than_200_are_told() -> Result<()> {
    for (status, why) in [
        (401, "it wants a password, which the authority does not have"),
        (403, "it forbids everybody to see this path"),
        (404, "no rule for this path is in effect there yet"),
        (204, "the authority takes only 200"),
        (503, "the server fails"),
    ] {
        let saw = Scene::saw(Page::Answer(status, vec![], String::new())).await?;
        assert_eq!(saw, format!("{SHOWN} answers {status}: {why}."));
    }
    let scene = Scene::start().await?;
    scene.web.set(PATH, Page::redirect(302, "http://broker.example/label/t"));
    assert_eq!(
        told(scene.look().await?)?,
        "`http://broker.example/label/t` answers 404: the redirect leads to a place that does not know this token."
    );
    Ok(())
}

#[tokio::test]
async fn a_name_that_already_points_at_the_distribution_is_recognised() -> Result<()> {
    let marks = vec![
        EdgeMark { header: "x-edge-id".into(), value: None },
        EdgeMark { header: "server".into(), value: Some("Edge".into()) },
    ];
    for mark in [("x-edge-id", "abc"), ("server", "edge")] {
        let scene = Scene::start_with(|settings| settings.edge_marks = marks.clone()).await?;
        scene.web.set(PATH, Page::Answer(403, vec![(mark.0, mark.1.to_owned())], "<html>".into()));
        assert_eq!(
            told(scene.look().await?)?,
            "`www.example.gov` already points at the CDN, which does not know the name yet and answers 403: that is \
             how the instructions of 2019 had it, but now the name may only be pointed there when the certificate is \
             in place."
        );
        scene.web.set(PATH, Page::Answer(200, vec![(mark.0, mark.1.to_owned())], ANSWER.into()));
        assert!(scene.look().await?.is_seen());
    }
    let saw = Scene::saw(Page::Answer(403, vec![("server", "other".into())], String::new())).await?;
    assert!(saw.contains("forbids everybody"), "{saw}");
    Ok(())
}

#[tokio::test]
async fn a_page_that_answers_200_with_html_is_told() -> Result<()> {
    let html = "answers 200 with a web page (HTML) instead of the token's answer: the page for everything else comes \
                before the rule for this path.";
    let kind = vec![("content-type", "text/HTML; charset=utf-8".to_owned())];
    for page in [Page::ok("\n<!doctype html><html>"), Page::Answer(200, kind, "Welcome".into())] {
        let scene = Scene::start().await?;
        scene.web.set(PATH, page);
        let sighting = scene.look().await?;
        assert_eq!(sighting.route, [Hop::Page]);
        assert_eq!(told(sighting)?, format!("{SHOWN} {html}"));
    }
    Ok(())
}

#[tokio::test]
async fn another_clients_answer_is_told() -> Result<()> {
    let print = "x".repeat(43);
    let saw = Scene::saw(Page::ok(&format!("{TOKEN}.{print}"))).await?;
    assert!(saw.contains("answers for this token with the key of another ACME account"), "{saw}");
    let saw = Scene::saw(Page::ok(&format!("another-token-of-the-usual-length.{print}"))).await?;
    assert!(saw.contains("answers with another token's answer"), "{saw}");
    let saw = Scene::saw(Page::ok("")).await?;
    assert!(saw.contains("answers 200 with nothing in it"), "{saw}");
    Ok(())
}

#[tokio::test]
async fn no_more_than_64_kib_are_taken() -> Result<()> {
    let saw = Scene::saw(Page::ok(&"x".repeat(64 * 1024 + 1))).await?;
    assert_eq!(saw, format!("{SHOWN} answers 200 with more than 64 KiB, which is not the token's answer."));
    let scene = Scene::start().await?;
    scene.web.set(PATH, Page::ok(&format!("{ANSWER}{}", " ".repeat(60 * 1024))));
    assert!(scene.look().await?.is_seen());
    Ok(())
}

#[tokio::test]
async fn the_addresses_come_from_every_authoritative_server() -> Result<()> {
    let world = DnsWorld::start(&[("example.gov.", 2), ("zone.example.", 1)]).await?;
    let web = WebServer::start().await?;
    web.set(PATH, Page::ok(ANSWER));
    let settings = ProbeSettings { http_port: web.address.port(), ..probe_settings(world.resolver.address) };
    let probe = Probe::new(&settings)?;
    world.set("www.example.gov.", &Answer::at(&["127.0.0.1"]));
    assert!(probe.http(&question()?).await?.is_seen());
    world.servers("www.example.gov.")[0].set("www.example.gov.", Answer::Cname("a.zone.example.".into()));
    let saw = told(probe.http(&question()?).await?)?;
    assert!(saw.starts_with("The name servers of `www.example.gov` do not agree about it yet"), "{saw}");
    world.set("www.example.gov.", &Answer::at(&["127.0.0.1"]));
    world.resolver.set("www.example.gov.", Answer::Bogus(Box::new(Answer::at(&["127.0.0.1"]))));
    let saw = told(probe.http(&question()?).await?)?;
    assert!(saw.starts_with("The answer is there, but the DNSSEC of `www.example.gov` is broken"), "{saw}");
    Ok(())
}
