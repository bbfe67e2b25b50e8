//! CAA records as an authority reads them (RFC 8659, RFC 8657), and what is told when they stand in the way.

use acme_core::Probe;
use anyhow::Result;
use contract::{CaaQuestion, DomainName, ProofProbe, Verdict};
use hickory_proto::rr::rdata::CAA;
use hickory_proto::rr::{RData, RecordType};

use crate::support::{Answer, DnsWorld, probe_settings};

const ACCOUNT: &str = "https://ca.example/acct/1";

async fn world() -> Result<DnsWorld> {
    DnsWorld::start(&[("example.gov.", 2), ("zone.example.", 1)]).await
}

fn caa(flags: u8, tag: &str, value: &str) -> RData {
    let mut record = CAA::new_issue(flags & 128 != 0, None, vec![]);
    record.reserved_flags = flags & 127;
    tag.clone_into(&mut record.tag);
    record.value = value.as_bytes().to_vec();
    RData::CAA(record)
}

fn issue(value: &str) -> Answer {
    Answer::Records(vec![caa(0, "issue", value)])
}

fn question(name: &str, method: &str) -> Result<CaaQuestion> {
    Ok(CaaQuestion {
        name: DomainName::parse(name)?,
        issuers: vec!["letsencrypt.org".into()],
        account_url: Some(ACCOUNT.into()),
        method: method.into(),
    })
}

async fn look(world: &DnsWorld, name: &str) -> Result<Verdict> {
    look_for(world, &question(name, "dns-01")?).await
}

async fn look_for(world: &DnsWorld, question: &CaaQuestion) -> Result<Verdict> {
    Ok(Probe::new(&probe_settings(world.resolver.address))?.caa(question).await?)
}

/// What is told about `www.example.gov` when `example.gov` has these records.
async fn with_records(records: &[RData]) -> Result<Verdict> {
    let world = world().await?;
    world.set("example.gov.", &Answer::Records(records.to_vec()));
    look(&world, "www.example.gov").await
}

fn told(verdict: Verdict) -> Result<String> {
    match verdict {
        Verdict::Seen => anyhow::bail!("permitted"),
        Verdict::NotYet { saw } => Ok(saw),
    }
}

#[tokio::test]
async fn no_record_at_all_is_permission() -> Result<()> {
    assert_eq!(look(&world().await?, "www.example.gov").await?, Verdict::Seen);
    Ok(())
}

#[tokio::test]
async fn issue_permits_the_authority_by_each_of_its_names() -> Result<()> {
    for value in ["letsencrypt.org", "LetsEncrypt.ORG", " letsencrypt.org ; ", "letsencrypt.org; unknown=x"] {
        assert_eq!(with_records(&[caa(0, "issue", value)]).await?, Verdict::Seen, "{value}");
        assert_eq!(with_records(&[caa(128, "ISSUE", value)]).await?, Verdict::Seen, "{value}");
    }
    let both = [caa(0, "issue", "digicert.com"), caa(0, "issue", "letsencrypt.org")];
    assert_eq!(with_records(&both).await?, Verdict::Seen);
    Ok(())
}

#[tokio::test]
async fn issue_for_others_only_is_told_with_the_record_to_add() -> Result<()> {
    assert_eq!(
        told(with_records(&[caa(0, "issue", "digicert.com")]).await?)?,
        "CAA at `example.gov` allows only `digicert.com`: add `0 issue \"letsencrypt.org\"`."
    );
    assert_eq!(
        told(with_records(&[caa(0, "issue", ";")]).await?)?,
        "CAA at `example.gov` allows no certificate authority (`issue \";\"`): add `0 issue \"letsencrypt.org\"`."
    );
    let crowd = ["a.example", "b.example", "c.example", "d.example", "e.example"];
    let crowd = crowd.map(|ca| caa(0, "issue", ca));
    let saw = told(with_records(&crowd).await?)?;
    assert!(saw.contains("allows only `a.example`, `b.example`, `c.example` and 2 more: add"), "{saw}");
    Ok(())
}

