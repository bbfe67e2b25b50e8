use serde_json::{Value, json};

use crate::permissions::{NEEDS, Need, answers};
use crate::settings::AwsSettings;

/// Whose account the policies are for.
#[derive(Clone, Debug)]
pub struct PolicySettings {
    /// The AWS account number, twelve digits.
    pub account: String,
    /// The bucket of the challenge answers.
    pub bucket: String,
    /// As in [`AwsSettings`](crate::AwsSettings).
    pub iam_path_prefix: String,
    /// Route 53's id of the managed zone, if there is one.
    pub zone: Option<String>,
    /// The bucket of access logs, if there is one.
    pub log_bucket: Option<String>,
    /// The ARN of the user or role that is to have the policy, so that it may look at its own permissions. Without it a user
    /// without a path may, and nobody else.
    pub principal: Option<String>,
}

impl PolicySettings {
    /// What the broker of these settings needs in this account.
    pub fn of(account: impl Into<String>, settings: &AwsSettings) -> Self {
        Self {
            account: account.into(),
            bucket: settings.bucket.clone(),
            iam_path_prefix: settings.iam_path_prefix.clone(),
            zone: settings.managed_zone.as_ref().map(|zone| zone.id.clone()),
            log_bucket: settings.log_bucket.clone(),
            principal: None,
        }
    }
}

/// The identity policy of the broker's AWS user or role: what this crate calls and nothing else.
pub fn iam_policy(settings: &PolicySettings) -> Value {
    let statement = |need: &Need| Some(allow(need, &need.on.resource(settings)?));
    document(&NEEDS.iter().filter_map(statement).collect::<Vec<_>>())
}

/// The policy of the bucket: the account's distributions may read answers; nobody else may read anything. One entry for
/// the whole account, because one for each distribution would outgrow the 20 KB that a bucket policy may have.
pub fn bucket_policy(settings: &PolicySettings) -> Value {
    document(&[json!({
        "Sid": "CloudFrontReadsAnswers",
        "Effect": "Allow",
        "Principal": { "Service": "cloudfront.amazonaws.com" },
        "Action": "s3:GetObject",
        "Resource": answers(&settings.bucket),
        "Condition": { "StringEquals": { "AWS:SourceAccount": settings.account } },
    })])
}

fn allow(need: &Need, resource: &str) -> Value {
    let mut statement =
        json!({ "Sid": need.sid, "Effect": "Allow", "Action": need.actions, "Resource": resource });
    if let Some(only) = need.only {
        statement["Condition"] = json!({ "ForAllValues:StringEquals": { only.key: only.values } });
    }
    statement
}

fn document(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every file that calls AWS.
    const CALLERS: [&str; 8] = [
        include_str!("access.rs"),
        include_str!("cdn.rs"),
        include_str!("cdn/list.rs"),
        include_str!("checks/bench.rs"),
        include_str!("controls.rs"),
        include_str!("site.rs"),
        include_str!("vault.rs"),
        include_str!("zone.rs"),
    ];

    fn settings() -> PolicySettings {
        PolicySettings {
            account: "111111111111".to_owned(),
            bucket: "challenges".to_owned(),
            iam_path_prefix: "letsencrypt".to_owned(),
            zone: Some("Z0123456789ABCDEFGHIJ".to_owned()),
            log_bucket: Some("access-logs".to_owned()),
            principal: Some("arn:aws:iam::111111111111:role/cdn/broker".to_owned()),
        }
    }

    /// The calls in the source: every `client.some_call()`.
    fn calls() -> BTreeSet<String> {
        let sources = CALLERS.concat().replace(char::is_whitespace, "");
        let of_checks = ["self.cloudfront.", "self.iam.", "self.s3.", "self.sts."];
        let sources = of_checks.iter().fold(sources, |text, client| text.replace(client, "client."));
        let call = |text: &str| text.split_once("()").map(|(name, _)| name.to_owned());
        let is_name =
            |name: &String| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        sources
            .split("client.")
            .skip(1)
            .filter_map(call)
            .filter(is_name)
            .filter(|name| name != "clone")
            .collect()
    }

    /// The actions that AWS checks for a call.
    fn actions(call: &str) -> Vec<String> {
        let service = match call {
            _ if call.contains("server_certificate") => "iam",
            "get_role" | "simulate_principal_policy" => "iam",
            _ if call.contains("object") => "s3",
            _ if call.contains("record_sets") => "route53",
            _ => "cloudfront",
        };
        match call {
            "create_distribution_with_tags" => {
                vec!["cloudfront:CreateDistribution".to_owned(), "cloudfront:TagResource".to_owned()]
            }
            // Everybody may.
            "get_caller_identity" => Vec::new(),
            "list_objects_v2" => vec!["s3:ListBucket".to_owned()],
            _ => vec![format!("{service}:{}", pascal(call))],
        }
    }

    fn pascal(call: &str) -> String {
        let word = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
        call.split('_').map(word).collect()
    }

    #[test]
    fn the_policy_allows_exactly_the_calls_that_are_made() {
        let policy = iam_policy(&settings());
        let statements = policy["Statement"].as_array().unwrap();
        let allowed: BTreeSet<String> = statements
            .iter()
            .flat_map(|statement| statement["Action"].as_array().unwrap())
            .map(|action| action.as_str().unwrap().to_owned())
            .collect();
        let mut needed: BTreeSet<String> = calls().iter().flat_map(|call| actions(call)).collect();
        // Checked within `UpdateDistribution`.
        needed.extend(["s3:GetBucketAcl", "s3:PutBucketAcl"].map(str::to_owned));
        assert_eq!(allowed, needed);
    }

    /// A new file that calls AWS is one of those above.
    #[test]
    fn every_file_that_calls_aws_is_read() {
        let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut folders = vec![source];
        let mut callers = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "rs") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
                    let sends = text.contains(".send()");
                    callers += usize::from(sends);
                    assert!(
                        !sends || CALLERS.iter().any(|caller| caller.starts_with(text)),
                        "{}",
                        path.display()
                    );
                }
            }
        }
        assert_eq!(callers, CALLERS.len());
    }

    #[test]
    fn a_policy_lets_whoever_has_it_ask_about_itself_and_about_nobody_else() {
        let own = |principal: Option<&str>| {
            let settings = PolicySettings { principal: principal.map(str::to_owned), ..settings() };
            let policy = iam_policy(&settings);
            let statements = policy["Statement"].as_array().unwrap().clone();
            let of = |sid: &str| {
                statements.iter().find(|one| one["Sid"] == sid).map(|one| one["Resource"].clone())
            };
            (of("CheckPermissions"), of("FindOwnRole"))
        };
        let user = "arn:aws:iam::111111111111:user/apps/broker";
        let role = "arn:aws:iam::111111111111:role/cdn/broker";
        assert_eq!(own(None), (Some(json!("arn:aws:iam::111111111111:user/${aws:username}")), None));
        assert_eq!(own(Some(user)), (Some(json!(user)), None));
        assert_eq!(own(Some(role)), (Some(json!(role)), Some(json!(role))));
    }

    #[test]
    fn the_policies_read_like_this() {
        insta::assert_json_snapshot!("iam_policy", iam_policy(&settings()));
        insta::assert_json_snapshot!("bucket_policy", bucket_policy(&settings()));
    }
}
