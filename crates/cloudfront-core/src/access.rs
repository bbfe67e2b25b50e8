//! Which of the actions that the broker needs its credentials really allow, asked of IAM's policy simulator. It changes nothing.

mod caller;
mod verdict;

use std::error::Error;

use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::operation::simulate_principal_policy::SimulatePrincipalPolicyError;
use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult};
use contract::{PortError, PortResult, Remedy, Upstream};

use self::caller::{Caller, Who};
use crate::classify::{is, port_error};
use crate::permissions::{Only, Permission, permissions};
use crate::policy::PolicySettings;
use crate::settings::AwsSettings;

/// Who we are at AWS, and what we may do there.
#[derive(Debug)]
pub struct Access {
    sts: aws_sdk_sts::Client,
    iam: aws_sdk_iam::Client,
    /// What counts, but for the account. Boxed, because whoever waits holds it.
    settings: Box<PolicySettings>,
}

/// What IAM says about every action that the broker needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examination {
    /// The ARN of the user or role whose permissions count; `None` when nobody said who we are.
    pub principal: Option<String>,
    /// Every action, once for each resource, in the order of the policy.
    pub grants: Vec<Grant>,
    /// Why IAM was not asked, if it was not.
    pub unasked: Option<Unasked>,
}

/// What is known about one action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The action and what it is done to.
    pub permission: Permission,
    /// Whether it is allowed.
    pub standing: Standing,
}

/// Whether an action is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    Allowed,
    /// It is not, and why.
    Denied(String),
    /// Nobody can tell, and why.
    Unknown(String),
}

/// Why IAM was not asked about permissions. That says nothing about the permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unasked {
    /// What stands in the way.
    pub why: String,
    /// What to do.
    pub cure: String,
}

/// Whose policies are simulated.
struct Principal {
    arn: String,
    /// Nobody told the path of the role, so that it is taken to have none.
    is_guess: bool,
}

impl Access {
    pub(crate) fn new(sts: aws_sdk_sts::Client, iam: aws_sdk_iam::Client, settings: &AwsSettings) -> Self {
        Self { sts, iam, settings: Box::new(PolicySettings::of("", settings)) }
    }

    /// Asks who we are, and then about each action: some twenty calls. Whatever goes wrong with that is part of the answer,
    /// because the broker does not need any of it for its work.
    pub async fn examine(&self) -> Examination {
        let caller = match self.caller().await {
            Ok(caller) => caller,
            Err(error) => return self.unasked("*", None, Unasked::because(&error)),
        };
        let principal = match self.principal(&caller).await {
            Ok(principal) => principal,
            Err(why) => return self.unasked(&caller.account, None, why),
        };
        match self.grants(&caller.account, &principal).await {
            Ok(grants) => Examination { principal: Some(principal.arn), grants, unasked: None },
            Err(why) => self.unasked(&caller.account, Some(principal.arn), why),
        }
    }

    fn unasked(&self, account: &str, principal: Option<String>, why: Unasked) -> Examination {
        let unknown = |permission| Grant { permission, standing: Standing::Unknown("not asked".to_owned()) };
        let grants = self.needed(account).into_iter().map(unknown).collect();
        Examination { principal, grants, unasked: Some(why) }
    }

    fn needed(&self, account: &str) -> Vec<Permission> {
        permissions(&PolicySettings { account: account.to_owned(), ..(*self.settings).clone() })
    }

    /// Everybody may ask that.
    async fn caller(&self) -> PortResult<Caller> {
        let doing = "ask STS who we are";
        let sent = self.sts.get_caller_identity().send().await;
        let answer = sent.map_err(|error| port_error(Upstream::Account, doing, error))?;
        let arn = answer.arn.unwrap_or_default();
        Caller::parse(&arn).ok_or_else(|| {
            PortError::new(
                doing,
                Remedy::GiveUp,
                format!("`{arn}` is an ARN of a kind that is not known here"),
            )
        })
    }

    async fn principal(&self, caller: &Caller) -> Result<Principal, Unasked> {
        match &caller.who {
            Who::User(arn) => Ok(Principal { arn: arn.clone(), is_guess: false }),
            Who::Session { role } => self.role(&caller.account, role).await,
            Who::Nobody { why, cure } => Err(Unasked { why: (*why).to_owned(), cure: (*cure).to_owned() }),
        }
    }

