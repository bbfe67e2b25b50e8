//! The full, normalised configuration: AWS fills in every default, and so must an emulator, or a client that reads,
//! changes and writes would erase settings without any error. Unknown elements are kept.

use crate::aws::xml::Element;

/// Fills in what the client left out.
pub(super) fn normalise(mut config: Element) -> Element {
    let empty = ["Aliases", "OriginGroups", "CacheBehaviors", "CustomErrorResponses"];
    for name in empty {
        config.fill(Element::list(name, vec![]));
    }
    let texts = [
        ("DefaultRootObject", ""),
        ("PriceClass", "PriceClass_All"),
        ("WebACLId", ""),
        ("HttpVersion", "http2"),
        ("IsIPV6Enabled", "false"),
        ("ContinuousDeploymentPolicyId", ""),
        ("Staging", "false"),
    ];
    fill_texts(&mut config, &texts);
    let logging = [("Enabled", "false"), ("IncludeCookies", "false"), ("Bucket", ""), ("Prefix", "")];
    fill_nested(&mut config, "Logging", &logging);
    let open = Element::list("GeoRestriction", vec![]).with(Element::leaf("RestrictionType", "none"));
    config.fill(Element::new("Restrictions").with(open));
    config.fill(Element::new("ViewerCertificate"));
    for child in &mut config.children {
        match child.name.as_str() {
            "ViewerCertificate" => normalise_certificate(child),
            "DefaultCacheBehavior" => normalise_behaviour(child),
            "CacheBehaviors" => items(child).for_each(normalise_behaviour),
            "Origins" => items(child).for_each(normalise_origin),
            "CustomErrorResponses" => items(child).for_each(normalise_error_response),
            _ => {}
        }
    }
    config
}

fn items(list: &mut Element) -> impl Iterator<Item = &mut Element> {
    list.children.iter_mut().filter(|child| child.name == "Items").flat_map(|items| items.children.iter_mut())
}

fn fill_texts(element: &mut Element, defaults: &[(&str, &str)]) {
    for (name, value) in defaults {
        element.fill(Element::leaf(name, value));
    }
}

fn fill_nested(element: &mut Element, name: &str, defaults: &[(&str, &str)]) {
    element.fill(Element::new(name));
    if let Some(child) = element.child_mut(name) {
        fill_texts(child, defaults);
    }
}

/// AWS answers with the deprecated pair `Certificate` and `CertificateSource` beside the member that was sent: the
/// trap for clients that edit the block in place.
fn normalise_certificate(block: &mut Element) {
    let (iam, acm) =
        (block.text_at("IAMCertificateId").to_owned(), block.text_at("ACMCertificateArn").to_owned());
    if !acm.is_empty() {
        block.put(Element::leaf("CloudFrontDefaultCertificate", "false"));
        block.put(Element::leaf("Certificate", acm));
        block.put(Element::leaf("CertificateSource", "acm"));
    } else if iam.is_empty() {
        block.put(Element::leaf("CloudFrontDefaultCertificate", "true"));
        block.put(Element::leaf("SSLSupportMethod", "vip"));
        block.put(Element::leaf("MinimumProtocolVersion", "TLSv1"));
        block.put(Element::leaf("CertificateSource", "cloudfront"));
    } else {
        block.put(Element::leaf("CloudFrontDefaultCertificate", "false"));
        block.put(Element::leaf("Certificate", iam));
        block.put(Element::leaf("CertificateSource", "iam"));
    }
}

fn normalise_origin(origin: &mut Element) {
    let texts = [
        ("OriginPath", ""),
        ("ConnectionAttempts", "3"),
        ("ConnectionTimeout", "10"),
        ("OriginAccessControlId", ""),
    ];
    fill_texts(origin, &texts);
    origin.fill(Element::list("CustomHeaders", vec![]));
    fill_nested(origin, "OriginShield", &[("Enabled", "false")]);
    if let Some(custom) = origin.child_mut("CustomOriginConfig") {
        fill_texts(custom, &[("OriginReadTimeout", "30"), ("OriginKeepaliveTimeout", "5")]);
        let protocols = ["SSLv3", "TLSv1"].map(|protocol| Element::leaf("SslProtocol", protocol));
        custom.fill(Element::list("OriginSslProtocols", protocols.into()));
    }
}

fn normalise_error_response(response: &mut Element) {
    fill_texts(response, &[("ResponsePagePath", ""), ("ResponseCode", ""), ("ErrorCachingMinTTL", "10")]);
}

fn normalise_behaviour(behaviour: &mut Element) {
    for name in ["TrustedSigners", "TrustedKeyGroups"] {
        behaviour.fill(Element::list(name, vec![]).with(Element::leaf("Enabled", "false")));
    }
    let reading = || ["HEAD", "GET"].map(|method| Element::leaf("Method", method)).into();
    behaviour.fill(Element::list("AllowedMethods", reading()));
    if let Some(methods) = behaviour.child_mut("AllowedMethods") {
        methods.fill(Element::list("CachedMethods", reading()));
    }
    fill_texts(
        behaviour,
        &[("SmoothStreaming", "false"), ("Compress", "false"), ("FieldLevelEncryptionId", "")],
    );
    for name in ["LambdaFunctionAssociations", "FunctionAssociations"] {
        behaviour.fill(Element::list(name, vec![]));
    }
    fill_nested(behaviour, "GrpcConfig", &[("Enabled", "false")]);
    if let Some(values) = behaviour.child_mut("ForwardedValues") {
        values.fill(Element::list("Headers", vec![]));
        values.fill(Element::list("QueryStringCacheKeys", vec![]));
        fill_texts(behaviour, &[("MinTTL", "0"), ("DefaultTTL", "86400"), ("MaxTTL", "31536000")]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &str = "<DistributionConfig><CallerReference>r</CallerReference>
        <Origins><Quantity>1</Quantity><Items><Origin><Id>o</Id><DomainName>o.example</DomainName>
        <CustomOriginConfig><HTTPPort>80</HTTPPort></CustomOriginConfig></Origin></Items></Origins>
        <DefaultCacheBehavior><TargetOriginId>o</TargetOriginId><Novelty>kept</Novelty>
        <ForwardedValues><QueryString>true</QueryString></ForwardedValues></DefaultCacheBehavior>
        <Novelty><Deep>kept</Deep></Novelty></DistributionConfig>";

    #[test]
    fn fills_every_default_and_keeps_what_it_does_not_know() {
        let config = normalise(Element::parse(SENT).unwrap());
        for (path, value) in [
            ("PriceClass", "PriceClass_All"),
            ("Aliases/Quantity", "0"),
            ("Restrictions/GeoRestriction/RestrictionType", "none"),
            ("ViewerCertificate/MinimumProtocolVersion", "TLSv1"),
            ("DefaultCacheBehavior/AllowedMethods/CachedMethods/Quantity", "2"),
            ("DefaultCacheBehavior/DefaultTTL", "86400"),
            ("DefaultCacheBehavior/Novelty", "kept"),
            ("Novelty/Deep", "kept"),
        ] {
            assert_eq!(config.text_at(path), value, "{path}");
        }
        let origin = config.items_at("Origins").first().unwrap();
        assert_eq!(origin.text_at("CustomOriginConfig/OriginReadTimeout"), "30");
    }

    #[test]
    fn changes_nothing_the_second_time() {
        let once = normalise(Element::parse(SENT).unwrap());
        assert_eq!(normalise(once.clone()), once);
    }
}
