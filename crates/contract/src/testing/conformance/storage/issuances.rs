//! The promises of [`IssuanceStore`](crate::IssuanceStore).

use super::{Subject, at_once, certificates, odd_text};
use crate::testing::sample;
use crate::{
    AuthorizationRecord, CertificateRecord, CertificateRequest, CertificateState, HttpAnswer, InstanceId,
    IssuanceId, IssuanceRecord, KeyType, LastLook, PortResult, PresentedProof, ProofMethod, ProofPlace,
    ProofState, Secret, Timestamp,
};

/// `insert` stores an issuance at version 0, and does nothing when the id is known.
pub async fn an_issuance_is_inserted_once(subject: &Subject) -> PortResult<()> {
    let record = draft(subject);
    subject.issuances.insert(&record).await?;
    assert_eq!(subject.issuances.load(&record.id).await?.as_ref(), Some(&record));
    let other = IssuanceRecord {
        request: CertificateRequest { key_type: KeyType::P256, ..record.request.clone() },
        directory: "https://other.example/directory".into(),
        ..record.clone()
    };
    subject.issuances.insert(&other).await?;
    assert_eq!(subject.issuances.load(&record.id).await?.as_ref(), Some(&record));
    let saved = IssuanceRecord { orders_placed: 1, ..record.clone() };
    assert!(subject.issuances.save(&saved).await?);
    subject.issuances.insert(&record).await?;
    let expected = IssuanceRecord { version: 1, ..saved };
    assert_eq!(subject.issuances.load(&record.id).await?, Some(expected), "nor after it was written to");
    Ok(())
}

/// Everything comes back as it was saved: secrets byte for byte, texts character for character.
pub async fn an_issuance_comes_back_as_saved(subject: &Subject) -> PortResult<()> {
    let first = draft(subject);
    subject.issuances.insert(&first).await?;
    let full = full(first);
    assert!(subject.issuances.save(&full).await?);
    let expected = IssuanceRecord { version: 1, ..full };
    let loaded = subject.issuances.load(&expected.id).await?;
    assert_eq!(loaded.as_ref(), Some(&expected));
    // `Debug` hides secrets, so a difference there must be told apart by hand.
    let key = loaded.and_then(|loaded| loaded.private_key).map(|key| key.expose().to_vec());
    assert_eq!(key, Some(every_byte()));

    let inserted_whole = IssuanceRecord { id: draft(subject).id, version: 0, ..expected };
    subject.issuances.insert(&inserted_whole).await?;
    assert_eq!(subject.issuances.load(&inserted_whole.id).await?, Some(inserted_whole));
    Ok(())
}

/// Whoever is noted first stays noted, whatever becomes of the issuance.
pub async fn a_proof_is_credited_to_one_tenant_for_ever(subject: &Subject) -> PortResult<()> {
    let url = format!("https://ca.example/authz/{}", draft(subject).id);
    assert_eq!(subject.issuances.credited(&url).await?, None);
    assert_eq!(subject.issuances.credit(&url, "org-a").await?, "org-a");
    assert_eq!(subject.issuances.credit(&url, "org-a").await?, "org-a", "noting it again changes nothing");
    assert_eq!(subject.issuances.credit(&url, "org-b").await?, "org-a");
    assert_eq!(subject.issuances.credited(&url).await?, Some("org-a".to_owned()));
    Ok(())
}

/// An issuance relies on its authorizations until it has its chain, is abandoned, or has lost its order.
pub async fn whoever_is_underway_relies_on_its_authorizations(subject: &Subject) -> PortResult<()> {
    let mut record = draft(subject);
    record.request.tenant = "org-a".into();
    record.order_url = Some("https://ca.example/order/1".into());
    let url = format!("https://ca.example/authz/{}", record.id);
    let name = record.request.names[0].clone();
    record.authorizations = vec![AuthorizationRecord::new(name, &url, ProofState::Answered)];
    subject.issuances.insert(&record).await?;
    assert!(subject.issuances.relies_on("org-a", &url).await?);
    assert!(!subject.issuances.relies_on("org-b", &url).await?);
    let issued = IssuanceRecord { chain: Some("chain".into()), ..record.clone() };
    assert!(subject.issuances.save(&issued).await?);
    assert!(!subject.issuances.relies_on("org-a", &url).await?, "nor when it is issued");
    let abandoned = IssuanceRecord { id: draft(subject).id, abandoned: true, ..record.clone() };
    subject.issuances.insert(&abandoned).await?;
    assert!(!subject.issuances.relies_on("org-a", &url).await?, "nor when it is abandoned");
    let failed = IssuanceRecord { id: draft(subject).id, order_url: None, ..record };
    subject.issuances.insert(&failed).await?;
    assert!(!subject.issuances.relies_on("org-a", &url).await?, "nor when its order has failed");
    Ok(())
}

