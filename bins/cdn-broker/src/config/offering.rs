use broker::Offering;

use super::Reader;

/// What is offered: as `CATALOG_FILE` says, or what is built in. `has_acl` says whether there is a web ACL.
pub(super) fn offering(reader: &mut Reader<'_>, has_acl: bool) -> Option<Offering> {
    let Some(path) = reader.optional("CATALOG_FILE") else { return Some(Offering::built_in(has_acl)) };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(reason) => {
            let what = format!("names the file `{path}`, which cannot be read: {reason}");
            reader.mistake("CATALOG_FILE", what);
            return None;
        }
    };
    match Offering::from_json(&text) {
        Ok(offering) => {
            for plan in offering.guarded().into_iter().filter(|_| !has_acl) {
                let what =
                    format!("`{path}`: the plan {plan:?} has a web ACL, but WAF_WEB_ACL_ARN is not set");
                reader.mistake("CATALOG_FILE", what);
            }
            Some(offering)
        }
        Err(mistakes) => {
            for mistake in mistakes {
                reader.mistake("CATALOG_FILE", format!("`{path}`: {mistake}"));
            }
            None
        }
    }
}
