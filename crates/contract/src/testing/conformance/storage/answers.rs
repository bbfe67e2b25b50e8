//! The promises of [`ChallengeAnswers`](crate::ChallengeAnswers), and of `wanted_elsewhere`, which asks from the other side.

use std::time::Duration;

use super::Subject;
use crate::testing::sample;
use crate::{
    AuthorizationRecord, HttpAnswer, InstanceId, IssuanceId, IssuanceRecord, PortResult, ProofPlace,
    ProofState, durable_label,
};

/// What a case does to a record.
type Change = Box<dyn Fn(&mut IssuanceRecord) + Send>;

/// An answer is found by its token, at the name and at its label, and nowhere else.
pub async fn an_answer_is_found_at_its_name_and_label(subject: &Subject) -> PortResult<()> {
    let open = waiting(subject, "org-1").await;
    subject.issuances.insert(&open).await?;
    let (token, answer) = proof(&open);
    let name = sample::name("www.example.org");
    for place in ["www.example.org", &durable_label("org-1", &name)] {
        assert_eq!(subject.answers.answer(place, &token).await?, Some(answer.clone()), "{place}");
        assert_eq!(subject.answers.answer(place, "another").await?, None, "{place}");
    }
    for place in ["", "example.org", "WWW.example.org", &durable_label("org-2", &name), "org-1"] {
        assert_eq!(subject.answers.answer(place, &token).await?, None, "{place}");
    }
    Ok(())
}

/// Each of two tenants who want the same name finds its own answer at its own label, and the other's at none.
pub async fn tenants_do_not_get_each_others_answers(subject: &Subject) -> PortResult<()> {
    let (one, other) = (waiting(subject, "org-1").await, waiting(subject, "org-2").await);
    for record in [&one, &other] {
        subject.issuances.insert(record).await?;
    }
    let name = sample::name("www.example.org");
    let (label, other_label) = (durable_label("org-1", &name), durable_label("org-2", &name));
    assert_eq!(subject.answers.answer(&label, &proof(&one).0).await?, Some(proof(&one).1));
    assert_eq!(subject.answers.answer(&other_label, &proof(&one).0).await?, None);
    assert_eq!(subject.answers.answer(&label, &proof(&other).0).await?, None);
    assert_eq!(subject.answers.answer(&other_label, &proof(&other).0).await?, Some(proof(&other).1));
    Ok(())
}

/// An answer that was given is still there while the authority looks; it goes with the proof, the order, the issuance.
pub async fn an_answer_is_there_as_long_as_it_is_of_use(subject: &Subject) -> PortResult<()> {
    let now = subject.time.now().await;
    let expires = |at| move |record: &mut IssuanceRecord| record.order_expires = Some(at);
    let state = |state| move |record: &mut IssuanceRecord| record.authorizations[0].state = state;
    let cases: [(&str, bool, Change); 7] = [
        ("open", true, Box::new(|_| ())),
        ("answered", true, Box::new(state(ProofState::Answered))),
        ("proven", false, Box::new(state(ProofState::Proven))),
        ("expires later", true, Box::new(expires(now + Duration::from_millis(1)))),
        ("expires now", false, Box::new(expires(now))),
        ("abandoned", false, Box::new(|record| record.abandoned = true)),
        ("issued", false, Box::new(|record| record.chain = Some("chain".into()))),
    ];
    for (what, found, change) in cases {
        let mut record = waiting(subject, "org-1").await;
        change(&mut record);
        let (token, answer) = proof(&record);
        subject.issuances.insert(&record).await?;
        let answered = subject.answers.answer("www.example.org", &token).await?;
        assert_eq!(answered, found.then_some(answer), "{what}");
    }
    Ok(())
}

/// A proof is wanted elsewhere only if another issuance that goes on has not proven it yet.
pub async fn a_shared_proof_is_known_to_be_wanted(subject: &Subject) -> PortResult<()> {
    let mut one = waiting(subject, "org-1").await;
    subject.issuances.insert(&one).await?;
    let (token, _) = proof(&one);
    let places = [
        ProofPlace::Zone {
            owner: "_acme-challenge.label.cdn.example.".into(),
            value: format!("value of {token}"),
        },
        ProofPlace::Site { site: InstanceId::new("i-1"), token },
    ];
    let other = IssuanceId::new(subject.fresh("issuance"));
    for place in &places {
        assert!(!subject.issuances.wanted_elsewhere(&one.id, place).await?, "it is its own: {place:?}");
        assert!(subject.issuances.wanted_elsewhere(&other, place).await?, "{place:?}");
    }
    one.authorizations[0].state = ProofState::Proven;
    assert!(subject.issuances.save(&one).await?);
    for place in &places {
        assert!(!subject.issuances.wanted_elsewhere(&other, place).await?, "it is proven: {place:?}");
    }
    let mut one = IssuanceRecord { version: 1, abandoned: true, ..one };
    one.authorizations[0].state = ProofState::Open;
    assert!(subject.issuances.save(&one).await?);
    for place in &places {
        assert!(!subject.issuances.wanted_elsewhere(&other, place).await?, "it is abandoned: {place:?}");
    }
    Ok(())
}

/// An issuance for a tenant with one open authorization, whose token nobody else has; it is not stored.
async fn waiting(subject: &Subject, tenant: &str) -> IssuanceRecord {
    let mut request = sample::certificate_request(&sample::names(&["www.example.org"]));
    request.tenant = tenant.into();
    let (id, token) = (IssuanceId::new(subject.fresh("issuance")), subject.fresh("token"));
    let open = AuthorizationRecord {
        http: Some(HttpAnswer { token: token.clone(), answer: format!("{token}.thumbprint") }),
        dns: Some(format!("value of {token}")),
        ..AuthorizationRecord::new(
            sample::name("www.example.org"),
            "https://ca.example/authz/1",
            ProofState::Open,
        )
    };
    let opened =
        IssuanceRecord::opened(id, request, "https://ca.example/directory", subject.time.now().await);
    IssuanceRecord { authorizations: vec![open], ..opened }
}

fn proof(record: &IssuanceRecord) -> (String, String) {
    let http = record.authorizations[0].http.clone();
    http.map(|http| (http.token, http.answer)).unwrap_or_default()
}
