//! Too busy, too slow, out of reach.

use std::time::Duration;

use anyhow::Result;
use contract::Remedy;

use super::{laboratory, refusal};
use crate::support::{Endpoint, Reply};

#[tokio::test]
async fn overload_is_waited_out_as_long_as_the_authority_asks() -> Result<()> {
    let endpoints = [
        Endpoint::Directory,
        Endpoint::Nonce,
        Endpoint::NewAccount,
        Endpoint::NewOrder,
        Endpoint::Authorization,
        Endpoint::Challenge,
        Endpoint::Finalize,
        Endpoint::Certificate,
    ];
    for endpoint in endpoints {
        let (authority, _probe, harness, id) = laboratory().await?;
        for status in [429, 503] {
            authority.script(endpoint, [Reply::html(status, "30")]);
            let error = refusal(&harness, &id).await?;
            assert_eq!(
                error.remedy(),
                Remedy::Retry { after: Some(Duration::from_secs(30)) },
                "{endpoint:?} {status}: {error}"
            );
        }
        let dated =
            Reply::html(503, "Fri, 31 Dec 1999 23:59:59 GMT").with("date", "Fri, 31 Dec 1999 23:57:59 GMT");
        authority.script(endpoint, [dated]);
        let error = refusal(&harness, &id).await?;
        assert_eq!(error.remedy(), Remedy::Retry { after: Some(Duration::from_mins(2)) }, "{endpoint:?}");
        harness.until_issued_by_many(&id).await?;
        assert_eq!(harness.record(&id).await?.orders_placed, 1, "{endpoint:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_authority_that_never_answers_holds_nobody_up() -> Result<()> {
    for endpoint in [Endpoint::Directory, Endpoint::NewAccount, Endpoint::NewOrder, Endpoint::Finalize] {
        let (authority, _probe, mut harness, id) = laboratory().await?;
        authority.script(endpoint, [Reply::Hang]);
        harness.settings.request_timeout = Duration::from_millis(300);
        // On a busy machine an earlier request may take too long as well.
        while authority.asked(endpoint) == 0 {
            let error = refusal(&harness, &id).await?;
            assert_eq!(error.remedy(), Remedy::Retry { after: None }, "{endpoint:?}: {error}");
            assert!(error.to_string().contains("did not answer within 300ms"), "{error}");
        }
        harness.settings.request_timeout = Duration::from_secs(30);
        harness.until_issued_by_many(&id).await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_authority_that_cannot_be_reached_is_tried_again() -> Result<()> {
    let (authority, _probe, harness, id) = laboratory().await?;
    drop(authority);
    let error = refusal(&harness, &id).await?;
    assert_eq!(error.remedy(), Remedy::Retry { after: None }, "{error}");
    Ok(())
}

#[tokio::test]
async fn refused_nonces_are_replaced_also_for_a_new_account() -> Result<()> {
    let (authority, _probe, harness, id) = laboratory().await?;
    let refused = || Reply::problem(400, "badNonce", "stale");
    authority.script(Endpoint::NewAccount, [refused(), refused(), refused()]);
    authority.script(Endpoint::NewOrder, [refused(), refused()]);
    harness.until_issued(&harness.issuer()?, &id).await?;
    assert_eq!(authority.asked(Endpoint::NewAccount), 4);
    assert_eq!(authority.asked(Endpoint::NewOrder), 3);
    Ok(())
}

#[tokio::test]
async fn endless_nonce_refusal_is_tried_again_later() -> Result<()> {
    for endpoint in [Endpoint::NewAccount, Endpoint::NewOrder] {
        let (authority, _probe, harness, id) = laboratory().await?;
        authority.script(endpoint, std::iter::repeat_n(Reply::problem(400, "badNonce", "stale"), 5));
        let error = refusal(&harness, &id).await?;
        assert_eq!(error.remedy(), Remedy::Retry { after: None }, "{endpoint:?}: {error}");
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() -> Result<()> {
    let (authority, _probe, harness, id) = laboratory().await?;
    let body = "x".repeat(2 * 1024 * 1024);
    authority.script(Endpoint::NewOrder, [Reply::Say { status: 200, headers: Vec::new(), body }]);
    let error = refusal(&harness, &id).await?;
    assert_eq!(error.remedy(), Remedy::Retry { after: None });
    assert!(error.to_string().contains("larger than 1048576 bytes"), "{error}");
    Ok(())
}

#[tokio::test]
async fn the_product_stands_before_the_library_in_the_user_agent() -> Result<()> {
    let (authority, _probe, mut harness, id) = laboratory().await?;
    harness.settings.user_agent = "cdn-broker/1.0".into();
    harness.until_issued(&harness.issuer()?, &id).await?;
    let agents = authority.user_agents();
    assert!(agents.iter().all(|agent| agent.starts_with("cdn-broker/1.0")), "{agents:?}");
    assert!(agents.iter().any(|agent| agent.contains("instant-acme/")), "{agents:?}");
    Ok(())
}
