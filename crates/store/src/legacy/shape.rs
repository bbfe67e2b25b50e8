//! Whether a database is what it is said to be, before anything in it is believed.

use std::collections::{BTreeMap, BTreeSet};

use contract::LegacyBroker;
use diesel::pg::PgConnection;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use crate::error::StoreError;

const COLUMNS: &str = "SELECT table_name::text AS in_table, column_name::text AS column_name \
     FROM information_schema.columns WHERE table_schema::text = ANY (current_schemas(false)::text[])";

type Tables = BTreeMap<String, BTreeSet<String>>;

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    in_table: String,
    #[diesel(sql_type = Text)]
    column_name: String,
}

/// Errors: [`StoreError::Foreign`], with all that is missing.
pub(super) fn check(db: &mut PgConnection, broker: LegacyBroker) -> Result<(), StoreError> {
    let mut tables = Tables::new();
    for column in sql_query(COLUMNS).load::<Column>(db)? {
        tables.entry(column.in_table).or_default().insert(column.column_name);
    }
    match fault(&tables, broker) {
        None => Ok(()),
        Some(fault) => Err(StoreError::Foreign(fault)),
    }
}

fn fault(tables: &Tables, broker: LegacyBroker) -> Option<String> {
    let name = broker.as_str();
    if let Some(other) = recognised(tables).filter(|other| *other != broker) {
        let other = other.as_str();
        return Some(format!("it is the database of {other}, not of {name}: use `--from {other}`"));
    }
    let wanted = columns(broker);
    let absent: Vec<&str> =
        wanted.iter().map(|(table, _)| *table).filter(|table| !tables.contains_key(*table)).collect();
    if absent.len() == wanted.len() {
        let absent = absent.join("`, `");
        return Some(format!("it is not the database of {name}: there is no table `{absent}`"));
    }
    let missing: Vec<String> =
        wanted.iter().flat_map(|(table, columns)| lacks(tables, table, columns)).collect();
    (!missing.is_empty()).then(|| {
        format!(
            "it is half migrated, or of an older version of {name}: {} missing; start the last version of {name} on it \
             once, which brings it to its shape",
            are(&missing)
        )
    })
}

fn are(missing: &[String]) -> String {
    let verb = if missing.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", missing.join(", "))
}

fn lacks(tables: &Tables, table: &str, columns: &[&str]) -> Vec<String> {
    let Some(known) = tables.get(table) else { return vec![format!("the table `{table}`")] };
    let missing = columns.iter().filter(|column| !known.contains(**column));
    missing.map(|column| format!("the column `{table}.{column}`")).collect()
}

/// What tells the three apart.
fn recognised(tables: &Tables) -> Option<LegacyBroker> {
    let has = |table: &str, column: &str| tables.get(table).is_some_and(|columns| columns.contains(column));
    match () {
        () if has("service_instance", "instance_type") => Some(LegacyBroker::ExternalDomain),
        () if has("routes", "user_data_id") => Some(LegacyBroker::CfCdn),
        () if has("certificates", "certificate_arn") => Some(LegacyBroker::PaasCdn),
        () => None,
    }
}

/// The tables and columns that are read.
fn columns(broker: LegacyBroker) -> &'static Columns {
    match broker {
        LegacyBroker::CfCdn => CF_CDN,
        LegacyBroker::PaasCdn => PAAS_CDN,
        LegacyBroker::ExternalDomain => EXTERNAL_DOMAIN,
    }
}

type Columns = [(&'static str, &'static [&'static str])];

#[rustfmt::skip]
const CF_CDN: &Columns = &[
    ("routes", &["id", "created_at", "deleted_at", "instance_id", "state", "domain_external", "dist_id", "user_data_id"]),
    ("certificates", &["id", "deleted_at", "route_id", "certificate", "expires"]),
    ("user_data", &["id"]),
];
#[rustfmt::skip]
const PAAS_CDN: &Columns = &[
    ("routes", &["id", "created_at", "deleted_at", "instance_id", "state", "domain_external", "dist_id", "default_ttl"]),
    ("certificates", &["id", "deleted_at", "route_id", "certificate_arn", "certificate_status"]),
];
#[rustfmt::skip]
const EXTERNAL_DOMAIN: &Columns = &[
    ("service_instance", &[
        "id", "created_at", "domain_names", "instance_type", "deactivated_at", "current_certificate_id",
        "cloudfront_distribution_id",
    ]),
    ("certificate", &["id", "expires_at", "fullchain_pem", "private_key_pem", "iam_server_certificate_id"]),
    ("operation", &["id", "service_instance_id", "state", "action", "canceled_at"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(of: &[(&str, &[&str])]) -> Tables {
        let columns = |columns: &[&str]| columns.iter().map(|column| (*column).to_owned()).collect();
        of.iter().map(|(table, names)| ((*table).to_owned(), columns(names))).collect()
    }

    #[test]
    fn each_broker_recognises_its_own_and_names_the_others() {
        for broker in LegacyBroker::ALL {
            let own = tables(columns(broker));
            for asked in LegacyBroker::ALL {
                match fault(&own, asked) {
                    None => assert_eq!(asked, broker),
                    Some(fault) => {
                        assert_ne!(asked, broker);
                        assert!(fault.contains(&format!("use `--from {}`", broker.as_str())), "{fault}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let broker = LegacyBroker::CfCdn;
        let nothing = fault(&tables(&[("users", &["id"])]), broker).unwrap();
        assert!(nothing.contains("there is no table `routes`, `certificates`, `user_data`"), "{nothing}");
        let mut half = tables(columns(broker));
        half.remove("user_data");
        half.get_mut("routes").unwrap().remove("dist_id");
        let half = fault(&half, broker).unwrap();
        assert!(half.contains("the column `routes.dist_id`, the table `user_data` are missing"), "{half}");
    }
}