#[tokio::test]
async fn an_issue_value_that_cannot_be_read_grants_nothing() -> Result<()> {
    for value in ["letsencrypt.org accounturi", "letsencrypt.org; =x", "letsencrypt.org; a b"] {
        let saw = told(with_records(&[caa(0, "issue", value)]).await?)?;
        assert!(saw.starts_with("CAA at `example.gov` allows no certificate authority"), "{saw}");
    }
    Ok(())
}

#[tokio::test]
async fn the_closest_ancestor_alone_counts() -> Result<()> {
    let world = world().await?;
    world.set("example.gov.", &issue("digicert.com"));
    world.set("www.example.gov.", &issue("letsencrypt.org"));
    assert_eq!(look(&world, "a.www.example.gov").await?, Verdict::Seen);
    world.set("www.example.gov.", &issue("digicert.com"));
    world.set("example.gov.", &issue("letsencrypt.org"));
    let saw = told(look(&world, "a.www.example.gov").await?)?;
    assert!(saw.starts_with("CAA at `www.example.gov` allows only"), "{saw}");
    assert_eq!(look(&world, "example.gov").await?, Verdict::Seen);
    Ok(())
}

#[tokio::test]
async fn a_top_level_domain_counts_too() -> Result<()> {
    let world = world().await?;
    world.resolver.set_for("gov.", RecordType::CAA, issue("digicert.com"));
    let saw = told(look(&world, "www.example.gov").await?)?;
    assert!(saw.starts_with("CAA at `gov` allows only"), "{saw}");
    Ok(())
}

#[tokio::test]
async fn cnames_are_followed_but_nobody_climbs_from_their_target() -> Result<()> {
    let world = world().await?;
    world.set("www.example.gov.", &Answer::Cname("host.zone.example.".into()));
    world.set("zone.example.", &issue("digicert.com"));
    assert_eq!(look(&world, "www.example.gov").await?, Verdict::Seen);
    world.set("host.zone.example.", &issue("digicert.com"));
    assert_eq!(
        told(look(&world, "www.example.gov").await?)?,
        "CAA at `www.example.gov` (by its CNAME to `host.zone.example`) allows only `digicert.com`: add \
         `0 issue \"letsencrypt.org\"`."
    );
    Ok(())
}

#[tokio::test]
async fn issuewild_rules_wildcards_and_nothing_else() -> Result<()> {
    let world = world().await?;
    let records = vec![caa(0, "issue", "letsencrypt.org"), caa(0, "issuewild", "digicert.com")];
    world.set("example.gov.", &Answer::Records(records));
    assert_eq!(look(&world, "www.example.gov").await?, Verdict::Seen);
    assert_eq!(
        told(look(&world, "*.example.gov").await?)?,
        "CAA at `example.gov` allows only `digicert.com`: add `0 issuewild \"letsencrypt.org\"`."
    );
    let records = vec![caa(0, "issue", "digicert.com"), caa(0, "issuewild", "letsencrypt.org")];
    world.set("example.gov.", &Answer::Records(records));
    assert_eq!(look(&world, "*.example.gov").await?, Verdict::Seen);
    assert_ne!(look(&world, "www.example.gov").await?, Verdict::Seen);
    world.set("example.gov.", &issue("digicert.com"));
    assert_ne!(look(&world, "*.example.gov").await?, Verdict::Seen);
    Ok(())
}

#[tokio::test]
async fn issuewild_alone_does_not_concern_other_names() -> Result<()> {
    assert_eq!(with_records(&[caa(0, "issuewild", ";")]).await?, Verdict::Seen);
    assert_eq!(with_records(&[caa(0, "iodef", "mailto:a@example.gov")]).await?, Verdict::Seen);
    Ok(())
}

#[tokio::test]
async fn accounturi_must_be_our_account() -> Result<()> {
    let ours = format!("letsencrypt.org; accounturi={ACCOUNT}");
    assert_eq!(with_records(&[caa(0, "issue", &ours)]).await?, Verdict::Seen);
    let twice = format!("letsencrypt.org; accounturi={ACCOUNT}; accounturi={ACCOUNT}");
    for other in ["letsencrypt.org;accounturi=https://ca.example/acct/2", &twice] {
        assert_eq!(
            told(with_records(&[caa(0, "issue", other)]).await?)?,
            "CAA at `example.gov` allows `letsencrypt.org` only with another account: add `0 issue \
             \"letsencrypt.org; accounturi=https://ca.example/acct/1; validationmethods=dns-01\"`."
        );
    }
    Ok(())
}

