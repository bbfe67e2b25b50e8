use std::time::Duration;

use contract::OperationKind::{self, Deprovision, Provision, Recreate, Renew, Update};

use crate::workflow::Step;

/// How long a step is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// For ever.
    Never,
    /// As long as a user may take to prove the domains of a new instance.
    ProvisionProofWait,
    /// As long as a user may take to prove the domains that an update adds.
    UpdateProofWait,
    /// So long.
    After(Duration),
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Patience {
    pub(crate) steps: &'static [Step],
    pub(crate) kinds: &'static [OperationKind],
    pub(crate) limit: Limit,
    pub(crate) reason: &'static str,
}

/// What is to be had for the certificate's sake.
const FOR_THE_CERTIFICATE: &[Step] =
    &[Step::ObtainCertificate, Step::StoreCertificate, Step::AttachCertificate];

/// Every step of every plan.
pub(crate) const TABLE: &[Patience] = &[
    Patience {
        steps: FOR_THE_CERTIFICATE,
        kinds: &[Renew],
        limit: Limit::Never,
        reason: "nobody waits for a renewal, and nothing is better than to go on with it until it has succeeded; the \
                 operator is warned by the certificate's age",
    },
    Patience {
        steps: FOR_THE_CERTIFICATE,
        kinds: &[Update],
        limit: Limit::UpdateProofWait,
        reason: "while an update runs the platform lets nobody change or delete the instance; the same update goes on where \
                 it stopped",
    },
    Patience {
        steps: FOR_THE_CERTIFICATE,
        kinds: &[Provision, Recreate],
        limit: Limit::ProvisionProofWait,
        reason: "the user needs time; and a certificate in hand is worth more than a quick answer, so what is in the way of \
                 attaching it (a name in use elsewhere, propagation) is waited for as long. The platform gives up after \
                 seven days, so this is less",
    },
    Patience {
        steps: &[Step::ApplySettings],
        kinds: &[Update],
        limit: Limit::UpdateProofWait,
        reason: "as above: an update must not hold its instance for long",
    },
    Patience {
        steps: &[Step::AwaitDeployment, Step::AwaitDisabled, Step::DeleteDistribution],
        kinds: &[Provision, Update, Renew, Recreate, Deprovision],
        limit: Limit::After(Duration::from_mins(90)),
        reason: "CloudFront takes minutes; Terraform waits 90 minutes for the same. An update that the CDN has been told of is \
                 not given up even then",
    },
    Patience {
        steps: &[
            Step::FindDistribution,
            Step::CreateDistribution,
            Step::OfferNames,
            Step::PointNames,
            Step::ReleaseNames,
            Step::InvalidateCache,
            Step::RemoveOldCertificate,
            Step::WithdrawProofs,
            Step::SettleCreation,
            Step::Disable,
            Step::RemoveCertificates,
            Step::Forget,
        ],
        kinds: &[Provision, Update, Renew, Recreate, Deprovision],
        limit: Limit::After(Duration::from_hours(4)),
        reason: "one or two calls: long enough for a bad day of AWS's, short enough that somebody still remembers. What the \
                 vault holds on to for two minutes is left to the background",
    },
];

/// The row of a step in a plan. A step that has none would be tried for ever.
pub(crate) fn patience(kind: OperationKind, step: Step) -> &'static Patience {
    const ENDLESS: Patience = Patience { steps: &[], kinds: &[], limit: Limit::Never, reason: "" };
    let fits = |row: &&Patience| row.steps.contains(&step) && row.kinds.contains(&kind);
    TABLE.iter().find(fits).unwrap_or(&ENDLESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::{DEPROVISION, PROVISION, RECREATE, RENEW, UPDATE_NAMES, UPDATE_SETTINGS};

    const PLANS: [(OperationKind, &[Step]); 6] = [
        (Provision, PROVISION),
        (Update, UPDATE_NAMES),
        (Update, UPDATE_SETTINGS),
        (Renew, RENEW),
        (Recreate, RECREATE),
        (Deprovision, DEPROVISION),
    ];

    #[test]
    fn every_step_of_every_plan_has_exactly_one_row() {
        for (kind, plan) in PLANS {
            for step in plan {
                let rows = TABLE.iter().filter(|row| row.steps.contains(step) && row.kinds.contains(&kind));
                assert_eq!(rows.count(), 1, "{kind:?} {step:?}");
            }
        }
    }
}
