//! What a user can change, and what stays as it is meanwhile.

use std::time::Duration;

use contract::testing::Write;
use contract::{DomainName, InstanceId, OperationState, PortError, Remedy, Wish};
use serde_json::json;

use crate::harness::{Bench, DOMAINS, ID, path};

const ADDED: &str = "new.example.gov";

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

async fn until(bench: &Bench, state: OperationState) {
    bench.work_until(async |bench| bench.latest().await == Some(state)).await;
}

/// The names that the one distribution serves, sorted.
fn served(bench: &Bench) -> Vec<String> {
    let alive = bench.world.cdn.alive();
    assert_eq!(alive.len(), 1);
    let mut names: Vec<String> = alive[0].names.iter().map(ToString::to_string).collect();
    names.sort();
    names
}

/// How many changes of the distribution there were.
fn changes(bench: &Bench) -> usize {
    bench.world.cdn.journal().iter().filter(|write| matches!(write, Write::Updated(..))).count()
}

#[tokio::test]
async fn r84_a_present_key_replaces_an_absent_one_keeps_and_null_resets() {
    let bench = Bench::serving().await;
    let changed = bench.update(json!({"origin": "origin.example.net", "path": "/site"})).await;
    assert_eq!(changed.status, 202, "{changed:?}");
    until(&bench, OperationState::Succeeded).await;
    let shown = bench.shown().await;
    assert_eq!((&shown["origin"], &shown["path"]), (&json!("origin.example.net"), &json!("/site")));
    // The platform's router wants to know the host; a site of one's own is not told.
    assert_eq!(shown["headers"], json!([]));
    bench.update(json!({"cookies": false})).await;
    until(&bench, OperationState::Succeeded).await;
    assert_eq!(bench.shown().await["origin"], json!("origin.example.net"));
    bench.update(json!({"origin": null, "path": null})).await;
    until(&bench, OperationState::Succeeded).await;
    let shown = bench.shown().await;
    assert_eq!((&shown["origin"], &shown["path"]), (&json!("apps.example.org"), &json!("")));
    assert_eq!((&shown["headers"], &shown["cookies"]), (&json!(["Host"]), &json!(false)));
    assert_eq!(shown["domain"], json!(DOMAINS.join(",")));
    assert_eq!(bench.world.issuer.finalized_in_all(), 1, "none of this needs a certificate");
}

#[tokio::test]
async fn r83_r85_what_changes_nothing_is_answered_at_once_with_the_state() {
    let bench = Bench::serving().await;
    let before = (bench.instance().await, bench.world.cdn.journal());
    for parameters in [
        json!({}),
        json!(null),
        json!({"path": null}),
        json!({"domains": DOMAINS}),
        json!({"origin": "apps.example.org", "cookies": true}),
    ] {
        let answer = bench.update(parameters.clone()).await;
        assert_eq!(answer.status, 200, "{parameters}: {answer:?}");
        assert!(answer.text("description").starts_with("The CDN serves www.example.gov"), "{answer:?}");
        assert_eq!(bench.latest().await, Some(OperationState::Succeeded));
    }
    assert_eq!((bench.instance().await, bench.world.cdn.journal()), before);
}