#[tokio::test]
async fn validationmethods_must_have_our_method() -> Result<()> {
    let world = world().await?;
    world.set("example.gov.", &issue("letsencrypt.org; validationmethods=dns-01,http-01"));
    assert_eq!(look(&world, "www.example.gov").await?, Verdict::Seen);
    world.set("example.gov.", &issue("letsencrypt.org; validationmethods=dns-01"));
    assert_eq!(
        told(look_for(&world, &question("www.example.gov", "http-01")?).await?)?,
        "CAA at `example.gov` allows `letsencrypt.org` only with `dns-01`, but this name is to be proven by `http-01`: \
         add `0 issue \"letsencrypt.org; accounturi=https://ca.example/acct/1; validationmethods=dns-01,http-01\"`."
    );
    Ok(())
}

#[tokio::test]
async fn an_unknown_critical_property_blocks() -> Result<()> {
    for flags in [128, 1] {
        let records = [caa(0, "issue", "letsencrypt.org"), caa(flags, "tbs", "unknown")];
        assert_eq!(
            told(with_records(&records).await?)?,
            "CAA at `example.gov` has the critical property `tbs`, which authorities do not know: remove it, or its \
             critical flag."
        );
    }
    let harmless = [caa(0, "issue", "letsencrypt.org"), caa(0, "tbs", "unknown")];
    assert_eq!(with_records(&harmless).await?, Verdict::Seen);
    Ok(())
}

#[tokio::test]
async fn servfail_is_not_permission() -> Result<()> {
    let world = world().await?;
    for server in world.servers("www.example.gov.") {
        server.set_for("www.example.gov.", RecordType::CAA, Answer::ServFail);
    }
    assert_eq!(
        told(look(&world, "www.example.gov").await?)?,
        "CAA at `www.example.gov` cannot be read, which forbids every authority to issue. DNS fails for \
         `www.example.gov`: the name servers of `example.gov` say SERVFAIL."
    );
    Ok(())
}

#[tokio::test]
async fn neither_are_a_loop_and_bogus_dnssec() -> Result<()> {
    let world = world().await?;
    world.resolver.set("example.gov.", Answer::Bogus(Box::new(Answer::Nothing)));
    world.resolver.set_for("www.example.gov.", RecordType::NS, Answer::Nothing);
    let saw = told(look(&world, "www.example.gov").await?)?;
    assert!(saw.contains("cannot be read") && saw.contains("The DNSSEC of `example.gov` is broken"), "{saw}");
    let world = self::world().await?;
    world.set("www.example.gov.", &Answer::Cname("www.example.gov.".into()));
    let saw = told(look(&world, "www.example.gov").await?)?;
    assert!(saw.contains("cannot be read") && saw.contains("go round in a circle"), "{saw}");
    Ok(())
}

#[tokio::test]
async fn every_server_must_permit() -> Result<()> {
    let world = world().await?;
    world.servers("example.gov.")[0].set("example.gov.", issue("letsencrypt.org"));
    world.servers("example.gov.")[1].set("example.gov.", issue("digicert.com"));
    assert!(told(look(&world, "www.example.gov").await?)?.contains("allows only `digicert.com`"));
    world.servers("example.gov.")[1].set("example.gov.", issue("letsencrypt.org"));
    assert_eq!(look(&world, "www.example.gov").await?, Verdict::Seen);
    Ok(())
}

#[tokio::test]
async fn an_authority_without_caa_names_is_not_asked_about() -> Result<()> {
    let world = world().await?;
    world.set("example.gov.", &issue("digicert.com"));
    let nameless = CaaQuestion { issuers: vec![], ..question("www.example.gov", "dns-01")? };
    assert_eq!(look_for(&world, &nameless).await?, Verdict::Seen);
    Ok(())
}
