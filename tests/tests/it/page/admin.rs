//! The operator's overview.

use anyhow::ensure;

use super::browser::Browser;
use super::{ID, WWW};
use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_finds_their_way_from_the_overview_to_a_page() -> anyhow::Result<()> {
    let mut house = House::without_broker(|_| {}).await?;
    let mut settings = house.settings()?;
    settings.more.push(("ACME_LIMITS".to_owned(), "letsencrypt".to_owned()));
    house.add_broker(&settings).await?;
    house.provisioned(ID, &[WWW]).await?;
    let overview = format!("{}/admin", house.origin()?.replacen("://", "://sandbox:sandbox@", 1));
    Browser::with(async |browser| {
        browser.open(&overview).await?;
        for part in [
            "Certificates by days to their end",
            "What waits for whom",
            "Open incidents",
            "Checks",
            "Room under the authority",
        ] {
            ensure!(browser.text().await?.contains(part), "`{part}` is not in\n{}", browser.text().await?);
        }
        // As the ledger has counted the certificate that was just issued.
        house.shows("the room", || async { browser.sees("49 of 50 left for example.gov").await }).await?;
        browser.pictures("overview").await?;
        browser.click("a[href='/admin/instances']").await?;
        house.shows("the list", || async { browser.sees(ID).await }).await?;
        browser.is_accessible().await?;
        browser.click("article h2 a").await?;
        house.shows("the page", || async { browser.sees("The CDN serves www.example.gov").await }).await
    })
    .await
}
