use std::collections::BTreeMap;

use aws_sdk_cloudfront::Client;
use aws_sdk_cloudfront::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_cloudfront::types::{
    OriginAccessControlConfig, OriginAccessControlOriginTypes, OriginAccessControlSigningBehaviors,
    OriginAccessControlSigningProtocols,
};
use contract::{PortError, PortResult, Remedy, Upstream};
use tokio::sync::Mutex;

use crate::classify::{is, port_error};

/// The origin access controls `NAME-1`, `NAME-2`, … One serves at most 100 distributions, so they are made as needed.
/// Which of them has room is only remembered: a new process asks again, from the first one on.
#[derive(Debug)]
pub(crate) struct Controls {
    client: Client,
    name: String,
    memory: Mutex<Memory>,
}

#[derive(Debug)]
struct Memory {
    ids: BTreeMap<u32, String>,
    /// The lowest number that may have room.
    roomy: u32,
}

impl Memory {
    fn blank() -> Self {
        Self { ids: BTreeMap::new(), roomy: 1 }
    }
}

impl Controls {
    pub(crate) fn new(client: Client, name: String) -> Self {
        Self { client, name, memory: Mutex::new(Memory::blank()) }
    }

    /// The id of a control that may have room; it is made if it does not exist.
    pub(crate) async fn with_room(&self) -> PortResult<String> {
        let mut memory = self.memory.lock().await;
        let number = memory.roomy;
        if let Some(id) = memory.ids.get(&number) {
            return Ok(id.clone());
        }
        let id = match self.create(number).await? {
            Some(id) => id,
            None => self.look_up(number, &mut memory).await?,
        };
        memory.ids.insert(number, id.clone());
        Ok(id)
    }

    /// Takes note that a control has no room.
    pub(crate) async fn is_full(&self, id: &str) {
        let mut memory = self.memory.lock().await;
        let number = memory.ids.iter().find(|(_, known)| *known == id).map(|(number, _)| *number);
        memory.roomy = memory.roomy.max(number.map_or(1, |number| number + 1));
    }

    /// Takes note of a refusal that says that a control which was there is gone: the next call asks again.
    pub(crate) async fn heed<E: ProvideErrorMetadata>(&self, error: &SdkError<E>) {
        if is(error, "InvalidOriginAccessControl") || is(error, "NoSuchOriginAccessControl") {
            *self.memory.lock().await = Memory::blank();
        }
    }

    /// `None` when there is one of that name.
    async fn create(&self, number: u32) -> PortResult<Option<String>> {
        let doing = "create an origin access control";
        let config =
            config(self.name_of(number)).map_err(|error| PortError::new(doing, Remedy::GiveUp, error))?;
        let sent =
            self.client.create_origin_access_control().origin_access_control_config(config).send().await;
        match sent {
            Ok(answer) => Ok(answer.origin_access_control.map(|control| control.id)),
            Err(error) if is(&error, "OriginAccessControlAlreadyExists") => Ok(None),
            Err(error) => Err(port_error(Upstream::Cdn, doing, error)),
        }
    }

    /// Reads the whole list, and remembers all of ours on it.
    async fn look_up(&self, number: u32, memory: &mut Memory) -> PortResult<String> {
        let doing = "find an origin access control";
        let mut marker = None;
        loop {
            let page = self.client.list_origin_access_controls().set_marker(marker).send().await;
            let page =
                page.map_err(|error| port_error(Upstream::Cdn, doing, error))?.origin_access_control_list;
            let Some(page) = page else { break };
            for control in page.items() {
                if let Some(number) = self.number_of(&control.name) {
                    memory.ids.insert(number, control.id.clone());
                }
            }
            match page.next_marker.filter(|next| page.is_truncated && !next.is_empty()) {
                Some(next) => marker = Some(next),
                None => break,
            }
        }
        let missing = || Missing(self.name_of(number));
        let retry = Remedy::Retry { after: None };
        memory.ids.get(&number).cloned().ok_or_else(|| PortError::new(doing, retry, missing()))
    }

    fn name_of(&self, number: u32) -> String {
        format!("{}-{number}", self.name)
    }

    fn number_of(&self, name: &str) -> Option<u32> {
        name.strip_prefix(&self.name)?.strip_prefix('-')?.parse().ok()
    }
}

/// The list lags behind the refusal to create a second one.
#[derive(Debug, thiserror::Error)]
#[error("{0} is said to exist, but is not listed")]
struct Missing(String);

fn config(name: String) -> Result<OriginAccessControlConfig, BuildError> {
    OriginAccessControlConfig::builder()
        .name(name)
        .description("Lets CloudFront read the challenge answers of cdn-broker.")
        .signing_protocol(OriginAccessControlSigningProtocols::Sigv4)
        .signing_behavior(OriginAccessControlSigningBehaviors::Always)
        .origin_access_control_origin_type(OriginAccessControlOriginTypes::S3)
        .build()
}
