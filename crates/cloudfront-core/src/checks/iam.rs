//! The steps with a throw-away certificate: a copy of the canary's where there is one, because CloudFront takes no other,
//! and one that nobody trusts otherwise.

use contract::{
    Canary, CertificateBundle, CertificateFacts, PortError, PortResult, Remedy, Secret, Serving,
    StoredCertificate, Timestamp,
};
use rcgen::{CertificateParams, KeyPair, RsaKeySize};

use super::bench::bare;
use super::cloudfront::lost;
use super::refusal::Said;
use super::steps::{SLOW, Seen};
use super::walk::Walk;
use super::walker::ContractCheck;

impl ContractCheck {
    pub(super) async fn upload(&self, walk: &mut Walk, canary: Option<&Canary>) -> PortResult<Seen> {
        let name = certificate_name(walk);
        walk.things.certificate = Some(name.clone());
        if let Some(kept) = self.bench.certificate(&name).await? {
            (walk.things.stored, walk.fingerprint) = (Some(kept.stored), Some(kept.fingerprint));
            return Ok(Seen::Holds);
        }
        let bundle = bundle(walk, canary).await?;
        walk.fingerprint = Some(crate::vault::fingerprint(&bundle.leaf_pem));
        Ok(match self.bench.upload(&name, &bundle).await? {
            Said::Yes(stored) => {
                walk.things.stored = Some(stored);
                Seen::Holds
            }
            Said::No(refusal) => Seen::broken(&refusal),
        })
    }

    pub(super) async fn upload_again(&self, walk: &mut Walk, canary: Option<&Canary>) -> PortResult<Seen> {
        let bundle = bundle(walk, canary).await?;
        Ok(match self.bench.upload(&certificate_name(walk), &bundle).await? {
            Said::Yes(stored) => {
                walk.things.stored = Some(stored);
                Seen::Broken("a second one is taken under the same name".to_owned())
            }
            Said::No(refusal) => Seen::refused(&refusal, &["EntityAlreadyExists"]),
        })
    }

    pub(super) async fn find_in_list(&self, walk: &Walk) -> PortResult<Seen> {
        let name = certificate_name(walk);
        if self.bench.lists(&name, "of-somebody-else/").await? {
            return Ok(Seen::Broken("the list of another path holds it".to_owned()));
        }
        if self.bench.lists(&name, "").await? {
            return Ok(Seen::Holds);
        }
        Ok(Seen::NotYet("the list of its path does not hold it".to_owned(), SLOW))
    }

    pub(super) async fn read_back(&self, walk: &Walk) -> PortResult<Seen> {
        Ok(match self.bench.certificate(&certificate_name(walk)).await? {
            None => Seen::NotYet("it is not there".to_owned(), SLOW),
            Some(kept) if Some(&kept.fingerprint) == walk.fingerprint.as_ref() => Seen::Holds,
            Some(_) => Seen::Broken("it is another certificate".to_owned()),
        })
    }

    /// Attaches the upload, without a name, as soon as CloudFront knows it.
    pub(super) async fn attach_upload(&self, walk: &Walk) -> PortResult<Seen> {
        let Some(stored) = &walk.things.stored else { return Ok(lost()) };
        let Some(found) = self.distribution(walk).await? else { return Ok(lost()) };
        let serving = Serving { names: Vec::new(), certificate: StoredCertificate::new(stored) };
        let mut wanted = self.bench.changed(&found, &self.spec(walk, Some(serving)))?;
        wanted.enabled = false;
        if wanted == found.config {
            return Ok(Seen::Holds);
        }
        Ok(match self.bench.update(&found, &found.tag, wanted).await? {
            Said::Yes(_) => Seen::Holds,
            Said::No(refusal) => Seen::NotYet(format!("it is refused ({refusal})"), SLOW),
        })
    }

    pub(super) async fn delete_used(&self, walk: &mut Walk) -> PortResult<Seen> {
        Ok(match self.bench.delete_certificate(&certificate_name(walk)).await? {
            Said::Yes(()) => {
                walk.things.certificate = None;
                Seen::Spent("it is deleted while a distribution uses it".to_owned())
            }
            Said::No(refusal) => Seen::refused(&refusal, &["DeleteConflict"]),
        })
    }

    pub(super) async fn detach(&self, walk: &Walk) -> PortResult<Seen> {
        let Some(found) = self.distribution(walk).await? else { return Ok(lost()) };
        if found.distribution.certificate.is_none() {
            return Ok(Seen::Holds);
        }
        Ok(match self.bench.update(&found, &found.tag, bare(&found.config)?).await? {
            Said::Yes(_) => Seen::Holds,
            // CloudFront changes one certificate at a time: the change before has to arrive first.
            Said::No(refusal) => Seen::NotYet(format!("it is refused ({refusal})"), SLOW),
        })
    }

    pub(super) async fn release(&self, walk: &mut Walk) -> PortResult<Seen> {
        let Some(name) = walk.things.certificate.clone() else { return Ok(Seen::Holds) };
        Ok(match self.bench.delete_certificate(&name).await? {
            Said::Yes(()) => {
                walk.things.certificate = None;
                Seen::Holds
            }
            Said::No(refusal) if refusal.code == "NoSuchEntity" => {
                walk.things.certificate = None;
                Seen::Holds
            }
            Said::No(refusal) => Seen::NotYet(format!("it is refused ({refusal})"), SLOW * 3),
        })
    }
}

/// It has not the form that names of instances' certificates have.
fn certificate_name(walk: &Walk) -> String {
    format!("canary-{}", walk.id)
}

/// The canary's certificate, or one that nobody trusts and that IAM takes all the same.
async fn bundle(walk: &Walk, canary: Option<&Canary>) -> PortResult<CertificateBundle> {
    if let Some(canary) = canary {
        return Ok(canary.bundle.clone());
    }
    let name = format!("canary-{}.invalid", walk.id.get(..16).unwrap_or_default());
    let doing = "make a throw-away certificate";
    let made = tokio::task::spawn_blocking(move || self_signed(&name)).await;
    let made = made.map_err(|error| PortError::new(doing, Remedy::Retry { after: None }, error))?;
    made.map_err(|error| PortError::new(doing, Remedy::GiveUp, error))
}

/// With a key of the type that IAM has known longest.
fn self_signed(name: &str) -> Result<CertificateBundle, rcgen::Error> {
    let key = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048)?;
    let certificate = CertificateParams::new([name.to_owned()])?.self_signed(&key)?;
    Ok(CertificateBundle {
        leaf_pem: certificate.pem(),
        chain_pem: String::new(),
        private_key_pem: Secret::new(key.serialize_pem()),
        facts: CertificateFacts {
            serial: String::new(),
            fingerprint: crate::vault::fingerprint(&certificate.pem()),
            not_before: Timestamp::default(),
            not_after: Timestamp::default(),
            names: Vec::new(),
            issuer: None,
            renewal_id: None,
        },
    })
}
