use std::collections::BTreeSet;

use sandbox::Sandbox;
use sandbox::authority::Pretence;
use sandbox::aws::{Adjustment, Rule};

/// A rule that changes one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// CloudFront does not take any more what this broker stands on.
    April2019,
    /// CloudFront takes names only with certificates that live for some weeks.
    ShortCertificates,
    /// S3 wants a condition where it wanted none.
    EtagRequired,
    /// The authority does not prove domains over HTTP any more.
    NoHttp01,
}

impl Change {
    pub(super) const ALL: [Self; 4] =
        [Self::April2019, Self::ShortCertificates, Self::EtagRequired, Self::NoHttp01];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::April2019 => "April 2019",
            Self::ShortCertificates => "stricter certificates",
            Self::EtagRequired => "an ETag is required",
            Self::NoHttp01 => "HTTP-01 is dropped",
        }
    }

    pub(super) fn what(self) -> &'static str {
        match self {
            Self::April2019 => {
                "the broker of 2019 named its distributions before it had certificates, and CloudFront refused that from one \
                 day to the next; this one hands over name and certificate together, and CloudFront refuses that: the \
                 certificate has to be deployed before"
            }
            Self::ShortCertificates => {
                "CloudFront takes names only with certificates that live for 47 days or less"
            }
            Self::EtagRequired => "S3 stores objects only with If-Match or If-None-Match",
            Self::NoHttp01 => "the authority offers dns-01 alone",
        }
    }

    /// The check that notices.
    pub(super) fn check(self) -> &'static str {
        match self {
            Self::April2019 | Self::ShortCertificates => "cloudfront-contract",
            Self::EtagRequired => "s3-contract",
            Self::NoHttp01 => "acme-issue",
        }
    }

    /// The domain of somebody who is in the middle of asking for a site.
    pub(super) fn domain(self) -> &'static str {
        match self {
            Self::April2019 => "april.example.gov",
            Self::ShortCertificates => "short.example.gov",
            Self::EtagRequired => "etag.example.gov",
            Self::NoHttp01 => "http.example.gov",
        }
    }

    pub(super) fn begin(self, sandbox: &Sandbox) {
        match self {
            Self::April2019 => rules(sandbox, &[Rule::NamesAfterCertificate]),
            Self::ShortCertificates => rules(sandbox, &[Rule::ShortCertificates]),
            Self::EtagRequired => rules(sandbox, &[Rule::ObjectsNeedTag]),
            Self::NoHttp01 => {
                sandbox.authority().gate().pretend(Pretence { no_http_01: true, ..Pretence::default() });
            }
        }
    }

    /// All is as it was.
    pub(super) fn end(sandbox: &Sandbox) {
        rules(sandbox, &[]);
        sandbox.authority().gate().pretend(Pretence::default());
    }
}

fn rules(sandbox: &Sandbox, rules: &[Rule]) {
    let rules = Some(rules.iter().copied().collect::<BTreeSet<_>>());
    sandbox.aws().adjust(&Adjustment { rules, ..Adjustment::default() });
}
