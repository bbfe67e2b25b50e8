//! What the simulator's answer about one action means.

use std::collections::BTreeSet;

use aws_sdk_iam::types::{
    EvaluationResult, PolicyEvaluationDecisionType as Decision, ResourceSpecificResult,
};

use super::Standing;

/// Allowed is what IAM allows for the action as a whole and for each resource of it.
pub(super) fn of(action: &str, results: &[EvaluationResult]) -> Standing {
    let ours: Vec<_> =
        results.iter().filter(|one| one.eval_action_name().eq_ignore_ascii_case(action)).collect();
    if ours.is_empty() {
        return Standing::Unknown("IAM's simulator says nothing about it".to_owned());
    }
    let refusals: Vec<&Decision> =
        ours.iter().flat_map(|one| decisions(one)).filter(|one| **one != Decision::Allowed).collect();
    let Some(refusal) = refusals.iter().find(|one| ***one == Decision::ExplicitDeny).or(refusals.first())
    else {
        return Standing::Allowed;
    };
    let missing: BTreeSet<&str> = ours.iter().flat_map(|one| missing(one)).collect();
    if !missing.is_empty() {
        let keys: Vec<&str> = missing.into_iter().collect();
        return Standing::Unknown(format!("a policy makes it depend on {}", keys.join(", ")));
    }
    Standing::Denied(why(&ours, refusal))
}

fn decisions(result: &EvaluationResult) -> impl Iterator<Item = &Decision> {
    let specific =
        result.resource_specific_results().iter().map(ResourceSpecificResult::eval_resource_decision);
    std::iter::once(result.eval_decision()).chain(specific)
}

/// The condition keys that a policy looks at, and that only a real call has.
fn missing(result: &EvaluationResult) -> impl Iterator<Item = &str> {
    let specific =
        result.resource_specific_results().iter().flat_map(ResourceSpecificResult::missing_context_values);
    result.missing_context_values().iter().chain(specific).map(String::as_str)
}

fn why(results: &[&EvaluationResult], refusal: &Decision) -> String {
    let is_organizations = |one: &&EvaluationResult| {
        one.organizations_decision_detail().is_some_and(|detail| !detail.allowed_by_organizations())
    };
    let is_boundary = |one: &&EvaluationResult| {
        let specific = one.resource_specific_results().iter();
        let details = specific.map(|one| one.permissions_boundary_decision_detail());
        let mut details = details.chain([one.permissions_boundary_decision_detail()]).flatten();
        details.any(|detail| !detail.allowed_by_permissions_boundary())
    };
    if results.iter().any(is_organizations) {
        "a service control policy of the organization does not allow it".to_owned()
    } else if results.iter().any(is_boundary) {
        "the permissions boundary does not allow it".to_owned()
    } else if *refusal == Decision::ExplicitDeny {
        "a policy denies it".to_owned()
    } else {
        "no policy allows it".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_iam::types::builders::EvaluationResultBuilder;
    use aws_sdk_iam::types::{OrganizationsDecisionDetail, PermissionsBoundaryDecisionDetail};

    use super::*;

    const ACTION: &str = "cloudfront:CreateInvalidation";

    fn result(decision: Decision) -> EvaluationResultBuilder {
        EvaluationResult::builder().eval_action_name(ACTION).eval_decision(decision)
    }

    fn specific(decision: Decision, missing: Option<&str>) -> ResourceSpecificResult {
        ResourceSpecificResult::builder()
            .eval_resource_name("arn:aws:cloudfront::123456789012:distribution/config-check")
            .eval_resource_decision(decision)
            .set_missing_context_values(missing.map(|key| vec![key.to_owned()]))
            .build()
            .unwrap()
    }

    fn standing(result: EvaluationResultBuilder) -> Standing {
        of(ACTION, &[result.build().unwrap()])
    }

    fn denied(why: &str) -> Standing {
        Standing::Denied(why.to_owned())
    }

    #[test]
    fn allowed_is_what_is_allowed_for_every_resource() {
        use Decision::{Allowed, ExplicitDeny, ImplicitDeny};
        assert_eq!(standing(result(Allowed)), Standing::Allowed);
        // A condition that only a real call meets does not matter when the answer is yes without it.
        let with_key = result(Allowed).missing_context_values("aws:SourceIp");
        assert_eq!(standing(with_key), Standing::Allowed);
        for (decision, why) in [(ImplicitDeny, "no policy allows it"), (ExplicitDeny, "a policy denies it")] {
            assert_eq!(standing(result(decision.clone())), denied(why));
            let one = result(Allowed).resource_specific_results(specific(decision, None));
            assert_eq!(standing(one), denied(why));
        }
    }

    #[test]
    fn what_only_a_real_call_knows_makes_it_unknown() {
        let unknown = Standing::Unknown("a policy makes it depend on aws:SourceIp".to_owned());
        let refused = || result(Decision::ImplicitDeny);
        assert_eq!(standing(refused().missing_context_values("aws:SourceIp")), unknown);
        let one = refused().resource_specific_results(specific(Decision::ImplicitDeny, Some("aws:SourceIp")));
        assert_eq!(standing(one), unknown);
        let other = "cloudfront:GetDistribution";
        let nothing = of(other, &[refused().build().unwrap()]);
        assert!(matches!(nothing, Standing::Unknown(_)), "{nothing:?}");
    }

    #[test]
    fn who_refuses_is_named() {
        let organizations = OrganizationsDecisionDetail::builder().allowed_by_organizations(false).build();
        let boundary =
            PermissionsBoundaryDecisionDetail::builder().allowed_by_permissions_boundary(false).build();
        let refused = || result(Decision::ImplicitDeny);
        assert_eq!(
            standing(refused().organizations_decision_detail(organizations)),
            denied("a service control policy of the organization does not allow it")
        );
        assert_eq!(
            standing(refused().permissions_boundary_decision_detail(boundary)),
            denied("the permissions boundary does not allow it")
        );
    }
}
