//! Proofs that are wrong, one by one. The text says what was seen, the order survives, and when the right proof is set the
//! same order is finalized; the authority was never asked to look in vain.

use anyhow::{Context, ensure};
use sandbox::dns::{DnsFault, DnsFaultKind, NameServer};
use sandbox::hosts::{SiteAnswer, SiteRule};
use sandbox::wait_for;

use super::{Shown, house};
use crate::house::{BOUND, House, issued, records_in};

const ORG: &str = "org-1";
const PATH: &str = "/.well-known/acme-challenge/";

fn id(number: usize) -> String {
    format!("5e1d0c7a-0000-4000-8000-{number:012}")
}

/// Where the TXT value of a domain belongs, and which it is.
fn record(shown: &Shown, domain: &str) -> anyhow::Result<(String, String)> {
    let owner = format!("_acme-challenge.{domain}.");
    let found = records_in(&shown.text).into_iter().find(|(name, _)| *name == owner);
    found.with_context(|| format!("no record of {domain} in:\n{}", shown.text))
}

/// Waits until the text says all of this at once.
async fn told(house: &House, id: &str, parts: &[String]) -> anyhow::Result<()> {
    let what = format!("{id} to be told {parts:#?}");
    let all = wait_for(&what, BOUND, || async {
        let answer = house.poll(id).await?;
        ensure!(answer.text("state") == "in progress", "{answer:?}");
        Ok(parts.iter().all(|part| answer.text("description").contains(part.as_str())).then_some(()))
    });
    match all.await {
        Ok(()) => Ok(()),
        Err(error) => Err(error.context(format!("{}\n{}", house.poll(id).await?.body, house.last_words()))),
    }
}

