use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PublicKeyData, SerialNumber,
    date_time_ymd,
};

use super::*;

/// Inside the validity of [`leaf`].
const NOW: Timestamp = Timestamp::from_secs(1_795_456_800);

fn names(names: &[&str]) -> Vec<DomainName> {
    names.iter().map(|name| DomainName::parse(name).unwrap()).collect()
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

struct Authority {
    root: CertifiedIssuer<'static, KeyPair>,
    intermediate: CertifiedIssuer<'static, KeyPair>,
}

fn two_tiers() -> Authority {
    let root = CertifiedIssuer::self_signed(authority("Root"), KeyPair::generate().unwrap()).unwrap();
    let intermediate =
        CertifiedIssuer::signed_by(authority("Intermediate"), KeyPair::generate().unwrap(), &root).unwrap();
    Authority { root, intermediate }
}

impl Authority {
    fn leaf(&self, key: &KeyPair, names: &[&str]) -> String {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.serial_number = Some(SerialNumber::from_slice(&[0x00, 0xf3, 0x0a]));
        (params.not_before, params.not_after) = (date_time_ymd(2026, 11, 1), date_time_ymd(2027, 1, 30));
        params.signed_by(key, &self.intermediate).unwrap().pem()
    }

    fn chain(&self, key: &KeyPair, names: &[&str]) -> String {
        self.leaf(key, names) + &self.intermediate.pem()
    }
}

fn verdict(pem: &str, key: &KeyPair, wanted: &[&str], now: Timestamp) -> Result<(), ChainError> {
    Chain::parse(pem)?.verify(&key.subject_public_key_info(), &names(wanted), now)
}

#[test]
fn our_own_chain_is_accepted_whatever_the_order_of_the_names() {
    let key = KeyPair::generate().unwrap();
    let pem = two_tiers().chain(&key, &["a.example", "*.b.example"]);
    assert_eq!(verdict(&pem, &key, &["*.b.example", "a.example"], NOW), Ok(()));
}

#[test]
fn a_foreign_key_is_refused() {
    let (ours, theirs) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let pem = two_tiers().chain(&theirs, &["a.example"]);
    assert_eq!(verdict(&pem, &ours, &["a.example"], NOW), Err(ChainError::ForeignKey));
}

#[test]
fn a_name_too_few_too_many_or_other_is_refused() {
    let key = KeyPair::generate().unwrap();
    let authority = two_tiers();
    for issued in [&["a.example"][..], &["a.example", "b.example", "c.example"], &["a.example", "c.example"]]
    {
        let result = verdict(&authority.chain(&key, issued), &key, &["a.example", "b.example"], NOW);
        assert!(matches!(result, Err(ChainError::WrongNames { .. })), "{issued:?}: {result:?}");
    }
}

#[test]
fn dates_are_checked_with_an_hour_of_leeway_at_the_start() {
    let key = KeyPair::generate().unwrap();
    let pem = two_tiers().chain(&key, &["a.example"]);
    let (start, end) = (Timestamp::from_secs(1_793_491_200), Timestamp::from_secs(1_801_267_200));
    let at = |now| verdict(&pem, &key, &["a.example"], now);
    assert_eq!(at(start - CLOCK_LEEWAY), Ok(()));
    assert!(matches!(at(start - CLOCK_LEEWAY - Duration::from_secs(1)), Err(ChainError::NotNow { .. })));
    assert_eq!(at(end - Duration::from_secs(1)), Ok(()));
    assert!(matches!(at(end), Err(ChainError::NotNow { .. })));
}

#[test]
fn a_chain_out_of_order_is_refused() {
    let key = KeyPair::generate().unwrap();
    let (ours, other) = (two_tiers(), KeyPair::generate().unwrap());
    let stranger = CertifiedIssuer::signed_by(authority("Stranger"), other, &ours.root).unwrap();
    let pem = ours.leaf(&key, &["a.example"]) + &stranger.pem();
    assert_eq!(verdict(&pem, &key, &["a.example"], NOW), Err(ChainError::OutOfOrder(1)));
    let leaf_last = ours.intermediate.pem() + &ours.leaf(&key, &["a.example"]);
    assert_eq!(verdict(&leaf_last, &key, &["a.example"], NOW), Err(ChainError::ForeignKey));
}

#[test]
fn a_root_at_the_end_is_dropped() {
    let key = KeyPair::generate().unwrap();
    let ours = two_tiers();
    let pem = ours.chain(&key, &["a.example"]);
    let chain = Chain::parse(&(pem.clone() + &ours.root.pem())).unwrap();
    assert_eq!(chain.pem(), Chain::parse(&pem).unwrap().pem());
    assert_eq!(chain.leaf_pem() + &chain.intermediates_pem(), chain.pem());
}

#[test]
fn facts_are_read_off_the_leaf() {
    let key = KeyPair::generate().unwrap();
    let chain = Chain::parse(&two_tiers().chain(&key, &["a.example"])).unwrap();
    let facts = chain.facts().unwrap();
    assert_eq!(facts.serial, "f30a");
    assert_eq!(facts.fingerprint, hex(&Sha256::digest(&chain.0[0])));
    assert_eq!(facts.names, names(&["a.example"]));
    assert!(facts.issuer.is_some_and(|issuer| !issuer.is_empty()));
    assert_eq!(facts.not_before, Timestamp::from_secs(1_793_491_200));
    assert_eq!(facts.not_after, Timestamp::from_secs(1_801_267_200));
}

/// The key identifier and the serial number of RFC 9773, section 4.1, and the id that it makes of them.
#[test]
fn the_renewal_id_is_that_of_the_standards_example() {
    let key_identifier = b"\x69\x88\x5B\x6B\x87\x46\x40\x41\xE1\xB3\x7B\x84\x7B\xA0\xAE\x2C\xDE\x01\xC8\xD4";
    let mut issuer = authority("Example CA");
    issuer.key_identifier_method = rcgen::KeyIdMethod::PreSpecified(key_identifier.to_vec());
    let issuer = CertifiedIssuer::self_signed(issuer, KeyPair::generate().unwrap()).unwrap();
    let mut params = CertificateParams::new(["example.com".to_owned()]).unwrap();
    // Its first octet would make the integer negative: DER puts a zero before it, which belongs to the id.
    params.serial_number = Some(SerialNumber::from_slice(&[0x87, 0x65, 0x43, 0x21]));
    params.use_authority_key_identifier_extension = true;
    let pem = params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().pem();
    let facts = Chain::parse(&pem).unwrap().facts().unwrap();
    assert_eq!(facts.renewal_id.as_deref(), Some("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"));
    assert_eq!(facts.serial, "87654321");
}

#[test]
fn a_certificate_that_does_not_name_its_issuers_key_has_no_renewal_id() {
    let key = KeyPair::generate().unwrap();
    let facts = Chain::parse(&two_tiers().chain(&key, &["a.example"])).unwrap().facts().unwrap();
    assert_eq!(facts.renewal_id, None);
}

#[test]
fn what_is_no_chain_is_refused() {
    for text in ["", "<html>", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let result = Chain::parse(text).and_then(|chain| chain.facts());
        assert!(matches!(result, Err(ChainError::Unreadable(_))), "{text:?}: {result:?}");
    }
}
