mod list;
mod record;
mod text;

use std::error::Error;

use async_trait::async_trait;
use aws_sdk_route53::Client;
use aws_sdk_route53::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_route53::operation::RequestId as _;
use aws_sdk_route53::operation::change_resource_record_sets::ChangeResourceRecordSetsError;
use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecordSet, RrType};
use contract::{ManagedZone, Page, PageToken, PortError, PortResult, Remedy, Upstream, ZoneRecord};

use crate::classify::port_error;
use crate::settings::ZoneSettings;

/// How often a change is computed anew because somebody else's came in between. Of writers in step one wins each time.
const ATTEMPTS: u32 = 12;

/// A hosted zone of Amazon Route 53.
///
/// Nobody locks anything: a record set is changed by deleting exactly what was read and creating the new one, in one
/// batch, which Route 53 does as a whole or not at all. If somebody else was faster, what was read is not there any
/// more, the batch is refused, and the set is read again.
#[derive(Debug)]
pub struct Route53Zone {
    client: Client,
    /// Absolute: lower case, with its trailing dot.
    name: String,
    id: String,
    page_size: Option<i32>,
}

impl Route53Zone {
    pub(crate) fn new(client: Client, settings: &ZoneSettings, page_size: Option<i32>) -> Self {
        let name = settings.name.trim_end_matches('.').to_ascii_lowercase();
        Self { client, name: format!("{name}."), id: settings.id.clone(), page_size }
    }
}

#[async_trait]
impl ManagedZone for Route53Zone {
    async fn add_txt(&self, owner: &str, value: &str) -> PortResult<()> {
        self.change(owner, RrType::Txt, "add a TXT value to", |found| record::with(found, owner, value)).await
    }

    async fn remove_txt(&self, owner: &str, value: &str) -> PortResult<()> {
        self.change(owner, RrType::Txt, "remove a TXT value from", |found| record::without(found, value))
            .await
    }

    async fn point(&self, owner: &str, target: &str) -> PortResult<()> {
        let doing = self.doing("point", owner)?;
        let change = record::cname(owner, target).and_then(|set| record::change(ChangeAction::Upsert, set));
        match self.send(&doing, vec![change.map_err(|error| unsayable(&doing, error))?]).await? {
            Sent::Done => Ok(()),
            Sent::Refused(why) => Err(why),
        }
    }

    async fn release(&self, owner: &str) -> PortResult<()> {
        self.change(owner, RrType::Cname, "release", record::deleted).await
    }

    async fn list(&self, after: Option<PageToken>) -> PortResult<Page<ZoneRecord>> {
        let doing = format!("list the records of the hosted zone {}", self.id);
        let asked = self.client.list_resource_record_sets().hosted_zone_id(&self.id);
        let from = list::Start::read(after.as_ref());
        let asked = asked
            .set_start_record_name(from.name)
            .set_start_record_type(from.kind)
            .set_start_record_identifier(from.identifier)
            .set_max_items(self.page_size);
        let answer = asked.send().await.map_err(|error| port_error(Upstream::Zone, &doing, error))?;
        list::page(&answer, &doing)
    }
}

/// What became of a batch.
enum Sent {
    Done,
    /// Route 53 found something else than the batch expects.
    Refused(PortError),
}

impl Route53Zone {
    /// Reads the record set and sends what `changes` makes of it, until it says that there is nothing to change or
    /// nobody was faster.
    async fn change(
        &self,
        owner: &str,
        kind: RrType,
        verb: &str,
        changes: impl Fn(Option<&ResourceRecordSet>) -> Result<Vec<Change>, BuildError> + Send,
    ) -> PortResult<()> {
        let doing = self.doing(verb, owner)?;
        let mut refusal = None;
        for _ in 0..ATTEMPTS {
            let found = self.read(owner, &kind, &doing).await?;
            let changes = changes(found.as_ref()).map_err(|error| unsayable(&doing, error))?;
            if changes.is_empty() {
                return Ok(());
            }
            match self.send(&doing, changes).await? {
                Sent::Done => return Ok(()),
                Sent::Refused(why) if why.remedy() == Remedy::AwaitOperator => return Err(why),
                Sent::Refused(why) => refusal = Some(why),
            }
        }
        Err(refusal.unwrap_or_else(|| PortError::new(doing, Remedy::Retry { after: None }, "never tried")))
    }

