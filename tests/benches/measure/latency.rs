//! What the broker adds to the time between the user's last act and a served domain.

use std::time::Duration;

use serde_json::json;

use crate::clock::{Stopwatch, pause};
use crate::databases::Database;
use crate::house::House;
use crate::report::{Aim, Report};
use crate::stats::Sorted;

/// How many users come, one after the other.
const USERS: u32 = 12;

/// How long the emulated cloud takes for a deployment, and until a certificate can be used. Nobody can be quicker.
const DEPLOY: Duration = Duration::from_millis(500);
const PROPAGATION: Duration = Duration::from_millis(200);

/// The broker looks at DNS every two seconds at first: users come at moments spread over more than that.
const SPREAD: Duration = Duration::from_millis(170);

pub(crate) async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let mut house = House::without_broker(|settings| {
        settings.aws.deploy = DEPLOY;
        settings.aws.iam_propagation = PROPAGATION;
        settings.authority.nonce_rejection_percent = 0;
    })
    .await?;
    let database = Database::postgres().await?;
    let settings = database.broker_settings(house.sandbox.state())?;
    house.add_broker(&settings).await?;
    let mut added = Vec::new();
    for user in 0..USERS {
        added.push(one_user(&house, user).await?.saturating_sub(DEPLOY + PROPAGATION));
    }
    let added = Sorted::new(added);
    report.aim("TXT visible to succeeded: median", added.median().as_secs_f64(), "s", Aim::Below(3.0));
    report.note("TXT visible to succeeded: p90", added.percentile(90).as_secs_f64(), "s");
    report.note("TXT visible to succeeded: least", added.percentile(0).as_secs_f64(), "s");
    Ok(())
}

/// From the moment when the TXT record is visible until a poll reads "succeeded".
async fn one_user(house: &House, user: u32) -> anyhow::Result<Duration> {
    let id = format!("3f1c9a52-0000-4000-8000-{user:012}");
    let domain = format!("www.user-{user}.example.gov");
    house.provision(&id, json!({"domain": domain})).await?;
    let records = house.records(&id, 1).await?;
    pause(SPREAD * user).await;
    for (name, value) in records {
        house.sandbox.dns().set_txt(&name, vec![value])?;
    }
    let watch = Stopwatch::start();
    house.until_succeeded(&id).await?;
    Ok(watch.elapsed())
}
