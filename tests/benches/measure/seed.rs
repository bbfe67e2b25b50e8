//! Instances that are written into a database directly, because nobody wants to wait for a hundred thousand of them.

use std::time::Duration;

use anyhow::ensure;
use contract::testing::sample;
use contract::{
    AuthorizationRecord, CertificateRecord, CertificateState, CertificateStore, Clock, DistributionId,
    HttpAnswer, InstanceId, InstanceState, InstanceStore, IssuanceId, IssuanceRecord, IssuanceStore,
    LastLook, OperationKind, OperationState, ProofState, Secret, Timestamp, VaultName,
};
use store::Store;
use tokio::task::JoinSet;

use crate::clock::SystemClock;

/// How many write at once. More wait for each other on SQLite, which lets the unlucky wait for longer than it may take.
const WRITERS: usize = 2;

/// What the instances of a database are doing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Life {
    /// They wait until their user sets a TXT record, and have instructions to show.
    AwaitingTheUser,
    /// They serve, or (one in ten) wait for their user. Without instructions, which nobody asks for.
    Idle,
    /// The same, and those that serve have certificates, which end all over the next ninety days.
    Served,
}

/// The id of the instance with this number.
pub(crate) fn id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// The id of its operation.
pub(crate) fn operation(number: usize) -> String {
    format!("{number:032x}")
}

/// Writes the instances with these numbers.
pub(crate) async fn write(store: &Store, life: Life, numbers: std::ops::Range<usize>) -> anyhow::Result<()> {
    let mut writers = JoinSet::new();
    for first in numbers.clone().take(WRITERS) {
        let (store, end) = (store.clone(), numbers.end);
        writers.spawn(async move {
            for number in (first..end).step_by(WRITERS) {
                one(&store, life, number).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(written) = writers.join_next().await {
        written??;
    }
    Ok(())
}

async fn one(store: &Store, life: Life, number: usize) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let waits = matches!(life, Life::AwaitingTheUser) || number.is_multiple_of(10);
    let domain = format!("www.site-{number}.example.gov");
    let mut instance = sample::instance(&id(number), &[&domain]);
    instance.distribution = Some(DistributionId::new(format!("E{number:013}")));
    instance.distribution_domain = Some(format!("d{number:013}.cloudfront.net"));
    let mut operation = sample::operation(
        &operation(number),
        &instance.id,
        OperationKind::Provision,
        now + Duration::from_hours(24),
    );
    operation.started_at = now;
    operation.step_since = now;
    "obtain-certificate".clone_into(&mut operation.step);
    if !waits {
        instance.state = InstanceState::Ready;
        operation.state = OperationState::Succeeded;
    }
    ensure!(store.create(&instance, &operation).await?, "instance {number} is there already");
    if matches!(life, Life::AwaitingTheUser) {
        let certificate = certificate(&instance.id, &domain);
        let issuance = issuance(&certificate.issuance, &domain, now);
        CertificateStore::put(store, &certificate).await?;
        IssuanceStore::insert(store, &issuance).await?;
    }
    if matches!(life, Life::Served) && !waits {
        let age = Duration::from_mins(u64::try_from(number % (90 * 24 * 60))?);
        let facts = sample::bundle(1, &instance.settings.domains, now - age).facts;
        let certificate = CertificateRecord { facts: Some(facts), ..certificate(&instance.id, &domain) };
        CertificateStore::put(store, &certificate).await?;
        CertificateStore::make_live(store, &certificate).await?;
    }
    Ok(())
}

fn certificate(instance: &InstanceId, domain: &str) -> CertificateRecord {
    CertificateRecord {
        instance: instance.clone(),
        incarnation: 1,
        generation: 1,
        names: sample::names(&[domain]),
        issuance: IssuanceId::new(format!("{instance}-1-1")),
        vault_name: VaultName::new(format!("cdn-{instance}-1-1")),
        stored: None,
        facts: None,
        state: CertificateState::Pending,
        keyless: false,
    }
}

/// As an issuance looks after its order was placed; key and request have the size of those of RSA-2048.
fn issuance(id: &IssuanceId, domain: &str, now: Timestamp) -> IssuanceRecord {
    let order = "https://ca.example/acme/order/1234567/890123456";
    let last_look = LastLook { at: now, saw: format!("`_acme-challenge.{domain}` has no TXT record yet.") };
    let authorization = AuthorizationRecord {
        dns: Some("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA".to_owned()),
        http: Some(HttpAnswer {
            token: "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA".to_owned(),
            answer: "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
                .to_owned(),
        }),
        last_look: Some(last_look),
        ..AuthorizationRecord::new(
            sample::name(domain),
            "https://ca.example/acme/authz/1234567/890123456",
            ProofState::Open,
        )
    };
    let request = sample::certificate_request(&sample::names(&[domain]));
    IssuanceRecord {
        private_key: Some(Secret::new(vec![b'k'; 1704])),
        csr: Some(vec![0x30; 650]),
        order_url: Some(order.to_owned()),
        order_expires: Some(now + Duration::from_hours(7 * 24)),
        orders_placed: 1,
        authorizations: vec![authorization],
        ..IssuanceRecord::opened(id.clone(), request, "https://ca.example/directory", now)
    }
}
