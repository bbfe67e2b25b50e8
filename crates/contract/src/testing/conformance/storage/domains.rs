//! The promises of [`DomainStore`](crate::DomainStore).

use super::{Subject, at_once};
use crate::testing::sample;
use crate::{DomainName, DomainState, Instance, InstanceId, PortResult};

impl Subject {
    /// Names that nobody has used before, in no order.
    fn fresh_names(&self) -> Vec<DomainName> {
        ["b", "*.a", "a"]
            .map(|host| sample::name(&format!("{host}.{}.example.gov", self.fresh("n"))))
            .to_vec()
    }

    async fn states(&self, instance: &InstanceId) -> PortResult<Vec<(DomainName, DomainState)>> {
        let records = self.domains.of_instance(instance).await?;
        assert!(records.iter().all(|record| record.instance == *instance));
        Ok(records.into_iter().map(|record| (record.name, record.state)).collect())
    }

    async fn claims(&self, instance: &Instance, names: &[DomainName]) -> PortResult<Vec<DomainName>> {
        self.domains.claim(&instance.id, instance.incarnation, names).await
    }
}

fn proven(names: &[DomainName]) -> Vec<(DomainName, DomainState)> {
    let mut names: Vec<_> = names.iter().map(|name| (name.clone(), DomainState::Proven)).collect();
    names.sort_by(|one, other| one.0.cmp(&other.0));
    names
}

/// The first to claim a name has it, also the next time; the second is told which, and gets nothing at all.
pub async fn the_first_to_prove_a_name_has_it(subject: &Subject) -> PortResult<()> {
    let (first, _) = subject.provisioning().await?;
    let (second, _) = subject.provisioning().await?;
    let names = subject.fresh_names();
    assert_eq!(subject.domains.owners(&names).await?, []);
    for _ in 0..2 {
        assert_eq!(subject.claims(&first, &names).await?, []);
        assert_eq!(subject.states(&first.id).await?, proven(&names));
    }
    let mut more = subject.fresh_names();
    more.push(names[1].clone());
    assert_eq!(subject.claims(&second, &more).await?, [names[1].clone()]);
    assert_eq!(subject.states(&second.id).await?, []);
    let owners = subject.domains.owners(&more).await?;
    assert_eq!(
        owners.iter().map(|record| (&record.name, &record.instance)).collect::<Vec<_>>(),
        [(&names[1], &first.id)]
    );
    Ok(())
}

/// Of many that claim overlapping names at the same moment, one gets all of its own, and every other name is free.
pub async fn of_many_claims_at_once_one_has_the_name(subject: &Subject) -> PortResult<()> {
    let shared = subject.fresh_names();
    let outcomes = at_once(|| {
        let (subject, mut names) = (subject.clone(), shared.clone());
        async move {
            let (instance, _) = subject.provisioning().await?;
            names.extend(subject.fresh_names());
            let refused = subject.claims(&instance, &names).await?;
            let has = subject.states(&instance.id).await?.len();
            Ok((refused.len(), has))
        }
    })
    .await?;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == (0, 6)).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == (3, 0)).count(), 7, "{outcomes:?}");
    Ok(())
}

/// A name that has lapsed is shown, belongs to nobody, and can be proven by whoever comes first.
pub async fn a_lapsed_name_belongs_to_nobody(subject: &Subject) -> PortResult<()> {
    let (first, _) = subject.provisioning().await?;
    let (second, _) = subject.provisioning().await?;
    let names = subject.fresh_names();
    subject.claims(&first, &names).await?;
    let lapsed = &names[..1];
    for _ in 0..2 {
        subject.domains.lapse(&first.id, lapsed).await?;
        let states = subject.states(&first.id).await?;
        assert_eq!(states.iter().filter(|(_, state)| *state == DomainState::Lapsed).count(), 1);
        assert!(states.contains(&(names[0].clone(), DomainState::Lapsed)));
    }
    assert_eq!(subject.domains.owners(lapsed).await?, []);
    assert_eq!(subject.claims(&first, lapsed).await?, [], "its own again");
    subject.domains.lapse(&first.id, lapsed).await?;
    assert_eq!(subject.claims(&second, lapsed).await?, []);
    assert_eq!(subject.claims(&first, lapsed).await?, lapsed);
    Ok(())
}

/// `keep_only` gives back what is not named, and a name given back can be claimed.
pub async fn names_are_given_back(subject: &Subject) -> PortResult<()> {
    let (first, _) = subject.provisioning().await?;
    let (second, _) = subject.provisioning().await?;
    let names = subject.fresh_names();
    subject.claims(&first, &names).await?;
    subject.domains.lapse(&first.id, &names[2..]).await?;
    subject.domains.keep_only(&first.id, &names[..1]).await?;
    assert_eq!(subject.states(&first.id).await?, proven(&names[..1]));
    assert_eq!(subject.claims(&second, &names[1..]).await?, []);
    for _ in 0..2 {
        subject.domains.keep_only(&first.id, &[]).await?;
        assert_eq!(subject.states(&first.id).await?, []);
    }
    assert_eq!(subject.states(&second.id).await?, proven(&names[1..]));
    Ok(())
}

/// Who is unknown, or in another incarnation, gets nothing.
pub async fn a_former_life_gets_no_names(subject: &Subject) -> PortResult<()> {
    let (instance, _) = subject.provisioning().await?;
    let names = subject.fresh_names();
    let former = Instance { incarnation: 2, ..instance.clone() };
    assert_eq!(subject.claims(&former, &names).await?, names);
    let unknown = InstanceId::new(subject.fresh("instance"));
    assert_eq!(subject.domains.claim(&unknown, 1, &names).await?, names);
    assert_eq!(subject.domains.owners(&names).await?, []);
    Ok(())
}
