use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use sha2::{Digest, Sha256};

use crate::credential::authenticate;
use crate::response::REQUEST_IDENTITY;
use crate::route::Route;
use crate::{
    ApiVersion, Catalog, CatalogQuery, Credential, ErrorCode, InvalidCatalog, Operation, OriginatingIdentity,
    Request, Response, reading,
};

/// The API of one broker: what it offers, and who may ask. Cheap to ask, safe to share.
#[derive(Debug)]
pub struct Api {
    catalog: Catalog,
    rendered: Bytes,
    etag: HeaderValue,
    credentials: Vec<Credential>,
    base_path: String,
}

/// A request that has passed every check that needs no knowledge of the instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What is asked for.
    pub operation: Operation,
    /// Who caused it, if the platform says.
    pub identity: Option<OriginatingIdentity>,
    /// The name of this request in the platform's logs (`X-Broker-API-Request-Identity`), for the broker's logs.
    pub request_identity: Option<HeaderValue>,
    /// The version of the API that the platform speaks.
    pub api_version: ApiVersion,
}

impl Api {
    /// An API at `/v2`. Any one of the credentials is enough; without any, nobody is let in.
    ///
    /// # Errors
    /// Everything that is wrong with the catalog.
    pub fn new(catalog: Catalog, credentials: Vec<Credential>) -> Result<Self, InvalidCatalog> {
        let problems = catalog.validate();
        if !problems.is_empty() {
            return Err(InvalidCatalog(problems));
        }
        let json = serde_json::to_vec(&catalog.offered())
            .map_err(|error| InvalidCatalog(vec![error.to_string()]))?;
        let etag = entity_tag(&json).map_err(|error| InvalidCatalog(vec![error.to_string()]))?;
        Ok(Self { catalog, rendered: Bytes::from(json), etag, credentials, base_path: String::new() })
    }

    /// The same API at `{base_path}/v2`, for a broker whose URL has a path. Slashes at either end do not matter.
    #[must_use]
    pub fn with_base_path(self, base_path: &str) -> Self {
        let base_path = match base_path.trim_matches('/') {
            "" => String::new(),
            path => format!("/{path}"),
        };
        Self { base_path, ..self }
    }

    /// What is known: what is offered, and the plans that are not any more.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Lets a request pass that comes with one of the credentials, whatever it asks for: for pages beside the protocol's own.
    ///
    /// # Errors
    /// The answer to send instead.
    pub fn authenticate(&self, headers: &HeaderMap) -> Result<(), Response> {
        authenticate(&self.credentials, headers)
    }

    /// Checks a request in this order and stops at the first that fails: credentials (401), API version (412), path
    /// and method (404, 405), syntax of path, query and headers (400), syntax of the body (400), required fields (400), service and plan (400), asynchronous operation
    /// allowed (422). Calls for bindings are answered here, as there are none.
    ///
    /// # Errors
    /// The answer to send instead.
    pub fn read(&self, request: &Request<'_>) -> Result<Call, Response> {
        self.checked(request).map_err(|response| response.for_request(request.headers))
    }

    /// Whether the answer depends on the body: on that of a provision or an update of which everything else is right, as far as
    /// it can be known from the head. For every other request [`Self::read`] says the same whatever the body is, so that a server
    /// need not wait for it (R1, R18). The body that is in `head` is not looked at.
    pub fn wants_body(&self, head: &Request<'_>) -> bool {
        // Asked first, because most requests are polls and it costs nothing.
        if !matches!(*head.method, Method::PUT | Method::PATCH) {
            return false;
        }
        match self.admitted(head) {
            Ok((_, Route::Instance(id))) => reading::Head::read(id, head).is_ok(),
            _ => false,
        }
    }

    /// The instance that a refused request was about, where it was refused for its service or plan; what is said of an instance
    /// that exists may be another thing than that the catalog lacks them.
    pub fn unknown_plan_of(&self, refusal: &Response, request: &Request<'_>) -> Option<String> {
        let is_unknown = refusal.error_code() == Some(ErrorCode::UnknownServiceOrPlan.as_str());
        match Route::find(&self.base_path, request.path).ok().filter(|_| is_unknown)? {
            Route::Instance(id) => reading::fetch(id).ok().map(|fetch| fetch.instance_id),
            _ => None,
        }
    }

