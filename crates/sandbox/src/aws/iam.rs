//! IAM as far as CloudFront needs it: the server certificates of the account, and what its callers may do (query protocol,
//! version 2010-05-08).

mod delete;
mod list;
mod role;
mod simulate;
mod upload;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;
use url::form_urlencoded;

use super::certificate::Facts;
use super::clock::{Millis, rfc3339};
use super::error::Failure;
use super::journal::JournalEntry;
use super::message::Request;
use super::rules::Rule;
use super::world::{ACCOUNT, World};
use super::xml::Element;

/// The XML namespace of IAM's answers.
pub(crate) const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// The calls this emulator answers, named as in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    UploadServerCertificate,
    GetServerCertificate,
    ListServerCertificates,
    DeleteServerCertificate,
    GetRole,
    SimulatePrincipalPolicy,
}

/// The server certificates of the account.
#[derive(Debug, Default)]
pub(crate) struct Vault {
    pub(crate) certificates: Vec<ServerCertificate>,
    /// When CloudFront has let go, or will have let go, of a certificate id that a distribution used.
    pub(crate) released: HashMap<String, Millis>,
}

/// One uploaded certificate. The private key can sign for the edge and cannot be read.
#[derive(Debug)]
pub(crate) struct ServerCertificate {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) chain: String,
    pub(crate) uploaded: Millis,
    pub(crate) facts: Facts,
    pub(crate) certified: Arc<CertifiedKey>,
    pub(crate) tags: Vec<(String, String)>,
}

impl ServerCertificate {
    /// The Amazon resource name.
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:iam::{ACCOUNT}:server-certificate{}{}", self.path, self.name)
    }

    /// Leaf first, then the intermediates.
    pub(crate) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certified.cert
    }

    fn metadata(&self, element: &str) -> Element {
        Element::new(element)
            .with(Element::leaf("Path", &self.path))
            .with(Element::leaf("ServerCertificateName", &self.name))
            .with(Element::leaf("ServerCertificateId", &self.id))
            .with(Element::leaf("Arn", self.arn()))
            .with(Element::leaf("UploadDate", rfc3339(self.uploaded)))
            .with(Element::leaf("Expiration", rfc3339(self.facts.not_after)))
    }

    fn tags(&self) -> Element {
        let member = |(key, value): &(String, String)| {
            Element::new("member").with(Element::leaf("Key", key)).with(Element::leaf("Value", value))
        };
        Element::holding("Tags", self.tags.iter().map(member).collect())
    }
}

impl Vault {
    pub(crate) fn by_id(&self, id: &str) -> Option<&ServerCertificate> {
        self.certificates.iter().find(|certificate| certificate.id == id)
    }

    fn by_name(&self, name: &str) -> Result<&ServerCertificate, Failure> {
        self.certificates.iter().find(|certificate| certificate.name == name).ok_or_else(|| {
            let message = format!("The Server Certificate with name {name} cannot be found.");
            Failure::new(404, "NoSuchEntity", message)
        })
    }
}

/// Which call a request is, and the name it is about.
pub(crate) fn identify(request: &Request) -> Result<(Operation, String), Failure> {
    let mut form = form(request);
    let operation = match form.remove("Action").as_deref() {
        Some("UploadServerCertificate") => Operation::UploadServerCertificate,
        Some("GetServerCertificate") => Operation::GetServerCertificate,
        Some("ListServerCertificates") => Operation::ListServerCertificates,
        Some("DeleteServerCertificate") => Operation::DeleteServerCertificate,
        Some("GetRole") => Operation::GetRole,
        Some("SimulatePrincipalPolicy") => Operation::SimulatePrincipalPolicy,
        action => {
            let message = format!("Could not find operation {}", action.unwrap_or_default());
            return Err(Failure::bad("InvalidAction", message));
        }
    };
    let about = ["ServerCertificateName", "PathPrefix", "RoleName", "PolicySourceArn"];
    let resource = about.iter().find_map(|name| form.remove(*name));
    Ok((operation, resource.unwrap_or_default()))
}

/// Does the call; the answer is the result element, without its envelope. `denied` are the operations that are not granted.
pub(crate) fn perform(
    operation: Operation,
    world: &mut World,
    request: &Request,
    entry: &mut JournalEntry,
    denied: &[String],
) -> Result<Element, Failure> {
    let form = form(request);
    match operation {
        Operation::UploadServerCertificate => upload::upload(world, &form, entry),
        Operation::GetServerCertificate => get(world, &form),
        Operation::ListServerCertificates => list::list(world, &form),
        Operation::DeleteServerCertificate => delete::delete(world, &form),
        Operation::GetRole => role::get(world, &form, &entry.account),
        Operation::SimulatePrincipalPolicy => simulate::simulate(world, &form, &entry.account, denied),
    }
}

type Form = BTreeMap<String, String>;

fn form(request: &Request) -> Form {
    form_urlencoded::parse(&request.body).into_owned().collect()
}

fn text<'a>(form: &'a Form, name: &str) -> &'a str {
    form.get(name).map_or("", String::as_str)
}

fn validation(message: impl std::fmt::Display) -> Failure {
    Failure::bad("ValidationError", format!("1 validation error detected: {message}"))
}

fn page_size(form: &Form) -> Result<usize, Failure> {
    let size = form.get("MaxItems").map_or(Ok(100), |items| items.parse());
    size.ok().filter(|size| (1..=1000).contains(size)).ok_or_else(|| {
        validation("Value at 'maxItems' failed to satisfy constraint: Member must be between 1 and 1000")
    })
}

fn get(world: &World, form: &Form) -> Result<Element, Failure> {
    let found = world.iam.by_name(text(form, "ServerCertificateName"))?;
    // Every certificate begins like this in Base64: with how long it is.
    let garbled = world.has(Rule::CertificatesGarbled).then(|| found.body.replacen("MII", "MIJ", 1));
    let body = garbled.as_deref().unwrap_or(&found.body);
    let mut certificate = Element::new("ServerCertificate")
        .with(found.metadata("ServerCertificateMetadata"))
        .with(Element::leaf("CertificateBody", body));
    if !found.chain.is_empty() {
        certificate = certificate.with(Element::leaf("CertificateChain", &found.chain));
    }
    let certificate = certificate.with(found.tags());
    Ok(Element::new("GetServerCertificateResult").with(certificate))
}
