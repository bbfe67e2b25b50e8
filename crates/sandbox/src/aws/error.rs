//! How the emulated services say no.

use super::xml::Element;

/// A refusal: HTTP status, error code and sentence, as AWS words them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// 400 with the given code.
    pub(crate) fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// CloudFront's answer to a value it does not accept.
    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self::bad("InvalidArgument", message)
    }

    /// The error document of CloudFront, IAM and STS; they differ by namespace only.
    pub(crate) fn document(&self, namespace: &str, request_id: &str) -> String {
        let kind = if self.status < 500 { "Sender" } else { "Receiver" };
        let error = Element::new("Error")
            .with(Element::leaf("Type", kind))
            .with(Element::leaf("Code", self.code))
            .with(Element::leaf("Message", &self.message));
        Element::new("ErrorResponse")
            .with(error)
            .with(Element::leaf("RequestId", request_id))
            .document(namespace)
    }

    /// The error document of S3.
    pub(crate) fn s3_document(&self, resource: &str, request_id: &str) -> String {
        Element::new("Error")
            .with(Element::leaf("Code", self.code))
            .with(Element::leaf("Message", &self.message))
            .with(Element::leaf("Resource", resource))
            .with(Element::leaf("RequestId", request_id))
            .document("")
    }
}
