//! `cf update-service`, from outside: what changes, what does not, and what it costs.

use anyhow::{Context, ensure};
use http::{Method, Request};
use http_body_util::Full;
use sandbox::aws::{CertificateState, DistributionState};
use sandbox::{Client, wait_for};
use serde_json::{Value, json};

use crate::house::{
    Answer, BOUND, House, PLAN_ID, SERVICE_ID, issued, names_never_without_certificate, nothing_left,
};

const ID: &str = "3f1c9a52-0000-4000-8000-000000000031";
const OLD: [&str; 2] = ["www.example.gov", "docs.example.gov"];
const NEW: &str = "new.example.gov";

impl House {
    async fn update(&self, parameters: Value) -> anyhow::Result<Answer> {
        self.patch(json!({"service_id": SERVICE_ID, "plan_id": PLAN_ID, "parameters": parameters})).await
    }

    async fn patch(&self, body: Value) -> anyhow::Result<Answer> {
        let path = format!("/v2/service_instances/{ID}?accepts_incomplete=true");
        self.call(Method::PATCH, &path, Some(&body)).await
    }

    async fn updated(&self, parameters: Value) -> anyhow::Result<()> {
        let accepted = self.update(parameters).await?;
        ensure!(accepted.status == 202, "{accepted:?}");
        self.until_succeeded(ID).await?;
        Ok(())
    }

    async fn parameters(&self) -> anyhow::Result<Value> {
        let shown = self.call(Method::GET, &format!("/v2/service_instances/{ID}"), None).await?;
        ensure!(shown.status == 200, "{shown:?}");
        Ok(shown.body["parameters"].clone())
    }

    /// The one distribution's configuration, as its operator reads it, and its version.
    async fn config(&self) -> anyhow::Result<(String, String)> {
        let read = self.as_operator(Request::get(self.config_url()), "").await?;
        let tag = read.headers().get("etag").context("no version")?.to_str()?.to_owned();
        Ok((String::from_utf8(read.body().to_vec())?, tag))
    }

    /// What an operator does at the console.
    async fn edit(&self, from: &str, to: &str) -> anyhow::Result<()> {
        let (config, tag) = self.config().await?;
        ensure!(config.contains(from), "{from} is not in {config}");
        let put = Request::put(self.config_url()).header("if-match", tag);
        let written = self.as_operator(put, &config.replacen(from, to, 1)).await?;
        ensure!(written.status() == 200, "{written:?}");
        Ok(())
    }

    async fn as_operator(
        &self,
        request: http::request::Builder,
        body: &str,
    ) -> anyhow::Result<http::Response<bytes::Bytes>> {
        let scope = "AWS4-HMAC-SHA256 Credential=AKIAOPERATOR/20260101/us-east-1/cloudfront/aws4_request";
        let request = request.header("authorization", scope).body(Full::from(body.to_owned()))?;
        Client::trusting("")?.send(request).await
    }

    fn config_url(&self) -> String {
        let aws = self.sandbox.aws();
        format!("{}/2020-05-31/distribution/{}/config", aws.url(), aws.state().distributions[0].id)
    }

    /// Distributions and certificates: what visitors notice.
    fn what_is_served(&self) -> (Vec<DistributionState>, Vec<CertificateState>) {
        let state = self.sandbox.aws().state();
        (state.distributions, state.certificates)
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.sandbox.aws().state().distributions[0].names.clone();
        names.sort();
        names
    }
}

