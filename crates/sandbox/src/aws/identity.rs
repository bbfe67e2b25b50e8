//! Who calls: the user `sandbox` of the account, or a session of a role.

use super::world::World;

/// A role of IAM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// `/`, or folders between slashes such as `/cdn/`.
    pub path: String,
    /// The name.
    pub name: String,
}

impl Role {
    /// The ARN, which has the path.
    pub(crate) fn arn(&self, account: &str) -> String {
        format!("arn:aws:iam::{account}:role{}{}", self.path, self.name)
    }
}

/// The ARN that STS gives. That of a session does not have the path of its role.
pub(crate) fn caller(world: &World, account: &str) -> String {
    match &world.settings.role {
        Some(role) => format!("arn:aws:sts::{account}:assumed-role/{}/sandbox", role.name),
        None => user(account),
    }
}

/// The ARN of whoever has the policies.
pub(crate) fn principal(world: &World, account: &str) -> String {
    world.settings.role.as_ref().map_or_else(|| user(account), |role| role.arn(account))
}

fn user(account: &str) -> String {
    format!("arn:aws:iam::{account}:user/sandbox")
}
