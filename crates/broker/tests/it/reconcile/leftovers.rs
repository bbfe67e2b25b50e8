//! What is left behind, and what is somebody else's.

use std::sync::Arc;

use broker::{Ports, Reconciler};
use contract::testing::{MockCertificateVault, sample};
use contract::{
    Cdn, CertificateVault, InstanceState, KeptCertificate, Page, PageToken, PortError, Reference, Remedy,
    StoredCertificate, Timestamp, VaultName,
};

use super::scene::{
    DAY, FOREIGN_LABEL, HOUR, done, found, gone_twice, instance, keys, leave_behind, of_others, run, unknown,
};
use crate::harness::{Bench, DOMAINS, ID};

#[tokio::test]
async fn what_is_left_behind_is_removed_when_it_is_a_day_old() {
    let bench = gone_twice().await;
    let [id] = leave_behind(&bench).await;
    let world = &bench.world;
    let label = contract::durable_label("org-1", &sample::name(DOMAINS[0]));
    let records = [
        format!("orphan record _acme-challenge.{label}.cdn.example."),
        format!("orphan record {label}.cdn.example."),
    ];
    assert_eq!(
        found(&bench).await,
        records,
        "the others are so young that somebody may be about to write them down"
    );
    world.clock.advance(HOUR);
    let all: Vec<String> = [
        format!("orphan certificate cdn-{ID}-1-1"),
        format!("orphan distribution {id}"),
        format!("orphan folder {ID}"),
    ]
    .into_iter()
    .chain(records)
    .collect();
    let report = run(&bench, true).await;
    assert_eq!(keys(&report), all);
    assert!(done(&report).iter().all(|done| done.starts_with("left alone until ")), "{report:?}");
    assert!(world.cdn.alive()[0].enabled);

    world.clock.advance(DAY);
    let report = run(&bench, true).await;
    assert_eq!(keys(&report), all);
    let off = "switched off; a run after that has reached every edge deletes it";
    assert_eq!(done(&report), ["deleted", off, "emptied", "deleted", "deleted"]);
    assert!(world.vault.kept().is_empty() && world.site.is_empty() && world.zone.is_empty());

    // It has just been changed, but is known for a day.
    let report = run(&bench, true).await;
    assert_eq!(done(&report), ["it is off; a run after that has reached every edge deletes it"]);
    world.clock.advance(HOUR);
    assert_eq!(done(&run(&bench, true).await), ["deleted"]);
    assert!(world.cdn.alive().is_empty());
    assert_eq!(found(&bench).await, Vec::<String>::new());
}

/// Without `--fix` nothing is touched, however old it is.
#[tokio::test]
async fn a_report_is_only_a_report() {
    let bench = gone_twice().await;
    leave_behind(&bench).await;
    let before = bench.world.cdn.journal();
    for _ in 0..5 {
        bench.world.clock.advance(DAY);
        assert_eq!(found(&bench).await.len(), 5);
    }
    assert_eq!(bench.world.cdn.journal(), before);
    assert!(!bench.world.site.is_empty() && !bench.world.zone.is_empty());
}

/// Another environment's broker in the same account gives names of the same form.
#[tokio::test]
async fn what_this_store_has_never_made_is_left_alone_for_ever() {
    let bench = Bench::serving().await;
    let theirs = of_others(&bench).await;
    let world = &bench.world;
    let kept = world.vault.kept();
    for _ in 0..5 {
        world.clock.advance(DAY);
        let report = run(&bench, true).await;
        assert_eq!(keys(&report), Vec::<String>::new());
        assert_eq!(
            unknown(&report),
            [
                format!("unknown distribution {theirs}"),
                "unknown certificate cdn-7b1d0000-0000-4000-8000-000000000009-1-1".to_owned(),
                "unknown folder 7b1d0000-0000-4000-8000-000000000009".to_owned(),
                format!("unknown record {FOREIGN_LABEL}"),
            ]
        );
    }
    assert!(world.cdn.find(&theirs).await.unwrap().unwrap().enabled);
    assert_eq!(world.vault.kept(), kept);
    assert!(world.zone.target("www.cdn.example.").is_some() && world.zone.target(FOREIGN_LABEL).is_some());
}

/// A database that was brought back from a backup does not know what was made after it.
#[tokio::test]
async fn a_name_that_was_given_after_the_backup_is_not_this_stores() {
    let bench = Bench::serving().await;
    let spec = sample::spec(&instance(), None);
    let mut later = Vec::new();
    for reference in [format!("cdn-{ID}-1.2"), format!("cdn-{ID}-2")] {
        later.push(bench.world.cdn.ensure(&Reference::new(reference), &spec).await.unwrap().id);
    }
    let bundle = sample::bundle(79, &sample::names(&DOMAINS), contract::Clock::now(&bench.world.clock));
    bench.world.vault.ensure(&VaultName::new(format!("cdn-{ID}-1-2")), &bundle).await.unwrap();
    bench.world.clock.advance(DAY * 2);
    let report = run(&bench, true).await;
    assert_eq!(keys(&report), Vec::<String>::new());
    assert_eq!(report.unknown.len(), 3, "{report:?}");
    assert!(later.iter().all(|id| bench.world.cdn.alive().iter().any(|one| one.id == *id && one.enabled)));
}

