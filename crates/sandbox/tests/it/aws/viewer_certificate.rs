//! The rules of April 2019: no alias without a certificate that proves it.

use rcgen::{Issuer, KeyPair};

use super::fixture::{Answer, Cloud, Leaf, config, etag, issuing, with_aliases, with_certificate};

const NAME: &str = "www.example.org";
const REFUSED: (u16, &str) = (400, "InvalidViewerCertificate");

/// Uploads a certificate, waits until it is visible, and asks for an alias with it.
async fn alias_with(cloud: &Cloud, leaf: &Leaf, alias: &str) -> anyhow::Result<Answer> {
    let uploaded = cloud.upload("certificate", leaf).await?;
    anyhow::ensure!(uploaded.status == 200, "{}", uploaded.body);
    cloud.aws.advance(std::time::Duration::from_mins(1));
    let wanted = with_certificate(&config("r"), uploaded.text("ServerCertificateId"));
    cloud.create(&with_aliases(&wanted, &[alias])).await
}

#[tokio::test]
async fn an_alias_needs_a_certificate() {
    let cloud = Cloud::start().await.unwrap();
    let answer = cloud.create(&with_aliases(&config("r"), &[NAME])).await.unwrap();
    assert_eq!(answer.refusal(), REFUSED);
    assert!(answer.text("Message").contains("you must attach a trusted certificate"));
    let leaf = cloud.authority.leaf(&[NAME]).unwrap();
    assert_eq!(alias_with(&cloud, &leaf, NAME).await.unwrap().status, 201);
}

#[tokio::test]
async fn the_certificate_covers_the_alias() {
    let cloud = Cloud::start().await.unwrap();
    let leaf = cloud.authority.leaf(&["*.example.org"]).unwrap();
    let answer = alias_with(&cloud, &leaf, "a.b.example.org").await.unwrap();
    assert_eq!(answer.refusal(), REFUSED);
    assert!(answer.text("Message").contains("doesn't cover"));
    let cloud = Cloud::start().await.unwrap();
    let leaf = cloud.authority.leaf(&["*.example.org"]).unwrap();
    assert_eq!(alias_with(&cloud, &leaf, NAME).await.unwrap().status, 201);
}

#[tokio::test]
async fn the_certificate_is_from_a_trusted_authority() {
    let cloud = Cloud::start().await.unwrap();
    let stranger = super::fixture::Authority::new("Stranger").unwrap();
    let answer = alias_with(&cloud, &stranger.leaf(&[NAME]).unwrap(), NAME).await.unwrap();
    assert_eq!(answer.refusal(), REFUSED);
    assert!(answer.text("Message").contains("trusted Certificate Authority"));
    cloud.aws.trust(&stranger.root_pem).unwrap();
    let id = cloud.aws.state().certificates.first().unwrap().id.clone();
    let wanted = with_aliases(&with_certificate(&config("r"), &id), &[NAME]);
    assert_eq!(cloud.create(&wanted).await.unwrap().status, 201);
}

#[tokio::test]
async fn a_certificate_without_its_intermediates_is_not_trusted() {
    let cloud = Cloud::start().await.unwrap();
    let leaf = Leaf { chain: String::new(), ..cloud.authority.leaf(&[NAME]).unwrap() };
    assert_eq!(alias_with(&cloud, &leaf, NAME).await.unwrap().refusal(), REFUSED);
}

#[tokio::test]
async fn the_certificate_has_not_expired() {
    let cloud = Cloud::start().await.unwrap();
    let good = cloud.authority.leaf_with(&[NAME], &rcgen::PKCS_ECDSA_P256_SHA256, |params| {
        params.not_after = rcgen::date_time_ymd(2095, 1, 1);
    });
    let uploaded = cloud.upload("certificate", &good.unwrap()).await.unwrap();
    let id = uploaded.text("ServerCertificateId").to_owned();
    cloud.aws.advance(std::time::Duration::from_hours(24 * 365 * 80));
    let answer = cloud.create(&with_aliases(&with_certificate(&config("r"), &id), &[NAME])).await.unwrap();
    assert_eq!(answer.refusal(), REFUSED);
    assert!(answer.text("Message").contains("expired"));
}

