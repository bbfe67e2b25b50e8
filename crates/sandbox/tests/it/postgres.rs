use anyhow::ensure;
use sandbox::Postgres;
use tokio::process::Command;

async fn ask(url: &str, statement: &str) -> anyhow::Result<String> {
    let output = Command::new("psql").args(["-XAtq", url, "-c", statement]).output().await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_outlives_a_crash() -> anyhow::Result<()> {
    let mut postgres = Postgres::start().await?;
    let (one, other) = (postgres.database("one").await?, postgres.database("other").await?);
    ask(&one, "CREATE TABLE kept (value INTEGER); INSERT INTO kept VALUES (7)").await?;
    assert!(ask(&other, "SELECT value FROM kept").await.is_err(), "databases are apart");
    postgres.stop().await?;
    assert!(ask(&one, "SELECT value FROM kept").await.is_err(), "it has stopped");
    postgres.restart().await?;
    assert_eq!(ask(&one, "SELECT value FROM kept").await?, "7");
    Ok(())
}
