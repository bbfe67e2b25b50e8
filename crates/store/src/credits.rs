//! Who has proven what an authorization is about: one tenant's proof is none of another's.

use contract::{CertificateRequest, PortResult};
use diesel::prelude::*;

use crate::cell::Cell;
use crate::db::Db;
use crate::error::{StoreError, unless_taken};
use crate::schema::{authorizations, issuances, proof_credits};
use crate::store::Store;

/// Behind [`contract::IssuanceStore::credit`].
pub(crate) async fn credit(store: &Store, authorization: &str, tenant: &str) -> PortResult<String> {
    let (url, tenant) = (authorization.to_owned(), tenant.to_owned());
    store
        .run("note who proves a domain", move |db, _| {
            let row = (proof_credits::authorization_url.eq(&url), proof_credits::tenant.eq(&tenant));
            let ours =
                unless_taken(insert(diesel::insert_into(proof_credits::table).values(row).execute(db)))?;
            if ours { Ok(tenant) } else { Ok(find(db, &url)?.unwrap_or(tenant)) }
        })
        .await
}

/// Behind [`contract::IssuanceStore::credited`].
pub(crate) async fn credited(store: &Store, authorization: &str) -> PortResult<Option<String>> {
    let url = authorization.to_owned();
    store.run("read who has proven a domain", move |db, _| find(db, &url)).await
}

/// Behind [`contract::IssuanceStore::relies_on`].
pub(crate) async fn relies_on(store: &Store, tenant: &str, authorization: &str) -> PortResult<bool> {
    let (url, tenant) = (authorization.to_owned(), tenant.to_owned());
    store
        .run("look who rests on a proof", move |db, _| {
            let underway: Vec<(String, String)> = authorizations::table
                .inner_join(issuances::table)
                .filter(authorizations::url.eq(url))
                .filter(issuances::abandoned.eq(false).and(issuances::chain.is_null()))
                .filter(issuances::order_url.is_not_null())
                .select((issuances::id, issuances::request))
                .load(db)?;
            for (id, request) in underway {
                let cell = Cell { table: "issuances", column: "request", row: &id };
                let request: CertificateRequest = cell.read_json(&request)?;
                if request.tenant == tenant {
                    return Ok(true);
                }
            }
            Ok(false)
        })
        .await
}

fn insert(inserted: QueryResult<usize>) -> Result<bool, StoreError> {
    Ok(inserted? == 1)
}

fn find(db: &mut Db, url: &str) -> Result<Option<String>, StoreError> {
    Ok(proof_credits::table.find(url).select(proof_credits::tenant).first(db).optional()?)
}
