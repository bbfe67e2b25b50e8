//! The keys that private keys are sealed with are replaced while brokers work.

use anyhow::ensure;
use sandbox::{BrokerSettings, Postgres, wait_for};
use serde_json::{Value, json};

use crate::house::{BOUND, House};

const OLD: &str = "old:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEW: &str = "new:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

fn id(number: usize) -> String {
    format!("3f1c9a52-0000-4000-8000-0000000007{number:02}")
}

fn name(number: usize) -> String {
    format!("www{number}.example.gov")
}

/// Settings of a broker on this database with these keys.
fn with_keys(house: &House, url: &str, keys: &str) -> anyhow::Result<BrokerSettings> {
    let mut settings = house.hasty_settings("5s")?;
    url.clone_into(&mut settings.database_url);
    keys.clone_into(&mut settings.encryption_keys);
    Ok(settings)
}

async fn provisioned(house: &House, numbers: std::ops::Range<usize>) -> anyhow::Result<()> {
    for number in numbers {
        house.provisioned(&id(number), &[&name(number)]).await?;
    }
    Ok(())
}

/// How many values are sealed under a key.
fn sealed_under(keys: &Value, name: &str) -> u64 {
    let of_key = keys["keys"].as_array().into_iter().flatten().find(|key| key["name"] == name);
    let values = of_key.and_then(|key| key["values"].as_object());
    values.into_iter().flat_map(|values| values.values()).filter_map(Value::as_u64).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_replaced_while_two_brokers_provision() -> anyhow::Result<()> {
    let server = Postgres::start().await?;
    let url = server.database("keys").await?;
    let mut house = House::without_broker(|settings| settings.aws.certificate_quota = 20).await?;
    house.add_broker(&with_keys(&house, &url, OLD)?).await?;
    provisioned(&house, 0..3).await?;
    house.brokers.pop();

    // The new key comes first from now on, in every broker.
    let both = with_keys(&house, &url, &format!("{NEW},{OLD}"))?;
    for _ in 0..2 {
        let settings = with_keys(&house, &url, &both.encryption_keys)?;
        house.add_broker(&settings).await?;
    }
    let listed = house.command(&both, &["keys", "list", "--json"]).await?;
    ensure!(listed.code == 0, "{listed:?}");
    ensure!(sealed_under(&listed.json()?, "old") >= 4, "an account and three certificates: {listed:?}");

    // Under load: new instances begin and end while everything is sealed anew.
    let rotations = async {
        for _ in 0..3 {
            let rotated = house.command(&both, &["keys", "rotate", "--json"]).await?;
            ensure!(rotated.code == 0, "{rotated:?}");
        }
        anyhow::Ok(())
    };
    tokio::try_join!(provisioned(&house, 3..6), rotations)?;

    let rotated = house.command(&both, &["keys", "rotate", "--json"]).await?;
    let outcome = rotated.json()?;
    ensure!(outcome["complete"] == true && outcome["removable"] == json!(["old"]), "{rotated:?}");
    ensure!(sealed_under(&outcome, "old") == 0 && sealed_under(&outcome, "new") >= 7, "{rotated:?}");

    // Without the old key everything goes on: certificates are renewed with the account, and instances rebuilt.
    house.brokers.clear();
    let new = with_keys(&house, &url, NEW)?;
    house.add_broker(&new).await?;
    let shown = house.command(&new, &["keys", "list"]).await?;
    ensure!(shown.code == 0 && !shown.out.contains("old"), "{shown:?}");
    provisioned(&house, 6..7).await?;
    let rebuilt = house.command(&new, &["instances", "recreate", &id(0), "--json"]).await?;
    ensure!(rebuilt.code == 0, "{rebuilt:?}");
    ensure!(!house.log()?.contains("not configured"), "{}", house.last_words());
    Ok(())
}

/// A key that was taken away too early is named, and nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_missing_is_a_clear_error() -> anyhow::Result<()> {
    let mut house = House::without_broker(|_| {}).await?;
    let url = house.settings()?.database_url;
    house.add_broker(&with_keys(&house, &url, OLD)?).await?;
    provisioned(&house, 0..1).await?;
    house.brokers.clear();
    let alone = with_keys(&house, &url, NEW)?;
    for command in ["list", "rotate"] {
        let told = house.command(&alone, &["keys", command]).await?;
        ensure!(told.code == 1, "{told:?}");
        let says = told.err.contains("\"old\"") && told.err.contains("DATABASE_ENCRYPTION_KEYS");
        ensure!(says && told.out.contains("missing"), "{told:?}");
    }
    let both = with_keys(&house, &url, &format!("{NEW},{OLD}"))?;
    let rotated = house.command(&both, &["keys", "rotate"]).await?;
    ensure!(rotated.code == 0 && rotated.out.contains("May be removed"), "{rotated:?}");
    let again = house.command(&both, &["keys", "rotate"]).await?;
    ensure!(again.code == 0 && again.out.starts_with("0 sealed anew."), "{again:?}");
    Ok(())
}

