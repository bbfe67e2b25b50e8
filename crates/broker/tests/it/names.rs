//! A name belongs to the first instance that proves it.

use contract::{DomainName, OperationState};
use http::Method;
use serde_json::json;

use crate::harness::{Answer, Bench, DOMAINS, provision_body};

const OTHER: &str = "9a4b0c1e-0000-4000-8000-000000000002";

impl Bench {
    async fn other(&self, method: Method, query: &str, domain: Option<&str>) -> Answer {
        let body = domain.map(|domain| provision_body(&json!({"domain": domain})));
        self.call(method, &format!("/v2/service_instances/{OTHER}{query}"), body).await
    }

    async fn provision_other(&self, domain: &str) -> Answer {
        self.other(Method::PUT, "?accepts_incomplete=true", Some(domain)).await
    }

    async fn poll_other(&self) -> Answer {
        self.other(Method::GET, "/last_operation", None).await
    }
}

#[tokio::test]
async fn a_name_that_another_instance_has_proven_is_refused_at_once() {
    let bench = Bench::new();
    bench.prove_all();
    bench.provision_both().await;
    assert!(!bench.work_until_the_end_or_death().await);
    let refused = bench.provision_other(DOMAINS[1]).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.text("description").contains(DOMAINS[1]), "{refused:?}");
    assert_eq!(bench.poll_other().await.status, 404, "nothing was stored");
    bench.deprovision().await;
    assert!(!bench.work_until_the_end_or_death().await);
    assert_eq!(bench.provision_other(DOMAINS[1]).await.status, 202, "it has been given back");
}

#[tokio::test]
async fn of_two_that_ask_for_a_name_the_first_to_prove_it_has_it_and_the_other_waits() {
    let bench = Bench::new();
    bench.provision_both().await;
    bench.provision_other(DOMAINS[0]).await;
    bench.work_until(async |bench| bench.world.issuer.orders_placed() == 2).await;
    let name = DomainName::parse(DOMAINS[0]).unwrap();
    bench.world.issuer.prove(&name);
    bench.work_until(async |bench| bench.poll_other().await.text("state") == "succeeded").await;
    bench.prove_all();
    bench
        .work_until(async |bench| bench.poll().await.text("description").contains("has proven control"))
        .await;
    let poll = bench.poll().await;
    assert_eq!(poll.text("state"), "in progress");
    assert!(poll.text("description").contains(DOMAINS[0]), "{poll:?}");
    assert_eq!(bench.world.vault.uploads(), 1);
    let query =
        format!("?accepts_incomplete=true&service_id={}&plan_id={}", broker::SERVICE_ID, broker::PLAN_ID);
    assert_eq!(bench.other(Method::DELETE, &query, None).await.status, 202);
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    assert_eq!(bench.world.issuer.finalized_in_all(), 2, "the certificate was kept meanwhile");
}
