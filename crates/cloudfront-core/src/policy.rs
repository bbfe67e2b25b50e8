use serde_json::{Value, json};

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
}

const DISTRIBUTION_ACTIONS: [&str; 7] = [
    "cloudfront:CreateDistribution",
    "cloudfront:CreateInvalidation",
    "cloudfront:DeleteDistribution",
    "cloudfront:GetDistribution",
    "cloudfront:ListTagsForResource",
    "cloudfront:TagResource",
    "cloudfront:UpdateDistribution",
];
/// CloudFront knows no narrower resource for these.
const CONTROL_ACTIONS: [&str; 2] =
    ["cloudfront:CreateOriginAccessControl", "cloudfront:ListOriginAccessControls"];
/// For `reconcile`. There is no narrower resource for a list of everything.
const LIST_ACTIONS: [&str; 2] = ["cloudfront:ListDistributions", "iam:ListServerCertificates"];
const CERTIFICATE_CHANGES: [&str; 2] = ["iam:DeleteServerCertificate", "iam:UploadServerCertificate"];
const CERTIFICATE_READS: [&str; 1] = ["iam:GetServerCertificate"];
const OBJECT_ACTIONS: [&str; 2] = ["s3:DeleteObject", "s3:PutObject"];
const BUCKET_ACTIONS: [&str; 1] = ["s3:ListBucket"];
/// CloudFront grants itself access to the log bucket, in the name of whoever switches logging on.
const LOG_ACTIONS: [&str; 2] = ["s3:GetBucketAcl", "s3:PutBucketAcl"];
const RECORD_READS: [&str; 1] = ["route53:ListResourceRecordSets"];
const RECORD_CHANGES: [&str; 1] = ["route53:ChangeResourceRecordSets"];
const RECORD_TYPES: [&str; 2] = ["CNAME", "TXT"];

/// The identity policy of the broker's AWS user: what this crate calls and nothing else.
///
/// Reading a certificate (never its key) is allowed whatever its path: IAM finds the path of a name by looking it up,
/// so that for a name that does not exist a narrower policy answers "access denied" instead of "not there".
pub fn iam_policy(settings: &PolicySettings) -> Value {
    let PolicySettings { account, bucket, iam_path_prefix, zone, log_bucket } = settings;
    let certificates = format!("arn:aws:iam::{account}:server-certificate");
    let distributions = format!("arn:aws:cloudfront::{account}:distribution/*");
    let mut statements = vec![
        allow("Distributions", &DISTRIBUTION_ACTIONS, &distributions),
        allow("OriginAccessControls", &CONTROL_ACTIONS, "*"),
        allow("Lists", &LIST_ACTIONS, "*"),
        allow(
            "Certificates",
            &CERTIFICATE_CHANGES,
            &format!("{certificates}/cloudfront/{iam_path_prefix}/*"),
        ),
        allow("ReadCertificates", &CERTIFICATE_READS, &format!("{certificates}/*")),
        allow("Answers", &OBJECT_ACTIONS, &answers(bucket)),
        allow("ListAnswers", &BUCKET_ACTIONS, &format!("arn:aws:s3:::{bucket}")),
    ];
    statements.extend(zone.iter().flat_map(|zone| records(zone)));
    statements.extend(
        log_bucket
            .iter()
            .map(|bucket| allow("LetCloudFrontLog", &LOG_ACTIONS, &format!("arn:aws:s3:::{bucket}"))),
    );
    document(&statements)
}

/// Of the managed zone, the two kinds of records that the broker writes.
fn records(zone: &str) -> [Value; 2] {
    let zone = format!("arn:aws:route53:::hostedzone/{zone}");
    let mut changes = allow("Records", &RECORD_CHANGES, &zone);
    let types = json!({ "route53:ChangeResourceRecordSetsRecordTypes": RECORD_TYPES });
    changes["Condition"] = json!({ "ForAllValues:StringEquals": types });
    [changes, allow("ReadRecords", &RECORD_READS, &zone)]
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

fn answers(bucket: &str) -> String {
    format!("arn:aws:s3:::{bucket}/*/{}/*", crate::folder::CHALLENGE_PATH)
}

fn allow(sid: &str, actions: &[&str], resource: &str) -> Value {
    json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource })
}

fn document(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every file that calls AWS.
    const CALLERS: [&str; 7] = [
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
        }
    }

    /// The calls in the source: every `client.some_call()`.
    fn calls() -> BTreeSet<String> {
        let sources = CALLERS.concat().replace(char::is_whitespace, "");
        let of_checks = ["self.cloudfront.", "self.iam.", "self.s3."];
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
            _ if call.contains("object") => "s3",
            _ if call.contains("record_sets") => "route53",
            _ => "cloudfront",
        };
        match call {
            "create_distribution_with_tags" => {
                vec!["cloudfront:CreateDistribution".to_owned(), "cloudfront:TagResource".to_owned()]
            }
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
        needed.extend(LOG_ACTIONS.map(str::to_owned));
        assert_eq!(allowed, needed);
    }

    #[test]
    fn the_policies_read_like_this() {
        insta::assert_json_snapshot!("iam_policy", iam_policy(&settings()));
        insta::assert_json_snapshot!("bucket_policy", bucket_policy(&settings()));
    }
}
