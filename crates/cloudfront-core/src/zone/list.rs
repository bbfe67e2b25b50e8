//! Pages of records.

use aws_sdk_route53::operation::list_resource_record_sets::ListResourceRecordSetsOutput;
use aws_sdk_route53::types::{ResourceRecord, ResourceRecordSet, RrType};
use contract::{Page, PageToken, PortResult, RecordContent, ZoneRecord};

use super::text;
use crate::listing::next;

/// Where a page begins: Route 53 wants up to three texts for that, none of which has a space in it.
#[derive(Debug, Default)]
pub(super) struct Start {
    pub(super) name: Option<String>,
    pub(super) kind: Option<RrType>,
    pub(super) identifier: Option<String>,
}

impl Start {
    pub(super) fn read(token: Option<&PageToken>) -> Self {
        let mut parts = token.map_or("", PageToken::as_str).splitn(3, ' ').filter(|part| !part.is_empty());
        Self {
            name: parts.next().map(str::to_owned),
            kind: parts.next().map(RrType::from),
            identifier: parts.next().map(str::to_owned),
        }
    }

    fn write(answer: &ListResourceRecordSetsOutput) -> Option<String> {
        let name = answer.next_record_name.as_deref()?;
        let kind = answer.next_record_type.as_ref().map_or("", RrType::as_str);
        let identifier = answer.next_record_identifier.as_deref().unwrap_or_default();
        Some(format!("{name} {kind} {identifier}"))
    }
}

pub(super) fn page(answer: &ListResourceRecordSetsOutput, doing: &str) -> PortResult<Page<ZoneRecord>> {
    let next = next(answer.is_truncated, Start::write(answer), doing)?;
    Ok(Page { items: answer.resource_record_sets.iter().filter_map(record).collect(), next })
}

/// A plain record of one of the two kinds; aliases and routing policies are not the broker's.
fn record(set: &ResourceRecordSet) -> Option<ZoneRecord> {
    if set.set_identifier.is_some() || set.alias_target.is_some() {
        return None;
    }
    let values = || set.resource_records().iter().map(ResourceRecord::value);
    let content = match set.r#type {
        RrType::Cname => RecordContent::Cname(values().next()?.trim_end_matches('.').to_owned()),
        RrType::Txt => RecordContent::Txt(values().map(text::unquoted).collect()),
        _ => return None,
    };
    Some(ZoneRecord { owner: set.name.clone(), content })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_to_where_the_page_ended() {
        let answer = |identifier: Option<&str>| {
            ListResourceRecordSetsOutput::builder()
                .set_resource_record_sets(Some(Vec::new()))
                .is_truncated(true)
                .max_items(1)
                .next_record_name("\\052.zone.example.")
                .next_record_type(RrType::Cname)
                .set_next_record_identifier(identifier.map(str::to_owned))
                .build()
                .unwrap()
        };
        for identifier in [None, Some("blue one")] {
            let token = page(&answer(identifier), "list").unwrap().next;
            let start = Start::read(token.as_ref());
            assert_eq!(start.name.as_deref(), Some("\\052.zone.example."));
            assert_eq!((start.kind, start.identifier.as_deref()), (Some(RrType::Cname), identifier));
        }
        assert_eq!(Start::read(None).name, None);
    }
}
