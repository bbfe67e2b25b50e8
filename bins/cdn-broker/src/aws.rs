use cloudfront_core::{PolicySettings, bucket_policy, iam_policy};
use serde_json::{Value, json};

use crate::cli::{AwsCommand, PolicyArgs, complain, print};
use crate::{OK, USAGE};

pub(crate) fn run(command: &AwsCommand) -> u8 {
    let AwsCommand::Policy(arguments) = command;
    if arguments.account.len() != 12 || !arguments.account.bytes().all(|b| b.is_ascii_digit()) {
        complain(&format!("`{}` is not an AWS account: it has twelve digits", arguments.account));
        return USAGE;
    }
    if let Some(arn) = arguments.principal.as_deref().filter(|arn| !is_principal(arn, &arguments.account)) {
        complain(&format!(
            "`{arn}` is not a user or role of the account {account}: its ARN is arn:aws:iam::{account}:user/NAME or \
             arn:aws:iam::{account}:role/NAME, with the path before the name if it has one",
            account = arguments.account
        ));
        return USAGE;
    }
    print(&policies(arguments));
    OK
}

/// Wildcards would let the broker look at the permissions of others.
fn is_principal(arn: &str, account: &str) -> bool {
    let kinds = ["user/", "role/"].map(|kind| format!("arn:aws:iam::{account}:{kind}"));
    let name = kinds.iter().find_map(|kind| arn.strip_prefix(kind.as_str()));
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&b);
    name.is_some_and(|name| !name.is_empty() && !name.ends_with('/') && name.bytes().all(is_allowed))
}

fn policies(arguments: &PolicyArgs) -> String {
    let settings = PolicySettings {
        account: arguments.account.clone(),
        bucket: arguments.bucket.clone(),
        iam_path_prefix: arguments.iam_path_prefix.clone(),
        zone: arguments.zone.clone(),
        log_bucket: arguments.log_bucket.clone(),
        principal: arguments.principal.clone(),
    };
    let (user, bucket) = (iam_policy(&settings), bucket_policy(&settings));
    if arguments.json {
        return pretty(&json!({"iam_policy": user, "bucket_policy": bucket}));
    }
    format!(
        "IAM policy, for the user or role of the broker:\n{}\n\nBucket policy of `{}`, so that CloudFront can read the \
         challenge answers:\n{}",
        pretty(&user),
        arguments.bucket,
        pretty(&bucket)
    )
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_one_user_or_role_of_the_account() {
        let is = |arn: &str| is_principal(arn, "111111111111");
        for arn in ["user/broker", "user/apps/cdn/broker", "role/cdn-broker", "role/a/b+c=d,e.f@g_h"] {
            assert!(is(&format!("arn:aws:iam::111111111111:{arn}")), "{arn}");
        }
        for arn in ["", "user/", "role/*", "user/a?", "group/a", "user/a/", "user/${aws:username}"] {
            assert!(!is(&format!("arn:aws:iam::111111111111:{arn}")), "{arn}");
        }
        for arn in ["arn:aws:iam::222222222222:user/broker", "arn:aws:sts::111111111111:assumed-role/a/b"] {
            assert!(!is(arn), "{arn}");
        }
    }
}
