//! What the broker has to be allowed at AWS, as one table. The policy is written from it, `Access` asks IAM about each of its
//! actions, and `docs/PERMISSIONS.md` shows it.

use crate::policy::PolicySettings;

/// Actions that go together: a statement of the policy.
pub(crate) struct Need {
    pub(crate) sid: &'static str,
    pub(crate) actions: &'static [&'static str],
    pub(crate) on: On,
    /// A condition key that narrows the statement, and all values that the broker sends.
    pub(crate) only: Option<Only>,
    pub(crate) purpose: &'static str,
}

/// See [`Need::only`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Only {
    pub(crate) key: &'static str,
    pub(crate) values: &'static [&'static str],
}

/// What an action is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    /// AWS knows no narrower resource.
    Everything,
    Distributions,
    Certificates,
    /// Certificates whatever their path. IAM finds the path of a name by looking it up, so that for a name that does not
    /// exist a narrower policy answers "access denied" instead of "not there".
    CertificatesAnywhere,
    Answers,
    Bucket,
    Zone,
    LogBucket,
    /// The user or role itself.
    Itself,
    /// The same, if it is a role.
    ItsRole,
}

/// All of it, whatever is configured.
pub(crate) const NEEDS: [Need; 12] = [
    Need {
        sid: "Distributions",
        actions: &[
            "cloudfront:CreateDistribution",
            "cloudfront:CreateInvalidation",
            "cloudfront:DeleteDistribution",
            "cloudfront:GetDistribution",
            "cloudfront:ListTagsForResource",
            "cloudfront:TagResource",
            "cloudfront:UpdateDistribution",
        ],
        on: On::Distributions,
        only: None,
        purpose: "a distribution for each instance, with tags; purges; an import reads the tags of earlier brokers",
    },
    Need {
        sid: "OriginAccessControls",
        actions: &["cloudfront:CreateOriginAccessControl", "cloudfront:ListOriginAccessControls"],
        on: On::Everything,
        only: None,
        purpose: "CloudFront reads challenge answers in the bucket, and nobody else does",
    },
    Need {
        sid: "Lists",
        actions: &["cloudfront:ListDistributions", "iam:ListServerCertificates"],
        on: On::Everything,
        only: None,
        purpose: "`reconcile`, `import`, `config check`",
    },
    Need {
        sid: "Certificates",
        actions: &["iam:DeleteServerCertificate", "iam:UploadServerCertificate"],
        on: On::Certificates,
        only: None,
        purpose: "certificates are stored, and removed when nothing serves them any more",
    },
    Need {
        sid: "ReadCertificates",
        actions: &["iam:GetServerCertificate"],
        on: On::CertificatesAnywhere,
        only: None,
        purpose: "a certificate (never its key) is looked for before it is stored or removed; IAM knows the path of none that is not there",
    },
    Need {
        sid: "Answers",
        actions: &["s3:DeleteObject", "s3:PutObject"],
        on: On::Answers,
        only: None,
        purpose: "challenge answers",
    },
    Need {
        sid: "ListAnswers",
        actions: &["s3:ListBucket"],
        on: On::Bucket,
        only: None,
        purpose: "answers are removed with their instance; `reconcile`",
    },
    Need {
        sid: "Records",
        actions: &["route53:ChangeResourceRecordSets"],
        on: On::Zone,
        only: Some(Only { key: "route53:ChangeResourceRecordSetsRecordTypes", values: &["CNAME", "TXT"] }),
        purpose: "records of the managed zone, of these two types",
    },
    Need {
        sid: "ReadRecords",
        actions: &["route53:ListResourceRecordSets"],
        on: On::Zone,
        only: None,
        purpose: "a record is read before it is changed; `reconcile`",
    },
    Need {
        sid: "LetCloudFrontLog",
        actions: &["s3:GetBucketAcl", "s3:PutBucketAcl"],
        on: On::LogBucket,
        only: None,
        purpose: "CloudFront grants itself access to the log bucket, in the name of whoever switches logging on",
    },
    Need {
        sid: "CheckPermissions",
        actions: &["iam:SimulatePrincipalPolicy"],
        on: On::Itself,
        only: None,
        purpose: "`config check` asks IAM about every other action here; the broker works without it",
    },
    Need {
        sid: "FindOwnRole",
        actions: &["iam:GetRole"],
        on: On::ItsRole,
        only: None,
        purpose: "the same, where the role has a path: only IAM knows it",
    },
];

