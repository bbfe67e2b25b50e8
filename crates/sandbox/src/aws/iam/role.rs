//! `GetRole`: of the one role that there may be.

use super::{Form, text};
use crate::aws::clock::rfc3339;
use crate::aws::error::Failure;
use crate::aws::world::World;
use crate::aws::xml::Element;

/// How a role says who may assume it. IAM writes it percent-encoded.
const TRUST: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D";

pub(super) fn get(world: &World, form: &Form, account: &str) -> Result<Element, Failure> {
    let name = text(form, "RoleName");
    let Some(role) = world.settings.role.as_ref().filter(|role| role.name == name) else {
        let message = format!("The role with name {name} cannot be found.");
        return Err(Failure::new(404, "NoSuchEntity", message));
    };
    let role = Element::new("Role")
        .with(Element::leaf("Path", &role.path))
        .with(Element::leaf("RoleName", &role.name))
        .with(Element::leaf("RoleId", "AROASANDBOXSANDBOX000"))
        .with(Element::leaf("Arn", role.arn(account)))
        .with(Element::leaf("CreateDate", rfc3339(0)))
        .with(Element::leaf("AssumeRolePolicyDocument", TRUST));
    Ok(Element::new("GetRoleResult").with(role))
}
