//! STS: who the caller is.

use super::error::Failure;
use super::identity;
use super::message::Request;
use super::world::World;
use super::xml::Element;

/// The XML namespace of the answers of STS.
pub(crate) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Accepts `GetCallerIdentity` and nothing else.
pub(crate) fn identify(request: &Request) -> Result<(), Failure> {
    let action = url::form_urlencoded::parse(&request.body).find(|(key, _)| key == "Action");
    match action {
        Some((_, action)) if action == "GetCallerIdentity" => Ok(()),
        _ => Err(Failure::bad("InvalidAction", "Could not find operation")),
    }
}

/// The one identity of an account.
pub(crate) fn caller(world: &World, account: &str) -> Element {
    let user_id =
        if world.settings.role.is_some() { "AROASANDBOXSANDBOX000:sandbox" } else { "AIDASANDBOXSANDBOX000" };
    Element::new("GetCallerIdentityResult")
        .with(Element::leaf("Arn", identity::caller(world, account)))
        .with(Element::leaf("UserId", user_id))
        .with(Element::leaf("Account", account))
}
