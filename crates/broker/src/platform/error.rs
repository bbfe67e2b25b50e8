use std::time::Duration;

use contract::{PortError, Remedy};

/// Why the platform gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlatformError {
    #[error("the platform did not answer within {0:?}")]
    Late(Duration),
    #[error("the platform cannot be reached")]
    Unreachable(#[source] hyper_util::client::legacy::Error),
    #[error("the platform's answer broke off or is too large")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the platform answered {status}: {saying}")]
    Refused { status: u16, saying: String, request_id: Option<String> },
    #[error("the platform's UAA answered {status} to CLIENT_ID and CLIENT_SECRET: {saying}")]
    Credentials { status: u16, saying: String, request_id: Option<String> },
    #[error("the platform's answer is not what its documentation says")]
    Strange(#[source] serde_json::Error),
    #[error("the platform names no address for its {0}, or one that must not be used")]
    Link(&'static str),
    #[error("a request cannot be made of what is known")]
    Request(#[source] http::Error),
}

impl PlatformError {
    /// The error of the port, while `doing` something.
    pub(super) fn port(self, doing: &str) -> PortError {
        let request_id = match &self {
            Self::Refused { request_id, .. } | Self::Credentials { request_id, .. } => request_id.clone(),
            _ => None,
        };
        PortError::new(doing, self.remedy(), self).with_request_id(request_id)
    }

    /// Whoever is not let in, or is at the wrong address, needs the operator; everything else passes by itself.
    fn remedy(&self) -> Remedy {
        match self {
            Self::Credentials { status, .. } | Self::Refused { status, .. } => match status {
                429 | 500..=599 => Remedy::Retry { after: None },
                _ => Remedy::AwaitOperator,
            },
            Self::Link(_) | Self::Request(_) => Remedy::AwaitOperator,
            Self::Late(_) | Self::Unreachable(_) | Self::Broken(_) | Self::Strange(_) => {
                Remedy::Retry { after: None }
            }
        }
    }
}
