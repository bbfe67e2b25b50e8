//! The viewer certificate and the names it must be good for: the rules of April 2019, in the order in which AWS
//! documents them [`aws.md` 1.3]. The sentences for a chain that is too long, out of its dates or not trusted are ours:
//! nobody has published the real ones. Match the code.

use super::distribution::{Distribution, certificate_id};
use crate::aws::certificate::{Facts, trusted};
use crate::aws::clock::millis;
use crate::aws::error::Failure;
use crate::aws::iam::ServerCertificate;
use crate::aws::rules::Rule;
use crate::aws::world::World;
use crate::aws::xml::Element;

const MORE: &str = "For more details, see: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/\
                    CNAMEs.html#alternate-domain-names-requirements";
const LONGEST_CHAIN: usize = 5;
const MOST_ALIASES: usize = 100;
/// 47 days.
const SHORT: i64 = 47 * 86_400_000;
const POLICIES: [&str; 9] = [
    "SSLv3",
    "TLSv1",
    "TLSv1_2016",
    "TLSv1.1_2016",
    "TLSv1.2_2018",
    "TLSv1.2_2019",
    "TLSv1.2_2021",
    "TLSv1.2_2025",
    "TLSv1.3_2025",
];

/// Checks certificate and aliases of the distribution `itself` (a new one if none).
pub(super) fn check(world: &World, config: &Element, itself: Option<&str>) -> Result<(), Failure> {
    if let Some(block) = config.child("ViewerCertificate") {
        consistent(block)?;
    }
    let certificate = certificate_id(config).map(|id| visible(world, id)).transpose()?;
    let of_acm = of_acm(world, config)?;
    let aliases = config.texts_at("Aliases");
    if itself.is_none() && certificate.is_none() && world.has(Rule::CertificateFromTheStart) {
        return Err(invalid("A distribution needs a certificate of its own from its creation on."));
    }
    if aliases.is_empty() {
        return Ok(());
    }
    let is_of_acm = of_acm.is_some_and(|names| aliases.iter().all(|alias| names.contains(alias)));
    if !is_of_acm && (certificate.is_some() || !world.has(Rule::NamesWithoutCertificate)) {
        authorised(world, &aliases, certificate)?;
    }
    deployed_before(world, &aliases, certificate, itself)?;
    aliases.iter().try_for_each(|alias| well_formed(alias))?;
    if aliases.len() > MOST_ALIASES {
        let message = "Your request contains more CNAMEs than are allowed per distribution.";
        return Err(Failure::bad("TooManyDistributionCNAMEs", message));
    }
    free(world, &aliases, itself)?;
    points_here(world, &aliases, itself)
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::bad("InvalidViewerCertificate", message)
}

/// Exactly one certificate, and the members that go with it.
fn consistent(block: &Element) -> Result<(), Failure> {
    let iam = block.text_at("IAMCertificateId");
    let acm = block.text_at("ACMCertificateArn");
    let default = block.text_at("CloudFrontDefaultCertificate") == "true";
    let given = [!iam.is_empty(), !acm.is_empty(), default].into_iter().filter(|given| *given).count();
    if given != 1 {
        let message = "Exactly one of CloudFrontDefaultCertificate, IAMCertificateId and ACMCertificateArn is \
                       needed.";
        return Err(invalid(message));
    }
    if default {
        return Ok(());
    }
    if acm.is_empty() {
        deprecated_pair(block, iam)?;
    }
    let method = block.text_at("SSLSupportMethod");
    if !["sni-only", "vip", "static-ip"].contains(&method) {
        return Err(invalid("The parameter SSLSupportMethod is required with a certificate of your own."));
    }
    if !POLICIES.contains(&block.text_at("MinimumProtocolVersion")) {
        let message = "The minimum protocol version specified is not valid.";
        return Err(Failure::bad("InvalidMinimumProtocolVersion", message));
    }
    Ok(())
}

/// The answer of GET carries two deprecated members; who changes the id and not them is refused.
fn deprecated_pair(block: &Element, iam: &str) -> Result<(), Failure> {
    let differs = |member: &str, expected: &str| {
        let value = block.text_at(member);
        !value.is_empty() && value != expected
    };
    if differs("CertificateSource", "iam") {
        return Err(invalid(
            r#"Cannot specify IAMCertificateId and a CertificateSource not equal to "iam"."#,
        ));
    }
    if differs("Certificate", iam) {
        return Err(invalid("Your IAMCertificateId does not match the given Certificate field."));
    }
    Ok(())
}

/// One text for what will pass (an upload that has not reached CloudFront yet) and for what will not.
fn unknown_certificate() -> Failure {
    invalid(
        "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a \
         valid certificate chain.",
    )
}

/// The names of the certificate of ACM that a configuration has.
fn of_acm<'a>(world: &'a World, config: &Element) -> Result<Option<&'a Vec<String>>, Failure> {
    let arn = config.text_at("ViewerCertificate/ACMCertificateArn");
    let names = world.acm.get(arn);
    if arn.is_empty() || names.is_some() { Ok(names) } else { Err(unknown_certificate()) }
}