/// `show` gives all but key, signing request and chain, and what it gives cannot be saved.
pub async fn an_issuance_is_shown_without_its_secrets(subject: &Subject) -> PortResult<()> {
    let first = draft(subject);
    assert_eq!(subject.issuances.show(&first.id).await?, None);
    let stored = IssuanceRecord { version: 0, ..full(first) };
    subject.issuances.insert(&stored).await?;
    let version = IssuanceRecord::FOR_SHOW;
    let shown = IssuanceRecord { version, private_key: None, csr: None, chain: None, ..stored.clone() };
    assert_eq!(subject.issuances.show(&stored.id).await?.as_ref(), Some(&shown));
    assert!(!subject.issuances.save(&shown).await?);
    assert_eq!(subject.issuances.load(&stored.id).await?, Some(stored));
    Ok(())
}

/// With an instance come the issuances of what is on its way to be served, as `show` tells them, and no others.
pub async fn what_is_underway_stands_with_its_issuance(subject: &Subject) -> PortResult<()> {
    let (instance, _) = subject.provisioning().await?;
    let states = [CertificateState::Live, CertificateState::Stored, CertificateState::Pending];
    let mut shown = Vec::new();
    for (generation, state) in (1..).zip(states) {
        let issuance = full(draft(subject));
        subject.issuances.insert(&issuance).await?;
        shown.extend(subject.issuances.show(&issuance.id).await?);
        let of_generation = certificates::record(&instance.id, 1, generation);
        let certificate = CertificateRecord { state, issuance: issuance.id, ..of_generation };
        subject.certificates.put(&certificate).await?;
    }
    let unopened = certificates::record(&instance.id, 1, 4);
    subject.certificates.put(&unopened).await?;
    let unasked = draft(subject);
    subject.issuances.insert(&unasked).await?;
    shown.extend(subject.issuances.show(&unasked.id).await?);
    let last = certificates::record(&instance.id, 1, 5);
    subject.certificates.put(&CertificateRecord { issuance: unasked.id, ..last }).await?;

    let standing = subject.operations.standing(&instance.id).await?;
    let Some(standing) = standing else { panic!("{} is known", instance.id) };
    assert_eq!(standing.certificates, subject.certificates.of_instance(&instance.id, 1).await?, "each once");
    assert_eq!(standing.issuances, shown[1..]);
    assert_eq!(standing.issuance(&shown[2].id), Some(&shown[2]));
    for other in [&shown[0].id, &unopened.issuance] {
        assert_eq!(standing.issuance(other), None);
    }
    Ok(())
}

/// `save` writes if the version is the stored one, and counts it up; otherwise it changes nothing.
pub async fn a_save_needs_the_version_it_has_read(subject: &Subject) -> PortResult<()> {
    let read = draft(subject);
    assert!(!subject.issuances.save(&read).await?, "an issuance begins with insert");
    assert_eq!(subject.issuances.load(&read.id).await?, None);
    subject.issuances.insert(&read).await?;
    let mine = IssuanceRecord { order_url: Some("https://ca.example/order/1".into()), ..read.clone() };
    assert!(subject.issuances.save(&mine).await?);
    let expected = IssuanceRecord { version: 1, ..mine.clone() };
    for late in [full(read), mine, IssuanceRecord { version: 2, ..expected.clone() }] {
        assert!(!subject.issuances.save(&late).await?);
        assert_eq!(subject.issuances.load(&expected.id).await?.as_ref(), Some(&expected));
    }
    assert!(subject.issuances.save(&expected).await?);
    assert_eq!(subject.issuances.load(&expected.id).await?.map(|record| record.version), Some(2));
    Ok(())
}

/// Of many that have read the same version and save at the same moment, one hears `true`, and all of its record is
/// kept.
pub async fn of_many_saves_at_once_one_counts(subject: &Subject) -> PortResult<()> {
    let read = draft(subject);
    subject.issuances.insert(&read).await?;
    let saved = at_once(|| {
        let (subject, read) = (subject.clone(), read.clone());
        async move {
            let url = subject.fresh("https://ca.example/order");
            let authorizations = vec![authorization(&url), authorization(&url)];
            let mine = IssuanceRecord { order_url: Some(url), authorizations, ..read };
            Ok(subject.issuances.save(&mine).await?.then_some(mine))
        }
    })
    .await?;
    let mut winners = saved.into_iter().flatten();
    let expected = winners.next().map(|winner| IssuanceRecord { version: 1, ..winner });
    assert!(expected.is_some() && winners.next().is_none(), "one and only one wins");
    assert_eq!(subject.issuances.load(&read.id).await?, expected);
    Ok(())
}

/// `save` puts the authorizations of the record in the place of those that were stored, and keeps their order.
pub async fn authorizations_are_replaced_whole(subject: &Subject) -> PortResult<()> {
    let mut record = draft(subject);
    subject.issuances.insert(&record).await?;
    for urls in [&["c", "a", "b"][..], &["b", "d"], &[], &["a"]] {
        record.authorizations = urls.iter().map(|url| authorization(url)).collect();
        assert!(subject.issuances.save(&record).await?);
        record.version += 1;
        assert_eq!(subject.issuances.load(&record.id).await?.as_ref(), Some(&record));
    }
    Ok(())
}

