//! What the broker answers.

/// One kind of request, in the form in which it is right.
pub(crate) struct Endpoint {
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    /// `{id}` stands for an instance.
    pub(crate) path: &'static str,
    pub(crate) query: &'static str,
    pub(crate) body: Body,
}

/// What is sent along.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    Nothing,
    Provision,
    Update,
}

const DELETE: &str = "accepts_incomplete=true&service_id=8478b533-2b59-4007-8494-2feec5970f94&\
                      plan_id=fc055c72-1075-44c9-9aee-bddd52e1b053";
const ACCEPTS: &str = "accepts_incomplete=true";

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    plain("catalog", "GET", "/v2/catalog", "", Body::Nothing),
    plain("provision", "PUT", "/v2/service_instances/{id}", ACCEPTS, Body::Provision),
    plain("fetch", "GET", "/v2/service_instances/{id}", "", Body::Nothing),
    plain("update", "PATCH", "/v2/service_instances/{id}", ACCEPTS, Body::Update),
    plain("last-operation", "GET", "/v2/service_instances/{id}/last_operation", "operation=x", Body::Nothing),
    plain("deprovision", "DELETE", "/v2/service_instances/{id}", DELETE, Body::Nothing),
    plain("bind", "PUT", "/v2/service_instances/{id}/service_bindings/b", ACCEPTS, Body::Provision),
    plain("fetch-binding", "GET", "/v2/service_instances/{id}/service_bindings/b", "", Body::Nothing),
    plain("unbind", "DELETE", "/v2/service_instances/{id}/service_bindings/b", DELETE, Body::Nothing),
    plain(
        "last-binding-operation",
        "GET",
        "/v2/service_instances/{id}/service_bindings/b/last_operation",
        "",
        Body::Nothing,
    ),
    plain("health-live", "GET", "/health/live", "", Body::Nothing),
    plain("health-ready", "GET", "/health/ready", "", Body::Nothing),
    plain("challenge", "GET", "/.well-known/acme-challenge/www.example.gov/token", "", Body::Nothing),
    plain("elsewhere", "GET", "/", "", Body::Nothing),
];

const fn plain(
    name: &'static str,
    method: &'static str,
    path: &'static str,
    query: &'static str,
    body: Body,
) -> Endpoint {
    Endpoint { name, method, path, query, body }
}