    /// The record set of this owner and type, which includes changes that have not reached every name server yet.
    async fn read(&self, owner: &str, kind: &RrType, doing: &str) -> PortResult<Option<ResourceRecordSet>> {
        let asked = self.client.list_resource_record_sets().hosted_zone_id(&self.id);
        let page = asked.start_record_name(owner).start_record_type(kind.clone()).max_items(1).send().await;
        let page = page.map_err(|error| port_error(Upstream::Zone, doing, error))?;
        // The list goes on behind what it was asked to begin with.
        let first = page.resource_record_sets.into_iter().next();
        let Some(set) = first.filter(|set| is_named(set, owner) && set.r#type == *kind) else {
            return Ok(None);
        };
        if set.set_identifier.is_some() || set.alias_target.is_some() {
            return Err(PortError::new(doing, Remedy::AwaitOperator, NOT_PLAIN));
        }
        Ok(Some(set))
    }

    async fn send(&self, doing: &str, changes: Vec<Change>) -> PortResult<Sent> {
        let batch = ChangeBatch::builder().set_changes(Some(changes)).build();
        let batch = batch.map_err(|error| unsayable(doing, error))?;
        let sent = self.client.change_resource_record_sets().hosted_zone_id(&self.id).change_batch(batch);
        match sent.send().await {
            Ok(_) => Ok(Sent::Done),
            Err(error) => match refused_batch(&error) {
                Some(why) => Ok(Sent::Refused(refusal(doing, &why, &error))),
                None => Err(port_error(Upstream::Zone, doing, error)),
            },
        }
    }

    /// What is being done, for the operator; refuses an owner that is none of the zone.
    fn doing(&self, verb: &str, owner: &str) -> PortResult<String> {
        let doing = format!("{verb} {owner} in the hosted zone {}", self.id);
        let below = owner.strip_suffix(&self.name).and_then(|below| below.strip_suffix('.'));
        let below = below.map(|below| below.strip_prefix("*.").unwrap_or(below));
        let is_label = |label: &str| {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
            (1..=63).contains(&label.len()) && label.bytes().all(plain)
        };
        if owner.len() <= 254 && below.is_some_and(|below| below.split('.').all(is_label)) {
            return Ok(doing);
        }
        let why = format!("it is not a name below {} in lower case with its trailing dot", self.name);
        Err(PortError::new(doing, Remedy::GiveUp, why))
    }
}

/// Route 53 writes an asterisk by its code.
fn is_named(set: &ResourceRecordSet, owner: &str) -> bool {
    let starred = owner.strip_prefix("*.").filter(|_| set.name.starts_with("\\052."));
    set.name == owner
        || starred.is_some_and(|rest| set.name.ends_with(rest) && set.name.len() == rest.len() + 5)
}

const NOT_PLAIN: &str =
    "somebody has made this record an alias or given it a routing policy; remove it, it is ours";

/// What Route 53 has against a batch, if that is the error. Its older form of this error says neither code nor message
/// where all others do.
fn refused_batch(error: &SdkError<ChangeResourceRecordSetsError>) -> Option<String> {
    if let Some(ChangeResourceRecordSetsError::InvalidChangeBatch(refusal)) = error.as_service_error() {
        let messages = refusal.messages().join("; ");
        return Some(if messages.is_empty() {
            refusal.message().unwrap_or_default().to_owned()
        } else {
            messages
        });
    }
    let body = std::str::from_utf8(error.raw_response()?.body().bytes()?).ok()?;
    let is_old_form = error.code().is_none() && body.contains("<InvalidChangeBatch");
    is_old_form.then(|| body.to_owned())
}

/// A name that is not of this zone, or beside a record of another type where only one can be, stays refused; anything
/// else has changed in between.
fn refusal<E>(doing: &str, why: &str, error: &SdkError<E>) -> PortError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let retry = Remedy::Retry { after: None };
    let remedy = if why.contains("not permitted") { Remedy::AwaitOperator } else { retry };
    let cause = format!("InvalidChangeBatch: {why}");
    PortError::new(doing, remedy, cause).with_request_id(error.request_id())
}

fn unsayable(doing: &str, error: BuildError) -> PortError {
    PortError::new(doing, Remedy::GiveUp, error)
}
