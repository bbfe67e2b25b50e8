use contract::{InstanceId, InstanceState, InstanceStore};
use serde_json::json;

use super::{ShowArgs, unknown};
use crate::cli::{complain, print};
use crate::config::Config;
use crate::output::agreed;
use crate::{FAILED, OK, wire};

/// Shows the link to the page of an instance, after those that were given so far have been revoked if that is wanted. Asks the
/// database alone.
pub(super) async fn run(config: &Config, arguments: &ShowArgs) -> anyhow::Result<u8> {
    let store = wire::store(config).await?;
    let Some(pages) = wire::pages(config, &store)? else {
        complain("there are no pages: PUBLIC_URL says where browsers find this broker");
        return Ok(FAILED);
    };
    let id = InstanceId::new(&arguments.id);
    let found = InstanceStore::find(store.as_ref(), &id).await?;
    let Some(instance) = found.filter(|instance| instance.state != InstanceState::Gone) else {
        return Ok(unknown(&id));
    };
    if arguments.revoke_link {
        if let Err(code) =
            agreed("Make every link to its page that was given so far worthless?", arguments.yes)
        {
            return Ok(code);
        }
        pages.revoke(&id).await?;
        complain("the platform shows the new link after `cf update-service NAME -c '{}'`");
    }
    let link = pages.link(&instance).await?;
    print(&if arguments.json { format!("{:#}", json!({"id": id.as_str(), "link": link})) } else { link });
    Ok(OK)
}