/// How often the operator was told of something, in one word of the log.
fn told(house: &House, word: &str) -> anyhow::Result<usize> {
    let log = house.log()?;
    Ok(log.lines().filter(|line| line.contains(word) && line.contains("breaker sealing-keys")).count())
}

/// What stands with an instance until it waits for the operator.
async fn until_parked(house: &House, id: &str) -> anyhow::Result<()> {
    wait_for(&format!("{id} to wait for the operator"), BOUND, || async {
        let answer = house.poll(id).await?;
        ensure!(answer.text("state") == "in progress", "{answer:?}");
        Ok(answer.text("description").contains("waits for the operators").then_some(()))
    })
    .await
}

/// Everything was sealed under a key that no running broker has (step 1 was left out): nothing fails, the operator is told
/// once what to do, and it goes on by itself.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_with_a_key_that_brokers_lack_waits_for_it() -> anyhow::Result<()> {
    let server = Postgres::start().await?;
    let url = server.database("lacking").await?;
    let mut house = House::without_broker(|_| {}).await?;
    let old = with_keys(&house, &url, OLD)?;
    house.add_broker(&old).await?;
    provisioned(&house, 0..1).await?;
    let accepted = house.provision(&id(1), json!({ "domain": name(1) })).await?;
    ensure!(accepted.status == 202, "{accepted:?}");
    let records = house.records(&id(1), 1).await?;

    let both = with_keys(&house, &url, &format!("{NEW},{OLD}"))?;
    let rotated = house.command(&both, &["keys", "rotate"]).await?;
    ensure!(rotated.code == 0, "{rotated:?}");
    let accepted = house.deprovision(&id(0)).await?;
    ensure!(accepted.status == 202, "{accepted:?}");
    for number in [0, 1] {
        until_parked(&house, &id(number)).await?;
    }
    // Whoever starts without it says so at once, and is told the same by the command that looks.
    house.brokers[0].kill().await?;
    house.brokers[0].restart().await?;
    wait_for("the warning", BOUND, || async {
        Ok(house.log()?.contains("which is missing: put the key back behind the first one").then_some(()))
    })
    .await?;
    let checked = house.command(&old, &["config", "check"]).await?;
    ensure!(checked.code != 0 && checked.out.contains("sealed with new, which is missing"), "{checked:?}");
    let all = format!("{}{}", checked.out, checked.err);
    ensure!(
        all.contains("encryption keys does not work: put the key back behind the first one"),
        "{checked:?}"
    );
    for number in [0, 1] {
        until_parked(&house, &id(number)).await?;
    }
    ensure!(told(&house, "ALERT")? == 1, "{}", house.last_words());

    for (name, value) in records {
        house.sandbox.dns().set_txt(&name, vec![value])?;
    }
    // With the key everything goes on by itself, in the other broker as well.
    house.add_broker(&with_keys(&house, &url, &format!("{OLD},{NEW}"))?).await?;
    for number in [0, 1] {
        house.until_succeeded(&id(number)).await?;
    }
    house.brokers.remove(0);
    wait_for("the operator to be told that it is over", BOUND, || async {
        Ok((told(&house, "RESOLVED")? == 1).then_some(()))
    })
    .await?;
    ensure!(told(&house, "ALERT")? == 1, "{}", house.last_words());
    Ok(())
}