#[tokio::test]
async fn the_chain_has_at_most_five_certificates() {
    let cloud = Cloud::start().await.unwrap();
    for (longest, accepted) in [(4, true), (5, false)] {
        let cloud = Cloud::start().await.unwrap();
        let leaf = long_chain(&cloud, longest).unwrap();
        let answer = alias_with(&cloud, &leaf, NAME).await.unwrap();
        assert_eq!(answer.status == 201, accepted, "{longest} intermediates: {}", answer.body);
    }
    drop(cloud);
}

fn long_chain(cloud: &Cloud, intermediates: usize) -> anyhow::Result<Leaf> {
    let mut chain = cloud.authority.intermediate_pem.clone();
    let mut issuer: Option<Issuer<'static, KeyPair>> = None;
    for number in 1..intermediates {
        let key = KeyPair::generate()?;
        let params = issuing(&format!("Deeper {number}"))?;
        let pem = params.signed_by(&key, issuer.as_ref().unwrap_or(&cloud.authority.issuer))?.pem();
        chain = format!("{pem}{chain}");
        issuer = Some(Issuer::new(params, key));
    }
    let key = KeyPair::generate()?;
    let params = rcgen::CertificateParams::new(vec![NAME.to_owned()])?;
    let body = params.signed_by(&key, issuer.as_ref().unwrap_or(&cloud.authority.issuer))?.pem();
    Ok(Leaf { body, chain, key: key.serialize_pem() })
}

#[tokio::test]
async fn an_upload_is_visible_after_a_while() {
    let cloud = Cloud::start().await.unwrap();
    let leaf = cloud.authority.leaf(&[NAME]).unwrap();
    let uploaded = cloud.upload("certificate", &leaf).await.unwrap();
    let wanted = with_certificate(&config("r"), uploaded.text("ServerCertificateId"));
    let wanted = with_aliases(&wanted, &[NAME]);
    let early = cloud.create(&wanted).await.unwrap();
    assert_eq!(early.refusal(), REFUSED);
    assert!(early.text("Message").starts_with("The specified SSL certificate doesn't exist"));
    cloud.wait();
    assert_eq!(cloud.create(&wanted).await.unwrap().status, 201);
}

#[tokio::test]
async fn the_certificate_exists_below_cloudfront_with_a_key_it_takes() {
    let cloud = Cloud::start().await.unwrap();
    let unknown = with_certificate(&config("r"), "ASCANOTHERE");
    assert_eq!(cloud.create(&unknown).await.unwrap().refusal(), REFUSED);
    let p384 = cloud.authority.leaf_with(&[NAME], &rcgen::PKCS_ECDSA_P384_SHA384, |_| ()).unwrap();
    assert_eq!(alias_with(&cloud, &p384, NAME).await.unwrap().refusal(), REFUSED);
    let leaf = cloud.authority.leaf(&[NAME]).unwrap();
    let elsewhere = [
        ("ServerCertificateName", "elsewhere"),
        ("CertificateBody", leaf.body.as_str()),
        ("PrivateKey", &leaf.key),
    ];
    let uploaded = cloud.iam("UploadServerCertificate", &elsewhere).await.unwrap();
    cloud.wait();
    let wanted = with_certificate(&config("r"), uploaded.text("ServerCertificateId"));
    assert_eq!(cloud.create(&wanted).await.unwrap().refusal(), REFUSED);
}

#[tokio::test]
async fn the_certificate_block_is_consistent() {
    let cloud = Cloud::start().await.unwrap();
    let id = cloud.certificate("certificate", &[NAME]).await.unwrap();
    let good = with_certificate(&config("r"), &id);
    for (from, to, code) in [
        ("<SSLSupportMethod>sni-only</SSLSupportMethod>", "", "InvalidViewerCertificate"),
        ("TLSv1.2_2021", "TLSv9", "InvalidMinimumProtocolVersion"),
        (
            "<SSLSupportMethod>",
            "<CloudFrontDefaultCertificate>true</CloudFrontDefaultCertificate><SSLSupportMethod>",
            "InvalidViewerCertificate",
        ),
        (
            "<SSLSupportMethod>",
            "<Certificate>other</Certificate><SSLSupportMethod>",
            "InvalidViewerCertificate",
        ),
        (
            "<SSLSupportMethod>",
            "<CertificateSource>cloudfront</CertificateSource><SSLSupportMethod>",
            "InvalidViewerCertificate",
        ),
    ] {
        let wrong = good.replace(from, to);
        assert_eq!(cloud.create(&wrong).await.unwrap().refusal(), (400, code), "{to}");
    }
    assert_eq!(cloud.create(&good).await.unwrap().status, 201);
}