async fn serving() -> anyhow::Result<House> {
    let house = House::start().await?;
    house.provisioned(ID, &OLD).await?;
    Ok(house)
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_change_in_one_update_each_and_leave_what_an_operator_has_changed() -> anyhow::Result<()> {
    let house = serving().await?;
    let target = house.sandbox.aws().state().distributions[0].domain.clone();
    house.sandbox.dns().set_cname(OLD[0], &target)?;
    house.edit("<HttpVersion>http2and3</HttpVersion>", "<HttpVersion>http2</HttpVersion>").await?;
    house.edit("<PriceClass>PriceClass_100</PriceClass>", "<PriceClass>PriceClass_All</PriceClass>").await?;
    house
        .edit("<OriginReadTimeout>30</OriginReadTimeout>", "<OriginReadTimeout>55</OriginReadTimeout>")
        .await?;
    let before = house.successes("UpdateDistribution");
    house.updated(json!({"path": "/site", "headers": ["X-Tenant"]})).await?;
    house.updated(json!({"cookies": ["session"], "invalidate": ["/*"]})).await?;
    assert_eq!(house.successes("UpdateDistribution"), before + 2);
    assert_eq!(house.successes("CreateInvalidation"), 1);
    let (config, _) = house.config().await?;
    let by_hand = [">http2<", ">PriceClass_All<", "<OriginReadTimeout>55<"];
    for part in by_hand.into_iter().chain(["X-Tenant", "<OriginPath>/site</OriginPath>", "session"]) {
        assert!(config.contains(part), "{part} is not in {config}");
    }
    let page = house.sandbox.visit(OLD[0], "/page").await?;
    assert!(String::from_utf8_lossy(&page.body).contains("/site/page"), "{page:?}");
    let shown = house.parameters().await?;
    assert_eq!(shown["headers"], json!(["Host", "X-Tenant"]));
    assert_eq!((issued(&house)?, house.successes("UploadServerCertificate")), (1, 1), "no new certificate");
    names_never_without_certificate(&house)
}

#[tokio::test(flavor = "multi_thread")]
async fn names_come_and_go_while_the_others_are_served() -> anyhow::Result<()> {
    let house = serving().await?;
    let target = house.sandbox.aws().state().distributions[0].domain.clone();
    for name in [OLD[0], OLD[1], NEW] {
        house.sandbox.dns().set_cname(name, &target)?;
    }
    let accepted = house.update(json!({"domains": [OLD[0], OLD[1], NEW]})).await?;
    ensure!(accepted.status == 202, "{accepted:?}");
    house.prove(ID, 1).await?;
    let served =
        wait_for("the update to succeed, with the old names served all the while", BOUND, || async {
            for name in OLD {
                ensure!(house.sandbox.visit(name, "/").await?.status == 200, "{name} is down");
            }
            Ok((house.poll(ID).await?.text("state") == "succeeded").then_some(()))
        });
    served.await?;
    assert_eq!(house.sandbox.visit(NEW, "/").await?.status, 200);
    assert_eq!(issued(&house)?, 2);
    wait_for("the old certificate to go", BOUND, || async {
        Ok((house.sandbox.aws().state().certificates.len() == 1).then_some(()))
    })
    .await?;

    house.updated(json!({"domains": [OLD[0], NEW]})).await?;
    assert_eq!((house.names(), issued(&house)?), (vec![NEW.to_owned(), OLD[0].to_owned()], 2));

    let changes = house.successes("UpdateDistribution");
    let accepted = house.update(json!({"domains": [NEW, "last.example.gov"]})).await?;
    ensure!(accepted.status == 202, "{accepted:?}");
    house.prove(ID, 1).await?;
    house.until_succeeded(ID).await?;
    assert_eq!(house.names(), ["last.example.gov", NEW]);
    assert_eq!(house.successes("UpdateDistribution"), changes + 1, "added and removed in one update");
    names_never_without_certificate(&house)?;

    house.deprovision(ID).await?;
    house.until_succeeded(ID).await?;
    nothing_left(&house.sandbox.aws().state())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_and_what_changes_nothing_leave_no_trace() -> anyhow::Result<()> {
    let house = serving().await?;
    let before = (house.parameters().await?, house.poll(ID).await?.body, house.sandbox.aws().journal().len());
    for (parameters, named) in [
        (json!({"domain": "my site.gov"}), "`my site.gov`"),
        (json!({"domain": null}), "`domain`"),
        (json!({"path": "site"}), "`site`"),
        (json!({"colour": "red"}), "`colour`"),
        (json!({"cookies": "some", "path": "/good"}), "`cookies`"),
        (json!({"invalidate": ["page"]}), "`page`"),
    ] {
        let answer = house.update(parameters.clone()).await?;
        assert_eq!(answer.status, 400, "{parameters}: {answer:?}");
        assert!(answer.text("description").contains(named), "{parameters}: {answer:?}");
    }
    for nothing in [json!({}), before.0.clone()] {
        let answer = house.update(nothing.clone()).await?;
        assert_eq!(answer.status, 200, "{nothing}: {answer:?}");
        assert!(answer.text("description").contains("The certificate is good until"), "{answer:?}");
    }
    let after = (house.parameters().await?, house.poll(ID).await?.body, house.sandbox.aws().journal().len());
    assert_eq!(after, before);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_whose_user_does_not_come_fails_and_goes_on_when_it_is_made_again() -> anyhow::Result<()> {
    let mut house = House::without_broker(|_| {}).await?;
    let mut settings = house.settings()?;
    "2s".clone_into(&mut settings.update_proof_wait);
    house.add_broker(&settings).await?;
    house.provisioned(ID, &OLD).await?;
    let before = (house.parameters().await?, house.what_is_served());
    let wanted = json!({"domains": [OLD[0], NEW], "path": "/site"});
    ensure!(house.update(wanted.clone()).await?.status == 202, "not accepted");
    let failed = wait_for("the update to fail", BOUND, || async {
        let answer = house.poll(ID).await?;
        Ok((answer.text("state") == "failed").then_some(answer))
    })
    .await?;
    assert_eq!(
        (&failed.body["instance_usable"], &failed.body["update_repeatable"]),
        (&json!(true), &json!(true))
    );
    assert_eq!((house.parameters().await?, house.what_is_served()), before);

    // The authority may want the old name proven again, or not.
    let records = crate::house::records_in(failed.text("description"));
    ensure!(records.iter().any(|(name, _)| name.contains(NEW)), "{failed:?}");
    for (name, value) in records {
        house.sandbox.dns().set_txt(&name, vec![value])?;
    }
    wait_for("the same update to succeed", BOUND, || async {
        let answer = house.poll(ID).await?;
        if answer.text("state") == "failed" {
            house.update(wanted.clone()).await?;
        }
        Ok((house.names() == [NEW, OLD[0]] && answer.text("state") == "succeeded").then_some(()))
    })
    .await?;
    assert_eq!(house.parameters().await?["path"], json!("/site"));
    assert_eq!(issued(&house)?, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_with_a_firewall_can_be_changed_to_and_from() -> anyhow::Result<()> {
    const ACL: &str = "arn:aws:wafv2:us-east-1:111111111111:global/webacl/public/1";
    let mut house = House::without_broker(|_| {}).await?;
    let mut settings = house.settings()?;
    settings.web_acl = Some(ACL.to_owned());
    house.add_broker(&settings).await?;
    house.provisioned(ID, &OLD[..1]).await?;
    let catalog = house.call(Method::GET, "/v2/catalog", None).await?;
    let service = &catalog.body["services"][0];
    let waf = service["plans"][1]["id"].as_str().context("no second plan")?;
    assert_eq!(
        (&service["plan_updateable"], &service["plans"][1]["name"]),
        (&json!(true), &json!("cdn-route-waf"))
    );
    for (plan, attached) in [(waf, true), (PLAN_ID, false)] {
        let accepted = house.patch(json!({"service_id": SERVICE_ID, "plan_id": plan})).await?;
        ensure!(accepted.status == 202, "{accepted:?}");
        house.until_succeeded(ID).await?;
        assert_eq!(house.config().await?.0.contains(ACL), attached, "{plan}");
    }
    Ok(())
}