#[tokio::test]
async fn r80_what_is_shown_can_be_asked_for_and_changes_nothing() {
    let bench = Bench::serving().await;
    bench.update(json!({"headers": ["X-A"], "path": "/p"})).await;
    until(&bench, OperationState::Succeeded).await;
    let answer = bench.update(bench.shown().await).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn r84_a_default_that_was_asked_for_stays_told_from_silence() {
    let bench = Bench::serving().await;
    let ttl = async || bench.instance().await.unwrap().settings.behaviour.default_ttl;
    assert_eq!(ttl().await, Wish::Unsaid);
    for (asked, shown, kept) in [
        (json!({"default_ttl": 60, "compress": true}), json!(60), Wish::Is(60)),
        (json!({"default_ttl": null}), json!(86_400), Wish::Default),
        (json!({"compress": null}), json!(86_400), Wish::Default),
    ] {
        assert_eq!(bench.update(asked).await.status, 202);
        until(&bench, OperationState::Succeeded).await;
        assert_eq!((bench.shown().await["default_ttl"].clone(), ttl().await), (shown, kept));
    }
    assert_eq!(bench.update(json!({"default_ttl": null})).await.status, 200);
    assert_eq!(changes(&bench), 4, "one that attached the certificate, and one for each change");
}

#[tokio::test]
async fn policies_are_not_put_beside_what_was_chosen_earlier() {
    let bench = Bench::serving().await;
    bench.update(json!({"forward_headers": "X-A", "default_ttl": 5})).await;
    until(&bench, OperationState::Succeeded).await;
    for mixed in [
        json!({"cache_policy": "CachingDisabled"}),
        json!({"cache_policy": "CachingDisabled", "headers": null}),
    ] {
        let answer = bench.update(mixed).await;
        assert_eq!(answer.status, 400);
        assert!(
            answer.text("description").contains("set the one that you gave earlier to null"),
            "{answer:?}"
        );
    }
    let asked = json!({"cache_policy": "CachingDisabled", "headers": null, "default_ttl": null});
    assert_eq!(bench.update(asked).await.status, 202);
    until(&bench, OperationState::Succeeded).await;
    let shown = bench.shown().await;
    assert_eq!(shown["cache_policy"], json!("CachingDisabled"));
    assert_eq!((shown.get("headers"), shown.get("default_ttl")), (None, None));
}

#[tokio::test]
async fn r86_r87_the_same_again_and_something_else_while_it_runs() {
    let bench = Bench::serving().await;
    let first = bench.update(json!({"path": "/a"})).await;
    let again = bench.update(json!({"path": "/a"})).await;
    assert_eq!((again.status.as_u16(), again.text("operation")), (202, first.text("operation")));
    for other in [json!({"path": "/b"}), json!({}), json!({"path": "/a", "cookies": true})] {
        let answer = bench.update(other).await;
        assert_eq!((answer.status.as_u16(), answer.text("error")), (422, "ConcurrencyError"));
    }
    // R77: what is changing is not shown.
    let shown = bench.call(http::Method::GET, &path(), None).await;
    assert_eq!((shown.status.as_u16(), shown.text("error")), (422, "ConcurrencyError"));
    until(&bench, OperationState::Succeeded).await;
    assert_eq!(bench.update(json!({"path": "/a"})).await.status, 200);
}

#[tokio::test]
async fn r86_of_many_at_once_one_begins() {
    let bench = Bench::serving().await;
    let ask = || bench.update(json!({"path": "/a"}));
    let (a, b, c, d) = tokio::join!(ask(), ask(), ask(), ask());
    for one in [&b, &c, &d] {
        assert_eq!((one.status.as_u16(), one.text("operation")), (202, a.text("operation")));
    }
}

#[tokio::test]
async fn r87_r89_r90_not_while_it_is_created_nor_when_that_failed_nor_when_there_is_none() {
    let bench = Bench::new();
    assert_eq!(bench.update(json!({"path": "/a"})).await.status, 404);
    bench.provision_both().await;
    let answer = bench.update(json!({"path": "/a"})).await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (422, "ConcurrencyError"));
    let refused = || PortError::new("create the distribution", Remedy::GiveUp, "InvalidArgument");
    bench.world.plan.fail("cdn.ensure", 1, refused);
    until(&bench, OperationState::Failed).await;
    let answer = bench.update(json!({"path": "/a"})).await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (422, "UpdateNotSupported"));
    bench.deprovision().await;
    assert_eq!(bench.update(json!({"path": "/a"})).await.text("error"), "ConcurrencyError");
    until(&bench, OperationState::Succeeded).await;
    assert_eq!(bench.update(json!({"path": "/a"})).await.status, 404);
}

#[tokio::test]
async fn r3_a_rejected_update_leaves_no_trace() {
    let bench = Bench::serving().await;
    let before = (bench.instance().await, bench.world.cdn.journal(), bench.poll().await.body);
    for (parameters, part) in [
        (json!({"domain": ""}), "`domain`"),
        (json!({"domain": null}), "`domain`"),
        (json!({"domain": "my site.gov"}), "`my site.gov`"),
        (json!({"path": "site"}), "`site`"),
        (json!({"colour": null}), "`colour`"),
        (json!({"headers": ["*", "X-A"]}), "`*`"),
        (json!({"invalidate": ["index.html"]}), "`index.html`"),
        (json!({"path": "/good", "insecure_origin": "yes"}), "`insecure_origin`"),
    ] {
        let answer = bench.update(parameters.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.text("error")), (400, "InvalidParameters"));
        assert!(answer.text("description").contains(part), "{parameters}: {answer:?}");
        let after = (bench.instance().await, bench.world.cdn.journal(), bench.poll().await.body);
        assert_eq!(after, before, "{parameters}");
    }
}

/// R55: a repeated provision is compared with what the updates have made of the parameters.
#[tokio::test]
async fn r55_a_provision_is_compared_with_the_parameters_as_they_are_now() {
    let bench = Bench::serving().await;
    let domain = DOMAINS.join(",");
    bench.update(json!({"path": "/a"})).await;
    assert_eq!(bench.provision_both().await.status, 200, "during the update: what was before it");
    until(&bench, OperationState::Succeeded).await;
    assert_eq!(bench.provision(json!({"path": "/a", "domain": domain})).await.status, 200);
    assert_eq!(bench.provision_both().await.status, 409);
    bench.update(json!({"path": null})).await;
    until(&bench, OperationState::Succeeded).await;
    assert_eq!(bench.provision_both().await.status, 200);
}

