use aws_sdk_cloudfront::types::{self, Aliases, DistributionConfig, ViewerCertificate};
use contract::{Distribution, DistributionId, DomainName, PortError, PortResult, Remedy, StoredCertificate};

use crate::shape;

/// A distribution as it was read, ready to be changed.
#[derive(Debug)]
pub(crate) struct Found {
    /// What the caller of the port sees of it.
    pub(crate) distribution: Distribution,
    /// Its configuration in normal form.
    pub(crate) config: DistributionConfig,
    /// The version that this configuration has.
    pub(crate) tag: String,
}

impl Found {
    /// Reads CloudFront's answer. One without its parts is not an answer: a proxy may have cut it.
    pub(crate) fn new(
        answer: Option<types::Distribution>,
        tag: Option<String>,
        doing: &str,
    ) -> PortResult<Self> {
        let cut = || PortError::new(doing, Remedy::Retry { after: None }, "the answer is incomplete");
        let answer = answer.ok_or_else(cut)?;
        let config = answer.distribution_config.as_ref().ok_or_else(cut)?;
        let config = shape::normal(config).map_err(|error| PortError::new(doing, Remedy::GiveUp, error))?;
        Ok(Self { distribution: distribution(&answer, &config), config, tag: tag.ok_or_else(cut)? })
    }
}

/// The id in `… is associated with another distribution. Already exists: E2O6U8DECVP5UD`.
pub(crate) fn existing_id(refusal: &str) -> Option<DistributionId> {
    let (_, rest) = refusal.split_once("Already exists: ")?;
    let id: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    if id.is_empty() { None } else { Some(DistributionId::new(id)) }
}

fn distribution(answer: &types::Distribution, config: &DistributionConfig) -> Distribution {
    Distribution {
        id: DistributionId::new(&answer.id),
        domain: answer.domain_name.clone(),
        deployed: answer.status == "Deployed",
        enabled: config.enabled,
        names: names(config.aliases()),
        certificate: certificate(config.viewer_certificate()),
    }
}

/// The names that this project could have given, in the order in which it gives them; others are an operator's.
pub(crate) fn names(aliases: Option<&Aliases>) -> Vec<DomainName> {
    let aliases = aliases.map_or(&[] as &[String], |aliases| aliases.items());
    let aliases = shape::sorted(aliases.iter().map(String::as_str));
    aliases.iter().filter_map(|alias| DomainName::parse(alias).ok()).collect()
}

pub(crate) fn certificate(block: Option<&ViewerCertificate>) -> Option<StoredCertificate> {
    let block = block?;
    let named = |id: Option<&str>| id.filter(|id| !id.is_empty()).map(StoredCertificate::new);
    // One of ACM's is nobody's of ours, but may have been adopted.
    named(block.iam_certificate_id()).or_else(|| named(block.acm_certificate_arn()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_read_off_the_refusal() {
        let refusal = "could not create the distribution: DistributionAlreadyExists: The caller reference that you \
                       are using to create a distribution is associated with another distribution. Already exists: \
                       E2O6U8DECVP5UD (request r-1)";
        assert_eq!(existing_id(refusal), Some(DistributionId::new("E2O6U8DECVP5UD")));
        assert_eq!(existing_id("Already exists: "), None);
        assert_eq!(existing_id("something else"), None);
    }
}
