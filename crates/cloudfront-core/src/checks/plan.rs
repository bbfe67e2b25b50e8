use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::assumptions::{
    CLOUDFRONT_READS, CREATE_DISABLED, CREATE_WITHOUT_NAMES, DELETE, DELETE_NEEDS_DEPLOYED,
    DELETE_NEEDS_DISABLED, DEPLOYMENT, DETACH, DISABLE, EDGE_PRESENTS_CERTIFICATE, HEADERS,
    INVALIDATION_WITHOUT_TAG, LIST, LIST_BY_PATH, NAME_IS_UNIQUE, NAME_NEEDS_CERTIFICATE,
    NAME_WITH_CERTIFICATE, PROPAGATION, PUT, READ_BACK, REFERENCE_IS_UNIQUE, RELEASE, REMOVE,
    STALE_TAG_IS_REFUSED, UNKNOWN_HOST_IS_REFUSED, UPLOAD, USED_CERTIFICATE_IS_KEPT,
};

/// A rule of AWS that the broker stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assumption {
    /// Its name, which never changes: `name-with-certificate`.
    pub name: &'static str,
    /// What AWS does, in a sentence.
    pub rule: &'static str,
    /// What the broker does that relies on it, in a sentence.
    pub relied_on: &'static str,
}

/// What is looked at together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contract {
    /// CloudFront: distributions, names, certificates, tags, deployment, deletion.
    CloudFront,
    /// IAM: certificates, their names, their way to CloudFront, their removal.
    Iam,
    /// S3: answers to challenges, and that CloudFront may read them.
    S3,
}

/// One step of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Step {
    Create,
    Reference,
    NameAlone,
    FirstDeployment,
    UnknownHost,
    NameAndCertificate,
    StaleTag,
    Invalidate,
    Deployment,
    Presented,
    DeleteEnabled,
    Disable,
    DeleteEarly,
    Disabled,
    Delete,
    Upload,
    NameTwice,
    Listed,
    ReadBack,
    CreateDisabled,
    Propagation,
    DeleteUsed,
    Detach,
    Detached,
    DeleteDetached,
    Release,
    Put,
    Kept,
    Read,
    Headers,
    Withdraw,
}

impl Contract {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::CloudFront, Self::Iam, Self::S3];

    /// The name of the check.
    pub fn name(self) -> &'static str {
        match self {
            Self::CloudFront => "cloudfront-contract",
            Self::Iam => "iam-contract",
            Self::S3 => "s3-contract",
        }
    }

    /// The rules that it looks at, in the order in which it does.
    pub fn assumptions(self) -> Vec<Assumption> {
        let mut assumptions: Vec<Assumption> = Vec::new();
        for step in self.steps() {
            let assumption = step.assumption();
            if !assumptions.iter().any(|known| known.name == assumption.name) {
                assumptions.push(assumption);
            }
        }
        assumptions
    }

    pub(super) fn steps(self) -> &'static [Step] {
        use Step::{
            Create, CreateDisabled, Delete, DeleteDetached, DeleteEarly, DeleteEnabled, DeleteUsed,
            Deployment, Detach, Detached, Disable, Disabled, FirstDeployment, Headers, Invalidate, Kept,
            Listed, NameAlone, NameAndCertificate, NameTwice, Presented, Propagation, Put, Read, ReadBack,
            Reference, Release, StaleTag, UnknownHost, Upload, Withdraw,
        };
        match self {
            Self::CloudFront => &[
                Create,
                Reference,
                NameAlone,
                FirstDeployment,
                UnknownHost,
                NameAndCertificate,
                StaleTag,
                Invalidate,
                Deployment,
                Presented,
                DeleteEnabled,
                Disable,
                DeleteEarly,
                Disabled,
                Delete,
            ],
            Self::Iam => &[
                Upload,
                NameTwice,
                Listed,
                ReadBack,
                CreateDisabled,
                Propagation,
                DeleteUsed,
                Detach,
                Detached,
                DeleteDetached,
                Release,
            ],
            Self::S3 => &[Put, Kept, Read, Headers, Withdraw],
        }
    }
}

impl Step {
    /// Whether it needs the canary's certificate, or its distribution.
    pub(super) fn needs_canary(self) -> bool {
        matches!(
            self,
            Self::NameAndCertificate | Self::Deployment | Self::Presented | Self::Read | Self::Headers
        )
    }

