use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// Says in its errors which endpoint was called: whoever reads "connection refused" wants to know by whom.
#[derive(Debug)]
pub(super) struct Naming<T>(pub(super) T);

/// An error of the network, and where.
#[derive(Debug, thiserror::Error)]
#[error("{endpoint} was called")]
struct Called {
    endpoint: String,
    source: BoxError,
}

impl HttpClient for Naming<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Naming(self.0.http_connector(settings, components)))
    }
}

impl HttpConnector for Naming<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let endpoint = endpoint(request.uri());
        let calling = self.0.call(request);
        HttpConnectorFuture::new(async move { calling.await.map_err(|error| named(error, endpoint)) })
    }
}

/// Scheme, host and port. Nobody else is to be told what lies behind, and a user has no place before.
fn endpoint(uri: &str) -> String {
    let (scheme, rest) = uri.split_once("://").unwrap_or(("", uri));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    if scheme.is_empty() { host.to_owned() } else { format!("{scheme}://{host}") }
}

/// The same error, of the same kind, as the SDK's repetitions go by it.
fn named(error: ConnectorError, endpoint: String) -> ConnectorError {
    let connection = error.connection_metadata().cloned();
    let (is_io, is_timeout, is_user, other) =
        (error.is_io(), error.is_timeout(), error.is_user(), error.as_other());
    let source = Box::new(Called { endpoint, source: error.into_source() });
    let error = if is_io {
        ConnectorError::io(source)
    } else if is_timeout {
        ConnectorError::timeout(source)
    } else if is_user {
        ConnectorError::user(source)
    } else {
        ConnectorError::other(source, other)
    };
    match connection {
        Some(connection) => error.with_connection(connection),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_kind_and_names_the_endpoint_alone() {
        let endpoint = endpoint("http://u:hunter2@127.0.0.1:1/bucket/key?x=1");
        assert_eq!(endpoint, "http://127.0.0.1:1");
        let error = named(ConnectorError::io("refused".into()), endpoint);
        assert!(error.is_io());
        assert_eq!(contract::chain(&error), "io error: http://127.0.0.1:1 was called: refused");
        let error = named(ConnectorError::timeout("late".into()), String::new());
        assert!(error.is_timeout() && !error.is_io());
    }
}
