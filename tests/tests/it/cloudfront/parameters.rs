use std::collections::BTreeMap;

use contract::testing::sample;
use contract::{
    Behaviour, CachePolicy, Cdn, Cookies, Delivery, DistributionSpec, InstanceId, MinimumTls,
    OriginRequestPolicy, Policies, PriceClass, Reference, Remedy, Wish,
};

use super::account::{Account, remedy};

/// What each wish looks like in the configuration.
const CHOSEN: &[&str] = &[
    "<DefaultTTL>60</DefaultTTL>",
    "<Compress>true</Compress>",
    "<ResponseHeadersPolicyId>67f7725c-6f97-4210-82d7-5512b31e9d03</ResponseHeadersPolicyId>",
    "<PriceClass>PriceClass_All</PriceClass>",
    "<MinimumProtocolVersion>TLSv1.3_2025</MinimumProtocolVersion>",
    "<ResponsePagePath>/errors/404.html</ResponsePagePath><ResponseCode>404</ResponseCode>",
    "<Bucket>access-logs.s3.amazonaws.com</Bucket>",
    "<WebACLId>arn:aws:wafv2:us-east-1:111111111111:global/webacl/public/1</WebACLId>",
];

fn chosen(spec: DistributionSpec) -> DistributionSpec {
    let pages = BTreeMap::from([(404, "/errors/404.html".to_owned())]);
    DistributionSpec {
        behaviour: Behaviour {
            default_ttl: Wish::Is(60),
            compress: Wish::Is(true),
            hsts: Wish::Is(true),
            ..spec.behaviour
        },
        delivery: Delivery {
            error_pages: Wish::Is(pages),
            price_class: Wish::Is(PriceClass::All),
            minimum_tls: Wish::Is(MinimumTls::Tls13In2025),
            logging: Wish::Is(true),
        },
        web_acl: true,
        ..spec
    }
}

/// The defaults, asked for by name.
fn reset(spec: DistributionSpec) -> DistributionSpec {
    DistributionSpec {
        behaviour: Behaviour {
            default_ttl: Wish::Default,
            policies: Wish::Default,
            compress: Wish::Default,
            hsts: Wish::Default,
            ..spec.behaviour
        },
        delivery: Delivery {
            error_pages: Wish::Default,
            price_class: Wish::Default,
            minimum_tls: Wish::Default,
            logging: Wish::Default,
        },
        web_acl: false,
        ..spec
    }
}

/// A configuration without the order of its elements, which CloudFront does not promise.
fn parts(config: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = config.split('<').collect();
    parts.sort_unstable();
    parts
}

#[tokio::test]
async fn what_is_asked_for_at_once_is_there_from_the_start() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let spec = chosen(sample::spec(&InstanceId::new("one"), None));
    let made = account.cdn.ensure(&Reference::new("one-1"), &spec).await?;
    account.settle();
    let served = account.served(&spec, &["a.example.org"]).await?;
    account.cdn.apply(&made.id, &served).await?;
    let config = account.config(&made.id).await?;
    for part in CHOSEN {
        assert!(config.contains(part), "{part} is not in {config}");
    }
    assert!(config.contains("<Prefix>sha256-"), "{config}");
    account.cdn.apply(&made.id, &served).await?;
    assert_eq!(account.calls("UpdateDistribution").len(), 1);
    Ok(())
}

#[tokio::test]
async fn what_is_asked_for_later_is_one_update_and_so_is_the_way_back() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (made, spec) = account.distribution("one").await?;
    let served = account.served(&spec, &["a.example.org"]).await?;
    account.cdn.apply(&made.id, &served).await?;
    account.settle();
    let before = account.config(&made.id).await?;
    for _ in 0..2 {
        account.cdn.apply(&made.id, &chosen(served.clone())).await?;
    }
    let config = account.config(&made.id).await?;
    for part in CHOSEN {
        assert!(config.contains(part) && !before.contains(part), "{part}: {config}");
    }
    for _ in 0..2 {
        account.cdn.apply(&made.id, &reset(served.clone())).await?;
    }
    assert_eq!(parts(&account.config(&made.id).await?), parts(&before));
    assert_eq!(account.calls("UpdateDistribution").len(), 3);
    Ok(())
}

#[tokio::test]
async fn policies_and_forwarding_take_turns() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (made, spec) = account.distribution("one").await?;
    let before = account.config(&made.id).await?;
    for cache in CachePolicy::ALL {
        for request in OriginRequestPolicy::ALL {
            let policies = Wish::Is(Policies { cache: *cache, origin_request: Some(*request) });
            let behaviour = Behaviour { policies, ..Behaviour::default() };
            account.cdn.apply(&made.id, &DistributionSpec { behaviour, ..spec.clone() }).await?;
        }
    }
    assert_eq!(
        account.effects("UpdateDistribution"),
        CachePolicy::ALL.len() * OriginRequestPolicy::ALL.len(),
        "CloudFront knows every policy that can be asked for"
    );
    assert!(account.config(&made.id).await?.matches("<ForwardedValues>").next().is_none());
    account.cdn.apply(&made.id, &reset(spec)).await?;
    assert_eq!(parts(&account.config(&made.id).await?), parts(&before));
    Ok(())
}

#[tokio::test]
async fn what_nobody_has_spoken_of_stays_the_operators() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (made, spec) = account.distribution("one").await?;
    let edits = [
        ("<PriceClass>PriceClass_100</PriceClass>", "<PriceClass>PriceClass_200</PriceClass>"),
        ("<DefaultTTL>86400</DefaultTTL>", "<DefaultTTL>5</DefaultTTL>"),
        ("<WebACLId></WebACLId>", "<WebACLId>arn:aws:wafv2:theirs</WebACLId>"),
        ("<Prefix></Prefix>", "<Prefix>theirs/</Prefix>"),
    ];
    for (from, to) in edits {
        account.edit(&made.id, from, to).await?;
    }
    let behaviour = Behaviour { cookies: Cookies::None, hsts: Wish::Is(true), ..spec.behaviour.clone() };
    account.cdn.apply(&made.id, &DistributionSpec { behaviour, ..spec }).await?;
    let config = account.config(&made.id).await?;
    for (_, to) in edits {
        assert!(config.contains(to), "{to} is not in {config}");
    }
    assert!(config.contains("<Forward>none</Forward>"));
    Ok(())
}

#[tokio::test]
async fn a_setting_that_the_operator_has_taken_back_leaves_what_is_there() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (made, spec) = account.distribution("one").await?;
    let bare = account.bare_process().await.cdn;
    let guarded = DistributionSpec { web_acl: true, ..spec.clone() };
    let delivery = Delivery { logging: Wish::Is(true), ..Delivery::default() };
    let logged = DistributionSpec { delivery, ..spec };
    for asked in [&guarded, &logged] {
        assert_eq!(remedy(bare.ensure(&Reference::new("two"), asked).await), Some(Remedy::AwaitOperator));
        assert_eq!(remedy(bare.apply(&made.id, asked).await), Some(Remedy::AwaitOperator));
    }
    assert_eq!(account.local.state().distributions.len(), 1);
    account.cdn.apply(&made.id, &guarded).await?;
    account.cdn.apply(&made.id, &DistributionSpec { web_acl: true, ..logged }).await?;
    let before = account.config(&made.id).await?;
    bare.apply(&made.id, &guarded).await?;
    assert_eq!(parts(&account.config(&made.id).await?), parts(&before));
    Ok(())
}
