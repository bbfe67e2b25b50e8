//! What was seen of a proof, noted beside whoever works on its issuance.

use contract::{IssuanceId, LastLook, PortResult, ProofState};
use diesel::prelude::*;

use crate::labels::Label;
use crate::schema::authorizations;
use crate::store::Store;

/// Behind [`contract::IssuanceStore::note_look`]: one statement, which leaves the version of the issuance alone.
pub(crate) async fn note(
    store: &Store,
    id: &IssuanceId,
    authorization: &str,
    look: &LastLook,
) -> PortResult<()> {
    let (id, url, look) = (id.as_str().to_owned(), authorization.to_owned(), look.clone());
    store
        .run("note a look at a proof", move |db, _| {
            let at = look.at.as_millis();
            let open = authorizations::table
                .filter(authorizations::issuance.eq(id).and(authorizations::url.eq(url)))
                .filter(authorizations::state.eq(ProofState::Open.label()))
                .filter(authorizations::last_look_at.is_null().or(authorizations::last_look_at.le(at)));
            let seen =
                (authorizations::last_look_at.eq(Some(at)), authorizations::last_look_saw.eq(Some(look.saw)));
            diesel::update(open).set(seen).execute(db)?;
            Ok(())
        })
        .await
}
