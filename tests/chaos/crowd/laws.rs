//! What is true when the storm is over, and what was true all along.

use anyhow::{Context, ensure};
use sandbox::aws::AwsState;
use sandbox::wait_for;

use crate::crowd::people::Person;
use crate::crowd::town::{DATABASE, Town};
use crate::house::{BOUND, issued, names_never_without_certificate};
use crate::journal::one_of_each;

pub(crate) async fn all_is_well(town: &Town, people: &[Person]) -> anyhow::Result<()> {
    names_never_without_certificate(&town.house)?;
    one_of_each(&town.house.sandbox.aws().journal())?;
    let wanted: usize = people.iter().map(Person::certificates).sum();
    // And one for the instance that was there before, which nobody has proven.
    ensure!(
        issued(&town.house)? <= wanted,
        "{} certificates were issued, for {wanted}",
        issued(&town.house)?
    );
    wait_for("the brokers to have nothing left to do", BOUND, || async {
        let running = "SELECT count(*) FROM cdn_broker.operations WHERE state = 'running'";
        let swept = "SELECT count(*) FROM cdn_broker.sweeps";
        let left = [town.server.ask(DATABASE, running).await?, town.server.ask(DATABASE, swept).await?];
        let is_served =
            people.iter().all(|person| matches(&town.house.sandbox.aws().state(), person).is_ok());
        Ok((left.concat() == ["0", "0"] && is_served).then_some(()))
    })
    .await
    .with_context(|| format!("{:#?}", strays(&town.house.sandbox.aws().state(), people)))?;
    let state = town.house.sandbox.aws().state();
    let alive = people.iter().filter(|person| !person.fate.is_gone());
    ensure!(state.distributions.len() == alive.clone().count(), "{:#?}", strays(&state, people));
    ensure!(state.certificates.len() == alive.clone().count(), "{:#?}", strays(&state, people));
    ensure!(state.buckets.iter().all(|bucket| bucket.keys.is_empty()), "{:?}", state.buckets);
    for person in alive {
        for name in person.names() {
            let visit = town.house.sandbox.visit(&name, "/page").await?;
            let page = String::from_utf8_lossy(&visit.body).into_owned();
            ensure!(
                visit.status == 200 && page.contains(&format!("{}/page", person.path())),
                "{name}: {page}"
            );
        }
    }
    Ok(())
}

/// One instance is as its user wants it.
fn matches(state: &AwsState, person: &Person) -> anyhow::Result<()> {
    let mut own = state.distributions.iter().filter(|one| one.reference.contains(&person.id()));
    let certificates: Vec<_> =
        state.certificates.iter().filter(|one| one.name.contains(&person.id())).collect();
    if person.fate.is_gone() {
        ensure!(own.next().is_none() && certificates.is_empty(), "something is left");
        return Ok(());
    }
    let (Some(distribution), None, [certificate]) = (own.next(), own.next(), &certificates[..]) else {
        anyhow::bail!("not one of each: {certificates:?}")
    };
    let mut names = distribution.names.clone();
    names.sort();
    ensure!(names == person.names(), "{distribution:?}");
    ensure!(distribution.certificate_id.as_ref() == Some(&certificate.id), "{distribution:?}");
    ensure!(distribution.enabled && distribution.status == "Deployed", "{distribution:?}");
    Ok(())
}

/// Who is not as they should be, for the report.
fn strays(state: &AwsState, people: &[Person]) -> Vec<String> {
    let wrong = people.iter().filter_map(|person| Some((person, matches(state, person).err()?)));
    wrong.map(|(person, error)| format!("{} as {:?}: {error:#}", person.id(), person.fate)).collect()
}
