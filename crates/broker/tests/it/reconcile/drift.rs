//! What has changed, and what is gone.

use contract::testing::sample;
use contract::{
    Cdn, CertificateState, CertificateVault, DistributionSpec, InstanceState, InstanceStore, ManagedZone,
    OperationState, VaultName,
};
use serde_json::json;

use super::scene::{distribution, done, found, keys, run, sentences, updates};
use crate::harness::{Bench, DOMAINS, ID};

#[tokio::test]
async fn nothing_is_found_where_nothing_has_changed() {
    let bench = Bench::serving().await;
    let report = run(&bench, true).await;
    assert_eq!((keys(&report), report.unknown), (Vec::<String>::new(), Vec::new()));
    let looked_at = report.looked_at;
    assert_eq!((looked_at.instances, looked_at.distributions, looked_at.certificates), (1, 1, 1));
    assert_eq!((looked_at.folders, looked_at.records), (0, 2));
    assert_eq!(updates(&bench), 0);
}

/// A change by hand is found, brought back by an operation, and not found any more.
async fn is_brought_back(word: &str, change: impl AsyncFn(&Bench, &mut DistributionSpec)) {
    let bench = Bench::serving().await;
    let id = distribution(&bench);
    let before = bench.world.cdn.spec(&id).unwrap();
    let mut after = before.clone();
    change(&bench, &mut after).await;
    bench.world.cdn.change_by_hand(&id, |spec| *spec = after.clone());
    let expected = [format!("drift distribution {id} {word}")];
    assert_eq!(found(&bench).await, expected);
    assert_eq!(bench.world.cdn.spec(&id).unwrap(), after, "whoever does not ask for it gets nothing changed");

    let shown = bench.shown().await;
    let report = run(&bench, true).await;
    assert_eq!(keys(&report), expected);
    assert!(done(&report)[0].starts_with("begun: operation "), "{report:?}");
    assert_eq!(found(&bench).await, Vec::<String>::new(), "what is being worked on is not spoken of");
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    assert_eq!(bench.world.cdn.spec(&id).unwrap(), before);
    assert_eq!(found(&bench).await, Vec::<String>::new());
    assert_eq!(bench.shown().await, shown);
    assert_eq!(bench.instance().await.unwrap().state, InstanceState::Ready);
    assert_eq!(updates(&bench), 1);
}

#[tokio::test]
async fn a_changed_certificate_is_brought_back() {
    is_brought_back("certificate", async |bench, spec| {
        let bundle = sample::bundle(99, &sample::names(&DOMAINS), contract::Clock::now(&bench.world.clock));
        let other = bench.world.vault.ensure(&VaultName::new("by-hand"), &bundle).await.unwrap();
        spec.serving.as_mut().unwrap().certificate = other;
    })
    .await;
}

#[tokio::test]
async fn a_removed_name_is_brought_back() {
    is_brought_back("names", async |_, spec| drop(spec.serving.as_mut().unwrap().names.remove(0))).await;
}

#[tokio::test]
async fn an_added_name_is_taken_away() {
    is_brought_back("names", async |_, spec| {
        spec.serving.as_mut().unwrap().names.push(sample::name("added.example.gov"));
    })
    .await;
}

#[tokio::test]
async fn a_changed_origin_is_brought_back() {
    is_brought_back("origin", async |_, spec| spec.origin.path = "/elsewhere".into()).await;
}

#[tokio::test]
async fn the_way_of_the_challenges_is_brought_back() {
    is_brought_back("challenges", async |_, spec| spec.instance = contract::InstanceId::new("another")).await;
}

#[tokio::test]
async fn several_changes_of_one_instance_are_one_operation() {
    let bench = Bench::serving().await;
    let id = distribution(&bench);
    bench.world.cdn.change_by_hand(&id, |spec| {
        spec.origin.insecure = true;
        spec.serving.as_mut().unwrap().names.remove(0);
    });
    let report = run(&bench, true).await;
    assert_eq!(
        keys(&report),
        [format!("drift distribution {id} names"), format!("drift distribution {id} origin")]
    );
    assert_eq!(
        sentences(&report),
        [
            "It lacks www.example.gov.",
            "Its origin should be https://apps.example.org and is http://apps.example.org.",
        ]
    );
    assert_eq!(updates(&bench), 1);
}

