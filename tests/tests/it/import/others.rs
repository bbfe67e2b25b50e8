//! From the other two: certificates of ACM, keys that were kept, and what else is different.

use aes_gcm::aead::{Aead as _, KeyInit as _, Nonce};
use aes_gcm::{Aes256Gcm, Key};
use anyhow::{Context, anyhow, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::StoredCertificate;
use sandbox::aws::DistributionState;
use sandbox::wait_for;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::guide;
use super::old_world::{DATABASE, ORGANIZATION, Old, OldWorld, SPACE, entry};
use crate::house::{BOUND, names_never_without_certificate};

const ID: &str = "8f1c0a52-0000-4000-8000-000000000001";
const BALANCED: &str = "8f1c0a52-0000-4000-8000-000000000002";

/// Its service, and its plan with a distribution.
pub(super) const EXTERNAL_SERVICE: &str = "8c16de31-104a-47b0-ba79-25e747be91d6";
pub(super) const EXTERNAL_PLAN: &str = "1cc78b0c-c296-48f5-9182-0b38404f79ef";

pub(super) const PAAS_CDN: &str = "
    CREATE TABLE routes (id serial PRIMARY KEY, created_at timestamptz, updated_at timestamptz, deleted_at timestamptz,
        instance_id text NOT NULL UNIQUE, state text NOT NULL, challenge_json bytea, domain_external text,
        domain_internal text, dist_id text, origin text, path text, insecure_origin bool,
        default_ttl bigint DEFAULT 86400, provisioning_since timestamptz);
    CREATE TABLE certificates (id serial PRIMARY KEY, created_at timestamptz, updated_at timestamptz,
        deleted_at timestamptz, route_id integer, domain text, cert_url text, certificate bytea, expires timestamptz,
        certificate_arn text NOT NULL, certificate_status text NOT NULL);";

pub(super) const EXTERNAL_DOMAIN: &str = "
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

/// The `DATABASE_ENCRYPTION_KEY` of its database.
pub(super) const KEY: &str = "hunter2";
/// The word `KEY` sealed as sqlalchemy-utils' `AesGcmEngine` does, with that key: made with another implementation.
const SEALED: &str = include_str!("sealed_key.txt");

/// A key sealed in the same way.
fn sealed(key_pem: &str) -> anyhow::Result<String> {
    let (nonce, digest): ([u8; 12], [u8; 32]) = ([7; 12], Sha256::digest(KEY).into());
    let cipher = Aes256Gcm::new(&Key::<Aes256Gcm>::from(digest));
    let text = cipher.encrypt(&Nonce::<Aes256Gcm>::from(nonce), key_pem.as_bytes());
    let text = text.map_err(|_| anyhow!("it cannot be sealed"))?;
    let (text, tag) = text.split_at_checked(text.len() - 16).context("there is no tag")?;
    Ok(STANDARD.encode([&nonce, tag, text].concat()))
}

/// What only these two have.
impl OldWorld {
    /// A route of `paas-cdn-broker` at rest, under a certificate of ACM. Gives its ARN, too.
    pub(super) async fn paas_route(&self, old: &Old<'_>) -> anyhow::Result<(DistributionState, String)> {
        let arn = self.house.sandbox.aws().acm_certificate(old.served);
        let made = self.distribution(old, &StoredCertificate::new(&arn)).await?;
        for name in old.served {
            self.house.sandbox.dns().set_cname(name, &made.domain)?;
        }
        let rows = format!(
            "INSERT INTO routes (created_at, instance_id, state, domain_external, dist_id)
                VALUES (now(), '{0}', 'provisioned', '{1}', '{2}');
             INSERT INTO certificates (created_at, route_id, domain, certificate_arn, certificate_status)
                SELECT now(), id, '{3}', '{arn}', 'attached' FROM routes WHERE instance_id = '{0}';",
            old.id,
            old.served.join(","),
            made.id,
            old.served[0],
        );
        self.postgres.ask(DATABASE, &rows).await?;
        Ok((made, arn))
    }

    /// An instance of `external-domain-broker` at rest, its certificate and its key in the database.
    pub(super) async fn external(&self, old: &Old<'_>) -> anyhow::Result<DistributionState> {
        let (stored, signed) = self.certificate(old.id, old.served).await?;
        let made = self.distribution(old, &stored).await?;
        for name in old.served {
            self.house.sandbox.dns().set_cname(name, &made.domain)?;
        }
        let rows = format!(
            "WITH held AS (INSERT INTO certificate (service_instance_id, fullchain_pem, private_key_pem, iam_server_certificate_id,
                expires_at) VALUES ('{0}', '{5}', '{1}', '{2}', now() + interval '40 days') RETURNING id)
             INSERT INTO service_instance (id, domain_names, instance_type, cloudfront_distribution_id, current_certificate_id)
                SELECT '{0}', '{3}', 'cdn_service_instance', '{4}', id FROM held;
             INSERT INTO operation (service_instance_id, state, action) VALUES ('{0}', 'succeeded', 'Provision');",
            old.id,
            sealed(&signed.key_pem)?,
            stored.as_str(),
            json!(old.served),
            made.id,
            signed.chain_pem,
        );
        self.postgres.ask(DATABASE, &rows).await?;
        Ok(made)
    }

    /// Puts the catalog of the guide in the place of the built-in one.
    pub(super) fn offer_external(&mut self) -> anyhow::Result<()> {
        let file = self.house.folder().join("catalog.json");
        std::fs::write(&file, guide::catalog()?)?;
        self.settings.more.push(("CATALOG_FILE".to_owned(), file.display().to_string()));
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_acm_stay_until_they_are_replaced() -> anyhow::Result<()> {
    let mut world = OldWorld::with_tables(PAAS_CDN).await?;
    let (_, arn) = world.paas_route(&Old::new(ID, &["www.example.gov"])).await?;
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

#[tokio::test(flavor = "multi_thread")]
async fn the_key_that_was_kept_comes_along_and_other_plans_are_left_alone() -> anyhow::Result<()> {
    let mut world = OldWorld::with_tables(EXTERNAL_DOMAIN).await?;
    world.external(&Old::external(ID, &["www.example.gov"])).await?;
    let balanced = format!(
        "INSERT INTO service_instance (id, domain_names, instance_type) VALUES ('{BALANCED}', '[\"lb.example.gov\"]',
            'alb_service_instance')"
    );
    world.postgres.ask(DATABASE, &balanced).await?;
    let wrong = world.import("external-domain-broker", &["--plan", "--source-key", "hunter3"]).await?;
    ensure!(wrong.code == 1 && wrong.err.contains("cannot be opened with the key"), "{wrong:?}");
    let without = world.import("external-domain-broker", &["--plan", "--json"]).await?.json()?;
    let told = entry(&without, ID)?;
    ensure!(told["certificate"]["replaced_at"].is_string(), "{without}");
    let notes = told["notes"].to_string();
    ensure!(
        notes.contains(EXTERNAL_PLAN) && notes.contains("is not in the catalog (CATALOG_FILE)"),
        "{notes}"
    );
    world.offer_external()?;
    let applied = world.import("external-domain-broker", &["--apply", "--json", "--source-key", KEY]).await?;
    ensure!(applied.code == 0, "{applied:?}");
    let report = applied.json()?;
    ensure!(report["counts"] == json!({"adopted": 1, "other-kind": 1}), "{report}");
    let told = entry(&report, ID)?;
    ensure!(told["certificate"]["replaced_at"].is_null() && told["notes"] == json!([]), "{report}");
    let shown = world.house.command(&world.settings, &["instances", "show", ID, "--json"]).await?.json()?;
    ensure!(shown["organization"] == ORGANIZATION && shown["space"] == SPACE, "{shown}");
    ensure!(shown["service_id"] == EXTERNAL_SERVICE && shown["plan_id"] == EXTERNAL_PLAN, "{shown}");
    // There is no way for challenges yet; a renewal makes one.
    let settings = world.settings.clone();
    world.house.add_broker(&settings).await?;
    let renewed = world.house.command(&settings, &["instances", "renew", ID]).await?;
    ensure!(renewed.code == 0, "{renewed:?} {}", world.house.last_words());
    ensure!(world.house.sandbox.visit("www.example.gov", "/hello").await?.status == 200);
    names_never_without_certificate(&world.house)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_the_certificates_is_left_behind() -> anyhow::Result<()> {
    let mut world = OldWorld::with_tables(EXTERNAL_DOMAIN).await?;
    world.external(&Old::external(ID, &["www.example.gov"])).await?;
    world.offer_external()?;
    let wrong = format!("UPDATE certificate SET private_key_pem = '{}'", SEALED.trim());
    world.postgres.ask(DATABASE, &wrong).await?;
    let planned = world.import("external-domain-broker", &["--plan", "--json", "--source-key", KEY]).await?;
    ensure!(planned.code == 0, "{planned:?}");
    let report = planned.json()?;
    let told = entry(&report, ID)?;
    ensure!(told["certificate"]["replaced_at"].is_string(), "{told}");
    ensure!(
        told["notes"].to_string().contains("the private key in its row is not that of its certificate"),
        "{told}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_for_an_instance_besides_is_told() -> anyhow::Result<()> {
    let mut world = OldWorld::with_tables(EXTERNAL_DOMAIN).await?;
    world.external(&Old::external(ID, &["www.example.gov"])).await?;
    world.offer_external()?;
    let guarded = "UPDATE service_instance SET instance_type = 'cdn_dedicated_waf_service_instance'";
    world.postgres.ask(DATABASE, guarded).await?;
    let planned = world.import("external-domain-broker", &["--plan", "--json"]).await?;
    ensure!(planned.code == 0, "{planned:?}");
    let report = planned.json()?;
    let notes = entry(&report, ID)?["notes"].to_string();
    ensure!(
        notes.contains("its web ACL, health checks, Shield protection, alarms and topic stay"),
        "{notes}"
    );
    Ok(())
}
