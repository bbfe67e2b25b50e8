use async_trait::async_trait;
use contract::{
    CertificateRequest, ChallengeAnswers, DomainName, IssuanceId, PortResult, ProofPlace, ProofState,
    durable_label,
};
use diesel::prelude::*;

use crate::cell::Cell;
use crate::error::StoreError;
use crate::labels::Label;
use crate::schema::{authorizations, issuances};
use crate::store::Store;

#[async_trait]
impl ChallengeAnswers for Store {
    async fn answer(&self, place: &str, token: &str) -> PortResult<Option<String>> {
        let (place, token) = (place.to_owned(), token.to_owned());
        self.run("look up the answer to a challenge", move |db, inner| {
            let now = inner.clock.now().as_millis();
            let open: Vec<Candidate> = authorizations::table
                .inner_join(issuances::table)
                .filter(authorizations::http_token.eq(token))
                .filter(authorizations::state.ne(ProofState::Proven.label()))
                .filter(issuances::abandoned.eq(false).and(issuances::chain.is_null()))
                .filter(issuances::order_expires.is_null().or(issuances::order_expires.gt(now)))
                .select(Candidate::as_select())
                .load(db)?;
            for one in open {
                if one.is_at(&place)? {
                    return Ok(one.http_answer);
                }
            }
            Ok(None)
        })
        .await
    }
}

/// Behind [`contract::IssuanceStore::wanted_elsewhere`].
pub(crate) async fn wanted_elsewhere(store: &Store, id: &IssuanceId, place: &ProofPlace) -> PortResult<bool> {
    let (id, place) = (id.as_str().to_owned(), place.clone());
    store
        .run("look who else wants a proof", move |db, _| {
            let others = authorizations::table
                .inner_join(issuances::table)
                .filter(issuances::id.ne(id))
                .filter(issuances::abandoned.eq(false))
                .filter(authorizations::state.ne(ProofState::Proven.label()))
                .count();
            let found: i64 = match place {
                ProofPlace::Zone { value, .. } => {
                    others.filter(authorizations::dns_value.eq(value)).get_result(db)?
                }
                ProofPlace::Site { token, .. } => {
                    others.filter(authorizations::http_token.eq(token)).get_result(db)?
                }
            };
            Ok(found > 0)
        })
        .await
}

/// An open challenge with the token that was asked for.
#[derive(Queryable, Selectable)]
#[diesel(table_name = authorizations)]
struct Candidate {
    issuance: String,
    name: String,
    http_answer: Option<String>,
    #[diesel(select_expression = issuances::request)]
    request: String,
}

impl Candidate {
    fn is_at(&self, place: &str) -> Result<bool, StoreError> {
        if self.name == place {
            return Ok(true);
        }
        let cell = |table, column| Cell { table, column, row: &self.issuance };
        let request: CertificateRequest = cell("issuances", "request").read_json(&self.request)?;
        let name = cell("authorizations", "name").parsed(DomainName::parse(&self.name))?;
        Ok(durable_label(&request.tenant, &name) == place)
    }
}