    /// The ARN of a session names its role without the path.
    async fn role(&self, account: &str, name: &str) -> Result<Principal, Unasked> {
        let guess = Principal { arn: format!("arn:aws:iam::{account}:role/{name}"), is_guess: true };
        match self.iam.get_role().role_name(name).send().await {
            Ok(answer) => {
                let arn = answer.role.map(|role| role.arn).filter(|arn| !arn.is_empty());
                Ok(arn.map_or(guess, |arn| Principal { arn, is_guess: false }))
            }
            Err(error) if is_denied(&error) => Ok(guess),
            Err(error) => {
                let doing = format!("ask IAM for the path of the role {name}");
                Err(Unasked::because(&port_error(Upstream::Account, doing, error)))
            }
        }
    }

    async fn grants(&self, account: &str, principal: &Principal) -> Result<Vec<Grant>, Unasked> {
        let mut grants = Vec::new();
        for permission in self.needed(account) {
            let standing = self.standing(principal, &permission).await?;
            grants.push(Grant { permission, standing });
        }
        Ok(grants)
    }

    async fn standing(&self, principal: &Principal, permission: &Permission) -> Result<Standing, Unasked> {
        match self.simulate(&principal.arn, permission).await {
            Ok(results) => Ok(verdict::of(permission.action, &results)),
            // The simulator does not know every action that there is.
            Err(error) if is(&error, "InvalidInput") => {
                let doing = format!("simulate {}", permission.action);
                Ok(Standing::Unknown(port_error(Upstream::Account, doing, error).to_string()))
            }
            Err(error) => Err(principal.unasked(error)),
        }
    }

    /// One action in a call: IAM refuses several that need different kinds of information. Pages are read to their end, since
    /// IAM may cut them where it likes.
    async fn simulate(
        &self,
        principal: &str,
        permission: &Permission,
    ) -> Result<Vec<EvaluationResult>, SdkError<SimulatePrincipalPolicyError>> {
        let asked = self.iam.simulate_principal_policy().policy_source_arn(principal);
        let asked = asked.action_names(permission.action).set_resource_arns(example(&permission.resource));
        let asked = asked.set_context_entries(permission.only.map(|only| vec![context(only)]));
        asked.into_paginator().items().send().try_collect().await
    }
}

impl Principal {
    fn unasked<E>(&self, error: SdkError<E>) -> Unasked
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let arn = &self.arn;
        let may_be_elsewhere = self.is_guess && is(&error, "NoSuchEntity");
        let may_not = is_denied(&error);
        let error = port_error(Upstream::Account, format!("simulate the policies of {arn}"), error);
        if !may_not && !may_be_elsewhere {
            return Unasked::because(&error);
        }
        let path = if self.is_guess { " and iam:GetRole, which alone tells the path of a role," } else { "" };
        let cure = format!(
            "grant iam:SimulatePrincipalPolicy{path} on {arn} to have single permissions checked; `cdn-broker aws policy \
             --principal ARN` prints a policy that has it"
        );
        Unasked { why: error.to_string(), cure }
    }
}

impl Unasked {
    fn because(error: &PortError) -> Self {
        let cure = "try again when that is mended; the broker itself does not need it".to_owned();
        Self { why: error.to_string(), cure }
    }
}

fn is_denied<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    ["AccessDenied", "AccessDeniedException"].iter().any(|code| is(error, code))
}

/// Something that the resource of a policy fits; nothing where there is no narrower resource than all.
fn example(resource: &str) -> Option<Vec<String>> {
    (resource != "*").then(|| vec![resource.replace('*', "config-check")])
}

fn context(only: Only) -> ContextEntry {
    let values = only.values.iter().map(ToString::to_string).collect();
    ContextEntry::builder()
        .context_key_name(only.key)
        .context_key_type(ContextKeyTypeEnum::StringList)
        .set_context_key_values(Some(values))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iam_is_asked_about_things_that_the_policy_covers() {
        assert_eq!(example("*"), None);
        for (resource, asked) in [
            ("arn:aws:s3:::b", "arn:aws:s3:::b"),
            ("arn:aws:cloudfront::1:distribution/*", "arn:aws:cloudfront::1:distribution/config-check"),
            (
                "arn:aws:s3:::b/*/.well-known/acme-challenge/*",
                "arn:aws:s3:::b/config-check/.well-known/acme-challenge/config-check",
            ),
        ] {
            assert_eq!(example(resource), Some(vec![asked.to_owned()]));
        }
    }
}
