//! `UploadServerCertificate` and the checks before it, in AWS's order.

use std::sync::Arc;

use rustls::sign::CertifiedKey;

use super::{Form, ServerCertificate, text, validation};
use crate::aws::certificate::{Facts, linked, read_key, read_pem};
use crate::aws::clock::Millis;
use crate::aws::error::Failure;
use crate::aws::journal::JournalEntry;
use crate::aws::rules::Rule;
use crate::aws::world::World;
use crate::aws::xml::Element;

const LONGEST_BODY: usize = 16_384;
const LONGEST_CHAIN: usize = 2_097_152;

pub(super) fn upload(world: &mut World, form: &Form, entry: &mut JournalEntry) -> Result<Element, Failure> {
    let name = text(form, "ServerCertificateName");
    let path = form.get("Path").map_or("/", String::as_str);
    check_parameters(form, name, path)?;
    if path.starts_with("/cloudfront/") && world.has(Rule::UploadsRefused) {
        return Err(validation(format!("Value '{path}' at 'path' is reserved")));
    }
    let now = world.clock.now();
    let (facts, certified) = check_certificate(form, now)?;
    if world.has(Rule::UploadsReplace) {
        world.iam.certificates.retain(|certificate| certificate.name != name);
    }
    check_room(world, name)?;
    let certificate = ServerCertificate {
        name: name.to_owned(),
        path: path.to_owned(),
        id: world.ids.server_certificate(),
        body: text(form, "CertificateBody").to_owned(),
        chain: text(form, "CertificateChain").to_owned(),
        uploaded: now,
        facts,
        certified: Arc::new(certified),
        tags: tags(form),
    };
    entry.certificate = Some(certificate.id.clone());
    let metadata = certificate.metadata("ServerCertificateMetadata");
    let result = Element::new("UploadServerCertificateResult").with(metadata).with(certificate.tags());
    world.iam.certificates.push(certificate);
    Ok(result)
}

fn check_parameters(form: &Form, name: &str, path: &str) -> Result<(), Failure> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if name.is_empty() || name.len() > 128 || !name.chars().all(allowed) {
        return Err(validation(format!(
            "Value '{name}' at 'serverCertificateName' failed to satisfy constraint: Member must satisfy regular \
             expression pattern: [\\w+=,.@-]+ and have length between 1 and 128"
        )));
    }
    let printable = path.chars().all(|c| c.is_ascii_graphic());
    let slashes = path == "/" || (path.len() >= 2 && path.starts_with('/') && path.ends_with('/'));
    if !printable || !slashes || path.len() > 512 {
        return Err(validation(format!(
            "Value '{path}' at 'path' failed to satisfy constraint: it must begin and end with /"
        )));
    }
    let limits = [
        ("CertificateBody", 1, LONGEST_BODY),
        ("PrivateKey", 1, LONGEST_BODY),
        ("CertificateChain", 0, LONGEST_CHAIN),
    ];
    match limits.iter().find(|(member, least, most)| !(*least..=*most).contains(&text(form, member).len())) {
        Some((member, least, most)) => Err(validation(format!(
            "Value at '{member}' failed to satisfy constraint: Member must have length between {least} and {most}"
        ))),
        None => Ok(()),
    }
}

fn check_certificate(form: &Form, now: Millis) -> Result<(Facts, CertifiedKey), Failure> {
    let malformed = |message: String| Failure::bad("MalformedCertificate", message);
    let body = read_pem(text(form, "CertificateBody"))
        .map_err(|error| malformed(format!("Unable to parse certificate. {error}")))?;
    let [leaf] = body.as_slice() else {
        return Err(malformed(
            "Unable to parse certificate. The certificate body must hold exactly one certificate; intermediates \
             belong into the chain."
                .to_owned(),
        ));
    };
    let facts = Facts::read(leaf).map_err(|error| malformed(error.to_string()))?;
    if !facts.valid_at(now) {
        return Err(malformed("The certificate is expired or not yet valid.".to_owned()));
    }
    let mut chain = body.clone();
    if !text(form, "CertificateChain").is_empty() {
        let intermediates = read_pem(text(form, "CertificateChain"))
            .map_err(|error| malformed(format!("Unable to parse certificate chain. {error}")))?;
        chain.extend(intermediates);
    }
    let certified = check_key(form, &chain)?;
    linked(&chain, now)
        .map_err(|error| malformed(format!("Unable to validate certificate chain. {error}")))?;
    Ok((facts, certified))
}

fn check_key(
    form: &Form,
    chain: &[rustls_pki_types::CertificateDer<'static>],
) -> Result<CertifiedKey, Failure> {
    let pem = text(form, "PrivateKey");
    // What is wrong with a key is never repeated: the message could hold a part of it.
    let malformed = || Failure::bad("MalformedCertificate", "Unable to parse key; verify it is PEM encoded.");
    if pem.contains("ENCRYPTED") {
        return Err(Failure::bad("MalformedCertificate", "The private key must not be encrypted."));
    }
    let certified = read_key(pem, chain.to_vec()).map_err(|_| malformed())?;
    certified.keys_match().map_err(|_| {
        Failure::bad("KeyPairMismatch", "The public key certificate and the private key do not match.")
    })?;
    Ok(certified)
}

fn check_room(world: &World, name: &str) -> Result<(), Failure> {
    if world.iam.by_name(name).is_ok() {
        let message = format!("The Server Certificate with name {name} already exists.");
        return Err(Failure::new(409, "EntityAlreadyExists", message));
    }
    let quota = world.settings.certificate_quota;
    if world.iam.certificates.len() >= quota {
        let message = format!("Cannot exceed quota for ServerCertificatesPerAccount: {quota}");
        return Err(Failure::new(409, "LimitExceeded", message));
    }
    Ok(())
}

fn tags(form: &Form) -> Vec<(String, String)> {
    let tag = |number: usize| {
        let key = form.get(&format!("Tags.member.{number}.Key"))?;
        Some((key.clone(), text(form, &format!("Tags.member.{number}.Value")).to_owned()))
    };
    (1..).map_while(tag).collect()
}
