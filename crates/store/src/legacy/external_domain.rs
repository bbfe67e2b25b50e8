//! The tables of `external-domain-broker`, and the columns that it seals.

use aes_gcm::aead::{Aead, KeyInit, Nonce};
use aes_gcm::{Aes256Gcm, Key};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::{LegacyCertificate, LegacyInstance, LegacyStanding, Secret};
use diesel::pg::PgConnection;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use sha2::{Digest, Sha256};

use super::{moment, said};
use crate::error::StoreError;

/// Its service, and its two plans with a distribution.
const SERVICE_ID: &str = "8c16de31-104a-47b0-ba79-25e747be91d6";
const CDN_PLAN_ID: &str = "1cc78b0c-c296-48f5-9182-0b38404f79ef";
const WAF_PLAN_ID: &str = "129c8332-02ce-460a-bd6d-bde10110c654";
/// How it calls instances of the second.
const WITH_WAF: &str = "cdn_dedicated_waf_service_instance";

const ALL: &str = "SELECT s.id::text AS id, coalesce(s.instance_type, '') AS instance_type, \
     s.domain_names::text AS domain_names, s.cloudfront_distribution_id::text AS distribution, \
     s.deactivated_at IS NOT NULL AS gone, (extract(epoch FROM s.created_at) * 1000)::bigint AS asked_at, \
     o.action::text AS unfinished, c.id IS NOT NULL AS has_certificate, c.iam_server_certificate_id::text AS stored, \
     (extract(epoch FROM c.expires_at) * 1000)::bigint AS not_after, c.fullchain_pem::text AS chain, \
     c.private_key_pem::text AS sealed_key \
     FROM service_instance s LEFT JOIN certificate c ON c.id = s.current_certificate_id \
     LEFT JOIN LATERAL (SELECT action FROM operation WHERE service_instance_id = s.id AND canceled_at IS NULL \
     AND state = 'in progress' ORDER BY id DESC LIMIT 1) o ON true ORDER BY s.id";

pub(super) fn all(db: &mut PgConnection, key: Option<&Secret>) -> Result<Vec<LegacyInstance>, StoreError> {
    let rows: Vec<Row> = sql_query(ALL).load(db)?;
    rows.into_iter().map(|row| row.into_instance(key)).collect()
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    instance_type: String,
    #[diesel(sql_type = Nullable<Text>)]
    domain_names: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    distribution: Option<String>,
    #[diesel(sql_type = Bool)]
    gone: bool,
    #[diesel(sql_type = Nullable<BigInt>)]
    asked_at: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    unfinished: Option<String>,
    #[diesel(sql_type = Bool)]
    has_certificate: bool,
    #[diesel(sql_type = Nullable<Text>)]
    stored: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    not_after: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    chain: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    sealed_key: Option<String>,
}

impl Row {
    fn into_instance(self, key: Option<&Secret>) -> Result<LegacyInstance, StoreError> {
        let private_key_pem = match (key, said(self.sealed_key.clone())) {
            (Some(key), Some(sealed)) => Some(open(key, &sealed).ok_or_else(|| wrong_key(&self.id))?),
            _ => None,
        };
        Ok(LegacyInstance {
            standing: self.standing(),
            names: self.names(),
            distribution: said(self.distribution),
            plan: plan(&self.instance_type),
            certificate: self.has_certificate.then(|| LegacyCertificate {
                stored: said(self.stored),
                not_after: moment(self.not_after),
                chain_pem: said(self.chain),
                private_key_pem,
            }),
            asked_at: moment(self.asked_at),
            besides: besides(&self.instance_type),
            id: self.id,
        })
    }

    fn standing(&self) -> LegacyStanding {
        match &self.unfinished {
            _ if self.gone => LegacyStanding::Gone,
            _ if plan(&self.instance_type).is_none() => LegacyStanding::OtherKind(self.instance_type.clone()),
            Some(action) if action == "Deprovision" => LegacyStanding::Leaving(action.clone()),
            // A renewal leaves alone what is served.
            Some(action) if action != "Renew" => LegacyStanding::Unfinished(action.clone()),
            _ => LegacyStanding::AtRest,
        }
    }

    /// A list of texts; whatever else is there is shown as it is, and is nobody's domain.
    fn names(&self) -> Vec<String> {
        let text = self.domain_names.as_deref().unwrap_or("[]");
        serde_json::from_str(text).unwrap_or_else(|_| vec![text.to_owned()])
    }
}

fn plan(instance_type: &str) -> Option<(String, String)> {
    let plan = match instance_type {
        "cdn_service_instance" => CDN_PLAN_ID,
        WITH_WAF => WAF_PLAN_ID,
        _ => return None,
    };
    Some((SERVICE_ID.to_owned(), plan.to_owned()))
}

fn besides(instance_type: &str) -> Option<String> {
    let more = "its web ACL, health checks, Shield protection, alarms and topic";
    (instance_type == WITH_WAF).then(|| more.to_owned())
}

fn wrong_key(id: &str) -> StoreError {
    StoreError::Inconsistency {
        table: "certificate",
        row: format!("of instance {id}"),
        problem: "its private key cannot be opened with the key that was given".to_owned(),
    }
}

/// Length of the nonce and of the tag, which stand before what they seal.
const NONCE: usize = 12;
const TAG: usize = 16;

/// Opens a column of sqlalchemy-utils' `AesGcmEngine`: base64 of nonce, tag and text, under the SHA-256 of the key's text.
fn open(key: &Secret, sealed: &str) -> Option<Secret> {
    let bytes = STANDARD.decode(sealed.trim()).ok()?;
    let (nonce, rest) = bytes.split_at_checked(NONCE)?;
    let (tag, text) = rest.split_at_checked(TAG)?;
    let digest: [u8; 32] = Sha256::digest(key.expose()).into();
    let cipher = Aes256Gcm::new(&Key::<Aes256Gcm>::from(digest));
    let nonce = Nonce::<Aes256Gcm>::try_from(nonce).ok()?;
    let opened = cipher.decrypt(&nonce, [text, tag].concat().as_slice()).ok()?;
    Some(Secret::new(opened))
}
