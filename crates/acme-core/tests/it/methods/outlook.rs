//! How names would be proven if a certificate were asked for now.

use anyhow::Result;
use contract::{CertificateIssuer, CertificateRequest, Outlook, ProofMethod};
use hickory_proto::rr::RData;
use hickory_proto::rr::rdata::CAA;

use super::{Lab, OURS, asked_by, label};
use crate::support::{Answer, names};

use ProofMethod::{Delegated, ManagedName, Redirected, ThroughCdn};

async fn outlook(lab: &Lab, served: &[&str], of: &[&str]) -> Result<Vec<Outlook>> {
    let request = CertificateRequest { served: names(served), ..asked_by(OURS, of) };
    Ok(lab.harness.issuer()?.outlook(&request).await?)
}

#[tokio::test]
async fn what_comes_by_itself_is_told_from_what_has_to_be_done_by_hand() -> Result<()> {
    let lab = Lab::start().await?;
    lab.site_at("redirected.example");
    lab.redirect("redirected.example", 302, OURS);
    lab.site_at("foreign.example");
    lab.redirect("foreign.example", 302, "org-b");
    lab.manage("managed.example", OURS);
    lab.point("managed.example", OURS, "front.example").await?;
    lab.delegate("example.gov", OURS);
    let of = [
        "served.example",
        "redirected.example",
        "managed.example",
        "*.example.gov",
        "foreign.example",
        "*.served.example",
    ];
    let found = outlook(&lab, &["served.example", "*.served.example"], &of).await?;
    let by: Vec<_> = found.iter().map(|one| one.by_itself).collect();
    let expected = [Some(ThroughCdn), Some(Redirected), Some(ManagedName), Some(Delegated), None, None];
    assert_eq!(by, expected, "{found:?}");
    assert!(found.iter().zip(of).all(|(one, name)| one.name.as_str() == name && one.forbidden.is_none()));
    let once: Vec<_> = found.into_iter().map(|one| one.once).collect();
    assert!(once[..4].iter().all(Option::is_none), "{once:?}");
    let [.., foreign, wildcard] = &once[..] else { unreachable!() };
    for (record, name) in [(foreign, "foreign.example"), (wildcard, "served.example")] {
        let record = record.as_ref().map(|record| (record.name.clone(), record.value.clone()));
        let target = format!("_acme-challenge.{}.cdn.example.", label(OURS, name));
        assert_eq!(record, Some((format!("_acme-challenge.{name}."), target)));
    }
    assert_eq!(lab.pebble.requests("POST "), 0, "the authority was asked for something");
    Ok(())
}

#[tokio::test]
async fn where_nothing_is_set_up_everything_is_done_by_hand() -> Result<()> {
    let mut lab = Lab::start().await?;
    lab.harness.proofs = acme_core::ProofSettings::default();
    let found = outlook(&lab, &[], &["www.example"]).await?;
    assert_eq!((found[0].by_itself, &found[0].once, &found[0].forbidden), (None, &None, &None));
    Ok(())
}

/// Pebble goes by no name, and is given one here.
#[tokio::test]
async fn what_caa_forbids_is_told() -> Result<()> {
    let authority = crate::support::Scripted::start().await?;
    authority.goes_by("ca.example");
    let mut lab = Lab::start().await?;
    lab.harness.settings = acme_core::AcmeSettings::new(&authority.directory_url);
    // Somebody has had an account opened.
    let id = lab.open("i-1", OURS, &["a.example"]).await?;
    lab.harness.issuer()?.advance(&id).await?;

    let caa = |value: &str| {
        let mut record = CAA::new_issue(false, None, vec![]);
        record.value = value.as_bytes().to_vec();
        Answer::Records(vec![RData::CAA(record)])
    };
    lab.dns.set("others.example.", caa("digicert.com"));
    lab.dns.set("dns.example.", caa("ca.example; validationmethods=dns-01"));
    lab.delegate("dns.example", OURS);
    let of = ["others.example", "dns.example", "free.example"];
    let found = outlook(&lab, &of, &of).await?;
    let by: Vec<_> = found.iter().map(|one| one.by_itself).collect();
    assert_eq!(by, [None, Some(Delegated), Some(ThroughCdn)], "{found:?}");
    assert_eq!(
        found[0].forbidden.as_deref(),
        Some("CAA at `others.example` allows only `digicert.com`: add `0 issue \"ca.example\"`.")
    );
    assert!(found[1..].iter().all(|one| one.forbidden.is_none()));
    Ok(())
}
