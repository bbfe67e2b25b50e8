use std::sync::Arc;
use std::time::Duration;

use contract::{Clock, Timestamp};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::error::{AcmeError, Operation, Refusal};
use crate::exchange::listening;
use crate::http::Transport;
use crate::retry_after::sent;

/// How long a directory is good for: authorities move their resources seldom, and add some now and then.
const GOOD_FOR: Duration = Duration::from_hours(24);

/// What an authority offers, and where (RFC 8555, section 7.1.1).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Directory {
    pub(crate) new_nonce: String,
    pub(crate) new_account: String,
    /// Where account keys are replaced (RFC 8555, section 7.3.5).
    #[serde(default)]
    pub(crate) key_change: Option<String>,
    /// Where it suggests when to renew (RFC 9773, section 4); not every authority does.
    #[serde(default)]
    pub(crate) renewal_info: Option<String>,
    /// What it says about itself.
    #[serde(default)]
    pub(crate) meta: Meta,
}

/// What an authority says about itself (RFC 8555, section 7.1.1).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Meta {
    /// The names by which CAA records mean it.
    #[serde(default)]
    pub(crate) caa_identities: Vec<String>,
    /// Where its terms of service are.
    #[serde(default)]
    pub(crate) terms_of_service: Option<String>,
}

/// A directory that was just read.
pub(crate) struct Fresh {
    pub(crate) directory: Directory,
    /// When it was sent, by the authority's clock.
    pub(crate) date: Option<Timestamp>,
}

/// The directory of the authority, read when it is first needed and kept for a day.
pub(crate) struct Directories {
    url: String,
    transport: Transport,
    clock: Arc<dyn Clock>,
    kept: Mutex<Option<(Timestamp, Directory)>>,
}

impl Directories {
    pub(crate) fn new(url: &str, transport: Transport, clock: Arc<dyn Clock>) -> Self {
        Self { url: url.to_owned(), transport, clock, kept: Mutex::default() }
    }

    /// The directory, at most a day old. Whoever comes while another reads it waits for that one.
    pub(crate) async fn directory(&self) -> Result<Directory, AcmeError> {
        let mut kept = self.kept.lock().await;
        let now = self.clock.now();
        if let Some((read, directory)) = kept.as_ref()
            && now.since(*read) < GOOD_FOR
        {
            return Ok(directory.clone());
        }
        let Fresh { directory, .. } = Box::pin(self.read()).await?;
        Ok(kept.insert((now, directory)).1.clone())
    }

    /// Reads it now, whatever is kept; nothing is kept of it.
    pub(crate) async fn read(&self) -> Result<Fresh, AcmeError> {
        read(&self.transport, &self.url).await
    }

    /// The directory as it was last read, however long ago: a waiting issuance costs the authority nothing.
    pub(crate) async fn known(&self) -> Result<Directory, AcmeError> {
        let known = self.kept.lock().await.as_ref().map(|(_, directory)| directory.clone());
        match known {
            Some(directory) => Ok(directory),
            None => self.directory().await,
        }
    }

    /// Keeps a directory that somebody else has read.
    pub(crate) async fn keep(&self, body: &[u8]) {
        if let Ok(directory) = serde_json::from_slice(body) {
            *self.kept.lock().await = Some((self.clock.now(), directory));
        }
    }

    /// Reads the directory anew before the next use: the authority may have moved.
    pub(crate) async fn reload(&self) {
        self.kept.lock().await.take();
    }
}

async fn read(transport: &Transport, url: &str) -> Result<Fresh, AcmeError> {
    let (answer, exchange) = listening("directory", transport.get(url)).await;
    let refused = |source: Box<dyn std::error::Error + Send + Sync>| {
        AcmeError::Refused(Box::new(Refusal::new(Operation::ReadDirectory, &exchange, source)))
    };
    let answer = answer.map_err(|error| refused(error.into()))?;
    let date = sent(answer.headers());
    let directory = serde_json::from_slice(answer.body());
    let directory = directory.map_err(|_| refused("this is no ACME v2 directory".into()))?;
    Ok(Fresh { directory, date })
}