    /// The steps without whose rules this one cannot be looked at.
    pub(super) fn rests_on(self) -> &'static [Self] {
        match self {
            Self::Deployment => &[Self::NameAndCertificate],
            Self::Presented => &[Self::NameAndCertificate, Self::Deployment],
            Self::Propagation | Self::Detached | Self::DeleteDetached => &[Self::CreateDisabled],
            Self::DeleteUsed | Self::Detach => &[Self::CreateDisabled, Self::Propagation],
            Self::Headers => &[Self::Read],
            // What serves cannot be deleted, and is left to a later walk.
            Self::DeleteEarly | Self::Delete => &[Self::Disable],
            _ => &[],
        }
    }

    /// Whether nothing that follows makes sense when its rule is broken.
    pub(super) fn is_everything(self) -> bool {
        matches!(self, Self::Create | Self::Upload | Self::Put)
    }

    /// For how long it may be waited for.
    pub(super) fn patience(self) -> Duration {
        match self {
            Self::FirstDeployment | Self::Deployment | Self::Disabled | Self::Detached => {
                Duration::from_hours(1)
            }
            Self::Propagation => Duration::from_mins(20),
            Self::Release => Duration::from_hours(6),
            _ => Duration::from_mins(10),
        }
    }

    /// Under which name the time that it took is kept.
    pub(super) fn measured_as(self) -> Option<&'static str> {
        match self {
            Self::FirstDeployment => Some("first-deployment"),
            Self::Deployment => Some("deployment"),
            Self::Disabled => Some("disabling"),
            Self::Propagation => Some("propagation"),
            Self::Release => Some("release"),
            _ => None,
        }
    }

    /// The rule that it asserts.
    pub(super) fn assumption(self) -> Assumption {
        match self {
            Self::Create => CREATE_WITHOUT_NAMES,
            Self::NameAlone => NAME_NEEDS_CERTIFICATE,
            Self::NameAndCertificate => NAME_WITH_CERTIFICATE,
            Self::StaleTag => STALE_TAG_IS_REFUSED,
            Self::FirstDeployment | Self::Deployment | Self::Disabled | Self::Detached => DEPLOYMENT,
            Self::Reference => REFERENCE_IS_UNIQUE,
            Self::UnknownHost => UNKNOWN_HOST_IS_REFUSED,
            Self::Invalidate => INVALIDATION_WITHOUT_TAG,
            Self::Presented => EDGE_PRESENTS_CERTIFICATE,
            Self::DeleteEnabled => DELETE_NEEDS_DISABLED,
            Self::Disable => DISABLE,
            Self::DeleteEarly => DELETE_NEEDS_DEPLOYED,
            Self::Delete | Self::DeleteDetached => DELETE,
            Self::Upload => UPLOAD,
            Self::NameTwice => NAME_IS_UNIQUE,
            Self::Listed => LIST_BY_PATH,
            Self::ReadBack => READ_BACK,
            Self::CreateDisabled => CREATE_DISABLED,
            Self::Propagation => PROPAGATION,
            Self::DeleteUsed => USED_CERTIFICATE_IS_KEPT,
            Self::Detach => DETACH,
            Self::Release => RELEASE,
            Self::Put => PUT,
            Self::Kept => LIST,
            Self::Read => CLOUDFRONT_READS,
            Self::Headers => HEADERS,
            Self::Withdraw => REMOVE,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_step_has_words_of_its_own_contract() {
        for contract in Contract::ALL {
            let names: BTreeSet<&str> = contract.assumptions().iter().map(|one| one.name).collect();
            assert_eq!(names.len(), contract.assumptions().len(), "{}", contract.name());
            for assumption in contract.assumptions() {
                assert!(assumption.rule.ends_with('.') && assumption.rule.is_ascii(), "{assumption:?}");
                assert!(
                    assumption.relied_on.ends_with('.') && assumption.relied_on.is_ascii(),
                    "{assumption:?}"
                );
            }
        }
        let of_s3 = Contract::S3.assumptions();
        let others = [Contract::CloudFront, Contract::Iam].map(Contract::assumptions).concat();
        assert!(others.iter().all(|one| !of_s3.contains(one)), "a step has no words");
    }

    #[test]
    fn a_step_rests_on_earlier_ones() {
        for contract in Contract::ALL {
            let steps = contract.steps();
            let place = |step: Step| steps.iter().position(|one| *one == step);
            for step in steps {
                assert!(step.rests_on().iter().all(|earlier| place(*earlier) < place(*step)), "{step:?}");
            }
        }
    }
}
