use std::sync::Arc;
use std::time::Duration;

use contract::{Clock, Timestamp};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::error::{AcmeError, Operation, Refusal};
use crate::exchange::listening;
use crate::http::Transport;

/// How long a directory is good for: authorities move their resources seldom, and add some now and then.
const GOOD_FOR: Duration = Duration::from_hours(24);

/// What an authority offers, and where (RFC 8555, section 7.1.1).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Directory {
    pub(crate) new_nonce: String,
    pub(crate) new_account: String,
    /// Where it suggests when to renew (RFC 9773, section 4); not every authority does.
    #[serde(default)]
    pub(crate) renewal_info: Option<String>,
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
        let directory = read(&self.transport, &self.url).await?;
        Ok(kept.insert((now, directory)).1.clone())
    }

    /// Reads the directory anew before the next use: the authority may have moved.
    pub(crate) async fn reload(&self) {
        self.kept.lock().await.take();
    }
}

async fn read(transport: &Transport, url: &str) -> Result<Directory, AcmeError> {
    let (answer, exchange) = listening(transport.get(url)).await;
    let refused = |source: Box<dyn std::error::Error + Send + Sync>| {
        AcmeError::Refused(Box::new(Refusal::new(Operation::ReadDirectory, &exchange, source)))
    };
    let answer = answer.map_err(|error| refused(error.into()))?;
    serde_json::from_slice(answer.body()).map_err(|_| refused("this is no ACME v2 directory".into()))
}
