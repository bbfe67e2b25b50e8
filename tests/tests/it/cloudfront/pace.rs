//! A throttled account is left alone by everybody at once, and found again when it is not throttled any more.

use std::sync::Arc;

use contract::{Cdn, DistributionId, Remedy};
use sandbox::aws::{FaultKind, Outage};
use sandbox::wait_for;
use tokio::task::JoinSet;

use super::account::{Account, remedy};
use crate::house::BOUND;

const CALLERS: usize = 200;
const PER_SECOND: u32 = 16;

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_callers_of_a_throttled_account_make_few_calls() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let cdn = Arc::new(account.slow_process(PER_SECOND).await.cdn);
    let outage = Outage { op: "GetDistribution".to_owned(), kind: FaultKind::Throttle };
    account.local.faults().break_down(outage);
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let cdn = Arc::clone(&cdn);
        callers.spawn(async move { cdn.find(&DistributionId::new(format!("E{number}"))).await });
    }
    let mut sent_back = 0;
    for answer in callers.join_all().await {
        match remedy(answer) {
            Some(Remedy::Retry { after }) => sent_back += usize::from(after.is_some()),
            other => panic!("{other:?}"),
        }
    }
    let made = account.calls("GetDistribution").len();
    assert_eq!(made + sent_back, CALLERS, "who was not sent back has called");
    // One second's worth at once, then eight, four, two and one per second.
    assert!(made < 60, "{made} calls were made");

    account.local.faults().heal();
    wait_for("a call to come through", BOUND, || async {
        Ok(cdn.find(&DistributionId::new("E0")).await.is_ok().then_some(()))
    })
    .await
}
