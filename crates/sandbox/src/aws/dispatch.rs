//! Which service a request is for, and the way there and back: identify, perform, write the journal, wrap the answer.

use super::error::Failure;
use super::journal::JournalEntry;
use super::message::{Answer, Request};
use super::world::{ACCOUNT, World};
use super::xml::Element;
use super::{cloudfront, iam, route53, s3, sts};

/// A call that was understood.
#[derive(Debug)]
pub(crate) struct Call {
    operation: Operation,
    resource: String,
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    CloudFront(cloudfront::Operation),
    Iam(iam::Operation),
    Route53(route53::Operation),
    S3(s3::Operation),
    Sts,
}

/// The services of this cloud; each has its own form of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    CloudFront,
    Iam,
    Route53,
    S3,
    Sts,
}

impl Service {
    /// By the scope of the signature; a request without one can only be an anonymous visitor of S3.
    pub(crate) fn of(request: &Request) -> Result<Self, Failure> {
        let Some(authorization) = request.header("authorization") else { return Ok(Self::S3) };
        match scope(authorization) {
            Some("cloudfront") => Ok(Self::CloudFront),
            Some("iam") => Ok(Self::Iam),
            Some("route53") => Ok(Self::Route53),
            Some("s3") => Ok(Self::S3),
            Some("sts") => Ok(Self::Sts),
            _ => Err(Failure::new(
                403,
                "SignatureDoesNotMatch",
                "Credential should be scoped to a valid service.",
            )),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::CloudFront => "cloudfront",
            Self::Iam => "iam",
            Self::Route53 => "route53",
            Self::S3 => "s3",
            Self::Sts => "sts",
        }
    }

    /// Writes a refusal the way this service does.
    pub(crate) fn refuse(self, failure: &Failure, request: &Request, request_id: &str) -> Answer {
        let document = match self {
            Self::CloudFront => failure.document(cloudfront::NAMESPACE, request_id),
            Self::Iam => failure.document(iam::NAMESPACE, request_id),
            Self::Route53 => failure.document(route53::NAMESPACE, request_id),
            Self::Sts => failure.document(sts::NAMESPACE, request_id),
            Self::S3 => failure.s3_document(request.path(), request_id),
        };
        let answer = Answer::xml(failure.status, document);
        if self == Self::S3 { answer.header("content-type", "application/xml") } else { answer }
    }
}

/// `Credential=<key>/<date>/<region>/<service>/aws4_request`: the service.
fn scope(authorization: &str) -> Option<&str> {
    let (_, credential) = authorization.split_once("Credential=")?;
    credential.split([',', ' ']).next()?.split('/').nth(3)
}

/// `Credential=<key>/…`: the account that the key belongs to.
fn account_of(world: &World, request: &Request) -> String {
    let authorization = request.header("authorization").unwrap_or_default();
    let (_, credential) = authorization.split_once("Credential=").unwrap_or_default();
    let key = credential.split('/').next().unwrap_or_default();
    world.settings.accounts.get(key).cloned().unwrap_or_else(|| ACCOUNT.to_owned())
}

impl Call {
    pub(crate) fn identify(service: Service, request: &Request) -> Result<Self, Failure> {
        let (operation, resource) = match service {
            Service::CloudFront => {
                cloudfront::identify(request).map(|(op, resource)| (Operation::CloudFront(op), resource))
            }
            Service::Iam => iam::identify(request).map(|(op, resource)| (Operation::Iam(op), resource)),
            Service::Route53 => {
                route53::identify(request).map(|(op, resource)| (Operation::Route53(op), resource))
            }
            Service::S3 => s3::identify(request).map(|(op, resource)| (Operation::S3(op), resource)),
            Service::Sts => sts::identify(request).map(|()| (Operation::Sts, String::new())),
        }?;
        Ok(Self { operation, resource })
    }

