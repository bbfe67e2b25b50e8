//! Invalidations.

use super::fixture::{Answer, Cloud, config};

fn batch(reference: &str, paths: &[&str]) -> String {
    let items: Vec<String> = paths.iter().map(|path| format!("<Path>{path}</Path>")).collect();
    format!(
        "<InvalidationBatch><Paths><Quantity>{}</Quantity><Items>{}</Items></Paths>\
         <CallerReference>{reference}</CallerReference></InvalidationBatch>",
        paths.len(),
        items.concat()
    )
}

async fn send(cloud: &Cloud, id: &str, body: &str) -> anyhow::Result<Answer> {
    cloud.cloudfront("POST", &format!("distribution/{id}/invalidation"), body).await
}

#[tokio::test]
async fn an_invalidation_is_in_progress_and_then_completed() {
    let cloud = Cloud::start().await.unwrap();
    let made = cloud.made(&config("r")).await.unwrap();
    let created = send(&cloud, &made.id, &batch("one", &["/*"])).await.unwrap();
    assert_eq!((created.status.as_u16(), created.text("Status")), (201, "InProgress"));
    let id = created.text("Id");
    assert!(created.header("location").ends_with(&format!("/distribution/{}/invalidation/{id}", made.id)));
    cloud.wait();
    let seen =
        cloud.cloudfront("GET", &format!("distribution/{}/invalidation/{id}", made.id), "").await.unwrap();
    assert_eq!((seen.text("Status"), seen.text("Path")), ("Completed", "/*"));
    let listed =
        cloud.cloudfront("GET", &format!("distribution/{}/invalidation", made.id), "").await.unwrap();
    assert_eq!((listed.text("Quantity"), listed.text("Id")), ("1", id));
    let none =
        cloud.cloudfront("GET", &format!("distribution/{}/invalidation/INONE", made.id), "").await.unwrap();
    assert_eq!(none.refusal(), (404, "NoSuchInvalidation"));
}

#[tokio::test]
async fn the_same_reference_is_the_same_invalidation() {
    let cloud = Cloud::start().await.unwrap();
    let made = cloud.made(&config("r")).await.unwrap();
    let first = send(&cloud, &made.id, &batch("one", &["/a"])).await.unwrap();
    let again = send(&cloud, &made.id, &batch("one", &["/a"])).await.unwrap();
    assert_eq!(again.text("Id"), first.text("Id"));
    let other = send(&cloud, &made.id, &batch("one", &["/b"])).await.unwrap();
    assert_eq!(other.refusal(), (400, "InvalidArgument"));
    assert_ne!(send(&cloud, &made.id, &batch("two", &["/a"])).await.unwrap().text("Id"), first.text("Id"));
}

#[tokio::test]
async fn what_is_no_invalidation_is_refused() {
    let cloud = Cloud::start().await.unwrap();
    let made = cloud.made(&config("r")).await.unwrap();
    assert_eq!(
        send(&cloud, "ENONE", &batch("one", &["/"])).await.unwrap().refusal(),
        (404, "NoSuchDistribution")
    );
    let miscounted = batch("one", &["/a"]).replace("<Quantity>1", "<Quantity>2");
    for (body, code) in [
        (batch("one", &["a"]), "InvalidArgument"),
        (batch("one", &["/*/a"]), "InvalidArgument"),
        (batch("", &["/a"]), "InvalidArgument"),
        (batch("one", &[]), "InvalidArgument"),
        (miscounted, "InconsistentQuantities"),
        (batch("one", &vec!["/a"; 3001]), "TooManyInvalidationsInProgress"),
    ] {
        assert_eq!(send(&cloud, &made.id, &body).await.unwrap().refusal(), (400, code));
    }
}
