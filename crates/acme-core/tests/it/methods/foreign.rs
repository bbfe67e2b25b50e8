use anyhow::Result;
use contract::{CertificateIssuer, IssuanceProgress, ProofMethod, ProofState};

use super::{Lab, OURS, saw, states};
use crate::support::PebbleOptions;

const THEIRS: &str = "org-b";
const NAME: &str = "www.example.gov";

/// B asks for a name for which A has set something up; it is told, and never answered.
async fn b_gets_nothing(lab: &Lab, id: &str) -> Result<()> {
    let id = lab.open(id, THEIRS, &[NAME]).await?;
    let answers = lab.answers();
    for _ in 0..3 {
        let one = lab.look(&id).await?.remove(0);
        assert_eq!(one.state, ProofState::Open);
        assert!(saw(&one).contains("somebody else's"), "{}", saw(&one));
    }
    assert_eq!(lab.answers(), answers);
    Ok(())
}

/// Before A's instance, beside it while it waits, and after it has its certificate.
async fn only_a_gets_a_certificate(lab: &Lab, method: ProofMethod) -> Result<()> {
    b_gets_nothing(lab, "b-before").await?;
    let a = lab.open("a", OURS, &[NAME]).await?;
    b_gets_nothing(lab, "b-beside").await?;
    assert_eq!(lab.issue(&a).await?, [method]);
    b_gets_nothing(lab, "b-after").await?;
    // Those that were there before look again, and see nothing new.
    for id in ["b-before", "b-beside"] {
        let again = lab.look(&contract::IssuanceId::new(id)).await?;
        assert_eq!(states(&again), [ProofState::Open], "{id}");
    }
    assert_eq!(lab.answers(), 1);
    Ok(())
}

#[tokio::test]
async fn a_managed_name_proves_nothing_for_another_organization() -> Result<()> {
    let lab = Lab::start().await?;
    lab.manage(NAME, OURS);
    lab.point(NAME, OURS, "front.example").await?;
    only_a_gets_a_certificate(&lab, ProofMethod::ManagedName).await?;
    // A is live on the CDN now.
    lab.point(NAME, OURS, "edge.example").await?;
    b_gets_nothing(&lab, "b-when-a-is-live").await
}

#[tokio::test]
async fn a_redirect_proves_nothing_for_another_organization() -> Result<()> {
    let lab = Lab::start().await?;
    lab.site_at(NAME);
    lab.redirect(NAME, 302, OURS);
    only_a_gets_a_certificate(&lab, ProofMethod::Redirected).await
}

#[tokio::test]
async fn a_delegation_proves_nothing_for_another_organization() -> Result<()> {
    let lab = Lab::start().await?;
    lab.delegate(NAME, OURS);
    only_a_gets_a_certificate(&lab, ProofMethod::Delegated).await?;
    assert!(lab.harness.zone.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_txt_value_of_another_order_proves_nothing() -> Result<()> {
    let lab = Lab::start().await?;
    let (a, b) = (lab.open("a", OURS, &[NAME]).await?, lab.open("b", THEIRS, &[NAME]).await?);
    lab.look(&a).await?;
    lab.harness.set_records(&a, &lab.dns).await?;
    assert_eq!(states(&lab.look(&b).await?), [ProofState::Open]);
    lab.issue(&a).await?;
    assert_eq!(states(&lab.look(&b).await?), [ProofState::Open]);
    assert_eq!(lab.answers(), 1);
    Ok(())
}

/// The authority gives what was proven under an account again, for weeks. There is one account for everybody.
#[tokio::test]
async fn what_the_authority_remembers_of_a_proves_nothing_for_b_and_b_can_prove_it_itself() -> Result<()> {
    let lab = Lab::with(PebbleOptions { authz_reuse: 100, ..PebbleOptions::default() }).await?;
    lab.delegate(NAME, OURS);
    let a = lab.open("a", OURS, &[NAME]).await?;
    assert_eq!(lab.issue(&a).await?, [ProofMethod::Delegated]);

    let b = lab.open("b", THEIRS, &[NAME]).await?;
    let given_up = lab.harness.issuer()?.advance(&b).await?;
    assert!(matches!(given_up, IssuanceProgress::Working { .. }), "{given_up:?}");
    let one = lab.look(&b).await?.remove(0);
    assert_eq!(one.state, ProofState::Open);
    assert!(saw(&one).contains("somebody else's"), "{}", saw(&one));
    assert_eq!(lab.answers(), 1);

    // The name changes hands.
    lab.delegate(NAME, THEIRS);
    assert_eq!(lab.issue(&b).await?, [ProofMethod::Delegated]);
    assert_eq!(lab.answers(), 2);

    // What B has proven is B's own, and is not asked of it again.
    let again = lab.open("b-again", THEIRS, &[NAME]).await?;
    lab.harness.until_issued_by_many(&again).await?;
    assert_eq!(lab.answers(), 2);
    Ok(())
}