#[tokio::test]
async fn a_record_is_pointed_again() {
    let bench = Bench::serving().await;
    let owner = format!("{}.cdn.example.", contract::durable_label("org-1", &sample::name(DOMAINS[1])));
    let target = bench.managed_target(DOMAINS[1]);
    for elsewhere in [None, Some("elsewhere.example.org")] {
        let expected = if let Some(elsewhere) = elsewhere {
            bench.world.zone.point(&owner, elsewhere).await.unwrap();
            format!("drift record {owner} target")
        } else {
            bench.world.zone.release(&owner).await.unwrap();
            format!("missing record {owner}")
        };
        let report = run(&bench, true).await;
        assert_eq!(keys(&report), [expected]);
        assert!(done(&report)[0].starts_with("begun: "), "{report:?}");
        bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
        assert_eq!(bench.managed_target(DOMAINS[1]), target);
        assert_eq!(found(&bench).await, Vec::<String>::new());
    }
}

/// Whoever has done that may have had a reason.
#[tokio::test]
async fn what_was_switched_off_stays_off() {
    let bench = Bench::serving().await;
    let id = distribution(&bench);
    bench.world.cdn.disable(&id).await.unwrap();
    let report = run(&bench, true).await;
    assert_eq!(keys(&report), [format!("drift distribution {id} disabled")]);
    assert_eq!((done(&report), updates(&bench)), (vec!["nothing"], 0));
    assert!(!bench.world.cdn.alive()[0].enabled);
}

#[tokio::test]
async fn what_is_gone_is_left_to_a_recreation() {
    let bench = Bench::serving().await;
    let id = distribution(&bench);
    let live = bench.certificates(CertificateState::Live)[0].vault_name.clone();
    bench.world.cdn.delete_by_hand(&id);
    bench.world.vault.delete_by_hand(&live);
    let before = bench.world.cdn.journal();
    let report = run(&bench, true).await;
    assert_eq!(keys(&report), [format!("missing certificate {live}"), format!("missing distribution {id}")]);
    assert_eq!(done(&report), ["nothing", "nothing"]);
    let advice = format!("It is gone. Run `cdn-broker instances recreate {ID}`.");
    assert_eq!(sentences(&report), [advice.clone(), advice]);
    assert_eq!((bench.world.cdn.journal(), updates(&bench)), (before, 0));
}

/// A recreation that was given up has left the row without the distribution that it knew.
#[tokio::test]
async fn what_could_not_be_rebuilt_is_not_forgotten() {
    let bench = Bench::serving().await;
    let before = bench.instance().await.unwrap();
    bench.world.cdn.delete_by_hand(&distribution(&bench));
    let next = contract::Reference::new(format!("cdn-{ID}-1.2"));
    bench.world.store.replace_reference(&before.id, &before.reference, &next).await.unwrap();
    assert_eq!(found(&bench).await, [format!("missing distribution {next}")]);
}

#[tokio::test]
async fn drift_that_a_lost_certificate_is_behind_is_not_worked_on_in_vain() {
    let bench = Bench::serving().await;
    let live = bench.certificates(CertificateState::Live)[0].vault_name.clone();
    bench.world.cdn.change_by_hand(&distribution(&bench), |spec| spec.serving = None);
    bench.world.vault.delete_by_hand(&live);
    let report = run(&bench, true).await;
    assert_eq!(report.entries.len(), 3, "{report:?}");
    assert_eq!((done(&report), updates(&bench)), (vec!["nothing"; 3], 0));
}

/// While somebody works on an instance, store and world differ: in a first life, in an update, in a renewal, in a removal.
#[tokio::test]
async fn work_in_progress_is_not_spoken_of() {
    let bench = Bench::new();
    bench.provision_both().await;
    for _ in 0..40 {
        assert_eq!(found(&bench).await, Vec::<String>::new());
        bench.worker().run_due().await.unwrap();
        bench.world.clock.advance(std::time::Duration::from_mins(5));
    }
    bench.prove_all();
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    bench.update(json!({"path": "/new"})).await;
    for _ in 0..3 {
        assert_eq!(found(&bench).await, Vec::<String>::new());
        bench.worker().run_due().await.unwrap();
    }
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    assert_eq!(found(&bench).await, Vec::<String>::new());
    bench.deprovision().await;
    while bench.instance().await.unwrap().state != InstanceState::Gone {
        assert_eq!(found(&bench).await, Vec::<String>::new());
        bench.worker().run_due().await.unwrap();
        bench.world.clock.advance(std::time::Duration::from_secs(30));
    }
    assert_eq!(found(&bench).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_renewal_is_not_spoken_of() {
    let bench = Bench::new();
    bench.serve_until_renewal_is_due().await;
    let chores = bench.chores();
    for _ in 0..60 {
        chores.run_due().await.unwrap();
        assert_eq!(found(&bench).await, Vec::<String>::new());
        bench.worker().run_due().await.unwrap();
        bench.world.clock.advance(std::time::Duration::from_secs(30));
    }
    assert_eq!(bench.renewals(), [OperationState::Succeeded]);
    assert_eq!(found(&bench).await, Vec::<String>::new());
}
