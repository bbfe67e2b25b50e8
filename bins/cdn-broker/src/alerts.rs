//! The targets of alerts and letters, each behind the port `contract::Messenger`, and the commands that concern them.

mod command;
mod email;
mod signature;
mod text;
mod webhook;

use std::sync::Arc;

use contract::{Clock, Messenger};

pub(crate) use self::command::{AlertsCommand, run};
use self::email::{Letters, OperatorMail, Smtp};
use self::webhook::Webhook;
use crate::config::AlertConfig;

/// What the operator has set up, in the order in which it is shown. Asks nobody.
pub(crate) fn messengers(
    config: &AlertConfig,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Vec<Arc<dyn Messenger>>> {
    let mut messengers: Vec<Arc<dyn Messenger>> = Vec::new();
    if let Some(webhook) = &config.webhook {
        messengers.push(Arc::new(Webhook::new(webhook, config.roots_pem.as_deref(), clock.clone())?));
    }
    if let Some(mail) = &config.mail {
        let smtp = Smtp::new(mail, config.roots_pem.as_deref(), clock.clone())?;
        if !mail.to.is_empty() {
            messengers.push(Arc::new(OperatorMail::new(smtp.clone(), mail.to.clone())));
        }
        messengers.push(Arc::new(Letters::new(smtp)));
    }
    Ok(messengers)
}