    /// 200 with the catalog, or 304 if the platform has it already (OSB 2.17, "Catalog Management").
    pub fn answer_catalog(&self, query: &CatalogQuery) -> Response {
        let response = if query.if_none_match.as_deref().is_some_and(|tags| self.is_current(tags)) {
            Response::without_body(StatusCode::NOT_MODIFIED)
        } else {
            Response::rendered(StatusCode::OK, self.rendered.clone())
        };
        response.with_header(ETAG, self.etag.clone())
    }

    fn checked(&self, request: &Request<'_>) -> Result<Call, Response> {
        let (api_version, route) = self.admitted(request)?;
        Ok(Call {
            operation: self.operation(route, request)?,
            identity: OriginatingIdentity::from_headers(request.headers),
            request_identity: request.headers.get(REQUEST_IDENTITY).cloned(),
            api_version,
        })
    }

    /// The version and the path of a request that may ask.
    fn admitted<'a>(&self, request: &Request<'a>) -> Result<(ApiVersion, Route<'a>), Response> {
        authenticate(&self.credentials, request.headers)?;
        let api_version = ApiVersion::from_headers(request.headers)?;
        Ok((api_version, Route::find(&self.base_path, request.path)?))
    }

    fn operation(&self, route: Route<'_>, request: &Request<'_>) -> Result<Operation, Response> {
        match (route, request.method) {
            (Route::Catalog, &Method::GET) => Ok(Operation::Catalog(catalog_query(request.headers))),
            (Route::Instance(id), &Method::PUT) => {
                reading::provision(&self.catalog, id, request).map(Operation::Provision)
            }
            (Route::Instance(id), &Method::PATCH) => {
                reading::update(&self.catalog, id, request).map(Operation::Update)
            }
            (Route::Instance(id), &Method::DELETE) => {
                reading::deprovision(&self.catalog, id, request).map(Operation::Deprovision)
            }
            (Route::Instance(id), &Method::GET) => reading::fetch(id).map(Operation::Fetch),
            (Route::LastOperation(id), &Method::GET) => {
                reading::last_operation(id, request).map(Operation::LastOperation)
            }
            (Route::Binding, &Method::PUT) => Err(no_binding()),
            (Route::Binding, &Method::DELETE) => Err(Response::gone()),
            (Route::Binding | Route::BindingLastOperation, &Method::GET) => Err(binding_not_found()),
            (route, _) => Err(Response::method_not_allowed(route.allow())),
        }
    }

    /// Whether a list of entity tags names the catalog as it is now. The comparison is the weak one of RFC 9110.
    fn is_current(&self, tags: &str) -> bool {
        tags.split(',').map(str::trim).any(|tag| {
            let opaque = tag.strip_prefix("W/").unwrap_or(tag);
            tag == "*" || opaque.as_bytes() == self.etag.as_bytes()
        })
    }
}

fn entity_tag(json: &[u8]) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    HeaderValue::try_from(format!("\"{}\"", URL_SAFE_NO_PAD.encode(Sha256::digest(json))))
}

fn catalog_query(headers: &HeaderMap) -> CatalogQuery {
    let tags: Vec<&str> = headers.get_all(IF_NONE_MATCH).iter().filter_map(|tag| tag.to_str().ok()).collect();
    CatalogQuery { if_none_match: (!tags.is_empty()).then(|| tags.join(",")) }
}

fn no_binding() -> Response {
    let sentence =
        "This service has no bindings. Use the service instance without binding it to an application.";
    Response::error(ErrorCode::BindingNotSupported, sentence)
}

fn binding_not_found() -> Response {
    Response::error(
        ErrorCode::NotFound,
        "There is no such binding: this service has none. Fetch the instance.",
    )
}
