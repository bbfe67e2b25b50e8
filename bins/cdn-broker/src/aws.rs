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
    print(&policies(arguments));
    OK
}

fn policies(arguments: &PolicyArgs) -> String {
    let settings = PolicySettings {
        account: arguments.account.clone(),
        bucket: arguments.bucket.clone(),
        iam_path_prefix: arguments.iam_path_prefix.clone(),
        zone: arguments.zone.clone(),
        log_bucket: arguments.log_bucket.clone(),
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