#[tokio::test]
async fn a_name_is_added_without_touching_what_is_served() {
    let bench = Bench::serving().await;
    let before = bench.world.cdn.alive();
    bench.update(json!({"domains": [DOMAINS[0], DOMAINS[1], ADDED], "path": "/p"})).await;
    bench.work_until(async |bench| bench.poll().await.text("description").contains(ADDED)).await;
    assert_eq!(bench.world.cdn.alive(), before, "nothing changes before the proof");
    bench.world.issuer.prove(&name(ADDED));
    until(&bench, OperationState::Succeeded).await;
    assert_eq!(served(&bench), ["docs.example.gov", "new.example.gov", "www.example.gov"]);
    assert_eq!(changes(&bench), 2, "one for the provision, one for all of the update");
    assert_eq!(bench.world.vault.kept().len(), 1, "the old certificate is gone");
    assert_eq!(bench.shown().await["path"], json!("/p"));
}

#[tokio::test]
async fn a_name_is_removed_in_one_change_and_without_a_certificate() {
    let bench = Bench::serving().await;
    bench.update(json!({"domain": DOMAINS[0]})).await;
    until(&bench, OperationState::Succeeded).await;
    assert_eq!(served(&bench), [DOMAINS[0]]);
    assert_eq!((changes(&bench), bench.world.issuer.finalized_in_all()), (2, 1));
    // The certificate covers it still.
    bench.update(json!({"domain": DOMAINS.join(",")})).await;
    until(&bench, OperationState::Succeeded).await;
    assert_eq!((served(&bench).len(), bench.world.issuer.finalized_in_all()), (2, 1));
}

#[tokio::test]
async fn names_come_and_go_in_the_same_change() {
    let bench = Bench::serving().await;
    bench.world.issuer.prove(&name(ADDED));
    bench.update(json!({"domains": [DOMAINS[0], ADDED]})).await;
    until(&bench, OperationState::Succeeded).await;
    assert_eq!(served(&bench), ["new.example.gov", "www.example.gov"]);
    assert_eq!(changes(&bench), 2);
}

/// R94, and the wait for the user: at most an hour, then the same update goes on where it stopped.
#[tokio::test]
async fn r94_an_update_that_waits_in_vain_changes_nothing_and_goes_on_when_repeated() {
    let bench = Bench::serving().await;
    let (before, shown) = (bench.world.cdn.alive(), bench.shown().await);
    let wanted = json!({"domains": [DOMAINS[0], ADDED], "path": "/p"});
    bench.update(wanted.clone()).await;
    bench.work_until(async |bench| bench.world.issuer.orders_placed() == 2).await;
    bench.world.clock.advance(bench.pace.update_proof_wait + Duration::from_mins(1));
    until(&bench, OperationState::Failed).await;
    let poll = bench.poll().await;
    assert_eq!(poll.text("state"), "failed");
    assert_eq!(
        (&poll.body["instance_usable"], &poll.body["update_repeatable"]),
        (&json!(true), &json!(true))
    );
    assert!(poll.text("description").contains("value-2-of-new.example.gov"), "{poll:?}");
    assert!(bench.world.alerts.raised().is_empty(), "it is no matter of the operator's");
    assert_eq!((bench.world.cdn.alive(), bench.shown().await), (before, shown));

    bench.world.issuer.prove(&name(ADDED));
    assert_eq!(bench.update(wanted).await.status, 202);
    until(&bench, OperationState::Succeeded).await;
    assert_eq!(served(&bench), ["new.example.gov", "www.example.gov"]);
    assert_eq!(bench.world.issuer.orders_placed(), 2, "the same order");
}

/// R73: what is refused once is refused again.
#[tokio::test]
async fn r73_r94_a_refused_update_leaves_everything_and_says_that_it_cannot_be_repeated() {
    let bench = Bench::serving().await;
    let (before, shown) = (bench.world.cdn.alive(), bench.shown().await);
    let refused = || {
        PortError::new("change the distribution", Remedy::GiveUp, "InvalidArgument")
            .for_tenant("CloudFront does not accept the origin.")
    };
    bench.world.plan.fail("cdn.apply", 1, refused);
    bench.update(json!({"origin": "bad.example.net"})).await;
    until(&bench, OperationState::Failed).await;
    let poll = bench.poll().await;
    assert_eq!(
        (&poll.body["instance_usable"], &poll.body["update_repeatable"]),
        (&json!(true), &json!(false))
    );
    assert!(poll.text("description").contains("CloudFront does not accept the origin."), "{poll:?}");
    assert_eq!((bench.world.cdn.alive(), bench.shown().await), (before, shown));
    assert_eq!(bench.update(json!({"path": "/a"})).await.status, 202, "another one is welcome");
}