/// Whoever writes our comment into a distribution does not make it ours.
#[tokio::test]
async fn what_only_says_that_it_is_ours_is_not() {
    let bench = gone_twice().await;
    let spec = sample::spec(&instance(), None);
    let made = bench.world.cdn.ensure(&Reference::new("somebody-elses"), &spec).await.unwrap();
    bench.world.clock.advance(DAY * 2);
    let report = run(&bench, true).await;
    assert_eq!(
        (keys(&report), unknown(&report)),
        (Vec::new(), vec![format!("unknown distribution {}", made.id)])
    );
    assert!(bench.world.cdn.alive()[0].enabled);
}

#[tokio::test]
async fn nothing_is_removed_when_a_list_breaks_off() {
    for method in ["cdn.list", "vault.list", "site.list", "zone.list", "cdn.examine"] {
        let bench = gone_twice().await;
        leave_behind(&bench).await;
        run(&bench, false).await;
        bench.world.clock.advance(DAY * 2);
        let before = bench.world.cdn.journal();
        let denied = || PortError::new("list", Remedy::AwaitOperator, "AccessDenied");
        bench.world.plan.fail(method, usize::MAX, denied);
        let report = run(&bench, true).await;
        assert_eq!(report.unread.len(), 1, "{method}: {report:?}");
        assert!(report.unread[0].why.contains("AccessDenied"));
        assert!(report.entries.iter().all(|entry| entry.done.is_none()), "{method}: {report:?}");
        assert!(report.entries.len() >= 3, "what was read is reported: {method}: {report:?}");
        assert_eq!(bench.world.cdn.journal(), before, "{method}");
        assert!(!bench.world.site.is_empty() && !bench.world.zone.is_empty(), "{method}");

        bench.world.plan.mend(method);
        let report = run(&bench, true).await;
        assert_eq!(report.unread, []);
        assert!(report.entries.iter().all(|entry| entry.done.is_some()), "{method}: {report:?}");
        assert!(bench.world.site.is_empty() && bench.world.zone.is_empty(), "{method}");
    }
}

/// A list whose first pages were read looks whole to whoever does not ask for the next. This vault takes no other call: one
/// that removed something would be a panic.
#[tokio::test]
async fn a_list_that_breaks_off_after_its_first_page_is_not_taken_for_a_whole_one() {
    let bench = gone_twice().await;
    bench.world.clock.advance(DAY * 2);
    let first = KeptCertificate {
        name: VaultName::new(format!("cdn-{ID}-1-1")),
        stored: StoredCertificate::new("ASCA1"),
        arn: None,
        since: Timestamp::default(),
    };
    let mut vault = MockCertificateVault::new();
    vault.expect_list().returning(move |after| match after {
        None => Ok(Page { items: vec![first.clone()], next: Some(PageToken::new("second")) }),
        Some(_) => Err(PortError::new("list", Remedy::AwaitOperator, "AccessDenied")),
    });
    let ports = Ports { vault: Arc::new(vault), ..bench.ports() };
    let report = Reconciler::new(ports, DAY).run(true, &|_| {}).await.unwrap();
    assert_eq!(report.unread.iter().map(|one| one.list).collect::<Vec<_>>(), ["certificates"]);
    assert_eq!((report.entries, report.unknown), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn a_certificate_that_is_still_in_use_is_left_to_the_background() {
    let bench = gone_twice().await;
    let world = &bench.world;
    let [id] = leave_behind(&bench).await;
    let name = VaultName::new(format!("cdn-{ID}-1-1"));
    let stored = world.vault.find(&name).await.unwrap().unwrap();
    world.cdn.change_by_hand(&id, |spec| {
        spec.serving = Some(contract::Serving { names: sample::names(&DOMAINS), certificate: stored });
    });
    world.clock.advance(DAY * 2);
    let report = run(&bench, true).await;
    let certificate = done(&report)[0].to_owned();
    assert!(certificate.starts_with("a running broker deletes it as soon as it can"), "{certificate}");
    assert_eq!(world.store.sweeps().len(), 1);
    world.clock.advance(HOUR);
    assert!(!found(&bench).await.iter().any(|key| key.contains("certificate")), "it is being removed");
    run(&bench, true).await;
    assert!(world.cdn.alive().is_empty());
    world.clock.advance(HOUR);
    bench.chores().run_due().await.unwrap();
    assert!(world.vault.kept().is_empty());
}

/// Between the look and the deed somebody has begun to need it.
#[tokio::test]
async fn a_record_that_is_wanted_again_stays() {
    let bench = gone_twice().await;
    leave_behind(&bench).await;
    run(&bench, false).await;
    bench.world.clock.advance(DAY * 2);
    bench.provision_both().await;
    assert_eq!(bench.instance().await.unwrap().state, InstanceState::Provisioning);
    let report = run(&bench, true).await;
    assert!(!keys(&report).iter().any(|key| key.contains("record") || key.contains("folder")), "{report:?}");
    assert!(bench.managed_target(DOMAINS[0]).is_some());
}