fn visible<'a>(world: &'a World, id: &str) -> Result<&'a ServerCertificate, Failure> {
    let propagation = millis(world.settings.iam_propagation);
    let seen = |certificate: &&ServerCertificate| {
        certificate.path.starts_with("/cloudfront/")
            && certificate.facts.key_suits_cloudfront
            && world.clock.now() >= certificate.uploaded.saturating_add(propagation)
    };
    world.iam.by_id(id).filter(seen).ok_or_else(unknown_certificate)
}

fn authorised(
    world: &World,
    aliases: &[String],
    certificate: Option<&ServerCertificate>,
) -> Result<(), Failure> {
    let Some(certificate) = certificate else {
        return Err(invalid(format!(
            "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted \
             certificate that validates your authorization to use the domain name. {MORE}"
        )));
    };
    let chain = certificate.certificates();
    if chain.len() > LONGEST_CHAIN {
        return Err(invalid("The certificate chain that is attached to your distribution is too long."));
    }
    let now = world.clock.now();
    let in_time = |der| Facts::read(der).is_ok_and(|facts| facts.valid_at(now));
    if !chain.iter().all(in_time) {
        return Err(invalid(
            "The certificate that is attached to your distribution has expired or is not yet valid.",
        ));
    }
    if trusted(chain, &world.roots, now).is_err() {
        return Err(invalid(format!(
            "The certificate that is attached to your distribution was not issued by a trusted Certificate \
             Authority. {MORE}"
        )));
    }
    let life = certificate.facts.not_after.saturating_sub(certificate.facts.not_before);
    if life > SHORT && world.has(Rule::ShortCertificates) {
        return Err(invalid(format!(
            "The certificate that is attached to your distribution is valid for longer than 47 days. {MORE}"
        )));
    }
    if !aliases.iter().all(|alias| certificate.facts.covers(alias)) {
        return Err(invalid(format!(
            "The certificate that is attached to your distribution doesn't cover the alternate domain name (CNAME) \
             that you're trying to add. {MORE}"
        )));
    }
    Ok(())
}

/// The rule that never was: a name can be added only when its certificate has arrived everywhere.
fn deployed_before(
    world: &World,
    aliases: &[String],
    certificate: Option<&ServerCertificate>,
    itself: Option<&str>,
) -> Result<(), Failure> {
    let (Some(certificate), true) = (certificate, world.has(Rule::NamesAfterCertificate)) else {
        return Ok(());
    };
    let present = world.cloudfront.distributions.iter().find(|found| Some(found.id.as_str()) == itself);
    let held = present.map(Distribution::aliases).unwrap_or_default();
    let has_it = present.is_some_and(|present| {
        present.certificate_id() == Some(certificate.id.as_str()) && present.deployed(world.clock.now())
    });
    if has_it || aliases.iter().all(|alias| held.contains(alias)) {
        return Ok(());
    }
    Err(invalid(format!(
        "To add an alternate domain name (CNAME) to a CloudFront distribution, the certificate that covers it must \
         have been deployed with the distribution before. {MORE}"
    )))
}

fn well_formed(alias: &str) -> Result<(), Failure> {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    let label = |label: &str| !label.is_empty() && label.len() <= 63 && label.chars().all(letter);
    let name = alias.strip_prefix("*.").unwrap_or(alias);
    if alias.len() <= 253 && name.contains('.') && name.split('.').all(label) {
        return Ok(());
    }
    Err(Failure::argument("The parameter CNAME contains one or more parameters that are not valid."))
}

/// An alias belongs to one distribution, be it enabled or not.
fn free(world: &World, aliases: &[String], itself: Option<&str>) -> Result<(), Failure> {
    let mut others = world.cloudfront.distributions.iter().filter(|other| Some(other.id.as_str()) != itself);
    if others.any(|other| other.aliases().iter().any(|held| aliases.contains(held))) {
        return Err(held());
    }
    let elsewhere = &world.cloudfront.held_elsewhere;
    if aliases.iter().any(|alias| elsewhere.contains(alias)) {
        return Err(held());
    }
    Ok(())
}

fn held() -> Failure {
    let message = "One or more of the CNAMEs you provided are already associated with a different resource.";
    Failure::new(409, "CNAMEAlreadyExists", message)
}

/// CloudFront resolves a name when it is added, and refuses it while the DNS leads it to another distribution.
fn points_here(world: &World, aliases: &[String], itself: Option<&str>) -> Result<(), Failure> {
    let distributions = &world.cloudfront.distributions;
    let present = distributions.iter().find(|found| Some(found.id.as_str()) == itself);
    let held = present.map(Distribution::aliases).unwrap_or_default();
    let others: Vec<&str> = distributions
        .iter()
        .filter(|other| Some(other.id.as_str()) != itself)
        .map(|other| other.domain.as_str())
        .collect();
    let strays = |alias: &&String| world.led_to(alias).iter().any(|target| others.contains(&target.as_str()));
    match aliases.iter().filter(|alias| !held.contains(alias)).find(strays) {
        Some(_) => {
            let message = "One or more aliases specified for the distribution includes an incorrectly configured DNS \
                           record that points to another CloudFront distribution. You must update the DNS record to \
                           correct the problem. For more information, see https://docs.aws.amazon.com/\
                           AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html#alternate-domain-names-restrictions";
            Err(Failure::new(409, "CNAMEAlreadyExists", message))
        }
        None => Ok(()),
    }
}
