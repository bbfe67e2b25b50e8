//! Sentences about names and certificates that stand apart from the description of an operation.

use std::time::Duration;

use contract::{Breaker, CertificateFacts, DomainName, RenewalPlan, Timestamp};

use super::words::{count, span};

/// To a user who asks for names that another instance has proven.
pub(crate) fn taken(names: &[DomainName]) -> String {
    format!(
        "{} to another service instance, which has proven control of {}. Delete that instance or take the domain off it \
         first.",
        belong(names),
        them(names)
    )
}

/// To a user who asks for names in the zone that the service keeps its own records in.
pub(crate) fn of_the_service(names: &[DomainName], zone: &DomainName) -> String {
    format!(
        "{} to this service itself, which keeps its own records under {zone}. Ask for a domain of your own.",
        belong(names)
    )
}

/// To a user whose instance waits because another one has proven the same names first.
pub(crate) fn taken_while_waiting(names: &[DomainName]) -> String {
    format!(
        "{} to another service instance, which has proven control of {} first. Delete that instance or take the domain off \
         it, and this one goes on by itself: its certificate is kept.",
        belong(names),
        them(names)
    )
}

/// To a user whose instance has a plan that the operator has taken out of the catalog altogether.
pub(crate) fn plan_is_missing() -> &'static str {
    "The plan of this service instance is missing from the service broker's catalog, so that the instance can be neither changed \
     nor deleted. Nothing was changed, and what it serves goes on. Ask the operators of this service to put the plan back."
}

/// To a user whose instance waits for the operator.
pub(crate) fn parked() -> String {
    "This waits for the operators of this service, who have been told. Nothing is lost, and there is nothing to be done: it \
     goes on by itself."
        .to_owned()
}

/// To the operator, when something of theirs has been met that stops all of a scope. `first_pause` is the time until it is
/// tried for the first time.
pub(crate) fn stands_in_the_way(scope: &str, breaker: &Breaker, first_pause: Duration) -> String {
    format!(
        "{scope} waits for you: {}. Nothing fails for it. It is tried again after {} and then ever less often, every 15 \
         minutes at last; when that goes well, everything goes on by itself.",
        breaker.cause,
        span(first_pause),
    )
}

/// To the operator, when brokers lack a key that something in the database is sealed with.
pub(crate) fn lacks_a_key(scope: &str, breaker: &Breaker, pause: Duration) -> String {
    format!(
        "{scope} waits for you: {}. Put that key back behind the first one in DATABASE_ENCRYPTION_KEYS, in every broker, and \
         restart them; `cdn-broker keys list` shows what is missing. Nothing fails for it. It is tried again every {}, and \
         goes on by itself in any broker that has the key.",
        breaker.cause,
        span(pause),
    )
}

/// To the operator, when that has not been met for a while.
pub(crate) fn goes_on(scope: &str, breaker: &Breaker, waited: i32, gone_since: Timestamp) -> String {
    format!(
        "{scope} goes on since {gone_since}, after {}. {} had waited, and it was tried {}. It was: {}",
        span(gone_since.since(breaker.since)),
        count(waited, "operation"),
        count(breaker.probes, "time"),
        breaker.cause,
    )
}

/// To the operator, when a renewal goes on without names.
pub(crate) fn lapsed(names: &[DomainName]) -> String {
    format!(
        "control of {} can no longer be proven, and the certificate is about to expire: the renewal goes on without {}. Its \
         user has to mend the proof and to update the service instance.",
        enumerate(names),
        them(names)
    )
}

/// To the operator, about a certificate that should have been renewed.
pub(crate) fn late(facts: &CertificateFacts, plan: &RenewalPlan, stage: i32, error: Option<&str>) -> String {
    let names = enumerate(&facts.names);
    let when = facts.not_after;
    let left = match stage {
        1 => format!("expires on {when}, a third of its life is left"),
        2 => format!("expires on {when}, a tenth of its life is left"),
        3 => format!("expires on {when}, a twentieth of its life is left"),
        _ => format!("has expired on {when}"),
    };
    let tries = match plan.begun {
        0 => "no renewal could be begun".to_owned(),
        1 => "1 renewal was begun and has not succeeded".to_owned(),
        many => format!("{many} renewals were begun and none has succeeded"),
    };
    let latest = error.map(|error| format!("; the latest says: {error}")).unwrap_or_default();
    format!("the certificate for {names} {left}, and {tries}{latest}")
}

fn belong(names: &[DomainName]) -> String {
    let verb = if names.len() == 1 { "belongs" } else { "belong" };
    format!("{} {verb}", enumerate(names))
}

fn them(names: &[DomainName]) -> &'static str {
    if names.len() == 1 { "it" } else { "them" }
}

/// The first names, and how many more there are.
fn enumerate(names: &[DomainName]) -> String {
    const SHOWN: usize = 5;
    match names.split_at_checked(SHOWN) {
        Some((first, more)) if !more.is_empty() => {
            let first: Vec<&str> = first.iter().map(DomainName::as_str).collect();
            format!("{} and {} more domains", first.join(", "), more.len())
        }
        _ => super::list(names),
    }
}

#[cfg(test)]
mod tests {
    use contract::testing::sample;
    use contract::{InstanceId, Timestamp};

    use super::*;

    #[test]
    fn the_sentences_read_well() {
        let one = sample::names(&["www.example.gov"]);
        let many: Vec<DomainName> = (1..=7).map(|n| sample::name(&format!("w{n}.example.gov"))).collect();
        let facts = sample::bundle(1, &one, Timestamp::from_secs(1_767_225_600)).facts;
        let first = RenewalPlan::first(&InstanceId::new("i"), 1, 1, facts.not_before);
        let third = RenewalPlan { begun: 2, ..first.clone() };
        let second = RenewalPlan { begun: 1, ..first.clone() };
        let breaker = Breaker {
            scope: "vault/store".into(),
            since: facts.not_before,
            cause: "could not upload the certificate cdn-1: LimitExceeded: 20 (request r-1)".into(),
            probe_at: facts.not_before,
            probes: 7,
            waited: 0,
            gone_since: None,
            told: true,
            tell_at: None,
            version: 1,
        };
        let gone = facts.not_before + Duration::from_mins(150);
        insta::assert_snapshot!(
            [
                parked(),
                stands_in_the_way(
                    "everything that needs to store at the vault",
                    &breaker,
                    Duration::from_secs(45)
                ),
                goes_on("everything in the account", &breaker, 20, gone),
                taken(&one),
                taken(&many),
                taken_while_waiting(&one),
                lapsed(&one),
                late(&facts, &first, 1, None),
                late(&facts, &second, 2, None),
                late(&facts, &third, 3, Some("could not obtain the certificate: rateLimited")),
                late(&facts, &third, 4, None),
            ]
            .join("\n")
        );
    }
}