impl On {
    /// The resource as a policy names it; `None` where the settings have no such thing.
    pub(crate) fn resource(self, settings: &PolicySettings) -> Option<String> {
        let PolicySettings { account, bucket, iam_path_prefix, zone, log_bucket, principal } = settings;
        let certificates = format!("arn:aws:iam::{account}:server-certificate");
        Some(match self {
            Self::Everything => "*".to_owned(),
            Self::Distributions => format!("arn:aws:cloudfront::{account}:distribution/*"),
            Self::Certificates => format!("{certificates}/cloudfront/{iam_path_prefix}/*"),
            Self::CertificatesAnywhere => format!("{certificates}/*"),
            Self::Answers => answers(bucket),
            Self::Bucket => format!("arn:aws:s3:::{bucket}"),
            Self::Zone => format!("arn:aws:route53:::hostedzone/{}", zone.as_ref()?),
            Self::LogBucket => format!("arn:aws:s3:::{}", log_bucket.as_ref()?),
            Self::Itself => {
                principal.clone().unwrap_or_else(|| format!("arn:aws:iam::{account}:user/${{aws:username}}"))
            }
            Self::ItsRole => principal.clone().filter(|arn| arn.contains(":role/"))?,
        })
    }

    /// When the broker needs it.
    fn needed(self) -> &'static str {
        match self {
            Self::Zone => "with `MANAGED_ZONE`",
            Self::LogBucket => "with `LOG_BUCKET`",
            Self::Itself => "to be told what is missing",
            Self::ItsRole => "the same, for a role",
            _ => "always",
        }
    }

    /// Whether the broker needs it for its work, not only to find out about the rest.
    fn is_for_work(self) -> bool {
        !matches!(self, Self::Itself | Self::ItsRole)
    }
}

/// The challenge answers of a bucket.
pub(crate) fn answers(bucket: &str) -> String {
    format!("arn:aws:s3:::{bucket}/*/{}/*", crate::folder::CHALLENGE_PATH)
}

/// One action that the broker needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// The action as IAM names it, such as `cloudfront:CreateInvalidation`.
    pub action: &'static str,
    /// The ARN as a policy has it, with `*` for what differs.
    pub resource: String,
    /// What the broker does with it.
    pub purpose: &'static str,
    pub(crate) only: Option<Only>,
}

/// Every action that the broker needs for its work with these settings, once for each resource.
pub fn permissions(settings: &PolicySettings) -> Vec<Permission> {
    let needs = NEEDS.iter().filter(|need| need.on.is_for_work());
    let needs = needs.filter_map(|need| Some((need, need.on.resource(settings)?)));
    needs
        .flat_map(|(need, resource)| {
            need.actions.iter().map(move |action| Permission {
                action,
                resource: resource.clone(),
                purpose: need.purpose,
                only: need.only,
            })
        })
        .collect()
}

/// One row of `docs/PERMISSIONS.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionRule {
    /// The statement in the policy.
    pub sid: &'static str,
    /// The actions as IAM names them.
    pub actions: &'static [&'static str],
    /// The ARN; names in capitals stand for the operator's own.
    pub resource: String,
    /// When they are needed.
    pub needed: &'static str,
    /// What for.
    pub purpose: &'static str,
}

/// The whole table, for people.
pub fn permission_rules() -> Vec<PermissionRule> {
    let settings = PolicySettings {
        account: "ACCOUNT".to_owned(),
        bucket: "BUCKET".to_owned(),
        iam_path_prefix: "IAM_PATH_PREFIX".to_owned(),
        zone: Some("ZONE".to_owned()),
        log_bucket: Some("LOG_BUCKET".to_owned()),
        principal: Some("arn:aws:iam::ACCOUNT:role/NAME".to_owned()),
    };
    let row = |need: &Need| {
        Some(PermissionRule {
            sid: need.sid,
            actions: need.actions,
            resource: need.on.resource(&settings)?,
            needed: need.on.needed(),
            purpose: need.purpose,
        })
    };
    NEEDS.iter().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare() -> PolicySettings {
        PolicySettings::of("111111111111", &crate::AwsSettings::new("challenges"))
    }

    #[test]
    fn only_what_is_configured_is_needed() {
        let has = |settings: &PolicySettings, action: &str| {
            permissions(settings).iter().any(|permission| permission.action == action)
        };
        let whole =
            PolicySettings { zone: Some("Z1".to_owned()), log_bucket: Some("logs".to_owned()), ..bare() };
        for action in
            ["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets", "s3:PutBucketAcl"]
        {
            assert!(!has(&bare(), action) && has(&whole, action), "{action}");
        }
        assert!(has(&bare(), "cloudfront:CreateInvalidation"));
        assert!(!has(&whole, "iam:SimulatePrincipalPolicy"), "it is not needed for the work");
    }

    #[test]
    fn every_row_is_shown_and_no_action_is_there_twice() {
        assert_eq!(permission_rules().len(), NEEDS.len());
        let mut actions: Vec<&str> = NEEDS.iter().flat_map(|need| need.actions).copied().collect();
        let all = actions.len();
        actions.sort_unstable();
        actions.dedup();
        assert_eq!(actions.len(), all);
    }
}
