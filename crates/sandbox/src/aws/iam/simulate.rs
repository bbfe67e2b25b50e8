//! `SimulatePrincipalPolicy`: what the one caller of this cloud may do. It may do everything, but for the operations that an
//! outage of the kind `access_denied` denies it: so the answer is what would really happen.

use super::{Form, page_size, text};
use crate::aws::error::Failure;
use crate::aws::glob::glob;
use crate::aws::identity;
use crate::aws::world::World;
use crate::aws::xml::Element;

/// The actions that IAM knows for what is emulated here, each with the operations that need it.
const ACTIONS: [(&str, &[&str]); 34] = [
    ("cloudfront:CreateDistribution", &["CreateDistribution", "CreateDistributionWithTags"]),
    ("cloudfront:CreateInvalidation", &["CreateInvalidation"]),
    ("cloudfront:CreateOriginAccessControl", &["CreateOriginAccessControl"]),
    ("cloudfront:DeleteDistribution", &["DeleteDistribution"]),
    ("cloudfront:DeleteOriginAccessControl", &["DeleteOriginAccessControl"]),
    ("cloudfront:GetDistribution", &["GetDistribution"]),
    ("cloudfront:GetDistributionConfig", &["GetDistributionConfig"]),
    ("cloudfront:GetInvalidation", &["GetInvalidation"]),
    ("cloudfront:GetOriginAccessControl", &["GetOriginAccessControl"]),
    ("cloudfront:GetOriginAccessControlConfig", &["GetOriginAccessControlConfig"]),
    ("cloudfront:ListDistributions", &["ListDistributions"]),
    ("cloudfront:ListInvalidations", &["ListInvalidations"]),
    ("cloudfront:ListOriginAccessControls", &["ListOriginAccessControls"]),
    ("cloudfront:ListTagsForResource", &["ListTagsForResource"]),
    ("cloudfront:TagResource", &["CreateDistributionWithTags", "TagResource"]),
    ("cloudfront:UntagResource", &["UntagResource"]),
    ("cloudfront:UpdateDistribution", &["UpdateDistribution"]),
    ("iam:DeleteServerCertificate", &["DeleteServerCertificate"]),
    ("iam:GetRole", &["GetRole"]),
    ("iam:GetServerCertificate", &["GetServerCertificate"]),
    ("iam:ListServerCertificates", &["ListServerCertificates"]),
    ("iam:SimulatePrincipalPolicy", &["SimulatePrincipalPolicy"]),
    ("iam:UploadServerCertificate", &["UploadServerCertificate"]),
    ("route53:ChangeResourceRecordSets", &["ChangeResourceRecordSets"]),
    ("route53:ListResourceRecordSets", &["ListResourceRecordSets"]),
    ("s3:DeleteObject", &["DeleteObject"]),
    // Nobody calls these two here; CloudFront does when it is to write a log.
    ("s3:GetBucketAcl", &["GetBucketAcl"]),
    ("s3:PutBucketAcl", &["PutBucketAcl"]),
    ("s3:GetBucketPolicy", &["GetBucketPolicy"]),
    ("s3:GetObject", &["GetObject", "HeadObject"]),
    ("s3:ListBucket", &["HeadBucket", "ListObjectsV2"]),
    ("s3:PutBucketPolicy", &["PutBucketPolicy"]),
    ("s3:PutObject", &["PutObject"]),
    ("s3:CreateBucket", &["CreateBucket"]),
];

/// One action on one resource.
struct Question<'a> {
    action: &'a str,
    resource: &'a str,
    is_denied: bool,
}

pub(super) fn simulate(
    world: &World,
    form: &Form,
    account: &str,
    denied: &[String],
) -> Result<Element, Failure> {
    check_source(text(form, "PolicySourceArn"), &identity::principal(world, account))?;
    let questions = questions(form, denied)?;
    let size = page_size(form)?;
    let from = form.get("Marker").map_or(Ok(0), |marker| marker.parse()).map_err(|_| bad_marker())?;
    let page: Vec<_> = questions.iter().skip(from).take(size).collect();
    let next = from + page.len();
    let results = page.iter().map(|question| question.result()).collect();
    let answer = Element::new("SimulatePrincipalPolicyResult")
        .with(Element::leaf("IsTruncated", next < questions.len()))
        .with(Element::holding("EvaluationResults", results));
    Ok(if next < questions.len() { answer.with(Element::leaf("Marker", next)) } else { answer })
}

/// Users, groups and roles have policies; a session has none of its own.
fn check_source(source: &str, principal: &str) -> Result<(), Failure> {
    let kinds = [":user/", ":group/", ":role/"];
    if !source.starts_with("arn:aws:iam::") || !kinds.iter().any(|kind| source.contains(kind)) {
        let message = format!("Invalid Entity Arn: {source} does not clearly define entity type and name.");
        return Err(Failure::bad("InvalidInput", message));
    }
    if source != principal {
        return Err(Failure::new(404, "NoSuchEntity", format!("{source} cannot be found.")));
    }
    Ok(())
}

fn questions<'a>(form: &'a Form, denied: &[String]) -> Result<Vec<Question<'a>>, Failure> {
    let (actions, mut resources) = (members(form, "ActionNames"), members(form, "ResourceArns"));
    if actions.is_empty() {
        return Err(Failure::bad("InvalidInput", "At least one action is needed."));
    }
    if resources.is_empty() {
        resources.push("*");
    }
    if let Some(wrong) = resources.iter().find(|one| **one != "*" && !one.starts_with("arn:aws:")) {
        return Err(Failure::bad("InvalidInput", format!("Invalid Resource Arn: {wrong}")));
    }
    let mut questions = Vec::new();
    for action in actions {
        let Some((_, operations)) = ACTIONS.iter().find(|(known, _)| *known == action) else {
            return Err(Failure::bad("InvalidInput", format!("Invalid Input Actions: [{action}]")));
        };
        let is_denied = operations.iter().any(|op| denied.iter().any(|pattern| glob(pattern, op)));
        questions.extend(resources.iter().map(|resource| Question { action, resource, is_denied }));
    }
    Ok(questions)
}

/// `NAME.member.1`, `NAME.member.2`, …
fn members<'a>(form: &'a Form, name: &str) -> Vec<&'a str> {
    (1..).map_while(|number| form.get(&format!("{name}.member.{number}"))).map(String::as_str).collect()
}

impl Question<'_> {
    fn result(&self) -> Element {
        let decision = if self.is_denied { "implicitDeny" } else { "allowed" };
        let result = Element::new("member")
            .with(Element::leaf("EvalActionName", self.action))
            .with(Element::leaf("EvalResourceName", self.resource))
            .with(Element::leaf("EvalDecision", decision))
            .with(Element::new("MatchedStatements"))
            .with(Element::new("MissingContextValues"));
        if self.resource == "*" {
            return result;
        }
        let specific = Element::new("member")
            .with(Element::leaf("EvalResourceName", self.resource))
            .with(Element::leaf("EvalResourceDecision", decision));
        result.with(Element::holding("ResourceSpecificResults", vec![specific]))
    }
}

fn bad_marker() -> Failure {
    Failure::bad("InvalidInput", "The marker is not one of ours.")
}
