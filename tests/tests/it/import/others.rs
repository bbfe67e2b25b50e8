//! From the other two: certificates of ACM, and keys that were kept.

use anyhow::{Context, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::StoredCertificate;
use sandbox::wait_for;
use serde_json::json;

use super::old_world::{DATABASE, ORGANIZATION, Old, OldWorld, SPACE, entry};
use crate::house::{BOUND, names_never_without_certificate};

const ID: &str = "8f1c0a52-0000-4000-8000-000000000001";
const BALANCED: &str = "8f1c0a52-0000-4000-8000-000000000002";

const PAAS_CDN: &str = "
    CREATE TABLE routes (id serial PRIMARY KEY, created_at timestamptz, updated_at timestamptz, deleted_at timestamptz,
        instance_id text NOT NULL UNIQUE, state text NOT NULL, challenge_json bytea, domain_external text,
        domain_internal text, dist_id text, origin text, path text, insecure_origin bool,
        default_ttl bigint DEFAULT 86400, provisioning_since timestamptz);
    CREATE TABLE certificates (id serial PRIMARY KEY, created_at timestamptz, updated_at timestamptz,
        deleted_at timestamptz, route_id integer, domain text, cert_url text, certificate bytea, expires timestamptz,
        certificate_arn text NOT NULL, certificate_status text NOT NULL);";

const EXTERNAL_DOMAIN: &str = "
    CREATE TABLE certificate (id serial PRIMARY KEY, created_at timestamptz DEFAULT now(), updated_at timestamptz,
        service_instance_id varchar NOT NULL, subject_alternative_names jsonb, leaf_pem text, expires_at timestamptz,
        private_key_pem varchar, csr_pem text, fullchain_pem text, iam_server_certificate_id varchar,
        iam_server_certificate_name varchar, iam_server_certificate_arn varchar, order_json text);
    CREATE TABLE service_instance (id varchar(36) PRIMARY KEY, created_at timestamptz DEFAULT now(), updated_at timestamptz,
        acme_user_id integer, domain_names jsonb, instance_type text, domain_internal varchar, deactivated_at timestamptz,
        current_certificate_id integer, new_certificate_id integer, cloudfront_distribution_arn varchar,
        cloudfront_distribution_id varchar, cloudfront_origin_hostname varchar, error_responses jsonb);
    CREATE TABLE operation (id serial PRIMARY KEY, created_at timestamptz DEFAULT now(), updated_at timestamptz,
        service_instance_id varchar NOT NULL, state varchar NOT NULL, action varchar NOT NULL, canceled_at timestamptz,
        step_description varchar);";

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_acm_stay_until_they_are_replaced() -> anyhow::Result<()> {
    let mut world = OldWorld::with_tables(PAAS_CDN).await?;
    let arn = world.house.sandbox.aws().acm_certificate(&["www.example.gov"]);
    let old = Old::new(ID, &["www.example.gov"]);
    let made = world.distribution(&old, &StoredCertificate::new(&arn)).await?;
    world.house.sandbox.dns().set_cname("www.example.gov", &made.domain)?;
    let rows = format!(
        "INSERT INTO routes (created_at, instance_id, state, domain_external, dist_id)
            VALUES (now(), '{ID}', 'provisioned', 'www.example.gov', '{}');
         INSERT INTO certificates (created_at, route_id, domain, certificate_arn, certificate_status)
            VALUES (now(), 1, 'www.example.gov', '{arn}', 'attached');",
        made.id
    );
    world.postgres.ask(DATABASE, &rows).await?;
    let writes = world.writes();
    let applied = world.import("paas-cdn-broker", &["--apply", "--json", "--spread-days", "0"]).await?;
    ensure!(applied.code == 0 && world.writes() == writes, "{applied:?}");
    let report = applied.json()?;
    let told = entry(&report, ID)?;
    ensure!(told["certificate"]["id"] == arn && told["notes"].to_string().contains("stays in ACM"), "{told}");
    let settings = world.settings.clone();
    world.house.add_broker(&settings).await?;
    let house = &world.house;
    let replaced = wait_for("a certificate of our own", BOUND, || async {
        Ok((house.sandbox.aws().state().certificates.len() == 1).then_some(()))
    });
    replaced.await.with_context(|| house.last_words())?;
    let serves = wait_for("the site to serve under it", BOUND, || async {
        Ok(house.sandbox.visit("www.example.gov", "/hello").await.ok().filter(|visit| visit.status == 200))
    });
    serves.await.with_context(|| house.last_words())?;
    Ok(())
}

/// `KEY` sealed as sqlalchemy-utils' `AesGcmEngine` does, with the key `hunter2`: made with another implementation.
const SEALED: &str = include_str!("sealed_key.txt");

#[tokio::test(flavor = "multi_thread")]
async fn the_key_that_was_kept_comes_along_and_other_plans_are_left_alone() -> anyhow::Result<()> {
    let mut world = OldWorld::with_tables(EXTERNAL_DOMAIN).await?;
    let old = Old { has_bucket: false, ..Old::new(ID, &["www.example.gov"]) };
    let (stored, chain) = world.certificate(ID, old.served).await?;
    let made = world.distribution(&old, &stored).await?;
    let rows = format!(
        "INSERT INTO certificate (service_instance_id, fullchain_pem, private_key_pem, iam_server_certificate_id, expires_at)
            VALUES ('{ID}', '{chain}', '{}', '{}', now() + interval '40 days');
         INSERT INTO service_instance (id, domain_names, instance_type, cloudfront_distribution_id, current_certificate_id)
            VALUES ('{ID}', '[\"www.example.gov\"]', 'cdn_service_instance', '{}', 1),
                   ('{BALANCED}', '[\"lb.example.gov\"]', 'alb_service_instance', NULL, NULL);
         INSERT INTO operation (service_instance_id, state, action) VALUES ('{ID}', 'succeeded', 'Provision');",
        SEALED.trim(),
        stored.as_str(),
        made.id
    );
    world.postgres.ask(DATABASE, &rows).await?;
    ensure!(STANDARD.decode(SEALED.trim()).is_ok());
    let wrong = world.import("external-domain-broker", &["--plan", "--source-key", "hunter3"]).await?;
    ensure!(wrong.code == 1 && wrong.err.contains("cannot be opened with the key"), "{wrong:?}");
    let without = world.import("external-domain-broker", &["--plan", "--json"]).await?.json()?;
    ensure!(entry(&without, ID)?["certificate"]["replaced_at"].is_string(), "{without}");
    let applied =
        world.import("external-domain-broker", &["--apply", "--json", "--source-key", "hunter2"]).await?;
    ensure!(applied.code == 0, "{applied:?}");
    let report = applied.json()?;
    ensure!(report["counts"] == json!({"adopted": 1, "other-kind": 1}), "{report}");
    ensure!(entry(&report, ID)?["certificate"]["replaced_at"].is_null(), "{report}");
    let shown = world.house.command(&world.settings, &["instances", "show", ID, "--json"]).await?.json()?;
    ensure!(shown["organization"] == ORGANIZATION && shown["space"] == SPACE, "{shown}");
    ensure!(shown["plan_id"] == "1cc78b0c-c296-48f5-9182-0b38404f79ef", "{shown}");
    // There is no way for challenges yet; a renewal makes one.
    world.house.sandbox.dns().set_cname("www.example.gov", &made.domain)?;
    let settings = world.settings.clone();
    world.house.add_broker(&settings).await?;
    let renewed = world.house.command(&settings, &["instances", "renew", ID]).await?;
    ensure!(renewed.code == 0, "{renewed:?} {}", world.house.last_words());
    ensure!(world.house.sandbox.visit("www.example.gov", "/hello").await?.status == 200);
    names_never_without_certificate(&world.house)
}
