use aws_sdk_cloudfront::error::BuildError;
use aws_sdk_cloudfront::types::{Aliases, MinimumProtocolVersion, SslSupportMethod, ViewerCertificate};
use contract::{Delivery, DomainName, MinimumTls, Serving};

use super::{count, non_empty, sorted};

/// What the name of a certificate of ACM begins with. This project makes none; it may have adopted one.
const ARN: &str = "arn:";

/// The names of a distribution; none before there is a certificate.
pub(super) fn aliases(serving: Option<&Serving>) -> Result<Aliases, BuildError> {
    let names = serving.map_or(&[] as &[_], |serving| &serving.names);
    list(names.iter().map(DomainName::as_str))
}

/// The list of aliases in its one order.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Aliases, BuildError> {
    let names = sorted(names);
    Aliases::builder().quantity(count(&names)).set_items(non_empty(names)).build()
}

/// The certificate of a distribution that had none of ours before.
pub(super) fn certificate(serving: Option<&Serving>, delivery: &Delivery) -> ViewerCertificate {
    serving.map_or_else(cloudfronts_own, |serving| own(serving, oldest(delivery)))
}

/// The certificate after a change. The oldest protocol version that the operator allows for it stays until the user
/// speaks of it; nothing else of the block does: a rebuilt block is the only one that CloudFront is sure to take (it hands out deprecated
/// fields next to the current ones and refuses the block when the two differ).
pub(super) fn changed(
    current: Option<&ViewerCertificate>,
    serving: Option<&Serving>,
    delivery: &Delivery,
) -> ViewerCertificate {
    match (current, serving) {
        (Some(current), Some(serving)) => {
            let stays = is_sni_only(current) && !delivery.minimum_tls.is_said();
            let chosen = current.minimum_protocol_version().filter(|_| stays).cloned();
            own(serving, chosen.unwrap_or_else(|| oldest(delivery)))
        }
        (Some(current), None) if current.cloud_front_default_certificate() == Some(true) => current.clone(),
        (_, serving) => certificate(serving, delivery),
    }
}

/// The block without what CloudFront adds when it is read.
pub(super) fn normal(current: &ViewerCertificate) -> ViewerCertificate {
    let mut block = current.clone();
    block.certificate = None;
    block.certificate_source = None;
    block.cloud_front_default_certificate = block.cloud_front_default_certificate.filter(|is| *is);
    block
}

fn oldest(delivery: &Delivery) -> MinimumProtocolVersion {
    MinimumProtocolVersion::from(delivery.minimum_tls.or(MinimumTls::Tls12In2021).as_str())
}

fn own(serving: &Serving, oldest: MinimumProtocolVersion) -> ViewerCertificate {
    let (block, certificate) = (ViewerCertificate::builder(), serving.certificate.as_str());
    let block = if certificate.starts_with(ARN) {
        block.acm_certificate_arn(certificate)
    } else {
        block.iam_certificate_id(certificate)
    };
    block.ssl_support_method(SslSupportMethod::SniOnly).minimum_protocol_version(oldest).build()
}

fn cloudfronts_own() -> ViewerCertificate {
    ViewerCertificate::builder().cloud_front_default_certificate(true).build()
}

fn is_sni_only(block: &ViewerCertificate) -> bool {
    block.ssl_support_method() == Some(&SslSupportMethod::SniOnly)
}
