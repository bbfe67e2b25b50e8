//! What becomes of a record set: pure functions from what was read to the batch that changes it.

use aws_sdk_route53::error::BuildError;
use aws_sdk_route53::types::{Change, ChangeAction, ResourceRecord, ResourceRecordSet, RrType};

use super::text;

/// Seconds for which a resolver may remember a record. A name that moves from the challenge host to its distribution
/// should not be remembered for long.
const TTL: i64 = 60;

/// The changes that put `value` beside the other TXT values of `owner`; none when it is there.
pub(super) fn with(
    found: Option<&ResourceRecordSet>,
    owner: &str,
    value: &str,
) -> Result<Vec<Change>, BuildError> {
    let mut values = values(found);
    if values.iter().any(|known| text::unquoted(known) == value) {
        return Ok(Vec::new());
    }
    values.push(text::quoted(value));
    let created = change(ChangeAction::Create, set(owner, RrType::Txt, &values)?)?;
    Ok(deleted(found)?.into_iter().chain([created]).collect())
}

/// The changes that take `value` away from the TXT values; none when it is not there.
pub(super) fn without(found: Option<&ResourceRecordSet>, value: &str) -> Result<Vec<Change>, BuildError> {
    let Some(before) = found else { return Ok(Vec::new()) };
    let all = values(found);
    let rest: Vec<String> = all.iter().filter(|known| text::unquoted(known) != value).cloned().collect();
    if rest.len() == all.len() {
        return Ok(Vec::new());
    }
    let mut changes = deleted(found)?;
    if !rest.is_empty() {
        changes.push(change(ChangeAction::Create, set(&before.name, RrType::Txt, &rest)?)?);
    }
    Ok(changes)
}

/// The change that deletes exactly what was read.
pub(super) fn deleted(found: Option<&ResourceRecordSet>) -> Result<Vec<Change>, BuildError> {
    found.map(|found| change(ChangeAction::Delete, found.clone())).into_iter().collect()
}

/// The CNAME from `owner` to `target`.
pub(super) fn cname(owner: &str, target: &str) -> Result<ResourceRecordSet, BuildError> {
    set(owner, RrType::Cname, &[format!("{}.", target.trim_end_matches('.'))])
}

pub(super) fn change(action: ChangeAction, set: ResourceRecordSet) -> Result<Change, BuildError> {
    Change::builder().action(action).resource_record_set(set).build()
}

fn set(owner: &str, kind: RrType, values: &[String]) -> Result<ResourceRecordSet, BuildError> {
    let records: Result<Vec<_>, _> =
        values.iter().map(|value| ResourceRecord::builder().value(value).build()).collect();
    ResourceRecordSet::builder()
        .name(owner)
        .r#type(kind)
        .ttl(TTL)
        .set_resource_records(Some(records?))
        .build()
}

/// The values as Route 53 writes them.
fn values(found: Option<&ResourceRecordSet>) -> Vec<String> {
    found.map_or_else(Vec::new, |set| {
        set.resource_records().iter().map(|record| record.value().to_owned()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: &str = "_acme-challenge.label.zone.example.";

    fn found(values: &[&str]) -> ResourceRecordSet {
        let values: Vec<String> = values.iter().map(|&value| value.to_owned()).collect();
        let mut set = set(OWNER, RrType::Txt, &values).unwrap();
        set.ttl = Some(300);
        set
    }

    fn told(changes: &[Change]) -> Vec<(&str, Option<i64>, Vec<&str>)> {
        changes
            .iter()
            .map(|change| {
                let set = change.resource_record_set().unwrap();
                let values = set.resource_records().iter().map(ResourceRecord::value).collect();
                (change.action().as_str(), set.ttl(), values)
            })
            .collect()
    }

    #[test]
    fn the_first_value_creates_the_record() {
        let changes = with(None, OWNER, "one").unwrap();
        assert_eq!(told(&changes), [("CREATE", Some(60), vec!["\"one\""])]);
    }

    #[test]
    fn a_further_value_takes_the_place_of_exactly_what_was_read() {
        let changes = with(Some(&found(&["\"one\"", "\"t\" \"wo\""])), OWNER, "three").unwrap();
        let read = ("DELETE", Some(300), vec!["\"one\"", "\"t\" \"wo\""]);
        assert_eq!(
            told(&changes),
            [read, ("CREATE", Some(60), vec!["\"one\"", "\"t\" \"wo\"", "\"three\""])]
        );
    }

    #[test]
    fn a_value_that_is_there_is_not_added_again_however_it_is_written() {
        assert!(with(Some(&found(&["\"one\"", "\"t\" \"wo\""])), OWNER, "two").unwrap().is_empty());
    }

    #[test]
    fn a_value_is_taken_out_and_the_others_stay_as_they_were() {
        let changes = without(Some(&found(&["\"one\"", "\"t\" \"wo\""])), "one").unwrap();
        let read = ("DELETE", Some(300), vec!["\"one\"", "\"t\" \"wo\""]);
        assert_eq!(told(&changes), [read, ("CREATE", Some(60), vec!["\"t\" \"wo\""])]);
    }

    #[test]
    fn the_record_goes_with_its_last_value() {
        assert_eq!(
            told(&without(Some(&found(&["\"one\""])), "one").unwrap()),
            [("DELETE", Some(300), vec!["\"one\""])]
        );
        assert!(without(Some(&found(&["\"one\""])), "two").unwrap().is_empty());
        assert!(without(None, "one").unwrap().is_empty());
    }

    #[test]
    fn a_target_is_written_absolute() {
        for target in ["d1.cloudfront.net", "d1.cloudfront.net."] {
            let set = cname("label.zone.example.", target).unwrap();
            assert_eq!((set.resource_records()[0].value(), set.ttl()), ("d1.cloudfront.net.", Some(60)));
        }
    }
}