/// Everything succeeds by the orders that were placed at first, one for each instance.
async fn all_well(house: &House, instances: usize) -> anyhow::Result<()> {
    for number in 1..=instances {
        house.until_succeeded(&id(number)).await.with_context(|| house.last_words())?;
    }
    let gate = house.sandbox.authority().gate();
    let orders = gate.requests().into_iter().filter(|one| one.path == gate.new_order_path());
    assert_eq!(orders.filter(|one| one.status == 201).count(), instances);
    assert_eq!(issued(house)?, instances);
    house.no_failed_challenge()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_value_the_wrong_name_both_and_a_circle_of_cnames() -> anyhow::Result<()> {
    let house = house().await?;
    let [value, name, both, circle] =
        ["value.example.gov", "name.example.gov", "both.example.gov", "circle.example.gov"];
    let shown = house.asked(ORG, &id(1), &[value, name, both, circle].join(",")).await?;
    let dns = house.sandbox.dns();
    let (owner, needed) = record(&shown, value)?;
    dns.set_txt(&owner, vec!["not-the-value".to_owned()])?;
    dns.set_txt(name, vec![record(&shown, name)?.1])?;
    dns.set_txt(both, vec!["not-the-value".to_owned()])?;
    let (here, there) = (format!("_acme-challenge.{circle}"), format!("there.{circle}"));
    dns.set_cname(&here, &there)?;
    dns.set_cname(&there, &here)?;
    let parts = [
        format!("`_acme-challenge.{value}` answers TXT `not-the-value`, but we need `{needed}`."),
        format!("The TXT value is at `{name}`, but it belongs at `_acme-challenge.{name}`."),
        format!("`_acme-challenge.{both}` does not exist yet (NXDOMAIN)."),
        format!("The CNAMEs go round in a circle: `{here}` -> `{there}` -> `{here}`."),
    ];
    told(&house, &id(1), &parts).await?;

    dns.clear(&here)?;
    for domain in [value, name, both, circle] {
        let (owner, needed) = record(&shown, domain)?;
        dns.set_txt(&owner, vec![needed])?;
    }
    all_well(&house, 1).await
}

/// What a site does with its challenge path, and what is said about that.
fn wrong_rules(house: &House, circle: &str) -> [(Vec<SiteRule>, &'static str); 5] {
    let redirect = |to: &str| {
        let answer = SiteAnswer::Redirect { status: 302, to: to.to_owned() };
        vec![SiteRule { path: PATH.to_owned(), answer }]
    };
    let back = format!("http://{circle}:{}{PATH}", house.sandbox.ports().http);
    let address = "the authority follows redirects to host names only, not to IP addresses.";
    [
        (redirect("http://10.1.2.3/x/"), address),
        (redirect("http://169.254.169.254/latest/"), address),
        (redirect("http://www.example.org:8443/x/"), "the authority connects only to ports 80 and 443."),
        (redirect(&back), "The redirects go round in a circle: "),
        (Vec::new(), "answers 200 with a web page (HTML) instead of the token's answer"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_to_private_addresses_another_port_or_in_a_circle_and_a_page_for_everything()
-> anyhow::Result<()> {
    let house = house().await?;
    let domains = ["private", "metadata", "port", "circle", "page"].map(|name| format!("{name}.example.gov"));
    let rules = wrong_rules(&house, &domains[3]);
    let mut sites = Vec::new();
    for (number, (domain, (rules, _))) in (1..).zip(domains.iter().zip(&rules)) {
        let site = house.sandbox.site(domain).await?;
        site.set_rules(rules.clone())?;
        let shown = house.asked(ORG, &id(number), domain).await?;
        sites.push((site, format!("{}/{}", house.sandbox.challenge_url(), shown.label(domain)?)));
    }
    for (number, (domain, (_, part))) in (1..).zip(domains.iter().zip(&rules)) {
        told(&house, &id(number), &[format!("`http://{domain}"), (*part).to_owned()]).await?;
    }
    for (site, target) in sites {
        site.set_rules(vec![SiteRule::challenges_to(302, &target)])?;
    }
    all_well(&house, domains.len()).await
}

fn fault(house: &House, owner: &str, servers: &[NameServer], fault: DnsFaultKind) -> anyhow::Result<()> {
    let (name, servers) = (owner.trim_end_matches('.').to_owned(), servers.to_vec());
    house.sandbox.dns().fail(DnsFault { name, kind: Some("TXT".to_owned()), servers, fault })
}

/// Waits until a name server of the zone has been asked twice more for the TXT records of a name.
async fn looked_at_twice(house: &House, owner: &str) -> anyhow::Result<()> {
    let name = owner.trim_end_matches('.');
    let asked = || {
        let asked = house.sandbox.dns().asked().into_iter();
        asked.filter(|one| one.server == NameServer::First && one.kind == "TXT" && one.name == name).count()
    };
    let before = asked();
    wait_for("another two looks", BOUND, || async { Ok((asked() >= before + 2).then_some(())) }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn resolvers_and_name_servers_that_lie_hang_or_answer_servfail() -> anyhow::Result<()> {
    use DnsFaultKind::{ServFail, Silent};
    use NameServer::{First, Resolver, Second};
    let house = house().await?;
    let dns = house.sandbox.dns();
    let resolver = ["lies", "hangs", "fails"].map(|name| format!("{name}.example.gov"));
    let zone = ["torn", "silent", "failing"].map(|name| format!("{name}.example.org"));
    let mut records = Vec::new();
    for (number, domains) in (1..).zip([&resolver, &zone]) {
        let shown = house.asked(ORG, &id(number), &domains.join(",")).await?;
        for domain in domains {
            records.push(record(&shown, domain)?);
        }
    }
    let [lies, hangs, fails, torn, silent, failing] = &records[..] else { anyhow::bail!("{records:?}") };
    fault(&house, &hangs.0, &[Resolver], Silent)?;
    fault(&house, &fails.0, &[Resolver], ServFail)?;
    fault(&house, &silent.0, &[First, Second], Silent)?;
    fault(&house, &failing.0, &[First, Second], ServFail)?;
    // The resolver says that the proof is there, and one of two servers says something else than the other.
    dns.at(Resolver).set_txt(&lies.0, vec![lies.1.clone()])?;
    dns.at(First).set_txt(&torn.0, vec!["not-the-value".to_owned()])?;
    for (owner, value) in [hangs, fails, silent, failing] {
        dns.set_txt(owner, vec![value.clone()])?;
    }
    for server in [Resolver, Second] {
        dns.at(server).set_txt(&torn.0, vec![torn.1.clone()])?;
    }
    looked_at_twice(&house, &lies.0).await?;
    let at = |(owner, _): &(String, String)| format!("`{}`", owner.trim_end_matches('.'));
    let of_the_resolver = [
        format!("{} does not exist yet (NXDOMAIN).", at(lies)),
        format!("there at the name servers of {}, but resolvers give no answer", at(hangs)),
        format!("there at the name servers of {}, but resolvers fail to find it (SERVFAIL)", at(fails)),
    ];
    told(&house, &id(1), &of_the_resolver).await?;
    let of_the_zone = [
        format!("1 of 2 name servers of {} have the TXT record", at(torn)),
        format!("DNS gives no answer for {}", at(silent)),
        format!("DNS fails for {}", at(failing)),
    ];
    told(&house, &id(2), &of_the_zone).await?;

    dns.heal();
    for (owner, value) in &records {
        dns.agree(owner)?;
        dns.set_txt(owner, vec![value.clone()])?;
    }
    all_well(&house, 2).await
}