#[tokio::test]
async fn an_update_that_the_cdn_has_taken_is_waited_for_however_long_it_takes() {
    let bench = Bench::serving().await;
    bench.world.cdn.set_deploy(Duration::from_hours(5));
    bench.update(json!({"path": "/a"})).await;
    bench.work_until(async |bench| changes(bench) == 2).await;
    bench.world.clock.advance(Duration::from_hours(2));
    bench.work_until(async |bench| bench.world.alerts.raised().len() == 1).await;
    assert_eq!(bench.latest().await, Some(OperationState::Running));
    bench.world.clock.advance(Duration::from_hours(3));
    until(&bench, OperationState::Succeeded).await;
    assert_eq!(bench.shown().await["path"], json!("/a"));
    assert_eq!(bench.world.alerts.raised().len(), 1, "said once");
}

#[tokio::test]
async fn paths_are_purged_after_the_change_is_everywhere_and_are_no_setting() {
    let bench = Bench::serving().await;
    bench.update(json!({"invalidate": ["/", "/img/*"]})).await;
    until(&bench, OperationState::Succeeded).await;
    let purged = bench.world.cdn.journal().into_iter().filter_map(|write| match write {
        Write::Invalidated(_, _, paths) => Some(paths),
        _ => None,
    });
    assert_eq!(purged.collect::<Vec<_>>(), [["/".to_owned(), "/img/*".to_owned()]]);
    assert_eq!(changes(&bench), 1, "nothing else has changed");
    assert!(!bench.instance().await.unwrap().request.parameters.contains("invalidate"));
    assert_eq!(bench.update(json!({"invalidate": ["/"]})).await.status, 202, "again is again");
}

#[tokio::test]
async fn a_delete_takes_over_from_an_update_that_waits() {
    let bench = Bench::serving().await;
    bench.update(json!({"domains": [DOMAINS[0], ADDED]})).await;
    bench.work_until(async |bench| bench.world.issuer.orders_placed() == 2).await;
    assert_eq!(bench.deprovision().await.status, 202);
    until(&bench, OperationState::Succeeded).await;
    assert!(bench.world.cdn.alive().is_empty() && bench.world.vault.kept().is_empty());
    for issuance in bench.world.issuer.opened() {
        assert!(bench.world.issuer.is_abandoned(&issuance));
    }
    assert_eq!(bench.world.cdn.most_alive(&InstanceId::new(ID)), 1);
}

/// R37: both plans can be changed into the other.
#[tokio::test]
async fn a_change_of_the_plan_attaches_the_web_acl_and_detaches_it() {
    let bench = Bench::serving().await;
    let id = bench.world.cdn.alive()[0].id.clone();
    for (plan, acl) in [(broker::WAF_PLAN_ID, true), (broker::PLAN_ID, false)] {
        let ask = || bench.patch(json!({"service_id": broker::SERVICE_ID, "plan_id": plan}));
        assert_eq!(ask().await.status, 202);
        assert_ne!(bench.instance().await.unwrap().request.plan_id, plan, "not before it is done");
        until(&bench, OperationState::Succeeded).await;
        let spec = bench.world.cdn.spec(&id).unwrap();
        assert_eq!((spec.web_acl, spec.tags["Plan"].as_str()), (acl, plan));
        let shown = bench.call(http::Method::GET, &path(), None).await;
        assert_eq!(shown.body["plan_id"], json!(plan));
        assert_eq!(ask().await.status, 200);
    }
    assert_eq!(bench.world.issuer.finalized_in_all(), 1);
}

/// `PATCH {}` on an idle instance shows what a renewal needs of its user, and lets the worker look at once.
#[tokio::test]
async fn r83_a_look_at_a_renewal_that_needs_its_user() {
    let bench = Bench::new();
    bench.serve_until_renewal_is_due().await;
    for domain in DOMAINS {
        bench.world.issuer.unprove(&name(domain));
    }
    bench.live_until(async |bench| bench.world.issuer.orders_placed() == 2).await;
    bench
        .live_until(async |bench| bench.update(json!({})).await.text("description").contains("seen on"))
        .await;
    let answer = bench.update(json!({})).await;
    assert_eq!(answer.status, 200);
    let text = answer.text("description");
    assert!(text.contains("The renewal needs you") && text.contains("value-2-of-www.example.gov"), "{text}");
    // Without a moment's passing the worker looks again.
    let looked = bench.world.plan.points_passed();
    bench.worker().run_due().await.unwrap();
    assert!(bench.world.plan.points_passed() > looked + 4, "the renewal was due");
    assert_eq!(bench.latest().await, Some(OperationState::Succeeded), "nothing of the user's runs");
}