    /// The operation by its name in the API.
    pub(crate) fn name(&self) -> String {
        match self.operation {
            Operation::CloudFront(operation) => format!("{operation:?}"),
            Operation::Iam(operation) => format!("{operation:?}"),
            Operation::Route53(operation) => format!("{operation:?}"),
            Operation::S3(operation) => format!("{operation:?}"),
            Operation::Sts => "GetCallerIdentity".to_owned(),
        }
    }

    fn service(&self) -> Service {
        match self.operation {
            Operation::CloudFront(_) => Service::CloudFront,
            Operation::Iam(_) => Service::Iam,
            Operation::Route53(_) => Service::Route53,
            Operation::S3(_) => Service::S3,
            Operation::Sts => Service::Sts,
        }
    }

    /// Does the call and writes the journal. `fault` says which planned fault will meet the answer, `denied` which operations
    /// are not granted.
    pub(crate) fn perform(
        &self,
        world: &mut World,
        request: &Request,
        request_id: &str,
        (fault, denied): (Option<String>, &[String]),
    ) -> Answer {
        let mut entry = self.entry(fault);
        entry.account = account_of(world, request);
        let done = self.execute(world, (request, request_id), &mut entry, denied);
        entry.status = done.as_ref().map_or_else(|failure| failure.status, |answer| answer.status.as_u16());
        entry.error = done.as_ref().err().map(|failure| failure.code.to_owned());
        world.record(entry);
        done.unwrap_or_else(|failure| self.service().refuse(&failure, request, request_id))
    }

    /// The line of the journal for a call that was refused, or lost, without an effect.
    pub(crate) fn refused(
        &self,
        world: &World,
        request: &Request,
        failure: Option<&Failure>,
        fault: String,
    ) -> JournalEntry {
        let status = failure.map_or(0, |failure| failure.status);
        let error = failure.map(|failure| failure.code.to_owned());
        JournalEntry { status, error, account: account_of(world, request), ..self.entry(Some(fault)) }
    }

    /// The line of the journal for a call that was not done yet.
    fn entry(&self, fault: Option<String>) -> JournalEntry {
        JournalEntry {
            sequence: 0,
            time_ms: 0,
            account: String::new(),
            service: self.service().name().to_owned(),
            op: self.name(),
            resource: self.resource.clone(),
            reference: String::new(),
            status: 0,
            error: None,
            aliases: Vec::new(),
            certificate: None,
            changes: Vec::new(),
            fault,
        }
    }

    fn execute(
        &self,
        world: &mut World,
        (request, request_id): (&Request, &str),
        entry: &mut JournalEntry,
        denied: &[String],
    ) -> Result<Answer, Failure> {
        let envelope = |result: &Element, namespace| envelope(result, namespace, request_id);
        match self.operation {
            Operation::CloudFront(operation) => cloudfront::perform(operation, world, request, entry),
            Operation::Route53(operation) => route53::perform(operation, world, request, entry),
            Operation::S3(operation) => s3::perform(operation, world, request, entry),
            Operation::Iam(operation) => iam::perform(operation, world, request, entry, denied)
                .map(|result| envelope(&result, iam::NAMESPACE)),
            Operation::Sts => Ok(envelope(&sts::caller(world, &entry.account), sts::NAMESPACE)),
        }
    }
}

/// The query protocol wraps `XResult` into `XResponse`, and leaves out a result with nothing in it.
fn envelope(result: &Element, namespace: &str, request_id: &str) -> Answer {
    let name = format!("{}Response", result.name.trim_end_matches("Result"));
    let metadata = Element::new("ResponseMetadata").with(Element::leaf("RequestId", request_id));
    let result = (!result.children.is_empty()).then(|| result.clone());
    let response = result.into_iter().fold(Element::new(&name), Element::with).with(metadata);
    Answer::xml(200, response.document(namespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_service_in_the_scope_of_the_signature() {
        let signature =
            "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/iam/aws4_request, SignedHeaders=host";
        assert_eq!(scope(signature), Some("iam"));
        assert_eq!(scope("Basic dXNlcjpwYXNz"), None);
    }
}