#[tokio::test]
async fn an_alias_is_a_name_in_lower_case() {
    let cloud = Cloud::start().await.unwrap();
    let names = ["www.example.org", "*.example.org"];
    let id = cloud.certificate("certificate", &names).await.unwrap();
    let good = with_certificate(&config("r"), &id);
    let answer = cloud.create(&with_aliases(&good, &["WWW.example.org"])).await.unwrap();
    assert_eq!(answer.refusal(), (400, "InvalidArgument"));
    assert_eq!(cloud.create(&with_aliases(&good, &names)).await.unwrap().status, 201);
}

#[tokio::test]
async fn a_distribution_has_at_most_a_hundred_aliases() {
    let cloud = Cloud::start().await.unwrap();
    let id = cloud.certificate("certificate", &["*.example.org"]).await.unwrap();
    let names: Vec<String> = (0..101).map(|number| format!("n{number}.example.org")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let good = with_certificate(&config("r"), &id);
    let answer = cloud.create(&with_aliases(&good, &names)).await.unwrap();
    assert_eq!(answer.refusal(), (400, "TooManyDistributionCNAMEs"));
    assert_eq!(cloud.create(&with_aliases(&good, &names[..100])).await.unwrap().status, 201);
}

#[tokio::test]
async fn an_alias_belongs_to_one_distribution() {
    let cloud = Cloud::start().await.unwrap();
    let id = cloud.certificate("certificate", &["*.example.org"]).await.unwrap();
    let wanted =
        |reference: &str, alias: &str| with_aliases(&with_certificate(&config(reference), &id), &[alias]);
    let first = cloud.made(&wanted("first", NAME)).await.unwrap();
    let taken = cloud.create(&wanted("second", NAME)).await.unwrap();
    assert_eq!(taken.refusal(), (409, "CNAMEAlreadyExists"));
    assert_eq!(
        cloud.create(&wanted("third", "*.example.org")).await.unwrap().status,
        201,
        "a wildcard is free"
    );
    let same = cloud.update(&first.id, &first.etag, &wanted("first", NAME)).await.unwrap();
    assert_eq!(same.status, 200, "what is held by itself is no conflict");
    let disabled = wanted("first", NAME).replace("<Enabled>true", "<Enabled>false");
    let now = etag(&cloud, &first.id).await.unwrap();
    assert_eq!(cloud.update(&first.id, &now, &disabled).await.unwrap().status, 200);
    assert_eq!(cloud.create(&wanted("second", NAME)).await.unwrap().refusal(), (409, "CNAMEAlreadyExists"));
    cloud.wait();
    let now = etag(&cloud, &first.id).await.unwrap();
    assert_eq!(cloud.delete(&first.id, &now).await.unwrap().status, 204);
    assert_eq!(cloud.create(&wanted("second", NAME)).await.unwrap().status, 201);
}

#[tokio::test]
async fn one_certificate_change_at_a_time() {
    let cloud = Cloud::start().await.unwrap();
    let first = cloud.certificate("first", &[NAME]).await.unwrap();
    let second = cloud.certificate("second", &[NAME]).await.unwrap();
    let made = cloud.made(&config("r")).await.unwrap();
    let wanted = |id: &str| with_aliases(&with_certificate(&config("r"), id), &[NAME]);
    let changed = cloud.update(&made.id, &made.etag, &wanted(&first)).await.unwrap();
    assert_eq!(changed.status, 200, "{}", changed.body);
    let early = cloud.update(&made.id, changed.header("etag"), &wanted(&second)).await.unwrap();
    assert_eq!(early.refusal(), (400, "IllegalUpdate"));
    assert_eq!(early.text("Message"), "Only one viewer certificate change may be in progress at a time.");
    cloud.wait();
    assert_eq!(cloud.update(&made.id, changed.header("etag"), &wanted(&second)).await.unwrap().status, 200);
}
