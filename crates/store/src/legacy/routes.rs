//! The tables of the two Go brokers.

use contract::{LegacyCertificate, LegacyInstance, LegacyStanding};
use diesel::pg::PgConnection;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use super::{moment, said};
use crate::error::StoreError;

/// A route may have several certificates, and nothing says which one is served: the last to expire was the last to be
/// obtained.
const CF_CDN: &str = "SELECT r.instance_id, r.state, r.domain_external, r.dist_id, r.deleted_at IS NOT NULL AS deleted, \
     (extract(epoch FROM r.created_at) * 1000)::bigint AS asked_at, c.id IS NOT NULL AS has_certificate, \
     NULL::text AS arn, c.certificate, (extract(epoch FROM c.expires) * 1000)::bigint AS not_after \
     FROM routes r LEFT JOIN LATERAL (SELECT id, certificate, expires FROM certificates \
     WHERE route_id = r.id AND deleted_at IS NULL ORDER BY expires DESC NULLS LAST, id DESC LIMIT 1) c ON true \
     ORDER BY r.instance_id";

/// The certificates are in ACM, and one of them is attached.
const PAAS_CDN: &str = "SELECT r.instance_id, r.state, r.domain_external, r.dist_id, r.deleted_at IS NOT NULL AS deleted, \
     (extract(epoch FROM r.created_at) * 1000)::bigint AS asked_at, c.id IS NOT NULL AS has_certificate, \
     c.certificate_arn AS arn, NULL::bytea AS certificate, NULL::bigint AS not_after \
     FROM routes r LEFT JOIN LATERAL (SELECT id, certificate_arn FROM certificates \
     WHERE route_id = r.id AND deleted_at IS NULL AND certificate_status <> 'deleted' \
     ORDER BY (certificate_status = 'attached') DESC, id DESC LIMIT 1) c ON true ORDER BY r.instance_id";

pub(super) fn cf_cdn(db: &mut PgConnection) -> Result<Vec<LegacyInstance>, StoreError> {
    read(db, CF_CDN)
}

pub(super) fn paas_cdn(db: &mut PgConnection) -> Result<Vec<LegacyInstance>, StoreError> {
    read(db, PAAS_CDN)
}

fn read(db: &mut PgConnection, query: &str) -> Result<Vec<LegacyInstance>, StoreError> {
    let rows: Vec<Route> = sql_query(query).load(db)?;
    Ok(rows.into_iter().map(Route::into_instance).collect())
}

#[derive(QueryableByName)]
struct Route {
    #[diesel(sql_type = Text)]
    instance_id: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Nullable<Text>)]
    domain_external: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    dist_id: Option<String>,
    #[diesel(sql_type = Bool)]
    deleted: bool,
    #[diesel(sql_type = Nullable<BigInt>)]
    asked_at: Option<i64>,
    #[diesel(sql_type = Bool)]
    has_certificate: bool,
    #[diesel(sql_type = Nullable<Text>)]
    arn: Option<String>,
    #[diesel(sql_type = Nullable<Binary>)]
    certificate: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    not_after: Option<i64>,
}

impl Route {
    fn into_instance(self) -> LegacyInstance {
        let pem = self.certificate.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        LegacyInstance {
            standing: standing(self.deleted, &self.state),
            // Nobody has trimmed the list, or looked whether something stands between two commas.
            names: self.domain_external.unwrap_or_default().split(',').map(str::to_owned).collect(),
            distribution: said(self.dist_id),
            plan: None,
            certificate: self.has_certificate.then(|| LegacyCertificate {
                stored: said(self.arn),
                not_after: moment(self.not_after),
                chain_pem: said(pem),
                private_key_pem: None,
            }),
            asked_at: moment(self.asked_at),
            besides: None,
            id: self.instance_id,
        }
    }
}

fn standing(deleted: bool, state: &str) -> LegacyStanding {
    match state {
        _ if deleted => LegacyStanding::Gone,
        "provisioned" => LegacyStanding::AtRest,
        "deprovisioned" => LegacyStanding::Gone,
        "deprovisioning" => LegacyStanding::Leaving(state.to_owned()),
        other => LegacyStanding::Unfinished(other.to_owned()),
    }
}