/// `note_look` changes what was seen of one open authorization, and nothing that whoever is at work has read.
pub async fn a_look_is_noted_beside_whoever_is_at_work(subject: &Subject) -> PortResult<()> {
    let mut record = draft(subject);
    let of = |url: &str, state| AuthorizationRecord { state, ..authorization(url) };
    record.authorizations =
        vec![of("a", ProofState::Open), of("b", ProofState::Open), of("c", ProofState::Answered)];
    subject.issuances.insert(&record).await?;
    let mut expected = record.clone();
    let at = |millis: i64| Timestamp::from_millis(1_767_225_600_456 + millis);
    for (url, millis) in [("b", 0), ("c", 1), ("d", 1), ("a", 2), ("a", 1)] {
        let look = LastLook { at: at(millis), saw: format!("{url} {millis} {}", odd_text()) };
        subject.issuances.note_look(&record.id, url, &look).await?;
        match (url, millis) {
            ("b", _) => expected.authorizations[1].last_look = Some(look),
            ("a", 2) => expected.authorizations[0].last_look = Some(look),
            // Not open any more, unknown, and older than what is noted.
            _ => {}
        }
        assert_eq!(subject.issuances.load(&record.id).await?.as_ref(), Some(&expected), "{url} {millis}");
    }
    assert!(subject.issuances.save(&record).await?, "the version is the one that was read");
    let saved = IssuanceRecord { version: 1, ..record };
    assert_eq!(subject.issuances.load(&saved.id).await?.as_ref(), Some(&saved));
    let unknown = IssuanceId::new(subject.fresh("issuance"));
    subject.issuances.note_look(&unknown, "a", &LastLook { at: at(3), saw: "nothing".into() }).await
}

/// What a later record does not hold any more is gone: `abandon` wipes key and chain this way.
pub async fn what_is_wiped_is_gone(subject: &Subject) -> PortResult<()> {
    let first = draft(subject);
    subject.issuances.insert(&first).await?;
    assert!(subject.issuances.save(&full(first.clone())).await?);
    let wiped = IssuanceRecord { version: 1, abandoned: true, ..first };
    assert!(subject.issuances.save(&wiped).await?);
    let expected = IssuanceRecord { version: 2, ..wiped };
    assert_eq!(subject.issuances.load(&expected.id).await?.as_ref(), Some(&expected));
    Ok(())
}

/// An issuance that was just opened.
fn draft(subject: &Subject) -> IssuanceRecord {
    let request = sample::certificate_request(&sample::names(&["b.example.org", "*.example.org"]));
    let id = IssuanceId::new(subject.fresh("issuance"));
    let opened_at = Timestamp::from_millis(1_767_225_600_123);
    IssuanceRecord::opened(id, request, "https://ca.example/directory", opened_at)
}

/// The same with every field filled.
fn full(record: IssuanceRecord) -> IssuanceRecord {
    let name = sample::name("*.example.org");
    let proven = AuthorizationRecord::new(name, "https://ca.example/authz/2", ProofState::Proven);
    let owner = "_acme-challenge.label.cdn.example.".to_owned();
    let zone = ProofPlace::Zone { owner, value: odd_text() };
    let site = ProofPlace::Site { site: InstanceId::new("i-1"), token: "token".into() };
    IssuanceRecord {
        private_key: Some(Secret::new(every_byte())),
        csr: Some(every_byte()),
        order_url: Some("https://ca.example/order/1?a=b&c=%20".into()),
        order_expires: Some(Timestamp::from_millis(1_767_830_400_001)),
        orders_placed: 3,
        thumbprint: Some("hYmPWbmUJGrLB3nVSm_tKc".into()),
        authorizations: vec![authorization("https://ca.example/authz/1"), proven],
        presented: vec![
            PresentedProof { place: zone, at: None },
            PresentedProof { place: site, at: Some(Timestamp::from_millis(1_767_225_600_789)) },
        ],
        failure: Some(odd_text()),
        chain: Some(odd_text()),
        abandoned: true,
        ..record
    }
}

fn authorization(url: &str) -> AuthorizationRecord {
    let saw = odd_text();
    AuthorizationRecord {
        http: Some(HttpAnswer { token: "token".into(), answer: "token.thumbprint".into() }),
        dns: Some("LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0".into()),
        method: Some(ProofMethod::ManagedName),
        last_look: Some(LastLook { at: Timestamp::from_millis(1_767_225_600_456), saw }),
        next_look: Some(Timestamp::from_millis(1_767_225_602_456)),
        ..AuthorizationRecord::new(sample::name("*.example.org"), url, ProofState::Answered)
    }
}

/// Every byte there is: a key is not text.
fn every_byte() -> Vec<u8> {
    (0..=255).collect()
}
